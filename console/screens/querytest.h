/* querytest - the query test of another screen's row: its name and type are filled in, and it is asked. */
#ifndef NS_CONSOLE_SCREENS_QUERYTEST_H
#define NS_CONSOLE_SCREENS_QUERYTEST_H

#include "console/screens/ui.h"
#include "ipc/client/draft.h"

/* client: an address or a network of which the first address is taken; NULL: as it is. */
void querytest_open(struct ui *, const char *name, const char *type, const char *client);
/* The same of a name as it is typed in a zone, with this draft in the place of the zone's, if it has one; it is taken over. */
void querytest_open_draft(struct ui *, const char *zone, const char *name, const char *type, Ns__Draft *);

#endif
