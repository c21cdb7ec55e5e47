/* action - all that a key can do, in one table: keys, footer, help, command prompt and man page come from it.
 *
 * To add one: a row in action.c, its id here, a case where it is done.  What is not built is not in
 * the table. */
#ifndef NS_CONSOLE_CORE_ACTION_H
#define NS_CONSOLE_CORE_ACTION_H

#include <stdbool.h>
#include <stddef.h>

#include "ipc/base/err.h"

enum ns_action_id {
	ACT_NONE,
	ACT_UP,
	ACT_DOWN,
	ACT_TOP,
	ACT_BOTTOM,
	ACT_PAGE_UP,
	ACT_PAGE_DOWN,
	ACT_HALF_UP,
	ACT_HALF_DOWN,
	ACT_LEFT,
	ACT_RIGHT,
	ACT_OPEN,
	ACT_BACK,
	ACT_CLOSE,
	ACT_NEXT_TAB,
	ACT_PREVIOUS_TAB,
	ACT_OVERVIEW,
	ACT_ZONES,
	ACT_HEALTH,
	ACT_FLEET,
	ACT_HISTORY,
	ACT_OBJECT_HISTORY,
	ACT_FILTER,
	ACT_SEARCH,
	ACT_SEARCH_NEXT,
	ACT_SEARCH_PREVIOUS,
	ACT_HELP,
	ACT_COMMAND,
	ACT_MESSAGES,
	ACT_OUTPUT,
	ACT_FREEZE,
	ACT_SLOWER,
	ACT_FASTER,
	ACT_REFRESH,
	ACT_REPAINT,
	ACT_SUSPEND,
	ACT_THEME,
	ACT_MOUSE,
	ACT_INTERRUPT,
	ACT_QUIT,
	ACT_MENU,
	ACT_DRAFTS,
	ACT_PENDING,
	ACT_EDIT,
	ACT_ADD,
	ACT_CLONE,
	ACT_EDIT_TEXT,
	ACT_DELETE,
	ACT_UNDO,
	ACT_REDO,
	ACT_COMMIT,
	ACT_DISCARD,
	ACT_CONFIRM,
	ACT_LEAVE_OUT,
	ACT_MOVE_DOWN,
	ACT_MOVE_UP,
	ACT_FIELD,
	ACT_FIELD_TEXT,
	ACT_MARK,
	ACT_MARK_RANGE,
	ACT_MARK_ALL,
	ACT_UNMARK,
	ACT_SET_TTL,
	ACT_MINE,
	ACT_THEIRS,
	ACT_BOTH,
	ACT_REVERT,
	ACT_RESTORE,
	ACT_TRASH,
	ACT_COPY,
	ACT_YANK,
	ACT_ACCEPT,
	ACT_NEXT_FIELD,
	ACT_PREVIOUS_FIELD,
	ACT_PROBLEMS,
	ACT_FORCE,
	ACT_PROBE,
	ACT_DRAIN,
	ACT_ROLL,
	ACT_DS_SUBMITTED,
	ACT_SIGN,
	ACT_UNSIGN,
	ACT_QUERY,
	ACT_TAIL,
	ACT_CONNECT,
	ACT_TEST,
	ACT_RUN,
	ACT_RECENT,
	ACT_SAMPLE,
	ACT_SAVE,
	ACT_WIDE,
	ACT_PREVIEW,
	ACT_SORT,
	ACT_SORT_REVERSE,
	ACT_SORT_NEXT,
	ACT_SORT_PREVIOUS,
	ACT_MAX,
};

