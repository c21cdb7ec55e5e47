/* pending - all drafts of this operator at this appliance. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/screens/drafts.h"
#include "console/screens/sorting.h"
#include "ipc/base/clock.h"
#include "ipc/base/xalloc.h"

struct pending {
	struct ns_table table;
	struct row *rows;
	size_t n;
};

static void
clear(struct pending *p)
{
	for (size_t i = 0; i < p->n; i++)
		row_free(&p->rows[i]);
	free(p->rows);
	p->rows = NULL;
	p->n = 0;
}

static bool
add(void *arg, const char *zone, const Ns__Draft *d, const struct ns_why *why)
{
	struct view *v = arg;
	struct pending *p = v->state;
	struct row *r;
	char at[CLOCK_RFC3339_LEN], ago[16];

	p->rows = xreallocarray(p->rows, p->n + 1, sizeof *p->rows);
	r = &p->rows[p->n++];
	*r = (struct row){ .id = xstrdup(zone) };
	row_set(v, r, 0, UI_TEXT, "%.*s", ui_name_len(zone), zone);
	if (d == NULL) {
		row_set(v, r, 1, UI_CRIT, "damaged");
		row_set(v, r, 4, UI_CRIT, "%s", why->text);
		return true;
	}
	row_set(v, r, 1, UI_TEXT, "%zu", d->n_ops);
	row_figure(r, 1, (double)d->n_ops);
	row_set(v, r, 2, UI_TEXT, "%u", d->base_serial);
	clock_rfc3339(d->updated_ms, at);
	ui_ago(v->ui, at, ago);
	row_set(v, r, 3, UI_TEXT, "%s", ago);
	row_figure(r, 3, (double)d->updated_ms);
	if (d->n_ops > 0) {
		const Ns__RecordOp *op = d->ops[d->n_ops - 1];
		static const char *const verbs[] = { "set", "add", "delete" };

		row_set(v, r, 4, UI_TEXT, "%s %s %s", (unsigned)op->kind < 3 ? verbs[op->kind] : "",
		    op->name, op->type);
	}
	return true;
}

static void
sorted(struct view *v)
{
	struct pending *p = v->state;

	rows_sort(p->rows, p->n, sizeof *p->rows, &p->table.sort, &p->table.row);
}

static void
pending_reload(struct view *v)
{
	struct pending *p = v->state;
	struct ns_why why = { 0 };

	clear(p);
	if (v->ui->drafts == NULL || v->ui->drafts->dir == NULL)
		return;
	if (ns_drafts_each(v->ui->drafts->dir, add, v, &why) != NS_OK)
		ui_say_why(v->ui, &why);
	v->ui->drafts->count = p->n;
	sorted(v);
}

static const struct table_column columns[] = { { "ZONE", 24, 2, false, 0 },
	{ "OPS", 7, 0, true, 0 }, { "BASE", 10, 0, true, 0 }, { "CHANGED", 7, 0, true, 0 },
	{ "LAST", 14, 3, false, 0 }, { NULL, 0, 0, false, 0 } };

static const char *const sorts[TABLE_COLUMNS] = { "zone", "-ops", "base", "-changed", "last" };

static void
pending_open(struct view *v)
{
	struct pending *p = v->state;

	p->table.columns = columns;
	sorting_open(v, &p->table, sorts, "zone");
}

static void
pending_close(struct view *v)
{
	clear(v->state);
}

static const char *
cell(void *arg, size_t row, unsigned column, enum ui_role *role)
{
	const struct row *r = &((struct pending *)arg)->rows[row];

	*role = (enum ui_role)r->roles[column];
	return r->cells[column] != NULL ? r->cells[column] : "";
}

static void
pending_draw(struct view *v, struct rect r)
{
	struct pending *p = v->state;
	struct surface *s = v->ui->surface;
	char right[48];

	snprintf(right, sizeof right, "%zu draft%s", p->n, p->n == 1 ? "" : "s");
	surface_put(s, r.x + 1, r.y, r.w - 2, UI_TITLE, "Pending");
	surface_put_right(s, r.x + 12, r.y, r.w - 13, UI_DIM, right);
	ns_table_draw(&p->table, s, (struct rect){ r.x, r.y + 1, r.w, r.h - 1 }, p->n, cell, p);
	if (p->n == 0)
		surface_put(s, r.x + 3, r.y + 3, r.w - 4, UI_DIM,
		    "no drafts: what you change in a zone waits here until you commit it");
}

static bool
pending_act(struct view *v, enum ns_action_id id)
{
	struct pending *p = v->state;

	if (ns_table_act(&p->table, id, p->n) || sorting_act(v, &p->table, id, sorted))
		return true;
	if (id != ACT_OPEN || p->table.row >= p->n)
		return false;
	ui_open(v->ui, &screen_diff, p->rows[p->table.row].id);
	return true;
}

static struct ns_table *
pending_table(struct view *v, size_t *rows)
{
	struct pending *p = v->state;

	*rows = p->n;
	return &p->table;
}

const struct ns_screen_ops screen_pending = {
	.name = "Pending",
	.size = sizeof(struct pending),
	.contexts = CTX_GLOBAL | CTX_LIST | CTX_OPEN | CTX_SORT,
	.open = pending_open,
	.close = pending_close,
	.reload = pending_reload,
	.draw = pending_draw,
	.act = pending_act,
	.table = pending_table,
	.twin = "draft list",
};
