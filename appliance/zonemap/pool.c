/* pool.c - see pool.h. */
#include "appliance/zonemap/pool.h"

/* Until enough were up, those fell which fell last: up now, and they, were the last good set. */
static uint64_t
last_good(const struct policy *po, const struct policy_pool *pool, const struct pool_health *h,
    uint64_t good)
{
	while (!pool_is_up(pool, good)) {
		uint32_t latest = 0;
		uint64_t add = 0;

		for (unsigned i = 0; i < pool->count; i++) {
			struct policy_answer a;
			uint32_t since;

			if ((good & 1ull << i) != 0 || !policy_answer_at(po, pool->first + i, &a))
				continue;
			since = h->board != NULL ? board_read(h->board, a.check).since : 0;
			/* One that would fall now falls last of all. */
			if (h->flipped != 0 && a.check == h->flipped)
				since = UINT32_MAX;
			if (add == 0 || since >= latest) {
				add = since > latest ? 1ull << i : add | 1ull << i;
				latest = since;
			}
		}
		if (add == 0)
			break;
		good |= add;
	}
	return good;
}

uint64_t
pool_when_down(const struct policy *po, const struct policy_pool *pool, const struct pool_health *h,
    uint64_t up)
{
	switch (pool->when_down) {
	case POLICY_OPEN:
		return pool->count == 64 ? UINT64_MAX : (1ull << pool->count) - 1;
	case POLICY_LAST:
		return last_good(po, pool, h, up);
	default:
		return 0;
	}
}

unsigned
pool_kept(const struct policy *po, const struct policy_pool *pool, uint64_t good,
    struct pool_choice out[POLICY_PICK])
{
	struct policy_answer a;
	unsigned n = 0, heavy = 0, kept = 0;

	for (unsigned i = 0; i < pool->count; i++) {
		if ((good & 1ull << i) == 0 || !policy_answer_at(po, pool->first + i, &a))
			continue;
		out[n++] = (struct pool_choice){ (uint16_t)i, a.weight, a.id };
		heavy += a.weight > 0;
	}
	if (heavy == 0 || heavy == n)
		return n;
	for (unsigned i = 0; i < n; i++)
		if (out[i].weight > 0)
			out[kept++] = out[i];
	return kept;
}
