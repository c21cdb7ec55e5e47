/* marks - rows of a list that something is to be done to, by their ids; they stay when the list is loaded anew. */
#ifndef NS_CONSOLE_SCREENS_MARKS_H
#define NS_CONSOLE_SCREENS_MARKS_H

#include <stdbool.h>
#include <stddef.h>

#include "console/core/action.h"
#include "console/widgets/table.h"

struct marks {
	char **ids; /* in strcmp's order */
	size_t n;
	bool ranging; /* from `from` to the cursor, when v comes again */
	size_t from;
};

typedef const char *mark_id_fn(void *arg, size_t row); /* NULL: it is not here */

bool marks_has(const struct marks *, const char *id);
void marks_clear(struct marks *);
bool marks_peel(struct marks *); /* what Esc takes; false: there was nothing */
/* Space, v, * and U; false: another action.  *missed: of all rows so many are not here, and not marked. */
bool marks_act(struct marks *, enum ns_action_id, struct ns_table *, size_t rows, mark_id_fn *, void *arg,
    size_t *missed);

#endif