/* Where an action is; a screen says which of these it is. */
enum {
	CTX_GLOBAL = 1,
	CTX_LIST = 2, /* rows and a cursor */
	CTX_TEXT = 4, /* lines that scroll */
	CTX_FILTER = 8, /* can be filtered */
	CTX_TABS = 16,
	CTX_OPEN = 32, /* Enter goes into the row */
	CTX_ZONE = 64, /* rows are zones, or in one */
	CTX_FORM = 128, /* what is typed is text: only keys that are not can be commands */
	CTX_RECORDS = 256, /* rows are RRsets */
	CTX_DRAFT = 512, /* operations of a draft can be undone */
	CTX_DIFF = 1024, /* what a commit would do */
	CTX_CONFLICT = 2048,
	CTX_CHANGES = 4096, /* what was committed: rows, or one */
	CTX_TRASH = 8192, /* deleted zones */
	CTX_AREA = 1 << 14, /* what is typed is text, of many lines: Enter and the arrows, too */
	CTX_PLAIN = 1 << 15, /* the field in focus is text, which can be edited elsewhere */
	CTX_TYPED = CTX_FORM | CTX_AREA,
	CTX_SORT = 1 << 16, /* rows can be sorted by a column */
	CTX_PREVIEW = 1 << 17, /* beside the list there may be what is behind a row; never with CTX_WIDE */
	CTX_SEARCH = 1 << 18, /* what is shown can be searched; never with CTX_FILTER */
	CTX_RRSET = 1 << 19, /* an RRset, in a form */
	CTX_PROBLEMS = 1 << 20, /* rows that can be in trouble */
	CTX_CHECKS = 1 << 21, /* health checks: rows, or one */
	CTX_FLEET = 1 << 22, /* appliances: rows, or one */
	CTX_DNSSEC = 1 << 23, /* the keys of a zone */
	CTX_QUERY = 1 << 24, /* the query test, whichever of its panes */
	CTX_TAIL = 1 << 25, /* queries as they come */
	CTX_WIDE = 1 << 26, /* can show more: all appliances instead of one */
	CTX_NODES = 1 << 27, /* the policy editor */
	CTX_FIELD = 1 << 28, /* the field in focus names something that can be opened */
	CTX_ROWS = 1 << 29, /* rows can be made, changed and deleted */
	CTX_MARKS = 1 << 30, /* rows can be marked */
	/* Of these a screen has one at most: a key may mean this here and that there. */
	CTX_OWN = CTX_DIFF | CTX_CONFLICT | CTX_CHANGES | CTX_TRASH | CTX_NODES | CTX_CHECKS |
		  CTX_FLEET | CTX_DNSSEC | CTX_QUERY | CTX_TAIL | CTX_MARKS,
	/* Screens of these have nothing of the others but what lists and forms have: likewise. */
	CTX_ALONE = CTX_CONFLICT | CTX_QUERY | CTX_TAIL | CTX_CHECKS | CTX_FLEET,
};

struct ns_action {
	enum ns_action_id id;
	const char *name; /* for the command prompt */
	const char *group; /* in the help */
	const char *hint; /* for the footer; NULL: not there */
	const char *help;
	unsigned contexts;
	const char *keys; /* by blanks, the first that works there is shown */
	bool writes; /* not for a viewer */
};

extern const struct ns_action ns_actions[]; /* ends with ACT_NONE */
/* Does it lead to a main screen? Those have digits. */
bool ns_action_leads(const struct ns_action *);
/* Does it act on the rows of a list, or in them? */
bool ns_action_on_rows(const struct ns_action *);
bool ns_action_moves(const struct ns_action *); /* and only moves there */
/* The keys of an action: those of the table, or the operator's own. */
const char *ns_action_keys(const struct ns_action *);
/* keys.conf: a line `ACTION = KEY KEY...` replaces the keys of that action, without keys it has none; # begins a
 * comment.  NS_USAGE names the line.  What does not go together keymap_new() finds.  "" takes all back. */
enum ns_err ns_actions_own_keys(const char *text, struct ns_why *);
const struct ns_action *ns_action_of(enum ns_action_id);
/* By its name, or by the only one that begins so; NULL: none or several. */
const struct ns_action *ns_action_named(const char *name);

#endif
