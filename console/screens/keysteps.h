/* keysteps - where the roll of a zone's KSK is: what is done and when it was, what is under way, what comes.  Pure. */
#ifndef NS_CONSOLE_SCREENS_KEYSTEPS_H
#define NS_CONSOLE_SCREENS_KEYSTEPS_H

#include <stdbool.h>
#include <stddef.h>

#include "ipc/nameserve.pb-c.h"

#define STEPS_MAX  5u
#define PHASES_MAX 3u

enum step_mark { STEP_DONE, STEP_NOW, STEP_NEXT };
struct keysteps {
	char title[96]; /* empty: no roll is under way */
	size_t n;
	struct {
		enum step_mark mark;
		char text[96];
		/* RFC 3339, as they came; empty: not known, or not by time alone. */
		char at[40]; /* done: when it was */
		char since[40], until[40]; /* under way */
	} list[STEPS_MAX];
	/* The same in few words, as the line below them has it. */
	struct {
		enum step_mark mark;
		const char *label;
	} phases[PHASES_MAX];
	size_t n_phases;
	const char *end; /* what it comes to */
	char begun[40];
};

void keysteps_of(const Ns__DnssecShowReply *, struct keysteps *);
/* "20 Nov |=== publish ===|>> waiting for you >>|..... DS TTL .....|remove" in that many columns; empty: there is no room. */
void keysteps_line(const struct keysteps *, int width, char *out, size_t size);
/* Some server of the parent has a DS of this zone, as far as it is known. */
bool keysteps_ds_there(const Ns__DnssecShowReply *);
/* "20 Nov 10:00" of an RFC 3339 time, "-" of what is none. */
void keysteps_time(const char *rfc3339, char out[16]);

#endif
