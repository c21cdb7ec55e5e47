/* numbers - see numbers.h. */
#include "ipc/base/numbers.h"

#include <stdlib.h>

#include "ipc/base/xalloc.h"

void
numbers_add(struct numbers *n, uint64_t number)
{
	if (n->count == n->room) {
		n->room = n->room != 0 ? 2 * n->room : 16;
		n->list = xreallocarray(n->list, n->room, sizeof *n->list);
	}
	n->list[n->count++] = number;
}

static int
cmp(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

void
numbers_sort(struct numbers *n)
{
	if (n->count > 0)
		qsort(n->list, n->count, sizeof *n->list, cmp);
}

bool
numbers_among(const uint64_t *sorted, size_t count, uint64_t number)
{
	return count > 0 && bsearch(&number, sorted, count, sizeof *sorted, cmp) != NULL;
}

bool
numbers_has(const struct numbers *n, uint64_t number)
{
	return numbers_among(n->list, n->count, number);
}

void
numbers_free(struct numbers *n)
{
	free(n->list);
	*n = (struct numbers){ 0 };
}
