/* records - the RRsets of one zone, with what the draft makes of them, and what is marked. */
#ifndef NS_CONSOLE_SCREENS_RECORDS_H
#define NS_CONSOLE_SCREENS_RECORDS_H

#include "console/screens/copy.h"
#include "console/screens/marks.h"
#include "console/screens/pages.h"
#include "console/screens/preview.h"

enum { CELL_LINES = TABLE_COLUMNS - 2, CELL_VALUES }; /* behind those that are shown */

struct records {
	struct ns_table table;
	struct pages pages;
	struct marks marks;
	struct preview preview;
	uint32_t serial;
	uint64_t version;
	/* What the draft adds stands above what is served, what it changes in its place: the added ones first. */
	struct row *mine;
	size_t n_mine;
	uint64_t turn;
	uint64_t seen; /* the revision of the last plan */
};

size_t records_count(const struct records *);
/* NULL: it is not here yet. */
const struct row *records_row_at(struct records *, size_t row);
const struct row *records_row_shown(struct records *, size_t row); /* as the draft makes it */

/* ---- records_preview.c ---- */
void records_preview(struct view *, struct rect);

/* ---- records_marks.c ---- */
bool records_mark(struct view *, enum ns_action_id); /* false: another action */
bool records_peel(struct view *);
void records_copy_marked(struct records *, struct copies *);

#endif
