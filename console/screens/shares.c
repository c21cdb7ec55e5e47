/* shares.c - see overview.h. */
#include <stdio.h>
#include <string.h>

#include "console/core/sanitize.h"
#include "console/screens/overview.h"

void
shares_add(struct shares *sh, const Ns__StatsReply *r, Ns__StatsReply__Rcode *const *list, size_t n)
{
	struct share_sample *s;

	/* Counters that went back belong to another life of the appliance. */
	if (sh->n > 0 && r->queries < sh->list[(sh->n - 1) % (SHARE_WINDOW + 1)].queries)
		sh->n = 0;
	s = &sh->list[sh->n++ % (SHARE_WINDOW + 1)];
	*s = (struct share_sample){ .queries = r->queries,
		.udp = r->udp,
		.tcp = r->tcp - r->tls,
		.tls = r->tls,
		.dropped = r->dropped };
	for (size_t i = 0; i < n && s->n < SHARE_NAMES; i++) {
		sanitize(s->name[s->n], sizeof s->name[0], list[i]->name, true);
		s->count[s->n++] = list[i]->count;
	}
}

static double
percent(uint64_t part, uint64_t whole)
{
	return whole > 0 ? 100.0 * (double)part / (double)whole : 0;
}

static uint64_t
count_of(const struct share_sample *s, const char *name)
{
	for (unsigned i = 0; i < s->n; i++)
		if (strcmp(s->name[i], name) == 0)
			return s->count[i];
	return 0;
}

void
shares_view(const struct shares *sh, struct share_view *v)
{
	static const struct share_sample nothing;
	const struct share_sample *now, *then = &nothing;

	*v = (struct share_view){ .idle = true };
	if (sh->n == 0)
		return;
	now = &sh->list[(sh->n - 1) % (SHARE_WINDOW + 1)];
	if (sh->n > 1)
		then = &sh->list[sh->n > SHARE_WINDOW ? sh->n % (SHARE_WINDOW + 1) : 0];
	v->idle = now->queries == then->queries;
	if (v->idle)
		then = &nothing;
	uint64_t all = now->queries - then->queries;
	v->udp = percent(now->udp - then->udp, all);
	v->tcp = percent(now->tcp - then->tcp, all);
	v->tls = percent(now->tls - then->tls, all);
	v->dropped = percent(now->dropped - then->dropped, all);
	for (v->n = 0; v->n < now->n; v->n++) {
		v->name[v->n] = now->name[v->n];
		v->percent[v->n] = percent(now->count[v->n] - count_of(then, now->name[v->n]), all);
	}
}
