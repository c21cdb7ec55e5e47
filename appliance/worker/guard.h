/* guard - what stands around the answering of a batch: the limits before it leaves, the counts after.
 *
 * One per worker, shared by UDP and TCP:
 *     guard_begin → worker_answer → guard_limit (UDP) → send → guard_count → sampler_batch */
#ifndef NS_WORKER_GUARD_H
#define NS_WORKER_GUARD_H

#include "appliance/worker/budget.h"
#include "appliance/worker/census.h"
#include "appliance/worker/rrl.h"
#include "appliance/worker/sampler.h"

struct guard {
	struct worker_page *page;
	struct rrl rrl;
	struct budget budget;
	struct census census;
	struct sampler sampler;
	uint64_t now_ns;
};

/* At the start, with all rights: memory and randomness.  Puts its gate into conf.  wish: NULL where nobody can
 * watch. */
void guard_init(struct guard *, struct worker_memory *, struct serve_conf *, const struct tail_wish *wish,
    uint64_t now_ns);
void guard_fini(struct guard *);
void guard_begin(struct guard *, size_t n, uint64_t now_ns);
void guard_limit(struct guard *, const struct serve_conf *, struct query *, size_t n);
void guard_count(struct guard *, const struct query *, size_t n);

#endif
