/* zonetotals - what the workers count per zone (zonecount.h), added up and kept.
 *
 * The workers' counters have 32 bits and lose their place when a zone is long quiet; here they have 64
 * and stay.  In a round every worker's counters of a zone are added up, and the step from the last
 * round's sum, in 32 bits too, is what was asked since: so there is one table for all workers instead of
 * a copy of each one's counters (2.5 MB that each further worker would cost).  A round takes 4 ms for
 * 100,000 zones and a worker.
 *
 * Pages are untrusted: a step of more than half of the 32 bits is none, and the table has a limit, at
 * which the zones that were quiet for longest go.  Pure; time is an argument. */
#ifndef NS_ANSWER_ZONETOTALS_H
#define NS_ANSWER_ZONETOTALS_H

#include <stddef.h>
#include <stdint.h>

#include "appliance/zonemap/zonecount.h"

#define ZONETOTALS_MAX (1u << 20) /* places; 7/8 of them are used at most: 64 MiB */

enum zonetotal_kind { ZONE_QUERIES, ZONE_NXDOMAIN, ZONE_ERRORS, ZONE_KINDS };
#define ZONE_NX_ALL 65535u
struct zonetotal {
	uint64_t id : 48; /* zonecount_id(), of 42 bits; 0: free */
	uint64_t nx : 16; /* what part of the rate is NXDOMAIN, of ZONE_NX_ALL */
	uint64_t total[ZONE_KINDS];
	uint32_t last[ZONE_KINDS], sum[ZONE_KINDS]; /* of the round before, of this one */
	float rate; /* queries a second, at `second`; older ones count less and less */
	uint32_t second : 31, old : 1; /* old: has been through a round */
};
struct zonetotals {
	struct zonetotal *table;
	size_t size, used; /* size: a power of two */
	uint64_t round_ms; /* the last one; 0: none yet */
	uint32_t purged; /* second of the last purge */
	uint64_t lost; /* places that found the table full */
};

void zonetotals_init(struct zonetotals *);
void zonetotals_fini(struct zonetotals *);
/* A round: begin, each worker once, end. */
void zonetotals_begin(struct zonetotals *, uint64_t now_ms);
void zonetotals_add(struct zonetotals *, const struct zonecount *, uint64_t now_ms);
void zonetotals_end(struct zonetotals *, uint64_t now_ms);
/* NULL: nothing was ever counted for that zone. */
const struct zonetotal *zonetotals_find(const struct zonetotals *, uint64_t id);
double zonetotals_rate(const struct zonetotal *, uint64_t now_ms);
/* NXDOMAINs among a thousand of those that the rate counts. */
uint32_t zonetotals_nx(const struct zonetotal *);
/* The `max` that are asked most, most first: by rate, where there is one, then by total. */
size_t zonetotals_top(
    const struct zonetotals *, const struct zonetotal **out, size_t max, uint64_t now_ms);
/* Those that are not quiet, most `max` of them: of more, the busiest by some. */
size_t zonetotals_rates(
    const struct zonetotals *, const struct zonetotal **out, size_t max, uint64_t now_ms);

#endif
