/* pace.c - see pace.h. */
#include "console/core/pace.h"

#include "ipc/base/clock.h"

#define FRAME_MS    250u /* data draws no more often */
#define MUTE_MS     1000u /* to a terminal that does not say what it has shown */
#define SLOW_MS     250u
#define SLOW_KEYS   100u /* keys share a frame on a slow link, */
#define SLOW_FRAMES 3u /* and no more than these are under way */
#define PROBE_MS    2000u
#define LOST_MS     10000u /* an answer that does not come: the terminal is another one now */

bool
pace_slow(const struct pace *p, uint64_t now)
{
	return p->round_trip_ms > SLOW_MS ||
	       (p->unshown && p->probing == PROBE_WORKS && clock_since(now, p->probe_ms) > SLOW_MS);
}

unsigned
pace_data(struct pace *p, uint64_t now, bool writable)
{
	unsigned gap;
	uint64_t since;

	if (p->unshown && p->probing == PROBE_TRYING && clock_since(now, p->probe_ms) >= PROBE_MS) {
		p->probing = PROBE_MUTE;
		p->unshown = false;
	}
	if (p->unshown && clock_since(now, p->probe_ms) >= LOST_MS)
		p->unshown = false;
	if (p->unshown || !writable)
		return FRAME_MS;
	gap = p->probing == PROBE_MUTE ? MUTE_MS : FRAME_MS;
	since = clock_since(now, p->last_data_ms);
	return since >= gap ? 0 : (unsigned)(gap - since);
}

/* On a slow link what keys do waits until frames before it were shown: else it would be shown later still. */
unsigned
pace_key(const struct pace *p, uint64_t now)
{
	if (!p->unshown || !pace_slow(p, now) || clock_since(now, p->probe_ms) >= LOST_MS)
		return 0;
	return p->behind >= SLOW_FRAMES || clock_since(now, p->last_draw_ms) < SLOW_KEYS ? SLOW_KEYS
											 : 0;
}

bool
pace_drawn(struct pace *p, uint64_t now, bool data, bool writable)
{
	p->last_draw_ms = now;
	if (data)
		p->last_data_ms = now;
	if (p->probing == PROBE_MUTE)
		return false;
	if (p->unshown) {
		p->behind++;
		return false;
	}
	return writable;
}

void
pace_asked(struct pace *p, uint64_t now, bool can)
{
	if (!can) {
		p->probing = PROBE_MUTE;
		return;
	}
	p->unshown = true;
	p->probe_ms = now;
}

bool
pace_shown(struct pace *p, uint64_t now)
{
	bool again = p->behind > 0;

	if (p->probe_ms == 0)
		return false; /* asked before another program had the terminal */
	p->unshown = false;
	p->probing = PROBE_WORKS;
	p->round_trip_ms = (unsigned)clock_since(now, p->probe_ms);
	p->behind = 0;
	return again; /* what came after it is not told of yet */
}

void
pace_forget(struct pace *p)
{
	p->unshown = false;
	p->behind = 0;
	p->probe_ms = 0;
}
