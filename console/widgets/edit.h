/* edit - typed text of one line, edited as in readline. */
#ifndef NS_CONSOLE_WIDGETS_EDIT_H
#define NS_CONSOLE_WIDGETS_EDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "console/core/surface.h"

struct edit {
	char *text; /* UTF-8; NULL: nothing yet */
	size_t len, at; /* the cursor, in octets */
	size_t max; /* of octets, with the NUL */
};

/* Octets that do not fit are left off. */
void edit_set(struct edit *, size_t max, const char *text);
void edit_free(struct edit *);
const char *edit_text(const struct edit *);
/* true: the key was for the text, or for the cursor in it; *changed: the text is another. */
bool edit_key(struct edit *, uint32_t key, bool *changed);
/* A box of r.w columns.  What does not fit goes out on the left of the cursor, so that it stays in view. */
void edit_draw(const struct edit *, struct surface *, struct rect, enum ui_role, bool focused);

#endif
