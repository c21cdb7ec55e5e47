/* querydraft - drafts of this user as a question with them takes them: that of the zone that is asked, or all: a name may
 * lead from one zone into another. */
#ifndef NS_CONSOLE_SCREENS_QUERYDRAFT_H
#define NS_CONSOLE_SCREENS_QUERYDRAFT_H

#include "console/screens/ui.h"

struct querydraft {
	Ns__Draft **drafts;
	Ns__ZoneEdit *edits, **list;
	size_t n;
	const Ns__Draft *instead;
};

/* name: the one in whose zone it is; NULL: all.  Damaged ones are left out: Pending says so.  instead: in the place of
 * that of its zone, if it has one; NULL: none. */
void querydraft_load(struct ui *, struct querydraft *, const char *name, const Ns__Draft *instead);
void querydraft_free(struct querydraft *);

#endif
