/* fleet - all appliances: state, lag, when each was heard, load; live while it is on screen. */
#include "console/screens/fleet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/core/sanitize.h"
#include "console/screens/ask.h"
#include "console/screens/copy.h"
#include "console/screens/poprow.h"
#include "console/screens/sorting.h"
#include "console/widgets/table.h"
#include "ipc/base/xalloc.h"

#define TIMEOUT_MS 2000u
#define PANE_H     3 /* with the line above it */
#define OLD_S      4 /* the primary says how the others are each second */

struct fleet {
	struct ns_table table;
	struct pop_row *rows; /* those that are shown, */
	size_t n;
	size_t all, serving, lag, silent; /* of all */
	bool loaded, problems;
	double age_s;
	char versions[160], primary[80], standby[80], filter[PROMPT_MAX];
	uint64_t request;
};

uint64_t
fleet_ask(struct view *v, ns_reply_fn *fn)
{
	Ns__FleetListRequest body = NS__FLEET_LIST_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	body.past = true;
	request.body_case = NS__ENVELOPE__BODY_FLEET_LIST_REQUEST;
	request.fleet_list_request = &body;
	return ns_client_request(v->ui->client, &request, TIMEOUT_MS, fn, v);
}

/* ---- what comes ---- */
typedef Ns__FleetListReply__Appliance Member;

static void
rows_free(struct pop_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		row_free(&rows[i].row);
		free(rows[i].line);
	}
	free(rows);
}

static int
by_state(const void *a, const void *b)
{
	const Member *x = *(const Member *const *)a, *y = *(const Member *const *)b;
	size_t i = fleet_rank(x->state), k = fleet_rank(y->state);

	return i != k ? (i < k ? -1 : 1) : strcmp(x->name, y->name);
}

/* "1.4.2 x29  1.4.1 x3" */
static void
take_versions(struct view *v, const Ns__FleetListReply *m)
{
	struct fleet *f = v->state;
	char text[sizeof f->versions] = "";
	size_t len = 0;

	for (size_t i = 0; i < m->n_appliances; i++) {
		const char *version = m->appliances[i]->version;
		size_t n = 0, before = 0;

		for (size_t k = 0; k < m->n_appliances; k++)
			if (strcmp(m->appliances[k]->version, version) == 0) {
				n++;
				before += k < i;
			}
		if (before == 0 && version[0] != '\0' && len + 32 < sizeof text)
			len += (size_t)snprintf(
			    text + len, sizeof text - len, "%.16s x%zu  ", version, n);
	}
	sanitize(f->versions, sizeof f->versions, text, v->ui->ascii);
}

static void
take_counts(struct view *v, const Ns__FleetListReply *m)
{
	struct fleet *f = v->state;

	f->all = f->serving = f->lag = f->silent = 0;
	f->primary[0] = f->standby[0] = '\0';
	f->age_s = m->age_s;
	for (size_t i = 0; i < m->n_appliances; i++) {
		const Member *a = m->appliances[i];
		bool member = strcmp(a->state, "invited") != 0;

		f->all += member;
		f->serving += member && a->drained == NULL && strcmp(a->state, "silent") != 0;
		f->lag += strcmp(a->state, "lag") == 0;
		f->silent += strcmp(a->state, "silent") == 0;
		if (strcmp(a->role, "primary") == 0)
			sanitize(f->primary, sizeof f->primary, a->name, v->ui->ascii);
		if (strcmp(a->role, "standby") == 0)
			sanitize(f->standby, sizeof f->standby, a->name, v->ui->ascii);
	}
	take_versions(v, m);
}

static bool
wanted(const struct fleet *f, const Member *m)
{
	return (!f->problems || fleet_is_problem(m->state)) && strstr(m->name, f->filter) != NULL;
}

