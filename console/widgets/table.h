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

#define TABLE_COLUMNS 12u
#define TABLE_SIGN    99u /* asked as a column, of the sign beside the cursor's, where there are signs */

struct table_column {
	const char *title;
	int width; /* at least */
	int grow; /* its part of what is left over; 0: none */
	bool right;
	int from; /* shown where the table is at least so wide */
};

struct ns_table {
	const struct table_column *columns; /* ends with a NULL title */
	size_t row, top; /* cursor; first row on screen */
	int shift; /* characters of the last column that are left of the edge */
	int page; /* rows on screen, of the last draw */
	bool signs;
	bool blurred; /* the cursor is in another pane: no row is marked */
};

typedef const char *table_cell_fn(void *arg, size_t row, unsigned column, enum ui_role *);

/* Title line and rows; parks the cursor. */
void ns_table_draw(struct ns_table *, struct surface *, struct rect, size_t rows, table_cell_fn *, void *);
/* A movement; false: something else. */
bool ns_table_act(struct ns_table *, enum ns_action_id, size_t rows);

#endif
