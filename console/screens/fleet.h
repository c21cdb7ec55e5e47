/* fleet - what the list of appliances and the screen of one have in common. */
#ifndef NS_CONSOLE_SCREENS_FLEET_H
#define NS_CONSOLE_SCREENS_FLEET_H

#include "console/screens/ui.h"
#include "ipc/nameserve.pb-c.h"

/* "SILENT", "LAG", "ok", … of a state's name, and what it looks like. */
const char *fleet_state(const char *state, enum ui_role *);
bool fleet_is_problem(const char *state);
size_t fleet_rank(const char *state); /* the worst first */
/* "3m", "5h", "12d" */
void fleet_uptime(double s, char out[24]);
/* "310M", "3.0G" */
void fleet_memory(unsigned mib, char out[16]);
/* "+0.2ms", "-12s" */
void fleet_clock(double ms, char out[16]);
/* Asks for the list; the number of the request. */
uint64_t fleet_ask(struct view *, ns_reply_fn *);
/* Out of service, or back when it is drained.  serving: appliances in service now, this one among them or not. */
void fleet_drain(struct view *, const char *name, bool drained, size_t serving, size_t all);

#endif
