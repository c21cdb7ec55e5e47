/* querydraft - all drafts of this user as a question with them takes them: a name may lead from one zone into
 * another. */
#ifndef NS_CONSOLE_SCREENS_QUERYDRAFT_H
#define NS_CONSOLE_SCREENS_QUERYDRAFT_H

#include "console/screens/ui.h"

struct querydraft {
	Ns__Draft **drafts;
	Ns__ZoneEdit *edits, **list;
	size_t n;
	const Ns__Draft *instead;
};

/* Damaged ones are left out: Pending says so.  instead: in the place of that of its zone, if it has one; NULL: none. */
void querydraft_load(struct ui *, struct querydraft *, const Ns__Draft *instead);
void querydraft_free(struct querydraft *);

#endif
