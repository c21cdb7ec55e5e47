/* checktry - a look at what a check says that is not in force: from this appliance and up to two others, at other sites
 * if there are any.  Zeroed it has not been asked for. */
#ifndef NS_CONSOLE_SCREENS_CHECKTRY_H
#define NS_CONSOLE_SCREENS_CHECKTRY_H

#include "console/screens/ui.h"

#define CHECKTRY_LOOKS 3u

struct checktry {
	struct view *view;
	Ns__Check *def; /* what is looked at; NULL: nothing */
	uint64_t fleet_request; /* who there is */
	struct checktry_look {
		struct checktry *of;
		char from[64], site[64];
		uint64_t request; /* 0: it has come */
		enum ui_role role;
		char text[200];
	} looks[CHECKTRY_LOOKS];
	unsigned n;
};

/* Looks anew; the definition is taken over. */
void checktry_begin(struct checktry *, struct view *, Ns__Check *);
/* It was of other values; what is under way is not waited for. */
void checktry_forget(struct checktry *);
/* A row a look, checktry.n of them; what all say, once. */
void checktry_draw(const struct checktry *, struct rect);

#endif
