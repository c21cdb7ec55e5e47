/* form - fields to type in or to choose from, laid out by their owner.
 *
 * The owner keeps the list in the order of Tab, sets each field's place before it is drawn (rows count from the
 * form's first one; what does not fit scrolls with the focus), and looks at the texts when form_key says that
 * one changed. */
#ifndef NS_CONSOLE_WIDGETS_FORM_H
#define NS_CONSOLE_WIDGETS_FORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "console/widgets/edit.h"

struct form_field {
	struct edit edit;
	const char *const *choices; /* NULL: free text; ends with NULL; what is typed picks the first that begins so */
	bool fixed; /* shown and passed over */
	int x, y, w; /* with its brackets */
	const char *error; /* marks it; the owner says it below; NULL: none */
};

struct form {
	struct form_field *list;
	size_t n, focus;
	unsigned typed; /* letters of the choice in focus that were typed one after the other */
	int top; /* the first row on screen */
};

/* A field more; it is the form's, and may move with the next one. */
struct form_field *form_add(struct form *, size_t max, const char *text);
void form_clear(struct form *);
/* Fields after `from` go. */
void form_cut(struct form *, size_t from);
/* true: the key was for the field in focus; *changed: its text is another. */
bool form_key(struct form *, uint32_t key, bool *changed);
/* Of the field in focus, when it is typed; NULL: it is chosen, or fixed. */
const char *form_text(const struct form *);
void form_next(struct form *, int by); /* 1 or -1; around at the ends */
/* Scrolls so that row y, of `rows` in all, is among the h that are shown. */
void form_show(struct form *, int y, int rows, int h);
/* Fields on screen; r.h rows from form.top on.  Parks the cursor. */
void form_draw(const struct form *, struct surface *, struct rect r);

#endif
