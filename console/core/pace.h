/* pace - when to draw: frames of data at most four times a second, and none before the terminal has said that it has shown
 * the last one; what keys do at once, unless the link is slow.  Pure: times are arguments, of one monotonic clock, in ms. */
#ifndef NS_CONSOLE_CORE_PACE_H
#define NS_CONSOLE_CORE_PACE_H

#include <stdbool.h>
#include <stdint.h>

struct pace {
	enum { PROBE_TRYING, PROBE_WORKS, PROBE_MUTE } probing;
	bool unshown; /* a probe is out */
	unsigned behind; /* frames that were drawn after it */
	uint64_t probe_ms; /* when the last one was sent; 0: forgotten */
	uint64_t last_data_ms; /* the last periodic frame */
	uint64_t last_draw_ms; /* any */
	unsigned round_trip_ms;
};

/* How long until a frame of data, or of what a key did, may be drawn; 0: now.  writable: the terminal takes octets. */
unsigned pace_data(struct pace *, uint64_t now_ms, bool writable);
unsigned pace_key(const struct pace *, uint64_t now_ms);
/* One was drawn.  True: ask the terminal to say when it is shown, and then pace_asked(). */
bool pace_drawn(struct pace *, uint64_t now_ms, bool data, bool writable);
void pace_asked(struct pace *, uint64_t now_ms, bool can);
/* It says so.  True: there are later frames: ask again. */
bool pace_shown(struct pace *, uint64_t now_ms);
/* Another program had the terminal: it got the answer that we wait for. */
void pace_forget(struct pace *);
bool pace_slow(const struct pace *, uint64_t now_ms); /* its round trip is above 250 ms */

#endif
