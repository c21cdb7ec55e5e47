/* diff - one zone's draft as a commit would make it: RRset by RRset, with effects and warnings; the comment and the
 * timer; then how far the commit has come.  Inside screens/diff*.c. */
#ifndef NS_CONSOLE_SCREENS_DIFF_H
#define NS_CONSOLE_SCREENS_DIFF_H

#include "console/screens/busynames.h"
#include "console/screens/drafts.h"
#include "console/screens/pages.h"
#include "console/widgets/form.h"
#include "console/widgets/table.h"

#define DIFF_LINE  512u
#define DIFF_NOTES 3u /* warnings that are shown; the others are counted */

enum { DIFF_COMMENT, DIFF_TIMER };

enum diff_state {
	DIFF_OPEN,
	DIFF_SENDING,
	DIFF_UNKNOWN, /* sent, and no answer: it may be committed */
	DIFF_DONE,
};

struct diff {
	struct ns_table table;
	struct form form; /* comment and timer; focus past the end: the list has the keys */
	struct row *rows;
	size_t n;
	char counts[48]; /* "+1 -1 ~3" RRsets, of the plan; empty: there is none */
	char title[DIFF_LINE], effects[DIFF_LINE], notes[DIFF_NOTES][DIFF_LINE];
	char checked[96]; /* its status line */
	enum ui_role note_role;
	struct busynames names; /* what is asked for most, beside what changes there */
	unsigned n_notes;
	uint64_t turn;
	bool told; /* the comment of the draft is in the form */
	bool typed; /* another one is, which is not kept yet */
	enum diff_state state;
	uint64_t request;
	char plan_hash[80]; /* of what was sent */
	/* After it. */
	uint64_t revision, asked_ms;
	char done[DIFF_LINE], reached[DIFF_LINE];
	uint64_t sent_ms; /* monotonic; 0: longer ago, or not yet */
	bool everywhere;
};

/* ---- diff_rows.c ---- */
void diff_take(struct view *); /* what the plan says, when it is another */
void diff_clear(struct diff *);
bool diff_key(const struct diff *, char name[UI_OBJECT], char type[32]); /* of the row under the cursor */
/* ---- diff_commit.c ---- */
void diff_ask(struct view *); /* C: asks, then commits */
void diff_follow(struct view *); /* who serves it by now */

#endif
