/* pool - which answers of a policy's pool may be given, for what the health board says.
 *
 * The one place of these rules: workers pick by them (serve/policy.c), and the signer signs beforehand what will be
 * picked (signer/emissions.c).  Pure but for reading the board; sets of answers are bits, from the pool's first.  No
 * allocation, no lock; a pool has at most POLICY_PICK answers, which bounds the work. */
#ifndef NS_ZONEMAP_POOL_H
#define NS_ZONEMAP_POOL_H

#include "appliance/dns/policy.h"
#include "appliance/zonemap/board.h"

struct pool_health {
	const struct board *board;	/* NULL: everything is up */
	uint64_t	 flipped;	/* a check that counts the other way round; 0: none */
};

static inline bool
pool_answer_up(const struct pool_health *h, const struct policy_answer *a)
{
	if (a->flags & POLICY_DRAIN)
		return false;
	if (a->check_name == 0 || h->board == NULL)
		return true;
	return board_up(h->board, a->check) != (h->flipped != 0 && a->check == h->flipped);
}

/* Those that are up. */
static inline uint64_t
pool_up(const struct policy *po, const struct policy_pool *pool, const struct pool_health *h)
{
	struct policy_answer a;
	uint64_t up = 0;

	for (unsigned i = 0; i < pool->count; i++)
		if (policy_answer_at(po, pool->first + i, &a) && pool_answer_up(h, &a))
			up |= 1ull << i;
	return up;
}

/* Enough of them for the pool to be up. */
static inline bool
pool_is_up(const struct policy_pool *pool, uint64_t up)
{
	return (unsigned)__builtin_popcountll(up) >= policy_least(pool);
}

/* Of a pool that is down, with `up` being up: what its when_down gives.  Nothing where another pool stands in. */
uint64_t pool_when_down(const struct policy *, const struct policy_pool *, const struct pool_health *,
	    uint64_t up);
/* Of the good ones those that weights let through (weight 0 only where all have it), in their order: how many. */
struct pool_choice {
	uint16_t	what;			/* place in the pool */
	uint16_t	weight;
	uint32_t	id;
};
unsigned pool_kept(const struct policy *, const struct policy_pool *, uint64_t good,
	    struct pool_choice out[POLICY_PICK]);

#endif
