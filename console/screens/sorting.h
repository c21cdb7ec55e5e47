/* sorting - what lists have in common where rows can be sorted: the keys, what is remembered, the words for it; and rows
 * that are all here, sorted here.
 *
 * A screen gives its table the words of its columns (widgets/table.h).  Screens whose rows lie in the appliance ask there
 * for another order instead of rows_sort(). */
#ifndef NS_CONSOLE_SCREENS_SORTING_H
#define NS_CONSOLE_SCREENS_SORTING_H

#include "console/screens/pages.h"

/* words: by column; at: which it is at first, as --sort has it, unless another is remembered. */
void sorting_open(struct view *, struct ns_table *, const char *const *words, const char *at);
/* False: it is no key of sorting.  sorted() is called when the order is another one. */
bool sorting_act(struct view *, struct ns_table *, enum ns_action_id, void (*sorted)(struct view *));
/* "sort qps v", for a title. */
void sorting_text(const struct ns_table *, char out[32]);
/* Rows of `size` octets, each beginning with a struct row: by the column's figure, or its text; then as they were.
 * follow: a place among them, which goes where its row goes; NULL: none. */
void rows_sort(void *rows, size_t n, size_t size, const struct table_sort *, size_t *follow);

#endif
