/* bulk - one thing done to several zones, one after the other, with what came of it said at the end.
 *
 * A TTL goes into one draft a zone; zones are deleted at once, a change each.  It goes on when the screen it began on is
 * left; there is one at a time. */
#ifndef NS_CONSOLE_SCREENS_BULK_H
#define NS_CONSOLE_SCREENS_BULK_H

#include "console/screens/marks.h"
#include "console/screens/ui.h"

/* What is done to the marked zones; asks first, by name (T2: DELETE 12, TTL 12). */
void bulk_delete(struct ui *, const struct marks *);
void bulk_ttl(struct ui *, const struct marks *);
void bulk_free(struct ui *);

#endif
