/* textarea - text of many lines, typed: a zone where there is no other editor.
 *
 * Keys are those of an edit field, by lines; a tab goes to the next eighth column.  What cannot be shown as it is
 * stands as '?' on the screen and stays in the text as it was. */
#ifndef NS_CONSOLE_WIDGETS_TEXTAREA_H
#define NS_CONSOLE_WIDGETS_TEXTAREA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "console/core/surface.h"

struct textarea {
	char *text; /* NUL at the end; NULL: nothing yet */
	size_t len, at, max; /* octets; the cursor; the most, with the NUL */
	size_t top; /* the first line on screen begins here */
	int shift, page; /* columns that went out on the left; rows of the last drawing */
	int goal; /* the column that up and down keep to; -1: where the cursor is */
};

/* The cursor at the begin of that line, from 1; the last one when there are fewer. */
void textarea_set(struct textarea *, size_t max, const void *text, size_t len, uint32_t line);
void textarea_free(struct textarea *);
/* true: the key was for the text; *changed: it is another. */
bool textarea_key(struct textarea *, uint32_t key, bool *changed);
void textarea_draw(struct textarea *, struct surface *, struct rect);
/* Of the cursor, and of all: lines, from 1. */
uint32_t textarea_line(const struct textarea *, uint32_t *lines);

#endif
