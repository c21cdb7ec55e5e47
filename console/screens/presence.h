/* presence - who else is about to change the zone on screen; we say it of ourselves while there is a draft that we may
 * commit.
 *
 * Asked for every quarter of a minute, by tick; silence and refusals are nobody's: it is a courtesy, not a lock. */
#ifndef NS_CONSOLE_SCREENS_PRESENCE_H
#define NS_CONSOLE_SCREENS_PRESENCE_H

#include "console/screens/ui.h"

void presence_tick(struct ui *);
/* Another appliance, or the end. */
void presence_forget(struct ui *);
/* "bob is editing (2 min)"; "": nobody that we know of. */
const char *presence_text(const struct ui *, const char *zone);

#endif
