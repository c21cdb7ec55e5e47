/* picks.c - see picks.h. */
#include "appliance/zonemap/picks.h"

#include <string.h>

#include "appliance/zonemap/pool.h"

struct picks {
	struct emission_pick *out;
	unsigned n;
};

static int
by_pick(const struct emission_pick *p, uint16_t first, uint64_t mask)
{
	if (p->first != first)
		return p->first < first ? -1 : 1;
	return (p->mask > mask) - (p->mask < mask);
}

static void
add_pick(struct picks *p, uint16_t first, uint64_t mask)
{
	unsigned lo = 0, hi = p->n;

	while (lo < hi) {
		unsigned mid = (lo + hi) / 2;

		if (by_pick(&p->out[mid], first, mask) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (p->n > EMISSIONS_MAX || (lo < p->n && by_pick(&p->out[lo], first, mask) == 0))
		return;
	memmove(p->out + lo + 1, p->out + lo, (p->n - lo) * sizeof *p->out);
	p->out[lo] = (struct emission_pick){ first, mask };
	p->n++;
}

static void
pool_picks(const struct policy *po, const struct policy_pool *pool, const struct pool_health *h,
    struct picks *picks)
{
	struct pool_choice of[POLICY_PICK];
	uint64_t up = pool_up(po, pool, h);
	unsigned n, k, starts;

	n = pool_kept(po, pool, pool_is_up(pool, up) ? up : pool_when_down(po, pool, h, up), of);
	if (n == 0)
		return;
	k = pool->serve == POLICY_ONE ? 1 : pool->serve == POLICY_SOME && pool->k < n ? pool->k : n;
	starts = k == n ? 1 : n;
	for (unsigned from = 0; from < starts; from++) {
		uint64_t mask = 0;

		for (unsigned i = 0; i < k; i++)
			mask |= 1ull << of[(from + i) % n].what;
		add_pick(picks, pool->first, mask);
	}
}

unsigned
emissions_of(
    const struct policy *po, const struct board *board, struct emission_pick out[EMISSIONS_MAX + 1])
{
	struct picks picks = { .out = out };

	for (unsigned i = 0; i < po->npools && picks.n <= EMISSIONS_MAX; i++) {
		struct pool_health h = { .board = board };
		struct policy_pool pool;
		struct policy_answer a;

		if (!policy_pool_at(po, i, &pool))
			continue;
		pool_picks(po, &pool, &h, &picks);
		for (unsigned k = 0; k < pool.count && picks.n <= EMISSIONS_MAX; k++) {
			if (!policy_answer_at(po, pool.first + k, &a) || a.check_name == 0)
				continue;
			h.flipped = a.check;
			pool_picks(po, &pool, &h, &picks);
		}
	}
	return picks.n;
}

bool
emissions_may_be_none(const struct policy *po)
{
	struct policy_pool pool;

	for (unsigned i = 0; i < po->npools; i++) {
		if (policy_pool_at(po, i, &pool) && pool.when_down == POLICY_CLOSED)
			return true;
	}
	return false;
}
