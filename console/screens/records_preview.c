/* records_preview.c - beside the list: all data of the RRset under the cursor, and what the draft makes of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/core/sanitize.h"
#include "console/screens/drafts.h"
#include "console/screens/records.h"
#include "ipc/base/xalloc.h"

static void
put_state(struct view *v, struct rect *r, const char *head, enum ui_role role,
    const Ns__Conflict__State *state)
{
	char text[64];

	snprintf(
	    text, sizeof text, state->there ? "%s   TTL %u" : "%s   not there", head, state->ttl);
	preview_put(v, r, UI_HEAD, text);
	for (size_t i = 0; state->there && i < state->n_rdata; i++) {
		char *data = sanitize_dup(state->rdata[i], v->ui->ascii);

		preview_put(v, r, role, data);
		free(data);
	}
}

/* "data" of each record in a row of its own, as they were taken. */
static void
put_values(struct view *v, struct rect *r, const struct row *row)
{
	char *all = xstrdup(row->cells[CELL_VALUES]), *rest = all, *line;

	while ((line = strsep(&rest, "\n")) != NULL)
		if (*line != '\0')
			preview_put(v, r, UI_TEXT, line);
	free(all);
}

void
records_preview(struct view *v, struct rect r)
{
	struct records *s = v->state;
	const struct row *row = r.w > 0 ? draftrows_shown(&s->list, s->list.table.row) : NULL;
	const Ns__Conflict__RRset *set = NULL;
	const char *blank = row != NULL ? strrchr(row->id, ' ') : NULL;
	char name[UI_OBJECT], text[UI_OBJECT];

	if (blank == NULL)
		return;
	for (int y = r.y; y < r.y + r.h; y++)
		surface_put(v->ui->surface, r.x, y, 1, UI_DIM, "|");
	r = (struct rect){ r.x + 2, r.y, r.w - 3, r.h };
	snprintf(name, sizeof name, "%.*s", (int)(blank - row->id), row->id);
	if (v->ui->drafts != NULL && v->ui->drafts->plan != NULL)
		set = drafts_rrset(v->ui->drafts, name, blank + 1);
	snprintf(text, sizeof text, "%s %s%s", row->cells[0], row->cells[1],
	    set != NULL ? "   draft" : "");
	preview_put(v, &r, UI_TITLE, text);
	if (strcmp(blank + 1, "NSPOLICY") == 0) {
		preview_put(v, &r, UI_TEXT, row->cells[4]);
		return;
	}
	if (set != NULL && set->was != NULL && set->mine != NULL) {
		put_state(v, &r, "now", UI_REMOVED, set->was);
		put_state(v, &r, "with the draft", UI_ADDED, set->mine);
		return;
	}
	snprintf(text, sizeof text, "TTL %s", row->cells[2] != NULL ? row->cells[2] : "-");
	preview_put(v, &r, UI_DIM, text);
	if (row->cells[CELL_VALUES] != NULL)
		put_values(v, &r, row);
	else
		preview_put(v, &r, UI_DIM, "too long to be shown here: e opens it");
}
