/* rtt.c - see rtt.h. */
#include "appliance/probe/rtt.h"

#include <stdbool.h>

#define SCALE 16u

static uint32_t
median(uint32_t a, uint32_t b, uint32_t c)
{
	uint32_t low = a < b ? a : b, high = a < b ? b : a;

	return c < low ? low : c > high ? high : c;
}

/* With two, the lesser one: a probe takes longer than the way is, never less. */
static uint32_t
usual(const struct rtt *r, uint32_t us)
{
	if (r->last[0] == 0)
		return us;
	if (r->last[1] == 0)
		return us < r->last[0] ? us : r->last[0];
	return median(us, r->last[0], r->last[1]);
}

uint32_t
rtt_take(struct rtt *r, uint32_t us)
{
	bool few = r->last[1] == 0;
	uint32_t value, band;

	if (us == 0)
		return r->shown;
	us = us < RTT_MAX_US ? us : RTT_MAX_US;
	value = usual(r, us) * SCALE;
	r->last[1] = r->last[0];
	r->last[0] = us;
	r->smooth = few ? value : r->smooth - r->smooth / 4 + value / 4;
	value = r->smooth / SCALE;
	band = r->shown / 100 * RTT_BAND_PERCENT;
	band = band > RTT_BAND_US ? band : RTT_BAND_US;
	if (r->shown == 0 || value > r->shown + band || value + band < r->shown)
		r->shown = value > 0 ? value : 1;
	return r->shown;
}

void
rtt_resume(struct rtt *r, uint32_t shown)
{
	if (r->shown != 0 || shown == 0)
		return;
	shown = shown < RTT_MAX_US ? shown : RTT_MAX_US;
	*r = (struct rtt){ { shown, shown }, shown * SCALE, shown };
}
