/* table - rows of which only those on screen are asked for.
 *
 * The owner says how many rows there are and gives the text of a cell; NULL: not loaded yet, and by asking the
 * owner knows what to load.  No rules between columns, so that a selection pastes clean.  On the left are
 * `>` at the cursor, and a row's sign. */
#ifndef NS_CONSOLE_WIDGETS_TABLE_H
#define NS_CONSOLE_WIDGETS_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "console/core/action.h"
#include "console/core/surface.h"

#define TABLE_COLUMNS 17u
#define TABLE_SIGN    99u /* asked as a column, of the sign beside the cursor's, where there are signs */

struct table_column {
	const char *title;
	int width; /* at least */
	int grow; /* its part of what is left over; 0: none */
	bool right;
	int from; /* shown where the table is at least so wide */
};

/* By which column rows are sorted, which the owner does; the titles show it. */
struct table_sort {
	/* Of each column, as --sort has it; "-qps": the largest first, at first; NULL: cannot be sorted by it. */
	const char *const *words; /* NULL: there is no sorting */
	unsigned column, chosen; /* chosen: by `<` and `>`, for `o` */
	bool down;
};

struct ns_table {
	const struct table_column *columns; /* ends with a NULL title */
	struct table_sort sort;
	int width; /* of the last draw; 0: there was none */
	size_t row, top; /* cursor; first row on screen */
	int shift; /* characters of the last column that are left of the edge */
	int page; /* rows on screen, of the last draw */
	bool signs;
	bool idle; /* another pane has the keys: no row is marked */
};

typedef const char *table_cell_fn(void *arg, size_t row, unsigned column, enum ui_role *);

/* Title line and rows; parks the cursor. */
void ns_table_draw(struct ns_table *, struct surface *, struct rect, size_t rows, table_cell_fn *, void *);
/* A movement; false: something else. */
bool ns_table_act(struct ns_table *, enum ns_action_id, size_t rows);

/* ---- sort.c ---- */
enum table_sorted { SORT_NOT_MINE, SORT_CHOSEN, SORT_SAME, SORT_OTHER };
/* The keys of sorting; SORT_OTHER: it is another order now. */
enum table_sorted ns_table_sort(struct ns_table *, enum ns_action_id);
/* "qps", "-qps": as --sort has it, and back; false: no such column. */
void ns_sort_text(const struct table_sort *, char out[24]);
bool ns_sort_read(struct table_sort *, const char *text);
/* Behind the title of a column: '^' '\0' or 'v'. */
char ns_sort_sign(const struct table_sort *, unsigned column);

#endif
