/* keyclock - the time by which keys live: it goes on evenly, whatever is done to the wall clock.
 *
 * Caches out there forget by real time.  A wall clock that is set by an hour or a year while we run would make
 * every wait look over, or never over; so from look to look only as much passes as the boot clock (which
 * counts sleep) says, and a difference is remembered.  A new start believes the wall; one that is before all of
 * our software was never right, and is believed when it is set.  The signer starts with sync's.  Pure, but
 * for keyclock_boot(). */
#ifndef NS_KEYS_KEYCLOCK_H
#define NS_KEYS_KEYCLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define KEYCLOCK_FLOOR 1767225600	/* 2026 */
#define KEYCLOCK_SLACK 300		/* seconds that clocks may drift apart between two looks */

struct keyclock {
	int64_t	wall, boot;		/* at the last look; boot 0: there was none */
	int64_t	skew;			/* that the wall is ahead of us */
};

/* Seconds: what counts for keys, of which wall is the clock's word and boot CLOCK_BOOTTIME + 1. */
static inline int64_t
keyclock_look(struct keyclock *c, int64_t wall, int64_t boot)
{
	int64_t jump = c->boot != 0 ? (wall - c->wall) - (boot - c->boot) : 0;

	bool off = c->boot != 0 && c->wall - c->skew < KEYCLOCK_FLOOR;

	if (!off && (jump > KEYCLOCK_SLACK || jump < -KEYCLOCK_SLACK))
		c->skew += jump;
	c->wall = wall;
	c->boot = boot;
	/* Set right again. */
	if (c->skew <= KEYCLOCK_SLACK && c->skew >= -KEYCLOCK_SLACK)
		c->skew = 0;
	return wall - c->skew;
}

/* Seconds since boot, as keyclock_look() takes them. */
static inline int64_t
keyclock_boot(void)
{
	struct timespec t = { 0 };

	(void)clock_gettime(CLOCK_BOOTTIME, &t);
	return t.tv_sec + 1;
}

/* Somebody who has been here for longer says what counts. */
static inline void
keyclock_take(struct keyclock *c, int64_t counts, int64_t wall, int64_t boot)
{
	int64_t skew = wall - counts;

	*c = (struct keyclock){ wall, boot,
		skew > KEYCLOCK_SLACK || skew < -KEYCLOCK_SLACK ? skew : 0 };
}

#endif
