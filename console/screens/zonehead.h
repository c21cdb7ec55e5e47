/* zonehead - what the title of a zone's tabs tells of it: serial, DNSSEC, queries a second.
 *
 * Asked once for each zone and each change; the queries come with the appliance's status, which is asked all the same.
 * One of a ui, NULL until a zone was opened. */
#ifndef NS_CONSOLE_SCREENS_ZONEHEAD_H
#define NS_CONSOLE_SCREENS_ZONEHEAD_H

#include "console/screens/ui.h"
#include "ipc/nameserve.pb-c.h"

/* Asks, if the zone on screen, or its version, is not the one that was asked for. */
void zonehead_tick(struct ui *);
void zonehead_forget(struct ui *);
/* The zone of which status shall tell; "": none is on screen. */
const char *zonehead_zone(const struct ui *);
void zonehead_took(struct ui *, const Ns__StatusReply__Zone *);
/* "ok", "DS?", "EXPIRED", "off" … and what it looks like. */
const char *zonehead_dnssec(const Ns__ZoneInfo *, enum ui_role *);
/* "2026112201   DNSSEC ok   21.4k qps" from x on, as much of it as fits before end; where it ends. */
int zonehead_draw(struct view *, int x, int y, int end);

#endif
