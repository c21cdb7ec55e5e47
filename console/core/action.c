/* action.c - the table of actions; see action.h. */
#include "console/core/action.h"

#include <string.h>

#define MOVES (CTX_LIST | CTX_TEXT)

const struct ns_action ns_actions[] = {
	{ ACT_OPEN, "open", "OPEN", "open", "open the row under the cursor", CTX_OPEN, "Enter",
	    false },
	{ ACT_NEXT_TAB, "next-tab", "OPEN", "tabs", "the next tab or pane", CTX_TABS, "] Tab",
	    false },
	{ ACT_PREVIOUS_TAB, "previous-tab", "OPEN", NULL, "the previous tab or pane", CTX_TABS,
	    "[ Shift-Tab", false },
	{ ACT_EDIT, "edit", "EDIT", "edit", "change what is under the cursor",
	    CTX_ROWS | CTX_DIFF | CTX_CONFLICT, "e", true },
	{ ACT_ADD, "add", "EDIT", "add", "make a new one; in a policy a branch", CTX_ROWS, "a",
	    true },
	{ ACT_CLONE, "clone", "EDIT", NULL, "make a new one like this", CTX_ROWS, "c", true },
	{ ACT_EDIT_TEXT, "edit-text", "EDIT", NULL,
	    "the zone as text in your editor, with your draft in it", CTX_RECORDS | CTX_DIFF, "E",
	    true },
	{ ACT_DELETE, "delete", "EDIT", "delete", "take it away: in the draft; a check asks first",
	    CTX_ROWS, "d", true },
	{ ACT_MOVE_DOWN, "move-down", "EDIT", "move", "the branch behind the next one", CTX_NODES,
	    "J", true },
	{ ACT_MOVE_UP, "move-up", "EDIT", NULL, "the branch before the one above", CTX_NODES, "K",
	    true },
	{ ACT_COMMIT, "commit", "EDIT", "commit", "make it served; asks first", CTX_DIFF, "C",
	    true },
	{ ACT_LEAVE_OUT, "leave-out", "EDIT", "leave out", "take this RRset out of the draft",
	    CTX_DIFF, "Space", true },
	{ ACT_UNDO, "undo", "EDIT", "undo", "take the draft's last operation back", CTX_DRAFT, "u",
	    true },
	{ ACT_REDO, "redo", "EDIT", NULL, "do again what was undone", CTX_DRAFT, "Ctrl-R", true },
	{ ACT_DISCARD, "discard", "EDIT", "discard", "throw the draft away; asks first", CTX_DIFF,
	    "X", true },
	{ ACT_CONFIRM, "confirm", "EDIT", NULL,
	    "let a change stay that is taken back unless confirmed", CTX_GLOBAL, "", true },
	{ ACT_MINE, "mine", "EDIT", "mine", "my RRset stands", CTX_CONFLICT, "m", true },
	{ ACT_THEIRS, "theirs", "EDIT", "theirs", "theirs stands, my operation goes", CTX_CONFLICT,
	    "t", true },
	{ ACT_BOTH, "both", "EDIT", "both", "what either added, without what either took away",
	    CTX_CONFLICT, "b", true },
	{ ACT_REVERT, "revert", "EDIT", "revert",
	    "a draft that takes this change back; a deleted zone back, asks first",
	    CTX_CHANGES | CTX_TRASH, "R", true },
	{ ACT_RESTORE, "restore", "EDIT", NULL, "a draft of the zone as it was after this change",
	    CTX_CHANGES, "", true },
	{ ACT_ACCEPT, "accept", "EDIT", "accept", "keep it, in the draft",
	    CTX_FORM | CTX_CONFLICT | CTX_NODES | CTX_AREA, "Ctrl-S", true },
	{ ACT_FIELD, "field", "OPEN", "open", "the check that this field names", CTX_FIELD,
	    "Ctrl-O", false },
	{ ACT_FIELD_TEXT, "field-text", "EDIT", "in editor", "this field's text in your editor",
	    CTX_PLAIN, "Ctrl-O", false },
	{ ACT_RUN, "run", "OPEN", "run", "ask it", CTX_QUERY, "Enter Ctrl-T", false },
	{ ACT_RECENT, "recent", "OPEN", "recent", "the question before, of this session", CTX_QUERY,
	    "H", false },
	{ ACT_SAMPLE, "sample", "FIND", "sample", "show one query in 1, 10, 100 …", CTX_TAIL, "s",
	    false },
	{ ACT_SAVE, "save", "OTHER", "save", "what is here into a file", CTX_TAIL, "S", false },
	{ ACT_WIDE, "wide", "OTHER", "all/one", "all appliances, or this one", CTX_WIDE, "w",
	    false },
	{ ACT_PREVIEW, "preview", "OTHER", NULL,
	    "what is behind the row, beside a wide list, or not", CTX_PREVIEW, "w", false },
	{ ACT_TEST, "test", "OPEN", "test",
	    "what is answered to this name and type, and why; in a form as it is typed",
	    CTX_RECORDS | CTX_NODES | CTX_DIFF | CTX_RRSET, "t Ctrl-T", false },
	{ ACT_NEXT_FIELD, "next-field", "EDIT", "next", "the next field", CTX_FORM,
	    "Tab Down Enter", false },
	{ ACT_PREVIOUS_FIELD, "previous-field", "EDIT", NULL, "the field before", CTX_FORM,
	    "Shift-Tab Up", false },
	{ ACT_PENDING, "pending", "OPEN", "pending",
	    "what is in the draft of this zone; elsewhere, your drafts of all zones", CTX_GLOBAL,
	    "p", false },
	{ ACT_OBJECT_HISTORY, "object-history", "OPEN", "history",
	    "who changed what in this zone; when this check went up and down",
	    CTX_ZONE | CTX_CHECKS, "H", false },
	{ ACT_OVERVIEW, "overview", "OPEN", NULL, "load, latency, busiest zones, problems",
	    CTX_GLOBAL, "1", false },
	{ ACT_ZONES, "zones", "OPEN", NULL, "all zones", CTX_GLOBAL, "2", false },
	{ ACT_HEALTH, "health", "OPEN", NULL, "health checks, the worst first, and who says what",
	    CTX_GLOBAL, "3", false },
	{ ACT_FLEET, "fleet", "OPEN", NULL, "all appliances: lag, load, who is silent", CTX_GLOBAL,
	    "4", false },
	{ ACT_DRAFTS, "drafts", "OPEN", NULL, "your drafts of all zones", CTX_GLOBAL, "5", false },
	{ ACT_HISTORY, "history", "OPEN", NULL, "all changes, newest first", CTX_GLOBAL, "6",
	    false },
	{ ACT_QUERY, "query", "OPEN", NULL, "ask the serving code, and why it answers so",
	    CTX_GLOBAL, "7", false },
	{ ACT_TAIL, "tail", "OPEN", NULL, "queries as they come", CTX_GLOBAL, "8", false },
	{ ACT_CONNECT, "connect", "OPEN", NULL, "another appliance of the fleet", CTX_GLOBAL, "9",
	    false },
	{ ACT_TRASH, "trash", "OPEN", NULL, "deleted zones, which can be brought back", CTX_GLOBAL,
	    "", false },
	{ ACT_MESSAGES, "messages", "OPEN", NULL, "what the message line has said", CTX_GLOBAL, "",
	    false },
	{ ACT_OUTPUT, "output", "OPEN", NULL,
	    "the page of a command that goes on without it, or has ended unseen", CTX_GLOBAL, "",
	    false },
	{ ACT_BACK, "back", "OPEN", "leave", "one back: prompt, filter, screen", CTX_GLOBAL,
	    "Esc Ctrl-G", false },
	{ ACT_FORCE, "force", "EDIT", "force", "say that it is up or down, or let votes say; asks",
	    CTX_CHECKS, "F", true },
	{ ACT_PROBE, "probe-now", "EDIT", "probe now",
	    "look at it once, now, from all who vote on it", CTX_CHECKS, "t Ctrl-T", true },
	{ ACT_DRAIN, "drain", "EDIT", "drain", "take it out of service, or back; asks", CTX_FLEET,
	    "D", true },
	{ ACT_ROLL, "rollover", "EDIT", "rollover", "begin to replace keys; asks", CTX_DNSSEC, "K",
	    true },
	{ ACT_DS_SUBMITTED, "ds-submitted", "EDIT", "DS submitted",
	    "the registrar has the DS: look for it at the parent", CTX_DNSSEC, "s", true },
	{ ACT_SIGN, "sign", "EDIT", NULL, "sign this zone; asks", CTX_DNSSEC, "", true },
	{ ACT_UNSIGN, "unsign", "EDIT", NULL, "sign this zone no longer; asks", CTX_DNSSEC, "",
	    true },
	{ ACT_PROBLEMS, "problems", "FIND", "problems", "problems only, or all", CTX_PROBLEMS, "!",
	    false },
	{ ACT_MARK, "mark", "MARK", NULL, "mark the row, or mark it no more", CTX_MARKS, "Space",
	    false },
	{ ACT_MARK_RANGE, "mark-range", "MARK", NULL, "begin a range of marks here, or end it",
	    CTX_MARKS, "v", false },
	{ ACT_MARK_ALL, "mark-all", "MARK", NULL, "mark all that the filter shows", CTX_MARKS, "*",
	    false },
	{ ACT_UNMARK, "unmark", "MARK", NULL, "no marks", CTX_MARKS, "U", false },
	{ ACT_SET_TTL, "set-ttl", "EDIT", NULL, "one TTL for all that is marked, in drafts",
	    CTX_MARKS, "", true },
	{ ACT_FILTER, "filter", "FIND", "filter", "show what matches, while typing", CTX_FILTER,
	    "/", false },
	{ ACT_SEARCH, "search", "FIND", "search", "go to what matches, while typing", CTX_SEARCH,
	    "/", false },
	{ ACT_SEARCH_NEXT, "search-next", "FIND", NULL, "the next one that matches", CTX_SEARCH,
	    "n", false },
	{ ACT_SEARCH_PREVIOUS, "search-previous", "FIND", NULL, "the one before", CTX_SEARCH, "N",
	    false },
	{ ACT_SORT, "sort", "FIND", "sort", "sort by the column that < and > chose", CTX_SORT, "o",
	    false },
	{ ACT_SORT_REVERSE, "sort-reverse", "FIND", NULL, "the other way round", CTX_SORT, "O",
	    false },
	{ ACT_SORT_NEXT, "sort-next", "FIND", NULL, "choose the next column to sort by", CTX_SORT,
	    ">", false },
	{ ACT_SORT_PREVIOUS, "sort-previous", "FIND", NULL, "choose the column before", CTX_SORT,
	    "<", false },
	{ ACT_DOWN, "down", "MOVE", NULL, "down", MOVES, "j Down", false },
	{ ACT_UP, "up", "MOVE", NULL, "up", MOVES, "k Up", false },
	{ ACT_PAGE_DOWN, "page-down", "MOVE", NULL, "a page down", MOVES, "PgDn", false },
	{ ACT_PAGE_UP, "page-up", "MOVE", NULL, "a page up", MOVES, "PgUp", false },
	{ ACT_HALF_DOWN, "half-page-down", "MOVE", NULL, "half a page down", MOVES, "Ctrl-D",
	    false },
	{ ACT_HALF_UP, "half-page-up", "MOVE", NULL, "half a page up", MOVES, "Ctrl-U", false },
	{ ACT_TOP, "top", "MOVE", NULL, "the first row", MOVES, "g Home", false },
	{ ACT_BOTTOM, "bottom", "MOVE", NULL, "the last row", MOVES, "G End", false },
	{ ACT_RIGHT, "right", "MOVE", NULL, "show what is right of the edge", MOVES, "l Right",
	    false },
	{ ACT_LEFT, "left", "MOVE", NULL, "back to the left", MOVES, "h Left", false },
	{ ACT_COMMAND, "command", "OTHER", "command",
	    "do anything by its name, or a line of the command line; Tab completes", CTX_GLOBAL,
	    ":", false },
	{ ACT_COPY, "copy", "OTHER", NULL, "copy a name, its data, zone lines, the command",
	    CTX_GLOBAL, "y", false },
	{ ACT_YANK, "yank", "OTHER", NULL, "copy the command that tells what is on this screen",
	    CTX_GLOBAL, "Y", false },
	{ ACT_FREEZE, "freeze", "OTHER", "freeze", "stop and go on with live data", CTX_GLOBAL, "f",
	    false },
	{ ACT_REFRESH, "refresh", "OTHER", NULL, "ask again now; try a lost link now", CTX_GLOBAL,
	    "r", false },
	{ ACT_SLOWER, "slower", "OTHER", NULL, "refresh less often", CTX_GLOBAL, "+", false },
	{ ACT_FASTER, "faster", "OTHER", NULL, "refresh more often", CTX_GLOBAL, "-", false },
	{ ACT_REPAINT, "repaint", "OTHER", NULL, "paint the screen anew", CTX_GLOBAL, "Ctrl-L",
	    false },
	{ ACT_THEME, "theme", "OTHER", NULL, "the next theme: default, high-contrast, deuteranopia",
	    CTX_GLOBAL, "", false },
	{ ACT_MOUSE, "mouse", "OTHER", NULL,
	    "wheel and clicks move here (:set mouse on), or are the terminal's", CTX_GLOBAL, "",
	    false },
	{ ACT_SUSPEND, "suspend", "OTHER", NULL, "to the shell; fg comes back", CTX_GLOBAL,
	    "Ctrl-Z", false },
	{ ACT_INTERRUPT, "interrupt", "OTHER", NULL,
	    "ask no more for the list that is awaited; twice: leave NameServe", CTX_GLOBAL,
	    "Ctrl-C", false },
	{ ACT_MENU, "menu", "OTHER", "actions", "what can be done here, and why what cannot",
	    CTX_GLOBAL, ". F2 Ctrl-X", false },
	{ ACT_HELP, "help", "OTHER", "help", "keys and what they do", CTX_GLOBAL, "? F1", false },
	{ ACT_CLOSE, "close", "OTHER", "back", "leave this screen", CTX_GLOBAL, "q", false },
	{ ACT_QUIT, "quit", "OTHER", NULL, "leave NameServe", CTX_GLOBAL, "Q", false },
	{ ACT_NONE, NULL, NULL, NULL, NULL, 0, NULL, false },
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

bool
ns_action_leads(const struct ns_action *a)
{
	return a->keys[0] >= '1' && a->keys[0] <= '9' && (a->contexts & CTX_GLOBAL) != 0;
}

bool
ns_action_moves(const struct ns_action *a)
{
	return strcmp(a->group, "MOVE") == 0;
}

bool
ns_action_on_rows(const struct ns_action *a)
{
	return a->id == ACT_COPY || a->id == ACT_PENDING ||
	       (a->contexts & (CTX_GLOBAL | CTX_TABS | CTX_FILTER | CTX_SEARCH | CTX_TYPED)) == 0;
}