static void
take(struct view *v, Ns__FleetListReply *m)
{
	struct fleet *f = v->state;
	struct pop_row *rows = xcalloc(m->n_appliances + 1, sizeof *rows);
	char *at = f->table.row < f->n ? xstrdup(f->rows[f->table.row].row.id) : NULL;
	size_t n = 0;

	qsort(m->appliances, m->n_appliances, sizeof(Member *), by_state);
	take_counts(v, m);
	for (size_t i = 0; i < m->n_appliances; i++) {
		if (!wanted(f, m->appliances[i]))
			continue;
		if (at != NULL && strcmp(at, m->appliances[i]->name) == 0)
			f->table.row = n;
		poprow_set(v, &rows[n++], m->appliances[i],
		    m->age_s > OLD_S && strcmp(m->appliances[i]->name, v->ui->name) != 0);
	}
	rows_sort(rows, n, sizeof *rows, &f->table.sort, at != NULL ? &f->table.row : NULL);
	free(at);
	rows_free(f->rows, f->n);
	f->rows = rows;
	f->n = n;
	f->loaded = true;
	ui_live(v);
}

static void
came(void *arg, const Ns__Envelope *env, const struct ns_why *why)
{
	struct view *v = arg;
	struct fleet *f = v->state;

	f->request = 0;
	ui_dirty(v->ui, false);
	if (env == NULL)
		ui_say_why(v->ui, why);
	else
		take(v, env->fleet_list_reply);
	ui_came(v, env != NULL);
}

/* ---- drain ---- */
static const struct ask_field drain_fields[] = {
	{ "Reason", NULL, "", "goes into the history, and is shown while it is out", 400 },
};
enum { BACK = 1, FEW = 2 }; /* undrain; fewer than half would remain */

static void
drain_send(void *arg)
{
	struct view *v = arg;
	Ns__FleetDrainRequest body = NS__FLEET_DRAIN_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	body.name = v->object;
	body.undrain = ask_flags(v) & BACK;
	body.comment = (char *)(uintptr_t)ask_text(v, 0);
	request.body_case = NS__ENVELOPE__BODY_FLEET_DRAIN_REQUEST;
	request.fleet_drain_request = &body;
	ask_send(v, &request);
}

static void
drain_accept(struct view *v)
{
	bool undraining = ask_flags(v) & BACK, few = ask_flags(v) & FEW;
	char ask[UI_OBJECT + 64];

	if (!undraining && ask_text(v, 0)[0] == '\0') {
		ask_wrong(v, 0, "say why: whoever finds it drained will ask");
		return;
	}
	snprintf(ask, sizeof ask,
	    undraining ? "Put %s back into service?" : "Take %s out of service?", v->object);
	ui_ask(v->ui, ask,
	    undraining ? "It gets its share of the health checks, and its addresses are announced "
			 "again."
	    : few      ? "Fewer than half of the appliances would remain in service."
		       : "It goes on answering what still comes, checks nothing, and its addresses "
			 "are announced no more.",
	    !undraining && few ? v->object : NULL, drain_send, v);
}

void
fleet_drain(struct view *v, const char *name, bool drained, size_t serving, size_t all)
{
	char title[UI_OBJECT + 32];
	bool few = !drained && serving > 0 && 2 * (serving - 1) < all;
	struct ask_what what = { title, name, drain_fields, 1, drain_accept,
		(drained ? BACK : 0) | (few ? FEW : 0) };
	struct view *form;

	snprintf(title, sizeof title, "Fleet > %s > %s", name, drained ? "undrain" : "drain");
	if ((form = ask_open(v->ui, &what)) == NULL)
		return;
	if (drained)
		ask_note(form, UI_DIM, "%zu of %zu appliances are in service.", serving, all);
	else
		ask_note(form, few ? UI_WARN : UI_DIM,
		    "%zu of %zu appliances are in service; without this one %zu.", serving, all,
		    serving > 0 ? serving - 1 : 0);
}

/* ---- life ---- */
static const struct table_column columns[] = { { "POP", 8, 2, false, 0 },
	{ "SITE", 4, 1, false, 116 }, { "STATE", 7, 0, false, 0 }, { "VERSION", 7, 0, false, 78 },
	{ "LAG", 9, 0, false, 0 }, { "HEARD", 5, 0, true, 0 }, { "QPS", 6, 0, true, 0 },
	{ "P50", 5, 0, true, 116 }, { "P99", 5, 0, true, 78 }, { "ERR%", 4, 0, true, 78 },
	{ "MEM", 4, 0, true, 116 }, { "GEO-DB", 6, 0, true, 116 }, { "CLOCK", 6, 0, true, 116 },
	{ "UP", 4, 0, true, 116 }, { "10m", POP_PAST, 0, false, 56 }, { "ROLE", 7, 0, false, 140 },
	{ "REVISION", 8, 0, true, 140 }, { NULL, 0, 0, false, 0 } };

