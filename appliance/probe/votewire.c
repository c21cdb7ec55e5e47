/* votewire.c - see votewire.h. */
#include "appliance/probe/votewire.h"

#include <stdlib.h>
#include <string.h>

#include "ipc/base/text.h"
#include "ipc/base/xalloc.h"

enum { NONE, UP, DOWN, ABSTAINS, NSTATES };
#define NEVER (VOTE_AGE_MAX_MS + 1) /* as an age: it has not looked yet */

/* ---- in ---- */
static const char *
refused(const Ns__Votes *m)
{
	size_t n = m->n_checks;

	if (n > VOTES_MAX)
		return "too many votes";
	if (m->n_states != n || m->n_rtt_us != n || m->n_age_ms != n || m->n_reason != n)
		return "columns of different lengths";
	if (m->n_reasons > VOTES_REASONS)
		return "too many reasons";
	for (size_t i = 0; i < m->n_reasons; i++) {
		size_t len = strlen(m->reasons[i]);

		if (len >= VOTE_REASON_MAX || !text_is_clean(m->reasons[i], len))
			return "a reason that is none";
	}
	return NULL;
}

Ns__Votes *
votes_read(const void *data, size_t len, const char **why)
{
	Ns__Votes *m = ns__votes__unpack(NULL, len, data);

	*why = m == NULL ? "malformed" : refused(m);
	if (*why == NULL)
		return m;
	if (m != NULL)
		ns__votes__free_unpacked(m, NULL);
	return NULL;
}

bool
votes_row(const Ns__Votes *m, size_t i, struct vote_row *r)
{
	if (m->states[i] >= NSTATES || m->rtt_us[i] > VOTE_RTT_MAX_US || m->age_ms[i] > NEVER ||
	    m->reason[i] >= m->n_reasons)
		return false;
	r->check = m->checks[i];
	r->abstains = m->states[i] == ABSTAINS;
	r->state = m->states[i] == UP ? VOTE_UP : m->states[i] == DOWN ? VOTE_DOWN : VOTE_NONE;
	r->looked = m->age_ms[i] != NEVER;
	r->age_ms = r->looked ? m->age_ms[i] : 0;
	r->rtt_us = m->rtt_us[i];
	r->reason = m->reasons[m->reason[i]];
	return r->looked || r->state == VOTE_NONE;
}

/* ---- out ---- */
void
votes_begin(struct votes_draft *d, uint64_t epoch, uint64_t seq)
{
	ns__votes__init(&d->m);
	d->m.epoch = epoch;
	d->m.seq = seq;
	if (d->checks == NULL) {
		d->checks = xcalloc(VOTES_MAX, sizeof *d->checks);
		for (size_t i = 0; i < 4; i++)
			d->columns[i] = xcalloc(VOTES_MAX, sizeof *d->columns[i]);
	}
	d->m.checks = d->checks;
	d->m.states = d->columns[0];
	d->m.rtt_us = d->columns[1];
	d->m.age_ms = d->columns[2];
	d->m.reason = d->columns[3];
	d->m.reasons = (char **)(uintptr_t)d->reasons;
}

/* Nearly all say one of a few things; the newest are looked at first.  When there is no more room for
 * reasons, the last one's slot says so. */
static uint32_t
reason_of(struct votes_draft *d, const char *reason)
{
	for (size_t i = d->m.n_reasons; i-- > 0;)
		if (strcmp(d->reasons[i], reason) == 0)
			return (uint32_t)i;
	if (d->m.n_reasons == VOTES_REASONS)
		return VOTES_REASONS - 1;
	if (d->m.n_reasons == VOTES_REASONS - 1)
		reason = "see check show there";
	d->reasons[d->m.n_reasons] = reason;
	return (uint32_t)d->m.n_reasons++;
}

bool
votes_add(struct votes_draft *d, const struct vote_row *r)
{
	size_t i = d->m.n_checks;

	if (i == VOTES_MAX)
		return false;
	d->checks[i] = r->check;
	d->columns[0][i] = r->abstains             ? ABSTAINS
			   : r->state == VOTE_UP   ? UP
			   : r->state == VOTE_DOWN ? DOWN
						   : NONE;
	d->columns[1][i] = r->rtt_us < VOTE_RTT_MAX_US ? r->rtt_us : VOTE_RTT_MAX_US;
	d->columns[2][i] = !r->looked ? NEVER : r->age_ms < NEVER ? r->age_ms : VOTE_AGE_MAX_MS;
	d->columns[3][i] = reason_of(d, r->reason);
	d->m.n_checks = d->m.n_states = d->m.n_rtt_us = d->m.n_age_ms = d->m.n_reason = i + 1;
	return true;
}

uint8_t *
votes_pack(const struct votes_draft *d, size_t *len)
{
	uint8_t *out;

	*len = ns__votes__get_packed_size(&d->m);
	out = xmalloc(*len + 1);
	ns__votes__pack(&d->m, out);
	return out;
}

void
votes_free(struct votes_draft *d)
{
	free(d->checks);
	for (size_t i = 0; i < 4; i++)
		free(d->columns[i]);
	*d = (struct votes_draft){ .checks = NULL };
}
