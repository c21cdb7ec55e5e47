/* backoff - how long to wait before trying again: exponential, with a cap and jitter.
 *
 * Pure: time and random numbers are arguments.  The first failure after a healthy time costs no
 * wait (a killed worker is replaced at once, a lost link is tried again at once); each further one
 * doubles it from min to cap.  The jitter takes away at most half, so that many who lost the same
 * peer do not come back together.  Used by the supervisor (children) and the client (links). */
#ifndef NS_BASE_BACKOFF_H
#define NS_BASE_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

struct backoff {
	uint32_t min_ms, cap_ms; /* 0 < min <= cap */
	uint32_t healthy_ms; /* up this long: failures are forgotten */
	uint32_t failures; /* in a row */
	uint64_t up_ms; /* when it came up; meaningful while up */
	uint64_t next_ms; /* when to try again */
	bool up;
};

void backoff_init(struct backoff *, uint32_t min_ms, uint32_t cap_ms, uint32_t healthy_ms);
/* It runs, or the link is there. */
void backoff_up(struct backoff *, uint64_t now_ms);
/* It died, or the attempt failed.  Returns the wait in ms from now; 0: try at once. */
uint32_t backoff_failed(struct backoff *, uint64_t now_ms, uint32_t random);
/* ms until the next attempt is due; 0: now. */
uint32_t backoff_wait(const struct backoff *, uint64_t now_ms);

#endif
