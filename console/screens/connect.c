/* connect.c - which appliance this console shows: the one it is connected to, or another by way of it; and those of
 * other hosts, each with a console of its own by the operator's ssh (profiles.h).
 *
 * Nobody is asked for a secret: this appliance passes requests on and vouches for who asks; the other one lets him
 * do what his role and its trust in this one both allow. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/core/sanitize.h"
#include "console/screens/copy.h"
#include "console/screens/pages.h"
#include "console/screens/pings.h"
#include "console/screens/profiles.h"
#include "ipc/base/xalloc.h"

#define TIMEOUT_MS 3000u
#define ROWS_MAX   256u

struct connect {
	struct ns_table table;
	struct row rows[ROWS_MAX + MEMO_NAMES]; /* of the fleet, then of the profiles */
	size_t fleet, n; /* fleet: those of the fleet */
	struct memo *profiles;
	struct pings pings;
	size_t shown[ROWS_MAX + MEMO_NAMES], n_shown; /* that the filter leaves */
	char filter[PROMPT_MAX];
	char dropped[MEMO_NAME + 1]; /* that is asked about */
	uint64_t request;
	bool loaded;
	char fault[256];
};

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

/* ---- rows ---- */

static struct row *
at_cursor(struct connect *c)
{
	return c->table.row < c->n_shown ? &c->rows[c->shown[c->table.row]] : NULL;
}

static bool
is_profile(const struct connect *c, const struct row *r)
{
	return r >= c->rows + c->fleet;
}

/* What the filter leaves; the cursor stays with its row, else it is on the first. */
static void
choose(struct connect *c, const char *id, bool profile)
{
	c->n_shown = c->table.row = 0;
	for (size_t i = 0; i < c->n; i++) {
		const struct row *r = &c->rows[i];

		if (strcasestr(r->cells[0], c->filter) == NULL &&
		    strcasestr(r->cells[1], c->filter) == NULL)
			continue;
		if (strcmp(r->id, id) == 0 && is_profile(c, r) == profile)
			c->table.row = c->n_shown;
		c->shown[c->n_shown++] = i;
	}
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
	row_set(v, r, 3, (bad ? UI_CRIT : UI_TEXT) | UI_LIVE, "%s", a->state);
	row_set(v, r, 4, UI_TEXT, "%s", a->version[0] != '\0' ? a->version : "-");
	row_set(v, r, 5, (bad ? UI_WARN : UI_TEXT) | UI_LIVE, a->silent_s < 0 ? "never" : "%.1fs",
	    a->silent_s);
	if (!bad) /* it would not answer, and the others would wait for that */
		pings_want(&c->pings, a->name);
	row_set(v, r, 7, UI_DIM, "%s", strcmp(a->name, here(v)) == 0 ? "here" : "relay");
}

/* Nothing is known of it before it is visited. */
static void
add_profile(void *arg, const char *name, const char *address)
{
	struct view *v = arg;
	struct connect *c = v->state;
	struct row *r = &c->rows[c->n];

	if (c->n == sizeof c->rows / sizeof *c->rows)
		return;
	*r = (struct row){ .id = xstrdup(name) };
	c->n++;
	row_set(v, r, 0, UI_TEXT, "%s", name);
	row_set(v, r, 1, UI_TEXT, "%s", address);
	for (unsigned i = 2; i < 7; i++)
		row_set(v, r, i, UI_DIM, "-");
	row_set(v, r, 7, UI_DIM, "ssh");
}

static void
drop_rows(struct connect *c, size_t from)
{
	while (c->n > from)
		row_free(&c->rows[--c->n]);
}

/* The rows anew; m NULL: of the profiles alone.  The cursor stays on its row. */
static void
take(struct view *v, const Ns__FleetListReply *m)
{
	struct connect *c = v->state;
	const struct row *r = at_cursor(c);
	bool profile = r != NULL && is_profile(c, r);
	char *at = xstrdup(r != NULL ? r->id : shown(v));

	if (m != NULL) {
		drop_rows(c, 0);
		pings_begin(&c->pings);
		for (size_t i = 0; i < m->n_appliances && c->n < ROWS_MAX; i++)
			if (strcmp(m->appliances[i]->state, "invited") != 0)
				add(v, m->appliances[i]);
		pings_end(&c->pings);
		c->fleet = c->n;
		c->loaded = true;
		c->fault[0] = '\0';
	}
	drop_rows(c, c->fleet);
	memo_each(c->profiles, add_profile, v);
	choose(c, at, profile);
	free(at);
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

	pings_tick(&c->pings);
	if (c->request != 0)
		return;
	request.body_case = NS__ENVELOPE__BODY_FLEET_LIST_REQUEST;
	request.fleet_list_request = &body;
	/* Of this one: the switcher works when the other cannot be reached. */
	request.to = (char *)(uintptr_t)here(v);
	c->request = ns_client_request(v->ui->client, &request, TIMEOUT_MS, came, v);
}

