/* totals - the worker pages summed, and what follows from them: rates and percentiles.
 *
 * Pure.  Pages are written by processes that talk to strangers, so every word is clamped and none
 * is an index or a length. */
#ifndef NS_ANSWER_TOTALS_H
#define NS_ANSWER_TOTALS_H

#include <stddef.h>
#include <stdint.h>

#include "appliance/zonemap/page.h"

#define TOTALS_MAX     (1ull << 52) /* of one counter: 29 years at 5 million a second */
#define TOTALS_SAMPLES 12 /* one a second; the longest window is 10 s */

struct totals {
	uint64_t queries, udp, tcp, dropped, truncated;
	uint64_t tls, tcp_open, tcp_evicted, tls_accepted, tls_handshake_failed, tls_resumed;
	uint64_t rrl_dropped, rrl_slipped, budget_dropped, budget_slipped;
	uint64_t routed, routed_down, routed_ecs, routed_nowhere;
	uint64_t policy_unsigned;
	uint64_t rcodes[PAGE_RCODES];
	uint64_t qtypes[PAGE_QTYPES];
	uint64_t latency[PAGE_HIST];
};

struct totals_ring {
	struct {
		uint64_t ms;
		struct totals totals;
	} samples[TOTALS_SAMPLES];
	unsigned n, next;
};

void totals_read(struct totals *, const struct worker_page *const *pages, size_t n);
void totals_sample(struct totals_ring *, const struct totals *, uint64_t now_ms);
/* The newest sample that is at least (about) `window_ms` old, else the oldest; NULL: none.  Its age
 * goes to *age_ms. */
const struct totals *
totals_before(const struct totals_ring *, uint64_t now_ms, uint64_t window_ms, uint64_t *age_ms);
double
totals_qps(const struct totals_ring *, const struct totals *, uint64_t now_ms, uint64_t window_ms);
/* Upper edge of the bucket that holds share `p` of what is counted; 0 when nothing is. */
double totals_percentile(const uint64_t counts[PAGE_HIST], double p);
/* `now` without `before`, per bucket. */
void totals_latency_since(
    const struct totals *now, const struct totals *before, uint64_t counts[PAGE_HIST]);

#endif
