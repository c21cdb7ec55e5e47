/* marks.c - see marks.h. */
#include "console/screens/marks.h"

#include <stdlib.h>
#include <string.h>

#include "ipc/base/xalloc.h"

#define MARKS_MAX 10000u /* more is no work for a console */

/* Where it is, or would be. */
static size_t
place(const struct marks *m, const char *id, bool *there)
{
	size_t from = 0, to = m->n;

	*there = false;
	while (from < to && !*there) {
		size_t middle = from + (to - from) / 2;
		int order = strcmp(m->ids[middle], id);

		*there = order == 0;
		if (order == 0)
			from = middle;
		else if (order < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

bool
marks_has(const struct marks *m, const char *id)
{
	bool there;

	(void)place(m, id, &there);
	return there;
}

void
marks_clear(struct marks *m)
{
	while (m->n > 0)
		free(m->ids[--m->n]);
	free(m->ids);
	*m = (struct marks){ 0 };
}

bool
marks_peel(struct marks *m)
{
	bool some = m->n > 0 || m->ranging;

	marks_clear(m);
	return some;
}

static void
add(struct marks *m, const char *id)
{
	bool there;
	size_t at = place(m, id, &there);

	if (there || m->n == MARKS_MAX)
		return;
	m->ids = xreallocarray(m->ids, m->n + 1, sizeof *m->ids);
	memmove(&m->ids[at + 1], &m->ids[at], (m->n - at) * sizeof *m->ids);
	m->ids[at] = xstrdup(id);
	m->n++;
}

static void
toggle(struct marks *m, const char *id)
{
	bool there;
	size_t at = place(m, id, &there);

	if (!there) {
		add(m, id);
		return;
	}
	free(m->ids[at]);
	m->n--;
	memmove(&m->ids[at], &m->ids[at + 1], (m->n - at) * sizeof *m->ids);
}

static void
add_rows(struct marks *m, size_t from, size_t to, mark_id_fn *id_of, void *arg, size_t *missed)
{
	for (size_t row = from; row < to; row++) {
		const char *id = id_of(arg, row);

		if (id == NULL || m->n == MARKS_MAX)
			++*missed;
		else
			add(m, id);
	}
}

static void
range(struct marks *m, size_t row, mark_id_fn *id_of, void *arg, size_t *missed)
{
	size_t from = m->from < row ? m->from : row, to = m->from < row ? row : m->from;

	m->ranging = !m->ranging;
	if (m->ranging)
		m->from = row;
	else
		add_rows(m, from, to + 1, id_of, arg, missed);
}

bool
marks_act(struct marks *m, enum ns_action_id id, struct ns_table *t, size_t rows, mark_id_fn *id_of,
    void *arg, size_t *missed)
{
	const char *here;

	*missed = 0;
	switch (id) {
	case ACT_MARK:
		here = rows > 0 ? id_of(arg, t->row) : NULL;
		if (here != NULL)
			toggle(m, here);
		(void)ns_table_act(t, ACT_DOWN, rows);
		return true;
	case ACT_MARK_RANGE:
		range(m, t->row, id_of, arg, missed);
		return true;
	case ACT_MARK_ALL:
		add_rows(m, 0, rows, id_of, arg, missed);
		return true;
	case ACT_UNMARK:
		marks_clear(m);
		return true;
	default:
		return false;
	}
}
