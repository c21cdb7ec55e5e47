/* dnssec - what is done with a zone's keys; each is asked first. */
#ifndef NS_CONSOLE_SCREENS_DNSSEC_H
#define NS_CONSOLE_SCREENS_DNSSEC_H

#include "console/screens/ui.h"

/* Sign, unsign, roll keys, DS submitted, of the zone of the view.  ds_there: the parent has a DS of it. */
void dnssec_ask(struct view *, enum ns_action_id, bool ds_there);

#endif
