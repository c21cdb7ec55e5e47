/* overview_list - the Overview's second list: networks, names or types that are asked most. */
#ifndef NS_CONSOLE_SCREENS_OVERVIEW_LIST_H
#define NS_CONSOLE_SCREENS_OVERVIEW_LIST_H

#include "console/screens/ui.h"
#include "console/widgets/table.h"

#define LIST_ROWS 20u

enum list_what { LIST_ZONES, LIST_CLIENTS, LIST_NAMES, LIST_TYPES, LIST_LATENCY, LISTS };

struct overview_list {
	enum list_what what; /* zones and latency: the Overview's own to draw */
	struct list_row {
		char *name, *shown, *most; /* most: of a client, what it asks for most; empty: nothing more than else */
		double qps, nx, errors; /* percent */
		uint64_t count;
	} rows[LIST_ROWS];
	size_t n;
	bool loaded, ascii;
	struct ns_table table;
	uint64_t request, asked_ms;
};

void overview_list_close(struct view *, struct overview_list *);
/* Asks when it is time: of minutes, so seldom. */
void overview_list_tick(struct view *, struct overview_list *, bool fleet);
void overview_list_step(struct view *, struct overview_list *, int by, bool fleet);
/* Where zones are drawn beside it: clients. */
void overview_list_draw(struct view *, struct overview_list *, struct rect);
bool overview_list_act(struct view *, struct overview_list *, enum ns_action_id);

#endif
