/* metrics - totals as the message that sync asks for; the memory is the caller's struct. */
#ifndef NS_ANSWER_METRICS_H
#define NS_ANSWER_METRICS_H

#include "appliance/answer/floods.h"
#include "appliance/answer/toplist.h"
#include "appliance/answer/totals.h"
#include "appliance/answer/zonepast.h"
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
/* What was, with them: of all of it, or of that zone, of which NULL is not kept. */
struct metrics_past {
	uint64_t ms; /* the last step; 0: none yet */
	float qps[ZONEPAST_POINTS], p99_us[ZONEPAST_POINTS];
};
/* A second has passed. */
void metrics_past_step(
    struct metrics_past *, const struct totals *, const struct totals_ring *, uint64_t now_ms);
void metrics_past(struct metrics *, struct metrics_past *);
void metrics_zone_past(struct metrics *, const struct zonepast_row *);

/* The rates of zones: those whose past is kept first, with it, then those that are not quiet. */
#define METRICS_RATES 65536u /* zones in one message: less than 1 MiB */
struct metrics_rates {
	Ns__ZoneRates message;
	const struct zonetotal *zones[METRICS_RATES];
	uint64_t ids[METRICS_RATES];
	float qps[METRICS_RATES], past[ZONEPAST_ZONES * ZONEPAST_COARSE];
	uint32_t nxdomain[METRICS_RATES];
};
void metrics_rates(struct metrics_rates *, const struct zonetotals *, const struct zonepast *,
    uint64_t now_ms);
/* Either kind with these; both stay the caller's, and in place until the message is sent. */
void metrics_lists(struct metrics *, struct toplist *, struct floods *);

#endif
