/* zonepast - ten minutes of the zones that are asked most: a ring for each of ZONEPAST_ZONES, 720 KiB in all.
 *
 * A step takes what was counted since the last one (zonetotals.h); the workers have no part in it.  A zone gets a ring
 * when it is among the busiest, and keeps it until one that is busier needs it.  Pure; time is an argument. */
#ifndef NS_ANSWER_ZONEPAST_H
#define NS_ANSWER_ZONEPAST_H

#include "appliance/answer/zonetotals.h"

#define ZONEPAST_ZONES	1024u
#define ZONEPAST_POINTS 60u
#define ZONEPAST_MS	10000u /* of a point */
#define ZONEPAST_COARSE 10u /* points in what lists of zones show: a minute each */

struct zonepast_row {
	uint64_t id, total[ZONE_KINDS]; /* at the last step */
	bool busy; /* among the busiest at the last step */
	float list[ZONE_KINDS][ZONEPAST_POINTS]; /* a second, the newest last; -1: not counted */
};
struct zonepast {
	struct zonepast_row rows[ZONEPAST_ZONES];
	size_t n;
	uint64_t ms; /* the last step; 0: none yet */
	uint64_t points; /* that there ever were */
	uint16_t index[4 * ZONEPAST_ZONES]; /* by id: 1 + place in rows; 0: free */
	const struct zonetotal *top[ZONEPAST_ZONES];
};

/* After a round of the totals: nothing happens before it is time. */
void zonepast_step(struct zonepast *, const struct zonetotals *);
/* NULL: that zone's are not kept. */
const struct zonepast_row *zonepast_find(const struct zonepast *, uint64_t id);
/* The means of six points each, ZONEPAST_COARSE of them; the newest of those that there are since the last full six, so
 * that the others stay as they are. */
void zonepast_coarse(const struct zonepast *, const float *points, float *out);

/* A ring of that many: moves on by `steps` of the same value. */
void past_push(float list[ZONEPAST_POINTS], float value, uint64_t steps);

#endif
