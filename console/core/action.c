/* action.c - the table of actions; see action.h. */
#include "console/core/action.h"

#include <string.h>

#define MOVES (CTX_LIST | CTX_TEXT)

const struct ns_action ns_actions[] = {
	{ ACT_OPEN, "open", "OPEN", "open", "open the row under the cursor", CTX_OPEN, "Enter" },
	{ ACT_NEXT_TAB, "next-tab", "OPEN", "tabs", "the next tab", CTX_TABS, "] Tab" },
	{ ACT_PREVIOUS_TAB, "previous-tab", "OPEN", NULL, "the previous tab", CTX_TABS,
	    "[ Shift-Tab" },
	{ ACT_OBJECT_HISTORY, "object-history", "OPEN", "history", "who changed what in this zone",
	    CTX_ZONE, "H" },
	{ ACT_OVERVIEW, "overview", "OPEN", NULL, "load, latency, busiest zones, problems",
	    CTX_GLOBAL, "1" },
	{ ACT_ZONES, "zones", "OPEN", NULL, "all zones", CTX_GLOBAL, "2" },
	{ ACT_HISTORY, "history", "OPEN", NULL, "all changes, newest first", CTX_GLOBAL, "6" },
	{ ACT_MESSAGES, "messages", "OPEN", NULL, "what the message line has said", CTX_GLOBAL,
	    "" },
	{ ACT_BACK, "back", "OPEN", NULL, "one back: prompt, filter, screen", CTX_GLOBAL,
	    "Esc Ctrl-G" },
	{ ACT_FILTER, "filter", "FIND", "filter", "show what matches, while typing", CTX_FILTER,
	    "/" },
	{ ACT_DOWN, "down", "MOVE", NULL, "down", MOVES, "j Down" },
	{ ACT_UP, "up", "MOVE", NULL, "up", MOVES, "k Up" },
	{ ACT_PAGE_DOWN, "page-down", "MOVE", NULL, "a page down", MOVES, "PgDn Space" },
	{ ACT_PAGE_UP, "page-up", "MOVE", NULL, "a page up", MOVES, "PgUp" },
	{ ACT_HALF_DOWN, "half-page-down", "MOVE", NULL, "half a page down", MOVES, "Ctrl-D" },
	{ ACT_HALF_UP, "half-page-up", "MOVE", NULL, "half a page up", MOVES, "Ctrl-U" },
	{ ACT_TOP, "top", "MOVE", NULL, "the first row", MOVES, "g Home" },
	{ ACT_BOTTOM, "bottom", "MOVE", NULL, "the last row", MOVES, "G End" },
	{ ACT_RIGHT, "right", "MOVE", NULL, "show what is right of the edge", MOVES, "l Right" },
	{ ACT_LEFT, "left", "MOVE", NULL, "back to the left", MOVES, "h Left" },
	{ ACT_COMMAND, "command", "OTHER", "command", "do anything by its name; Tab completes",
	    CTX_GLOBAL, ":" },
	{ ACT_FREEZE, "freeze", "OTHER", "freeze", "stop and go on with live data", CTX_GLOBAL,
	    "f" },
	{ ACT_REFRESH, "refresh", "OTHER", NULL, "ask again now; try a lost link now", CTX_GLOBAL,
	    "r" },
	{ ACT_SLOWER, "slower", "OTHER", NULL, "refresh less often", CTX_GLOBAL, "+" },
	{ ACT_FASTER, "faster", "OTHER", NULL, "refresh more often", CTX_GLOBAL, "-" },
	{ ACT_REPAINT, "repaint", "OTHER", NULL, "paint the screen anew", CTX_GLOBAL, "Ctrl-L" },
	{ ACT_SUSPEND, "suspend", "OTHER", NULL, "to the shell; fg comes back", CTX_GLOBAL,
	    "Ctrl-Z" },
	{ ACT_INTERRUPT, "interrupt", "OTHER", NULL, "twice: leave NameServe", CTX_GLOBAL,
	    "Ctrl-C" },
	{ ACT_HELP, "help", "OTHER", "help", "keys and what they do", CTX_GLOBAL, "? F1" },
	{ ACT_CLOSE, "close", "OTHER", "back", "leave this screen", CTX_GLOBAL, "q" },
	{ ACT_QUIT, "quit", "OTHER", NULL, "leave NameServe", CTX_GLOBAL, "Q" },
	{ ACT_NONE, NULL, NULL, NULL, NULL, 0, NULL },
};

const struct ns_action *
ns_action_of(enum ns_action_id id)
{
	for (const struct ns_action *a = ns_actions; a->id != ACT_NONE; a++)
		if (a->id == id)
			return a;
	return NULL;
}

const struct ns_action *
ns_action_named(const char *name)
{
	const struct ns_action *found = NULL;
	size_t len = strlen(name);
	unsigned n = 0;

	for (const struct ns_action *a = ns_actions; len > 0 && a->id != ACT_NONE; a++) {
		if (strcmp(a->name, name) == 0)
			return a;
		if (strncmp(a->name, name, len) != 0)
			continue;
		found = a;
		n++;
	}
	return n == 1 ? found : NULL;
}
