/* pings - how long a request to each appliance of the fleet takes and back, by way of the one that the console is
 * connected to: one at a time, the next when the last is back, each seldom.  Nothing waits for it. */
#ifndef NS_CONSOLE_SCREENS_PINGS_H
#define NS_CONSOLE_SCREENS_PINGS_H

#include "console/screens/ui.h"

#define PINGS 256u

struct pings {
	struct view *view;
	struct ping {
		char *name; /* as the appliance has it */
		bool wanted;
		double ms; /* the last round trip; PING_NONE, PING_LATE */
		uint64_t asked_ms; /* 0: never */
	} list[PINGS];
	size_t n, at; /* at: who is asked */
	uint64_t request, sent_ns;
};
#define PING_NONE (-1.0) /* not known yet */
#define PING_LATE (-2.0) /* the last one did not come back in time, or was refused */

void pings_open(struct pings *, struct view *);
void pings_close(struct pings *);
/* Who is there: of those that are not named again nothing is kept. */
void pings_begin(struct pings *);
void pings_want(struct pings *, const char *name);
void pings_end(struct pings *);
void pings_tick(struct pings *);
double pings_ms(const struct pings *, const char *name);

#endif
