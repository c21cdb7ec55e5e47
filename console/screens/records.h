/* records - the RRsets of one zone, with what the draft makes of them, and what is marked. */
#ifndef NS_CONSOLE_SCREENS_RECORDS_H
#define NS_CONSOLE_SCREENS_RECORDS_H

#include "console/screens/busynames.h"
#include "console/screens/checklist.h"
#include "console/screens/copy.h"
#include "console/screens/draftrows.h"
#include "console/screens/marks.h"
#include "console/screens/preview.h"

#define RECORDS_QPS 5u /* the column of how often a name is asked for, */
#define RECORDS_QPS_FROM 82 /* in a list so wide */
enum { CELL_LINES = TABLE_COLUMNS - 2, CELL_VALUES }; /* behind those that are shown */

struct records {
	struct draftrows list;
	struct marks marks;
	struct preview preview;
	/* For the preview: how the checks are, and which names are asked for most. */
	struct checklist checks;
	struct busynames names;
	char filter[PROMPT_MAX];
	uint64_t turn; /* of the drafts, when draft:mine was asked with it */
};

/* ---- records_preview.c ---- */
void records_preview(struct view *, struct rect);
void records_preview_tick(struct view *); /* what it and the list show that is live */
void records_preview_close(struct view *);

/* ---- records_marks.c ---- */
bool records_mark(struct view *, enum ns_action_id); /* false: another action */
bool records_peel(struct view *);
void records_copy_marked(struct records *, struct copies *);

#endif
