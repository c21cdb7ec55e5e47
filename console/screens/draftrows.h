/* draftrows - a zone's list page by page, with what the draft makes of it: what it adds stands above what is
 * served, what it changes in its place.  Records and Policies are such lists.
 *
 * A row's id is "NAME TYPE"; of the draft's rows those that are added come first.  Owns its rows. */
#ifndef NS_CONSOLE_SCREENS_DRAFTROWS_H
#define NS_CONSOLE_SCREENS_DRAFTROWS_H

#include "console/screens/pages.h"

struct draftrows {
	struct ns_table table;
	struct pages pages;
	uint32_t serial; /* of the zone, as the last page had them: what an edit is based on */
	uint64_t version;
	struct row *mine;
	size_t n_mine;
	uint64_t turn; /* of the drafts that was taken in last */
	uint64_t seen; /* the revision of the last plan */
	unsigned values; /* the cell of a row that has its data, a line each */
	bool policies; /* all rows are, and one of a name is one of its data */
};

void draftrows_open(struct draftrows *, struct view *, const struct pages_ops *, const struct table_column *,
    unsigned values);
void draftrows_close(struct draftrows *);
/* The draft as it lies on the disk, its plan where there is a newer revision, and the list. */
void draftrows_reload(struct draftrows *);

/* Adds rows for what the draft makes of an RRset that it adds (fresh), or else changes. */
typedef void draftrows_fill_fn(struct view *, const Ns__Conflict__RRset *, bool fresh);
/* Before it is drawn.  The cursor stays on its row: what came or went above it is counted. */
void draftrows_take(struct draftrows *, draftrows_fill_fn *);
struct row *draftrows_add(struct draftrows *); /* an empty one of the draft's, for fill */

size_t draftrows_count(const struct draftrows *);
/* As it is served, or added; NULL: it is not here yet, and asked for. */
const struct row *draftrows_at(struct draftrows *, size_t row);
const struct row *draftrows_shown(struct draftrows *, size_t row); /* as the draft makes it */
/* Name and type of a row; false: r is NULL. */
bool draftrows_key(const struct row *r, char name[UI_OBJECT], char *type, size_t size);

#endif
