/* profiles - appliances of other hosts, to which the operator goes by an ssh of his own: a name and where, each.
 *
 * They are his, not an appliance's: one file in the state directory (core/memo.h: bounded, set aside when it is
 * damaged), read anew before it is changed, for consoles run beside each other.  What stands in it was typed or is
 * another program's: a destination is checked (ipc/client/pipe.h) when it is taken and again before it is used. */
#ifndef NS_CONSOLE_SCREENS_PROFILES_H
#define NS_CONSOLE_SCREENS_PROFILES_H

#include "console/core/memo.h"
#include "console/screens/ui.h"

/* All of them, name to "ssh:USER@HOST"; for memo_destroy().  A damaged file is said. */
struct memo *profiles_read(struct ui *);
/* A form for one more. */
void profiles_ask(struct ui *);
void profiles_drop(struct ui *, const char *name);
/* The console there, in the place of this one until it ends. */
void profiles_visit(struct ui *, const char *name);
/* Why not from here; NULL: it can be visited. */
const char *profiles_refuse(const struct ui *);

#endif