static void
read_profiles(struct view *v)
{
	struct connect *c = v->state;

	memo_destroy(&c->profiles);
	c->profiles = profiles_read(v->ui);
	take(v, NULL);
}

static void
connect_reload(struct view *v)
{
	read_profiles(v);
	connect_tick(v);
}

static const struct table_column columns[] = { { "APPLIANCE", 12, 1, false, 0 },
	{ "ADDRESS", 16, 2, false, 70 }, { "ROLE", 7, 0, false, 0 }, { "STATE", 7, 0, false, 90 },
	{ "VERSION", 7, 0, false, 0 }, { "SEEN", 6, 0, true, 0 }, { "RTT", 7, 0, true, 0 },
	{ "VIA", 5, 0, false, 0 }, { NULL, 0, 0, false, 0 } };

static void
connect_open(struct view *v)
{
	struct connect *c = v->state;

	c->table.columns = columns;
	c->table.signs = true;
	pings_open(&c->pings, v);
	v->own = true; /* profiles */
}

static void
connect_close(struct view *v)
{
	struct connect *c = v->state;

	if (c->request != 0)
		ns_client_cancel(v->ui->client, c->request);
	pings_close(&c->pings);
	drop_rows(c, 0);
	memo_destroy(&c->profiles);
}

/* The round trip of the last request to it; a silent one says so here, where there may be no other column for it. */
static const char *
rtt(const struct connect *c, const struct row *r, enum ui_role *role)
{
	static char text[24];
	double ms = pings_ms(&c->pings, r->id);

	if (strcmp(r->cells[3], "silent") == 0) {
		*role = UI_CRIT;
		return "silent";
	}
	*role = (ms == PING_LATE ? UI_WARN : UI_TEXT) | UI_LIVE;
	if (ms < 0)
		return ms == PING_LATE ? "none" : "";
	snprintf(text, sizeof text, ms < 9.95 ? "%.1fms" : "%.0fms", ms);
	return text;
}

static const char *
cell(void *arg, size_t row, unsigned column, enum ui_role *role)
{
	struct view *v = arg;
	const struct connect *c = v->state;
	const struct row *r = &c->rows[c->shown[row]];

	if (column == TABLE_SIGN)
		return !is_profile(c, r) && strcmp(r->id, shown(v)) == 0 ? "@" : "";
	if (column == 6 && !is_profile(c, r))
		return rtt(c, r, role);
	*role = (enum ui_role)r->roles[column];
	return r->cells[column] != NULL ? r->cells[column] : "";
}

static void
connect_draw(struct view *v, struct rect r)
{
	struct connect *c = v->state;
	struct surface *s = v->ui->surface;
	char name[64], current[80], filter[2 * PROMPT_MAX];

	surface_put(s, r.x + 1, r.y, 7, UI_TITLE, "Connect");
	sanitize(filter, sizeof filter, c->filter, v->ui->ascii);
	if (filter[0] != '\0')
		surface_putf(s, r.x + 11, r.y, r.w / 2, UI_INPUT, "/%s", filter);
	sanitize(name, sizeof name, shown(v), v->ui->ascii);
	snprintf(current, sizeof current, "current %s", name);
	surface_put_right(s, r.x + 10, r.y, r.w - 12, UI_DIM, current);
	ns_table_draw(
	    &c->table, s, (struct rect){ r.x, r.y + 1, r.w, r.h - 3 }, c->n_shown, cell, v);
	if (c->n_shown == 0)
		surface_put(s, r.x + 3, r.y + 3, r.w - 4, c->fault[0] != '\0' ? UI_WARN : UI_DIM,
		    c->fault[0] != '\0'    ? c->fault
		    : c->filter[0] != '\0' ? "none matches; Esc shows all"
		    : c->loaded            ? "this appliance is alone"
					   : ui_loading(v));
	surface_put(s, r.x + 1, r.y + r.h - 1, r.w - 2, UI_DIM,
	    r.w < 100 ? "@ shown now.  RTT: console to it and back.  ssh: not known before a visit."
		      : "@ is shown now.  relay: in your name.  RTT: from this console to it and "
			"back.  ssh: not known "
			"before a visit.");
}

