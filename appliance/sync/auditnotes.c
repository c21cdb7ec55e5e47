/* auditnotes - see auditnotes.h. */
#include "appliance/sync/auditnotes.h"

#include <string.h>

static void
join(struct store_event *row, const struct store_event *e)
{
	row->count += e->count;
	if (e->first_ms < row->first_ms)
		row->first_ms = e->first_ms;
	if (e->last_ms > row->last_ms)
		row->last_ms = e->last_ms;
}

bool
audit_notes_add(struct audit_notes *a, const struct store_event *e)
{
	struct store_event *last = NULL;
	size_t his = 0;

	for (size_t i = 0; i < a->n; i++) {
		struct store_event *row = &a->rows[i];

		if (store_event_same(row, e)) {
			join(row, e);
			return true;
		}
		if (strcmp(row->who, e->who) != 0)
			continue;
		his++;
		if (strcmp(row->kind, e->kind) == 0)
			last = row;
	}
	if (his >= AUDIT_PERSON && last != NULL) {
		join(last, e);
		return true;
	}
	if (a->n == AUDIT_NOTES)
		return false;
	a->rows[a->n++] = *e;
	return true;
}
