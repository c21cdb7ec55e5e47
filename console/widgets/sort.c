/* sort.c - the keys of sorting, and its words; see table.h. */
#include <stdio.h>
#include <string.h>

#include "console/widgets/table.h"

static const char *
word(const struct table_sort *s, unsigned column)
{
	const char *w = s->words[column];

	return w != NULL && *w == '-' ? w + 1 : w;
}

char
ns_sort_sign(const struct table_sort *s, unsigned column)
{
	if (s->words == NULL || s->column != column)
		return '\0';
	return s->down ? 'v' : '^';
}

void
ns_sort_text(const struct table_sort *s, char out[24])
{
	if (s->words == NULL)
		*out = '\0';
	else
		snprintf(out, 24, "%s%s", s->down ? "-" : "", word(s, s->column));
}

bool
ns_sort_read(struct table_sort *s, const char *text)
{
	bool down = *text == '-';

	for (unsigned i = 0; s->words != NULL && i < TABLE_COLUMNS; i++) {
		if (s->words[i] == NULL || strcmp(word(s, i), text + down) != 0)
			continue;
		s->column = s->chosen = i;
		s->down = down;
		return true;
	}
	return false;
}

/* The next that is on screen and can be sorted by. */
static void
choose(struct ns_table *t, bool right)
{
	unsigned n = 0, i = t->sort.chosen;

	while (n < TABLE_COLUMNS && t->columns[n].title != NULL)
		n++;
	for (unsigned step = 0; n > 0 && step < n; step++) {
		i = (i + (right ? 1 : n - 1)) % n;
		if (t->sort.words[i] != NULL && (t->width == 0 || t->width >= t->columns[i].from))
			break;
	}
	t->sort.chosen = i;
}

enum table_sorted
ns_table_sort(struct ns_table *t, enum ns_action_id id)
{
	struct table_sort *s = &t->sort;

	switch (id) {
	case ACT_SORT_NEXT:
	case ACT_SORT_PREVIOUS:
		choose(t, id == ACT_SORT_NEXT);
		return SORT_CHOSEN;
	case ACT_SORT:
		if (s->column == s->chosen)
			return SORT_SAME;
		s->column = s->chosen;
		s->down = s->words[s->column][0] == '-';
		return SORT_OTHER;
	case ACT_SORT_REVERSE:
		s->down = !s->down;
		return SORT_OTHER;
	default:
		return SORT_NOT_MINE;
	}
}
