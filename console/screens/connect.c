/* connect.c - which appliance this console shows: the one it is connected to, or another by way of it.
 *
 * Nobody is asked for a secret: this appliance passes requests on and vouches for who asks; the other one lets him
 * do what his role and its trust in this one both allow. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/core/sanitize.h"
#include "console/screens/copy.h"
#include "console/screens/pages.h"
#include "ipc/base/xalloc.h"

#define TIMEOUT_MS 3000u
#define ROWS_MAX   256u

struct connect {
	struct ns_table table;
	struct row rows[ROWS_MAX];
	size_t n;
	uint64_t request;
	bool loaded;
	char fault[256];
};

static void
clear(struct connect *c)
{
	for (size_t i = 0; i < c->n; i++)
		row_free(&c->rows[i]);
	c->n = 0;
}

static const char *
here(const struct view *v)
{
	const Ns__HelloReply *hello = ns_client_hello(v->ui->client);

	return hello != NULL ? hello->appliance : "";
}

static const char *
shown(const struct view *v)
{
	const char *at = ns_client_at(v->ui->client);

	return at[0] != '\0' ? at : here(v);
}

static void
add(struct view *v, const Ns__FleetListReply__Appliance *a)
{
	struct connect *c = v->state;
	struct row *r = &c->rows[c->n];
	bool bad = strcmp(a->state, "silent") == 0;

	*r = (struct row){ .id = xstrdup(a->name) };
	c->n++;
	row_set(v, r, 0, UI_TEXT, "%s", a->name);
	row_set(
	    v, r, 1, UI_TEXT, "%s", strncmp(a->endpoint, "tcp://", 6) == 0 ? a->endpoint + 6 : "-");
	row_set(v, r, 2, UI_TEXT, "%s", a->role);
	row_set(v, r, 3, bad ? UI_CRIT : UI_TEXT, "%s", a->state);
	row_set(v, r, 4, UI_TEXT, "%s", a->version[0] != '\0' ? a->version : "-");
	row_set(v, r, 5, bad ? UI_WARN : UI_TEXT, "%.1fs", a->silent_s);
	row_set(v, r, 6, UI_DIM, "%s", strcmp(a->name, here(v)) == 0 ? "here" : "relay");
}

/* The cursor stays with its appliance. */
static void
take(struct view *v, const Ns__FleetListReply *m)
{
	struct connect *c = v->state;
	char *at = c->table.row < c->n ? xstrdup(c->rows[c->table.row].id) : xstrdup(shown(v));

	clear(c);
	for (size_t i = 0; i < m->n_appliances && c->n < ROWS_MAX; i++) {
		if (strcmp(m->appliances[i]->state, "invited") == 0)
			continue;
		if (strcmp(m->appliances[i]->name, at) == 0)
			c->table.row = c->n;
		add(v, m->appliances[i]);
	}
	free(at);
	c->loaded = true;
	c->fault[0] = '\0';
}

static void
came(void *arg, const Ns__Envelope *env, const struct ns_why *why)
{
	struct view *v = arg;
	struct connect *c = v->state;

	c->request = 0;
	if (env != NULL)
		take(v, env->fleet_list_reply);
	else
		sanitize(c->fault, sizeof c->fault, why->text, v->ui->ascii);
	ui_dirty(v->ui, false);
}

static void
connect_tick(struct view *v)
{
	struct connect *c = v->state;
	Ns__FleetListRequest body = NS__FLEET_LIST_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	if (c->request != 0)
		return;
	request.body_case = NS__ENVELOPE__BODY_FLEET_LIST_REQUEST;
	request.fleet_list_request = &body;
	/* Of this one: the switcher works when the other cannot be reached. */
	request.to = (char *)(uintptr_t)here(v);
	c->request = ns_client_request(v->ui->client, &request, TIMEOUT_MS, came, v);
}

static const struct table_column columns[] = { { "APPLIANCE", 12, 1, false, 0 },
	{ "ADDRESS", 16, 2, false, 70 }, { "ROLE", 7, 0, false, 0 }, { "STATE", 7, 0, false, 0 },
	{ "VERSION", 7, 0, false, 0 }, { "SEEN", 6, 0, true, 0 }, { "VIA", 5, 0, false, 0 },
	{ NULL, 0, 0, false, 0 } };

static void
connect_open(struct view *v)
{
	struct connect *c = v->state;

	c->table.columns = columns;
	c->table.signs = true;
}

static void
connect_close(struct view *v)
{
	struct connect *c = v->state;

	if (c->request != 0)
		ns_client_cancel(v->ui->client, c->request);
	clear(c);
}

static const char *
cell(void *arg, size_t row, unsigned column, enum ui_role *role)
{
	struct view *v = arg;
	const struct row *r = &((struct connect *)v->state)->rows[row];

	if (column == TABLE_SIGN)
		return strcmp(r->id, shown(v)) == 0 ? "@" : "";
	*role = (enum ui_role)r->roles[column];
	return r->cells[column] != NULL ? r->cells[column] : "";
}

static void
connect_draw(struct view *v, struct rect r)
{
	struct connect *c = v->state;
	struct surface *s = v->ui->surface;
	char name[64];

	surface_put(s, r.x + 1, r.y, 7, UI_TITLE, "Connect");
	sanitize(name, sizeof name, shown(v), v->ui->ascii);
	surface_put_right(s, r.x + 10, r.y, r.w - 11, UI_DIM, name);
	ns_table_draw(&c->table, s, (struct rect){ r.x, r.y + 1, r.w, r.h - 3 }, c->n, cell, v);
	if (c->n == 0)
		surface_put(s, r.x + 3, r.y + 3, r.w - 4, c->fault[0] != '\0' ? UI_WARN : UI_DIM,
		    c->fault[0] != '\0' ? c->fault
		    : c->loaded         ? "this appliance is alone"
					: "loading");
	surface_put(s, r.x + 1, r.y + r.h - 1, r.w - 2, UI_DIM,
	    "@ what is shown now.  Another one is asked by way of this one, in your name.");
}

static bool
connect_act(struct view *v, enum ns_action_id id)
{
	struct connect *c = v->state;

	if (ns_table_act(&c->table, id, c->n))
		return true;
	if (id != ACT_OPEN || c->table.row >= c->n)
		return false;
	const char *name = c->rows[c->table.row].id;
	ui_connect(v->ui, strcmp(name, here(v)) == 0 ? "" : name);
	return true;
}

static const char *
connect_refuse(struct view *v, enum ns_action_id id)
{
	struct connect *c = v->state;

	if (id != ACT_OPEN)
		return NULL;
	return c->n == 0                                         ? "no appliance is here"
	       : strcmp(c->rows[c->table.row].id, shown(v)) == 0 ? "this one is shown already"
								 : NULL;
}

static void
connect_copies(struct view *v, struct copies *out)
{
	struct connect *c = v->state;

	if (c->table.row >= c->n)
		return;
	copies_add(out, "name", xstrdup(c->rows[c->table.row].cells[0]));
	copies_add(out, "command",
	    xasprintf("nameserve --appliance %s status", c->rows[c->table.row].cells[0]));
}

const struct ns_screen_ops screen_connect = {
	.name = "Connect",
	.size = sizeof(struct connect),
	.contexts = CTX_GLOBAL | CTX_LIST | CTX_OPEN,
	.open = connect_open,
	.close = connect_close,
	.reload = connect_tick,
	.tick = connect_tick,
	.draw = connect_draw,
	.act = connect_act,
	.refuse = connect_refuse,
	.copies = connect_copies,
	.twin = "fleet list",
};
