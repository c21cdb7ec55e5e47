/* trash - deleted zones that can be brought back, with who deleted them and until when. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/screens/sorting.h"
#include "ipc/base/xalloc.h"

#define TIMEOUT_MS 5000u
#define ITEMS_MAX  1000u

struct trash {
	struct ns_table table;
	struct row *rows;
	size_t n;
	uint64_t request;
	bool loaded;
	char name[UI_OBJECT]; /* that is asked about */
};

static void
clear(struct trash *t)
{
	for (size_t i = 0; i < t->n; i++)
		row_free(&t->rows[i]);
	free(t->rows);
	t->rows = NULL;
	t->n = 0;
}

static void
sorted(struct view *v)
{
	struct trash *t = v->state;

	rows_sort(t->rows, t->n, sizeof *t->rows, &t->table.sort, &t->table.row);
}

static void
came(void *arg, const Ns__Envelope *env, const struct ns_why *why)
{
	struct view *v = arg;
	struct trash *t = v->state;

	t->request = 0;
	ui_dirty(v->ui, true);
	if (env == NULL) {
		ui_say_why(v->ui, why);
		ui_came(v, false);
		return;
	}
	clear(t);
	t->loaded = true;
	t->rows = xcalloc(env->trash_list_reply->n_items + 1, sizeof *t->rows);
	for (; t->n < env->trash_list_reply->n_items; t->n++) {
		const Ns__TrashListReply__Item *i = env->trash_list_reply->items[t->n];
		struct row *r = &t->rows[t->n];
		char when[16];

		r->id = xstrdup(i->zone);
		ui_when(i->deleted, when);
		row_set(v, r, 0, UI_TEXT, "%.*s", ui_name_len(i->zone), i->zone);
		row_set(v, r, 1, UI_TEXT, "%llu", (unsigned long long)i->records);
		row_figure(r, 1, (double)i->records);
		row_set(v, r, 2, UI_TEXT, "%s", when);
		row_figure(r, 2, -(double)t->n); /* they come newest first */
		row_set(v, r, 3, UI_TEXT, "%s", i->author);
		row_set(v, r, 4, UI_TEXT, "%.10s", i->until);
	}
	sorted(v);
	ui_came(v, true);
}

static void
trash_reload(struct view *v)
{
	struct trash *t = v->state;
	Ns__TrashListRequest body = NS__TRASH_LIST_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	if (t->request != 0)
		return;
	if (!t->loaded)
		ui_awaits(v);
	body.limit = ITEMS_MAX;
	request.body_case = NS__ENVELOPE__BODY_TRASH_LIST_REQUEST;
	request.trash_list_request = &body;
	t->request = ns_client_request(v->ui->client, &request, TIMEOUT_MS, came, v);
}

static const struct table_column columns[] = { { "ZONE", 24, 1, false, 0 },
	{ "RECORDS", 8, 0, true, 0 }, { "DELETED UTC", 11, 0, false, 0 },
	{ "WHO", 10, 0, false, 0 }, { "UNTIL", 10, 0, false, 0 }, { NULL, 0, 0, false, 0 } };

static const char *const sorts[TABLE_COLUMNS] = { "zone", "-records", "-deleted", "who", "until" };

static void
trash_open(struct view *v)
{
	struct trash *t = v->state;

	t->table.columns = columns;
	sorting_open(v, &t->table, sorts, "-deleted");
}

static void
trash_close(struct view *v)
{
	struct trash *t = v->state;

	if (t->request != 0)
		ns_client_cancel(v->ui->client, t->request);
	clear(t);
}

static const char *
cell(void *arg, size_t row, unsigned column, enum ui_role *role)
{
	const struct row *r = &((struct trash *)arg)->rows[row];

	*role = (enum ui_role)r->roles[column];
	return r->cells[column] != NULL ? r->cells[column] : "";
}

static void
trash_draw(struct view *v, struct rect r)
{
	struct trash *t = v->state;
	struct surface *s = v->ui->surface;

	surface_put(s, r.x + 1, r.y, r.w - 2, UI_TITLE, "Trash");
	surface_put_right(s, r.x + 8, r.y, r.w - 9, UI_DIM, "zones are kept for 30 days");
	ns_table_draw(&t->table, s, (struct rect){ r.x, r.y + 1, r.w, r.h - 1 }, t->n, cell, t);
	if (t->n == 0)
		surface_put(s, r.x + 3, r.y + 3, r.w - 4, UI_DIM,
		    t->loaded ? "no zone was deleted within 30 days" : ui_loading(v));
}

static void
bring_back(void *arg)
{
	struct view *v = arg;
	struct trash *t = v->state;
	Ns__ZoneRestoreRequest body = NS__ZONE_RESTORE_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	body.zone = t->name;
	request.body_case = NS__ENVELOPE__BODY_ZONE_RESTORE_REQUEST;
	request.zone_restore_request = &body;
	ui_commit(v->ui, &request);
}

static bool
trash_act(struct view *v, enum ns_action_id id)
{
	struct trash *t = v->state;
	char ask[UI_OBJECT + 64];

	if (ns_table_act(&t->table, id, t->n) || sorting_act(v, &t->table, id, sorted))
		return true;
	if (id != ACT_REVERT || t->table.row >= t->n)
		return false;
	snprintf(t->name, sizeof t->name, "%s", t->rows[t->table.row].id);
	snprintf(ask, sizeof ask, "Bring %.*s back, as it was when it was deleted?",
	    ui_name_len(t->name), t->name);
	ui_ask(v->ui, ask, "It is served at once, under a new serial.", NULL, bring_back, v);
	return true;
}

static const char *
trash_refuse(struct view *v, enum ns_action_id id)
{
	return id == ACT_REVERT && ((struct trash *)v->state)->n == 0 ? "the trash is empty" : NULL;
}

static struct ns_table *
trash_table(struct view *v, size_t *rows)
{
	struct trash *t = v->state;

	*rows = t->n;
	return &t->table;
}

const struct ns_screen_ops screen_trash = {
	.name = "Trash",
	.size = sizeof(struct trash),
	.contexts = CTX_GLOBAL | CTX_LIST | CTX_TRASH | CTX_SORT,
	.open = trash_open,
	.close = trash_close,
	.reload = trash_reload,
	.draw = trash_draw,
	.act = trash_act,
	.table = trash_table,
	.refuse = trash_refuse,
	.twin = "zone trash",
};
