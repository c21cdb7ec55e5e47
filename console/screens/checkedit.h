/* checkedit - a health check as a form: the fields of its kind, what the appliance says of them while
 * one types, and the change itself, which is made at once: checks are no part of drafts. */
#ifndef NS_CONSOLE_SCREENS_CHECKEDIT_H
#define NS_CONSOLE_SCREENS_CHECKEDIT_H

#include "console/screens/ui.h"

/* clone: a new one like that. */
void checkedit_open(struct ui *, const char *name, bool clone);
/* A new one; of this address, if it is one. */
void checkedit_new(struct ui *, const char *target);
/* Asks first (T1), then deletes it; the appliance refuses what a policy needs. */
void checkedit_delete(struct ui *, const char *name);

#endif