static void
drop(void *arg)
{
	struct view *v = arg;

	profiles_drop(v->ui, ((struct connect *)v->state)->dropped);
	read_profiles(v);
}

static void
ask_drop(struct view *v, const struct row *r)
{
	struct connect *c = v->state;
	char ask[MEMO_NAME + 64];

	snprintf(c->dropped, sizeof c->dropped, "%s", r->id);
	snprintf(ask, sizeof ask, "Remove the profile %s?", r->id);
	ui_ask(v->ui, ask, "That appliance stays as it is, and so do your drafts.", NULL, drop, v);
}

static void
open_row(struct view *v, const struct row *r)
{
	if (!is_profile(v->state, r))
		ui_connect(v->ui, strcmp(r->id, here(v)) == 0 ? "" : r->id);
	else
		profiles_visit(v->ui, r->id);
}

static bool
connect_act(struct view *v, enum ns_action_id id)
{
	struct connect *c = v->state;
	struct row *r = at_cursor(c);

	if (ns_table_act(&c->table, id, c->n_shown))
		return true;
	if (id == ACT_ADD)
		profiles_ask(v->ui);
	else if (id == ACT_DELETE && r != NULL)
		ask_drop(v, r);
	else if (id == ACT_OPEN && r != NULL)
		open_row(v, r);
	else
		return false;
	return true;
}

static const char *
connect_refuse(struct view *v, enum ns_action_id id)
{
	struct connect *c = v->state;
	const struct row *r = at_cursor(c);
	bool profile = r != NULL && is_profile(c, r);

	switch (id) {
	case ACT_ADD:
		return v->ui->restricted ? profiles_refuse(v->ui) : NULL;
	case ACT_DELETE:
		return profile ? NULL : "only profiles, which are yours, can be removed here";
	case ACT_EDIT:
	case ACT_CLONE:
		return "a profile is removed and added anew: d, a";
	case ACT_OPEN:
		return r == NULL                      ? "no appliance is here"
		       : profile                      ? profiles_refuse(v->ui)
		       : strcmp(r->id, shown(v)) == 0 ? "this one is shown already"
						      : NULL;
	default:
		return NULL;
	}
}

static void
connect_filter(struct view *v, const char *text)
{
	struct connect *c = v->state;

	snprintf(c->filter, sizeof c->filter, "%s", text);
	choose(c, "", false);
}

static const char *
connect_filter_now(struct view *v)
{
	return ((struct connect *)v->state)->filter;
}

static struct ns_table *
connect_table(struct view *v, size_t *rows)
{
	struct connect *c = v->state;

	*rows = c->n_shown;
	return &c->table;
}

static void
connect_copies(struct view *v, struct copies *out)
{
	struct connect *c = v->state;
	const struct row *r = at_cursor(c);

	if (r == NULL)
		return;
	copies_add(out, "name", xstrdup(r->cells[0]));
	copies_add(out, "address", xstrdup(r->cells[1]));
	copies_add(out, "command",
	    xasprintf("nameserve --appliance %s status", r->cells[is_profile(c, r) ? 1 : 0]));
}

const struct ns_screen_ops screen_connect = {
	.name = "Connect",
	.size = sizeof(struct connect),
	.contexts = CTX_GLOBAL | CTX_LIST | CTX_OPEN | CTX_FILTER | CTX_ROWS,
	.open = connect_open,
	.close = connect_close,
	.reload = connect_reload,
	.tick = connect_tick,
	.draw = connect_draw,
	.act = connect_act,
	.refuse = connect_refuse,
	.filter = connect_filter,
	.filter_now = connect_filter_now,
	.filter_help = "part of a name or an address   Enter keep   Esc undo",
	.table = connect_table,
	.copies = connect_copies,
	.twin = "fleet list",
};
