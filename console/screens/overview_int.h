/* overview_int - what overview.c knows and overview_draw.c draws. */
#ifndef NS_CONSOLE_SCREENS_OVERVIEW_INT_H
#define NS_CONSOLE_SCREENS_OVERVIEW_INT_H

#include "console/screens/graphs.h"
#include "console/screens/overview.h"
#include "console/screens/overview_list.h"
#include "console/screens/popbars.h"
#include "console/screens/troubles.h"
#include "console/widgets/table.h"

#define ZONES	20u
#define SPARK	10u /* columns of a zone's ten minutes */
#define BUCKETS 128u
#define CHANGES 2u

/* Counters of a zone at a moment, for what part of the queries since are NXDOMAIN and errors. */
struct top_counts {
	uint64_t ms, count, nxdomain, errors;
};
struct top_zone {
	char *name; /* as the appliance has it */
	char *shown;
	double qps, nx, errors; /* percent */
	struct top_counts was, now;
	double spark[SPARK];
};

struct overview {
	struct series qps, p99;
	double now, peak, p50, p99_now, p999;
	bool latency, known;
	struct shares shares, types;
	bool fleet; /* all appliances, not this one */
	uint32_t appliances; /* that are in it, */
	size_t silent; /* and that are not */
	Ns__StatsReply__Bucket buckets[BUCKETS], *bucket_list[BUCKETS]; /* of the latency */
	size_t n_buckets;
	struct overview_list list; /* what is listed beside the zones, or in their place */
	struct top_zone zones[ZONES];
	size_t n_zones;
	struct ns_table table;
	struct troubles troubles;
	struct popbars pops;
	bool at_troubles; /* the pane that has the keys */
	uint64_t sampled_ms, past_ms; /* 0: not yet */
	struct {
		uint64_t revision;
		char text[512];
	} changes[CHANGES];
	size_t n_changes;
	uint64_t stats_request, history_request;
};

extern const struct table_column overview_columns[];
/* A list of its own has the cursor. */
bool overview_on_list(const struct overview *);
void overview_draw(struct view *, struct rect);

#endif
