/* sampler - shows some queries of a batch to whoever watches (zonemap/tail.h).
 *
 * Nobody watches: one load and one comparison a batch.  Somebody does: one query in `one_in` by chance, and at
 * most SAMPLER_LOADED of a full batch and SAMPLER_SECOND a second, so that no wish makes a query dear; what is
 * left out is counted.  One thread. */
#ifndef NS_WORKER_SAMPLER_H
#define NS_WORKER_SAMPLER_H

#include <stddef.h>
#include <stdint.h>

#include "appliance/serve/serve.h"
#include "appliance/zonemap/tail.h"

#define SAMPLER_ALL    4u /* batches of up to so many are shown whole: nobody is in a hurry */
#define SAMPLER_LOADED 1u
#define SAMPLER_SECOND 2000u

struct sampler {
	const struct tail_wish *wish; /* NULL: nobody ever watches */
	struct tail *tail;
	uint64_t random; /* never 0 */
	uint64_t skip; /* queries until the next one */
	uint64_t second_ns; /* when the second began, */
	unsigned left; /* and what is left of it */
};

void sampler_init(struct sampler *, const struct tail_wish *, struct tail *, uint64_t random);
/* Somebody watches: the batch took that long. */
void sampler_show(struct sampler *, const struct query *, size_t n, uint64_t now_ns, uint64_t took_ns);

static inline void
sampler_batch(struct sampler *s, const struct query *q, size_t n, uint64_t now_ns, uint64_t took_ns)
{
	if (s->wish != NULL &&
	    atomic_load_explicit(&s->wish->until_ns, memory_order_relaxed) > now_ns)
		sampler_show(s, q, n, now_ns, took_ns);
}

#endif
