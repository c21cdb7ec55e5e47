/* budget - what one zone may cost in answers to names that are not in it.
 *
 * A flood of random names below one zone comes from real resolvers, so no client's limit stops it, and
 * each of its names is new, so no cache does.  So a zone has a budget of NXDOMAINs and one of names that
 * a wildcard or a DNAME makes up; above it they are refused before anything is written or sent, which
 * leaves that time to the other zones.  Names that are in the zone are always answered.
 *
 * Only while the worker is busy: a zone may have any number of NXDOMAINs while nobody has to wait for
 * them.  Busy is for BUDGET_BUSY_NS after a full batch that followed a full batch: more was waiting in
 * the socket than one call could take, twice.  What is within the budget is charged all the time, so
 * when it gets busy the zone that floods is over its budget already.
 *
 * Exempt: TCP, a valid server cookie, loopback.  Pure, one thread; time is an argument. */
#ifndef NS_WORKER_BUDGET_H
#define NS_WORKER_BUDGET_H

#include <stddef.h>
#include <stdint.h>

#include "appliance/serve/serve.h"
#include "appliance/worker/bucket.h"
#include "appliance/zonemap/page.h"

/* Per zone and worker.  Resolvers keep an NXDOMAIN for the SOA's minimum, mostly minutes to hours; the
 * busiest honest zones have hundreds a second.  A wildcard that stands for a million customers' names is
 * asked for more, and each answer is kept for its TTL. */
#define BUDGET_NXDOMAIN	      2000u
#define BUDGET_NXDOMAIN_BURST 4000u
#define BUDGET_MADE_UP	      8000u
#define BUDGET_MADE_UP_BURST  16000u
#define BUDGET_SET_BITS	      11u /* 4,096 buckets, 32 KiB; only floods need theirs for long */
#define BUDGET_BUSY_NS	      100000000ull
/* One refusal in so many is an empty reply with TC.  Seldom: these are real resolvers, and each would
 * come back over TCP, which costs us ten times the answer. */
#define BUDGET_SLIP 16u

struct budget {
	struct bucket_table table;
	struct bucket_rate nxdomain, made_up;
	uint64_t now_ns, busy_until_ns;
	unsigned full; /* batches in a row */
	unsigned refused;
	struct worker_page *page; /* counters and floods */
};

bool budget_init(struct budget *, struct worker_page *, const uint64_t key[2])
    __attribute__((warn_unused_result));
void budget_fini(struct budget *);
/* A batch of n datagrams has come. */
void budget_batch(struct budget *, size_t n, uint64_t now_ns);
serve_gate_fn budget_gate; /* arg: the budget */

#endif
