/* calm.c - see calm.h. */
#include "console/core/calm.h"

#include <stdbool.h>
#include <string.h>

/* Where nothing was before: by value, then by name. */
static bool
is_before(const struct calm_row *a, const struct calm_row *b)
{
	if (a->was != CALM_NEW && b->was != CALM_NEW)
		return a->was < b->was;
	return a->value != b->value ? a->value > b->value : strcmp(a->name, b->name) < 0;
}

static void
put(const struct calm_row *rows, size_t *order, size_t at, size_t i,
    bool (*passes)(const struct calm_row *, const struct calm_row *))
{
	for (; at > 0 && passes(&rows[i], &rows[order[at - 1]]); at--)
		order[at] = order[at - 1];
	order[at] = i;
}

static bool
exceeds(const struct calm_row *a, const struct calm_row *b)
{
	return a->value > CALM_CLEARLY * b->value;
}

void
calm_order(const struct calm_row *rows, size_t n, size_t *order)
{
	size_t placed = 0;

	for (size_t i = 0; i < n; i++)
		if (rows[i].was != CALM_NEW)
			put(rows, order, placed++, i, is_before);
	for (size_t i = 0; i < n; i++)
		if (rows[i].was == CALM_NEW)
			put(rows, order, placed++, i, is_before);
	for (size_t i = 1; i < n; i++)
		put(rows, order, i, order[i], exceeds);
}
