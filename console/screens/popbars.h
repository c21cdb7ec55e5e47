/* popbars - how much each appliance of the fleet is asked, as bars, the busiest first; and which of them serve a change. */
#ifndef NS_CONSOLE_SCREENS_POPBARS_H
#define NS_CONSOLE_SCREENS_POPBARS_H

#include "console/screens/ui.h"

#define POPBARS 64u /* that are drawn at most */

struct popbars {
	struct {
		char name[32]; /* sanitized */
		double qps; /* -1: it is silent */
	} list[POPBARS];
	size_t n, all; /* here; there are */
	uint64_t *revisions; /* that each serves, all of them; 0: silent */
};

void popbars_take(struct popbars *, const struct view *, const Ns__FleetListReply *);
void popbars_free(struct popbars *);
/* In columns, as many as r has room for; the rest is counted.  Says how many rows it took. */
int popbars_draw(const struct popbars *, struct view *, struct rect r);
/* " 30/32 PoPs": of all; empty where nothing is known, or there is one alone. */
void popbars_served(const struct popbars *, uint64_t revision, char out[32]);

#endif
