/* vitals - what is known of how an appliance is, beside what it serves: memory, age of its [geo] database, its clock;
 * and ten minutes of its load, as whoever hears of it remembers them.
 *
 * Pure: time is an argument, all of a fixed size. */
#ifndef NS_FLEET_VITALS_H
#define NS_FLEET_VITALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/fleet/roster.h"
#include "ipc/nameserve.pb-c.h"

struct vitals {
	uint32_t memory_mib, geo_day; /* 0: not told; days since 1970 */
	bool clocked;
	int64_t clock_us; /* ahead of the primary's */
};
/* From a message and into one; NULL: nothing was told. */
void vitals_read(struct vitals *, const Ns__FleetVitals *);
void vitals_put(const struct vitals *, Ns__FleetVitals *);
/* As the list of appliances has them. */
void vitals_show(const struct vitals *, Ns__FleetListReply__Appliance *);

/* ---- another's clock against ours, from round trips (RFC 5905, section 8) ---- */
#define CLOCK_KEEP_NS 30000000000ull /* so long a quick round trip counts more than a slow one */
struct clockdiff {
	bool known;
	int64_t offset_us; /* the other is ahead by so much, */
	int64_t round_us; /* give or take half of this */
	uint64_t at_ns;
};
/* Our clock when we sent and when the answer came; the other's when it answered, and how long it held what we sent. */
struct clock_trip {
	int64_t sent_us, came_us, theirs_us;
	uint64_t held_us;
};
/* False: it cannot be, or a better one is kept. */
bool clockdiff_take(struct clockdiff *, const struct clock_trip *, uint64_t now_ns);

/* ---- load, a minute a point ---- */
#define LOAD_POINTS 10u
struct loadpast {
	struct loadpast_of {
		char name[FLEET_NAME];
		uint64_t seen_ns; /* 0: a place that is free */
		double sum; /* of this minute */
		unsigned n;
		float points[LOAD_POINTS]; /* the newest is this minute's; -1: nothing was heard */
	} of[FLEET_MEMBERS];
	uint64_t minute_ns; /* when this one began */
};
/* qps < 0: it is not heard of. */
void loadpast_add(struct loadpast *, const char *name, double qps, uint64_t now_ns);
/* LOAD_POINTS of them; NULL: it is not known. */
const float *loadpast_of(const struct loadpast *, const char *name);

#endif
