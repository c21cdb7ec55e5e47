/* votes_fuzz - any octets as the votes of another appliance: what is taken keeps the limits, and says the same
 * when it is said on. */
// link: appliance/probe/votewire.c
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/probe/votewire.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
same(const Ns__Votes *a, const Ns__Votes *b, const size_t *from)
{
	for (size_t i = 0; i < b->n_checks; i++) {
		struct vote_row x, y;

		assert(votes_row(a, from[i], &x) && votes_row(b, i, &y));
		assert(x.check == y.check && x.state == y.state && x.abstains == y.abstains);
		assert(x.rtt_us == y.rtt_us && x.age_ms == y.age_ms && x.looked == y.looked);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct votes_draft d;
	static size_t from[VOTES_MAX];
	const char *why = NULL;
	Ns__Votes *m = votes_read(data, size, &why), *again;
	uint8_t *octets;
	size_t len;

	assert((m == NULL) == (why != NULL));
	if (m == NULL)
		return 0;
	assert(m->n_checks <= VOTES_MAX && m->n_reasons <= VOTES_REASONS);
	votes_begin(&d, m->epoch, m->seq);
	for (size_t i = 0; i < m->n_checks; i++) {
		struct vote_row r;

		if (!votes_row(m, i, &r))
			continue;
		assert(strlen(r.reason) < VOTE_REASON_MAX && r.rtt_us <= VOTE_RTT_MAX_US);
		from[d.m.n_checks] = i;
		assert(votes_add(&d, &r));
	}
	octets = votes_pack(&d, &len);
	again = votes_read(octets, len, &why);
	assert(again != NULL && again->n_checks == d.m.n_checks);
	same(m, again, from);
	ns__votes__free_unpacked(again, NULL);
	free(octets);
	ns__votes__free_unpacked(m, NULL);
	return 0;
}
