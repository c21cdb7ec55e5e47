/* poprow - a row of the list of appliances: what stands in each column, and how it looks. */
#ifndef NS_CONSOLE_SCREENS_POPROW_H
#define NS_CONSOLE_SCREENS_POPROW_H

#include "console/screens/fleet.h"
#include "console/screens/pages.h"

#define POP_PAST 8u /* characters of the last ten minutes */

struct pop_row {
	struct row row; /* as it is drawn; id: its name */
	char *line; /* below the list, when the cursor is on it */
	bool drained, problem;
};

enum { C_POP, C_SITE, C_STATE, C_VERSION, C_LAG, C_HEARD, C_QPS, C_P50, C_P99, C_ERRORS, C_MEMORY,
	C_GEO, C_CLOCK, C_UP, C_PAST, C_ROLE, C_REVISION };

/* old: what it says of itself was heard long ago; of one that is silent it is in any case. */
void poprow_set(struct view *, struct pop_row *, const Ns__FleetListReply__Appliance *, bool old);

#endif
