/* changepane - below a list of changes, what the one under the cursor did. */
#ifndef NS_CONSOLE_SCREENS_CHANGEPANE_H
#define NS_CONSOLE_SCREENS_CHANGEPANE_H

#include "console/screens/pages.h"
#include "console/widgets/lines.h"
#include "ipc/nameserve.pb-c.h"

struct changepane {
	struct view *view;
	char id[24], zone[UI_OBJECT]; /* the change that is shown; of this zone alone, or of all: "" */
	uint64_t request; /* one at a time, however fast the cursor moves */
	struct lines lines;
	bool hidden; /* there was no room at the last draw: nothing is asked */
};

/* Cuts its part off a list's; h is 0 where there is no room. */
struct rect changepane_part(struct rect *list);
struct change_words {
	const struct row *row; /* that the cursor is on; NULL: none */
	const char *via, *comment;
	bool small; /* what it did is worth being asked for */
};
/* Asks what that change did, if it is another one; NULL: none, or too much for a few lines. */
void changepane_follow(struct view *, struct changepane *, const char *id);
void changepane_draw(struct view *, struct changepane *, struct rect, const struct change_words *);
void changepane_close(struct changepane *);

/* The lines of a change's diff of one zone, as every screen has them. */
void change_lines(struct view *, struct lines *, const Ns__HistoryShowReply__ZoneDiff *);

#endif