static const char *const sorts[TABLE_COLUMNS] = { [C_POP] = "pop",
	[C_SITE] = "site",
	[C_STATE] = "state",
	[C_VERSION] = "version",
	[C_LAG] = "-lag",
	[C_HEARD] = "-heard",
	[C_QPS] = "-qps",
	[C_P50] = "-p50",
	[C_P99] = "-p99",
	[C_ERRORS] = "-err",
	[C_MEMORY] = "-mem",
	[C_GEO] = "geo-db",
	[C_CLOCK] = "-clock",
	[C_UP] = "up",
	[C_ROLE] = "role",
	[C_REVISION] = "-revision" };

static void
sorted(struct view *v)
{
	struct fleet *f = v->state;

	rows_sort(f->rows, f->n, sizeof *f->rows, &f->table.sort, &f->table.row);
}

static struct ns_table *
fleet_table(struct view *v, size_t *rows)
{
	struct fleet *f = v->state;

	*rows = f->n;
	return &f->table;
}

static void
fleet_open(struct view *v)
{
	struct fleet *f = v->state;

	f->table.columns = columns;
	sorting_open(v, &f->table, sorts, "state");
	f->table.signs = true;
	ui_awaits(v);
}

static void
fleet_reload(struct view *v)
{
	struct fleet *f = v->state;

	if (f->request == 0)
		f->request = fleet_ask(v, came);
}

static void
fleet_close(struct view *v)
{
	struct fleet *f = v->state;

	if (f->request != 0)
		ns_client_cancel(v->ui->client, f->request);
	rows_free(f->rows, f->n);
}

static void
fleet_filter(struct view *v, const char *text)
{
	struct fleet *f = v->state;

	snprintf(f->filter, sizeof f->filter, "%s", text);
	ui_awaits(v);
	fleet_reload(v);
}

static const char *
fleet_filter_now(struct view *v)
{
	return ((struct fleet *)v->state)->filter;
}

/* ---- drawing ---- */
static const char *
cell(void *arg, size_t row, unsigned column, enum ui_role *role)
{
	struct view *v = arg;
	const struct pop_row *r = &((struct fleet *)v->state)->rows[row];

	if (column == TABLE_SIGN)
		return strcmp(r->row.cells[C_POP], v->ui->name) == 0 ? "@" : "";
	*role = (enum ui_role)r->row.roles[column];
	return r->row.cells[column] != NULL ? r->row.cells[column] : "";
}

/* "sort state ^   rows 1-15" where there is room; rows of a list that is longer than the screen. */
static void
draw_order(const struct fleet *f, struct surface *s, int x, int y, int end)
{
	size_t last = f->table.top + (size_t)f->table.page;
	char text[96], sort[32], rows[48] = "";

	sorting_text(&f->table, sort);
	if (f->table.page > 0 && (size_t)f->table.page < f->n)
		snprintf(rows, sizeof rows, "   rows %zu-%zu", f->table.top + 1,
		    last < f->n ? last : f->n);
	snprintf(text, sizeof text, "%s%s", sort, rows);
	if (text_width(text) + 2 <= end - x)
		surface_put_right(s, x, y, end - x, UI_DIM, text);
}

static void
draw_title(struct view *v, struct rect r)
{
	struct fleet *f = v->state;
	struct surface *s = v->ui->surface;
	int x = r.x + 1, end = r.x + r.w - 1;
	char filter[2 * PROMPT_MAX];

	x += 3 + surface_put(s, x, r.y, 5, UI_TITLE, "Fleet");
	if (!f->loaded)
		return;
	x += surface_putf(s, x, r.y, end - x, UI_TEXT | UI_LIVE, "%zu appliance%s: in service %zu",
	    f->all, f->all == 1 ? "" : "s", f->serving);
	if (f->lag > 0)
		x += 2 + surface_putf(s, x + 2, r.y, end - x, UI_WARN | UI_LIVE, "lag %zu", f->lag);
	if (f->silent > 0)
		x += 2 + surface_putf(
			     s, x + 2, r.y, end - x, UI_CRIT | UI_LIVE, "silent %zu", f->silent);
	x += 3 + surface_put(s, x + 3, r.y, end - x - 3, UI_DIM, f->versions);
	sanitize(filter, sizeof filter, f->filter, v->ui->ascii);
	if (filter[0] != '\0')
		x += surface_putf(s, x, r.y, end - x, UI_INPUT, "/%s", filter);
	if (f->problems)
		surface_put_right(s, x, r.y, end - x, UI_INPUT, "problems only");
	else
		draw_order(f, s, x, r.y, end);
}

