/* metrics - totals as the message that sync asks for; the memory is the caller's struct. */
#ifndef NS_ANSWER_METRICS_H
#define NS_ANSWER_METRICS_H

#include "appliance/answer/floods.h"
#include "appliance/answer/toplist.h"
#include "appliance/answer/totals.h"
#include "appliance/answer/zonetotals.h"
#include "ipc/nameserve.pb-c.h"

struct metrics {
	Ns__Metrics message; /* points into the rest */
	Ns__StatsReply stats;
	Ns__StatsReply__Latency latency;
	Ns__StatsReply__Rcode counts[PAGE_RCODES + PAGE_QTYPES];
	Ns__StatsReply__Rcode *rcodes[PAGE_RCODES];
	Ns__StatsReply__Rcode *qtypes[PAGE_QTYPES];
	Ns__StatsReply__Bucket buckets[PAGE_HIST], *bucket_list[PAGE_HIST];
};

/* Latency is that of the last 10 s when there were queries in them, else of all time. */
void
metrics_fill(struct metrics *, const struct totals *, const struct totals_ring *, uint64_t now_ms);
/* One zone's figures instead; NULL: zeros. */
void metrics_zone(struct metrics *, const struct zonetotal *, uint64_t now_ms);
/* Either kind with these; both stay the caller's, and in place until the message is sent. */
void metrics_lists(struct metrics *, struct toplist *, struct floods *);

#endif
