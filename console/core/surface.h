/* surface - what a frame looks like, as cells, before any terminal sees it.
 *
 * Screens and widgets draw here; a backend copies it to a terminal or to text.  A cell is a code point,
 * at most two combining ones, and a role: what it means, from which the theme makes colour and
 * weight.  Whatever is put outside is cut off: no caller needs to know the size to be safe.  Text is
 * UTF-8 that went through sanitize(); a control character that comes all the same is put as '?'. */
#ifndef NS_CONSOLE_CORE_SURFACE_H
#define NS_CONSOLE_CORE_SURFACE_H

#include <stdbool.h>
#include <stdint.h>

#include "console/core/theme.h"

#define SURFACE_MAX 1000 /* columns and rows; a terminal that claims more gets this */

struct cell {
	uint32_t cp; /* ' ' when empty; 0: the right half of a wide one */
	uint32_t marks[2]; /* combining, 0: none */
	uint8_t role; /* enum ui_role */
};

struct rect {
	int x, y, w, h;
};

struct surface {
	int w, h;
	struct cell *cells; /* h rows of w */
	int cursor_x, cursor_y; /* where the terminal's cursor is parked */
	bool cursor_on; /* typed text goes there: show it */
	bool ascii; /* nothing above 0x7e may be in it */
	bool stale; /* what is UI_LIVE is old: its source is not heard; graphs are live */
	uint64_t outside; /* cells that were cut off, for tests */
	struct spoken *spoken; /* where rows are said too (spoken.h); NULL: nowhere; not owned */
};

/* Both at least 1. */
struct surface *surface_new(int w, int h, bool ascii);
void surface_destroy(struct surface **);
void surface_resize(struct surface *, int w, int h); /* and clear */
void surface_clear(struct surface *);
void surface_fill(struct surface *, struct rect, enum ui_role);
/* At most w columns from (x, y); a longer text ends in an ellipsis.  Columns used.  A value that is old, UI_OLD or UI_LIVE
 * where the surface is stale, is dim, with a "~" in the blank before it, if there is one: nothing moves. */
int surface_put(struct surface *, int x, int y, int w, enum ui_role, const char *text);
int surface_putf(struct surface *, int x, int y, int w, enum ui_role, const char *fmt, ...)
    __attribute__((format(printf, 6, 7)));
int surface_put_right(struct surface *, int x, int y, int w, enum ui_role, const char *text);
/* "~" where it is stale, else "": for values in the middle of a text. */
const char *surface_old(const struct surface *);
/* The role of what is there already. */
void surface_mark(struct surface *, struct rect, enum ui_role);
void surface_park(struct surface *, int x, int y, bool on);
const struct cell *surface_at(const struct surface *, int x, int y);
/* Lines of at most w columns, broken at blanks; at most h, the last ends in an ellipsis.  Lines used. */
int surface_wrap(struct surface *, struct rect, enum ui_role, const char *text);
int text_lines(const char *text, int w);
/* Columns that text takes. */
int text_width(const char *text);
/* One code point of UTF-8; bytes taken, 0 at the end; broken bytes come one by one as U+FFFD. */
unsigned utf8_next(const char *text, uint32_t *cp);

#endif