static void
draw_pane(struct view *v, struct rect r)
{
	struct fleet *f = v->state;
	struct surface *s = v->ui->surface;

	if (f->table.row < f->n)
		surface_put(s, r.x + 1, r.y + 1, r.w - 2, UI_TEXT, f->rows[f->table.row].line);
	if (f->age_s > 1)
		surface_putf(s, r.x + 1, r.y + 2, r.w - 2, UI_WARN,
		    "as the primary %s said %.0f s ago: it is not heard now", f->primary, f->age_s);
	else if (f->loaded)
		surface_putf(s, r.x + 1, r.y + 2, r.w - 2, UI_DIM,
		    "@ this appliance    primary %s%s%s, change %llu", f->primary,
		    f->standby[0] != '\0' ? ", standby " : "", f->standby,
		    (unsigned long long)v->ui->revision);
}

static void
fleet_draw(struct view *v, struct rect r)
{
	struct fleet *f = v->state;
	struct rect body = { r.x, r.y + 1, r.w, r.h - 1 - PANE_H };

	ns_table_draw(&f->table, v->ui->surface, body, f->n, cell, v);
	draw_title(v, r);
	draw_pane(v, (struct rect){ r.x, r.y + r.h - PANE_H, r.w, PANE_H });
	if (f->n == 0)
		surface_put(v->ui->surface, r.x + 3, r.y + 3, r.w - 4, UI_DIM,
		    !f->loaded ? ui_loading(v)
		    : f->problems && f->filter[0] == '\0'
			? "no appliance is in trouble; ! shows all"
			: "no appliance matches");
}

/* ---- keys ---- */
static const char *
fleet_refuse(struct view *v, enum ns_action_id id)
{
	struct fleet *f = v->state;

	if (id != ACT_DRAIN && id != ACT_OPEN)
		return NULL;
	if (f->table.row >= f->n)
		return "no appliance is here";
	return id == ACT_DRAIN && strcmp(v->ui->role, "admin") != 0
		   ? "it needs the role admin (nameserve user set)"
		   : NULL;
}

static bool
fleet_act(struct view *v, enum ns_action_id id)
{
	struct fleet *f = v->state;

	if (ns_table_act(&f->table, id, f->n) || sorting_act(v, &f->table, id, sorted))
		return true;
	if (id == ACT_PROBLEMS) {
		f->problems = !f->problems;
		ui_awaits(v);
		fleet_reload(v);
		return true;
	}
	if (f->table.row >= f->n)
		return false;
	if (id == ACT_OPEN)
		ui_open(v->ui, &screen_pop, f->rows[f->table.row].row.id);
	else if (id == ACT_DRAIN)
		fleet_drain(v, f->rows[f->table.row].row.id, f->rows[f->table.row].drained,
		    f->serving, f->all);
	else
		return false;
	return true;
}

static void
fleet_copies(struct view *v, struct copies *c)
{
	struct fleet *f = v->state;

	if (f->table.row >= f->n)
		return;
	copies_add(c, "name", xstrdup(f->rows[f->table.row].row.cells[0]));
	copies_add(c, "line", xstrdup(f->rows[f->table.row].line));
	copies_add(c, "command", xstrdup("nameserve fleet list"));
}

const struct ns_screen_ops screen_fleet = {
	.name = "Fleet",
	.size = sizeof(struct fleet),
	.contexts =
	    CTX_GLOBAL | CTX_LIST | CTX_OPEN | CTX_FILTER | CTX_FLEET | CTX_PROBLEMS | CTX_SORT,
	.open = fleet_open,
	.close = fleet_close,
	.reload = fleet_reload,
	.tick = fleet_reload,
	.draw = fleet_draw,
	.act = fleet_act,
	.table = fleet_table,
	.filter = fleet_filter,
	.filter_now = fleet_filter_now,
	.filter_help = "part of an appliance's name   Enter keep   Esc undo",
	.copies = fleet_copies,
	.refuse = fleet_refuse,
	.twin = "fleet list",
};
