/* census - what a batch leaves behind beside the totals (tally.h): each zone's counters, and the client
 * networks and names that ask most, in this worker's shared memory.
 *
 * Zones are counted exactly.  Clients, with what they ask and get, and names are sampled: all queries of a batch of up to
 * CENSUS_ALL, else one in CENSUS_SAMPLE on average, at distances of chance, which then counts for so
 * many; so the expectation is right at any load and the cost is bounded where load is high.  One thread. */
#ifndef NS_WORKER_CENSUS_H
#define NS_WORKER_CENSUS_H

#include <stddef.h>
#include <stdint.h>

#include "appliance/serve/serve.h"
#include "appliance/zonemap/page.h"

#define CENSUS_ALL    4u
#define CENSUS_SAMPLE 64u

struct census {
	struct zonecount *zones;
	struct clientnote (*notes)[TOPK_SLOTS]; /* of clients' slots, by window */
	struct topk_writer clients, names;
	uint64_t random; /* never 0 */
	size_t skip; /* queries until the next sample */
};

void census_init(struct census *, struct worker_memory *, uint64_t random, uint64_t now_ns);
/* Sends for what census_batch() will touch. */
void census_prefetch(const struct census *, const struct query *, size_t n);
void census_batch(struct census *, const struct query *, size_t n, uint64_t now_ns);

#endif
