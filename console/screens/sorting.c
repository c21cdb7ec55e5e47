/* sorting.c - see sorting.h. */
#include "console/screens/sorting.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ipc/base/xalloc.h"

void
sorting_open(struct view *v, struct ns_table *t, const char *const *words, const char *at)
{
	const char *kept = ui_recall(v, "sort");

	t->sort = (struct table_sort){ .words = words };
	if (kept == NULL || !ns_sort_read(&t->sort, kept))
		(void)ns_sort_read(&t->sort, at);
}

bool
sorting_act(struct view *v, struct ns_table *t, enum ns_action_id id, void (*sorted)(struct view *))
{
	char text[24];

	switch (ns_table_sort(t, id)) {
	case SORT_NOT_MINE:
		return false;
	case SORT_CHOSEN:
		return true;
	case SORT_SAME:
		ui_say(v->ui, "Sorted by %s already: < and > choose another column, O reverses",
		    t->columns[t->sort.column].title);
		return true;
	case SORT_OTHER:
		break;
	}
	ns_sort_text(&t->sort, text);
	ui_remember(v, "sort", text);
	sorted(v);
	return true;
}

void
sorting_text(const struct ns_table *t, char out[32])
{
	char word[24];

	ns_sort_text(&t->sort, word);
	snprintf(out, 32, "sort %s %c", word + t->sort.down, t->sort.down ? 'v' : '^');
}

/* ---- rows that are here ---- */
static int
compare(const struct row *a, const struct row *b, unsigned column)
{
	double x = a->figures[column], y = b->figures[column];

	if (!isnan(x) && !isnan(y))
		return x < y ? -1 : x > y;
	if (isnan(x) != isnan(y)) /* "-" is less than any figure */
		return isnan(x) ? -1 : 1;
	return strcasecmp(a->cells[column] != NULL ? a->cells[column] : "",
	    b->cells[column] != NULL ? b->cells[column] : "");
}

struct order {
	const char *rows;
	size_t size;
	unsigned column;
	bool down;
};

static int
by_order(const void *a, const void *b, void *arg)
{
	size_t x = *(const size_t *)a, y = *(const size_t *)b;
	const struct order *o = arg;
	int order = compare((const struct row *)(const void *)(o->rows + x * o->size),
	    (const struct row *)(const void *)(o->rows + y * o->size), o->column);

	if (order == 0)
		return x < y ? -1 : 1;
	return o->down ? -order : order;
}

void
rows_sort(void *rows, size_t n, size_t size, const struct table_sort *sort, size_t *follow)
{
	struct order o = { rows, size, sort->column, sort->down };
	size_t *turns;
	char *sorted;

	if (n < 2 || sort->words == NULL)
		return;
	turns = xcalloc(n, sizeof *turns);
	sorted = xcalloc(n, size);
	for (size_t i = 0; i < n; i++)
		turns[i] = i;
	qsort_r(turns, n, sizeof *turns, by_order, &o);
	for (size_t i = 0; i < n; i++)
		memcpy(sorted + i * size, o.rows + turns[i] * size, size);
	memcpy(rows, sorted, n * size);
	for (size_t i = 0, was = follow != NULL ? *follow : n; was < n && i < n; i++)
		if (turns[i] == was)
			*follow = i;
	free(sorted);
	free(turns);
}

/* ---- a place in a list ---- */
bool
ui_go(struct ui *ui, const char *text)
{
	struct view *top = ui_top(ui);
	unsigned long long n;
	struct ns_table *t;
	char *end;
	size_t rows;

	if (*text < '0' || *text > '9' || top->ops->table == NULL)
		return false;
	n = strtoull(text, &end, 10);
	if (strcmp(end, "%") == 0 ? n > 100 : *end != '\0')
		return false;
	if (typeahead_place(ui, text))
		return true;
	t = top->ops->table(top, &rows);
	if (rows == 0)
		return true;
	if (*end == '%')
		n = n * (rows - 1) / 100;
	else
		n -= n > 0;
	t->row = n < rows ? (size_t)n : rows - 1;
	t->top = t->row > (size_t)t->page / 2 ? t->row - (size_t)t->page / 2 : 0;
	return true;
}
