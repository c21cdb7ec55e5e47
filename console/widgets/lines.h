/* lines - text that scrolls: a diff, help, messages.  Owns its text, which must be safe for a terminal (sanitize.h);
 * zeroed it is empty.  lines_clear() frees all. */
#ifndef NS_CONSOLE_WIDGETS_LINES_H
#define NS_CONSOLE_WIDGETS_LINES_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "console/core/action.h"
#include "console/core/surface.h"

struct lines {
	struct line {
		char *text;
		enum ui_role role;
	} *list;
	size_t n, size;
	size_t top; /* the first line that is shown */
	size_t found; /* the line that is marked, from 1; 0: none */
	int shift, page; /* columns to the left of the window; its lines when it was drawn last */
};

void lines_add(struct lines *, enum ui_role, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* What came from the network, made safe. */
void lines_add_foreign(struct lines *, enum ui_role, bool ascii, const char *fmt, va_list)
    __attribute__((format(printf, 4, 0)));
void lines_clear(struct lines *); /* keeps the place */
void lines_drop(struct lines *, size_t n); /* the first n of them; what is looked at stays in view */
void lines_find(struct lines *, size_t i); /* marks it, in view */
void lines_draw(struct lines *, struct surface *, struct rect);
bool lines_act(struct lines *, enum ns_action_id); /* scrolls; false: another action */

#endif
