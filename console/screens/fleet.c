/* fleet - all appliances: state, lag, when each was heard, load; live while it is on screen. */
#include "console/screens/fleet.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/core/sanitize.h"
#include "console/screens/ask.h"
#include "console/screens/copy.h"
#include "console/screens/graphs.h"
#include "console/screens/sorting.h"
#include "console/widgets/table.h"
#include "ipc/base/xalloc.h"

#define TIMEOUT_MS 2000u
#define SPARK      (8u + GRAPH_BUCKET)
#define PANE_H     3 /* with the line above it */

struct pop_row {
	struct row row; /* as it is drawn; id: its name */
	char *line; /* below the list, when the cursor is on it */
	bool drained, problem;
	double qps[SPARK];
};

struct fleet {
	struct ns_table table;
	struct pop_row *rows; /* those that are shown, */
	size_t n;
	size_t all, serving, lag, silent; /* of all */
	bool loaded, problems;
	double age_s;
	char versions[160], primary[80], filter[PROMPT_MAX];
	uint64_t request, samples;
};

/* ---- words ---- */
static const struct {
	const char *name, *word;
	enum ui_role role;
	unsigned rank;
} states[] = { { "silent", "SILENT", UI_CRIT, 0 }, { "lag", "LAG", UI_WARN, 1 },
	{ "drained", "drained", UI_WARN, 2 }, { "invited", "invited", UI_DIM, 3 },
	{ "ok", "ok", UI_OK, 4 } };
#define STATES (sizeof states / sizeof *states)

static size_t
state_at(const char *name)
{
	size_t i = 0;

	while (i + 1 < STATES && strcmp(states[i].name, name) != 0)
		i++;
	return i;
}

const char *
fleet_state(const char *state, enum ui_role *role)
{
	*role = states[state_at(state)].role;
	return states[state_at(state)].word;
}

bool
fleet_is_problem(const char *state)
{
	return state_at(state) < 2;
}

uint64_t
fleet_ask(struct view *v, ns_reply_fn *fn)
{
	Ns__FleetListRequest body = NS__FLEET_LIST_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

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

static void
set_line(struct view *v, struct pop_row *r, const Member *m)
{
	char heard[64] = "", *text;

	if (strcmp(m->state, "silent") == 0 && m->silent_s >= 0)
		snprintf(heard, sizeof heard, "last heard %.0f s ago, ", m->silent_s);
	else if (strcmp(m->state, "silent") == 0)
		snprintf(heard, sizeof heard, "not heard since this primary started, ");
	if (m->drained != NULL)
		text = xasprintf("%s: drained by %s: %s; caches have it until %.19sZ", m->name,
		    m->drained->author, m->drained->reason, m->drained->until);
	else
		text = xasprintf("%s: %sserves revision %llu, has stored %llu; %s", m->name, heard,
		    (unsigned long long)m->revision, (unsigned long long)m->stored,
		    m->endpoint[0] != '\0' ? m->endpoint : "it tells no address");
	r->line = sanitize_dup(text, v->ui->ascii);
	free(text);
}

static void
set_times(struct view *v, struct row *r, const Member *m)
{
	bool silent = strcmp(m->state, "silent") == 0;

	if (silent)
		row_set(v, r, 5, UI_CRIT, "?");
	else
		row_set(v, r, 5, m->lag_changes > 0 ? UI_WARN : UI_TEXT,
		    m->lag_changes > 0 ? "%.1fs %llu tx" : "%.1fs", m->lag_s,
		    (unsigned long long)m->lag_changes);
	if (m->silent_s < 0)
		row_set(v, r, 6, UI_DIM, "never");
	else
		row_set(v, r, 6, silent ? UI_CRIT : UI_TEXT,
		    m->silent_s < 10 ? "%.1fs ago" : "%.0fs ago", m->silent_s);
}

/* What it is sorted by where the text will not do. */
static void
set_figures(struct row *r, const Member *m)
{
	row_figure(r, 2, (double)state_at(m->state));
	row_figure(r, 5, strcmp(m->state, "silent") == 0 ? (double)INFINITY : m->lag_s);
	row_figure(r, 6, m->silent_s < 0 ? (double)INFINITY : m->silent_s);
	row_figure(r, 7, m->qps);
	row_figure(r, 8, m->p50_us);
	row_figure(r, 9, m->p99_us);
	row_figure(r, 10, m->error_percent);
	row_figure(r, 12, m->uptime_s);
	row_figure(r, 13, (double)m->revision);
}

static void
set_row(struct view *v, struct pop_row *r, const Member *m)
{
	char qps[16], up[24];
	enum ui_role role;
	const char *word = fleet_state(m->state, &role);
	bool living = strcmp(m->state, "silent") != 0 && strcmp(m->state, "invited") != 0;

	glyph_number(m->qps, qps);
	r->row.id = xstrdup(m->name);
	r->drained = m->drained != NULL;
	r->problem = fleet_is_problem(m->state);
	row_set(v, &r->row, 0, UI_TEXT, "%s", m->name);
	row_set(v, &r->row, 1, UI_TEXT, "%s", m->site[0] != '\0' ? m->site : "-");
	row_set(v, &r->row, 2, role, "%s", word);
	row_set(v, &r->row, 3, UI_TEXT, "%s", m->role);
	row_set(v, &r->row, 4, UI_TEXT, "%s", m->version[0] != '\0' ? m->version : "-");
	set_times(v, &r->row, m);
	row_set(v, &r->row, 7, living ? UI_TEXT : UI_DIM, "%s", living ? qps : "-");
	row_set(v, &r->row, 8, UI_TEXT, living && m->p50_us > 0 ? "%.2fms" : "-", m->p50_us / 1000);
	row_set(v, &r->row, 9, UI_TEXT, living && m->p99_us > 0 ? "%.2fms" : "-", m->p99_us / 1000);
	row_set(v, &r->row, 10, m->error_percent >= 1 ? UI_WARN : UI_TEXT, living ? "%.1f" : "-",
	    m->error_percent);
	fleet_uptime(m->uptime_s, up);
	row_set(v, &r->row, 12, UI_TEXT, "%s", living && m->uptime_s > 0 ? up : "-");
	row_set(v, &r->row, 13, UI_TEXT, "%llu", (unsigned long long)m->revision);
	set_figures(&r->row, m);
	set_line(v, r, m);
}

/* The line of the last minutes stays with its appliance. */
static void
keep_spark(struct fleet *f, struct pop_row *r, const Member *m)
{
	for (size_t i = 0; i < SPARK; i++)
		r->qps[i] = -1;
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->rows[i].row.id, m->name) == 0)
			memcpy(r->qps, f->rows[i].qps, sizeof r->qps);
	memmove(r->qps, r->qps + 1, (SPARK - 1) * sizeof *r->qps);
	r->qps[SPARK - 1] =
	    fleet_is_problem(m->state) && strcmp(m->state, "lag") != 0 ? -1 : m->qps;
}

static int
by_state(const void *a, const void *b)
{
	const Member *x = *(const Member *const *)a, *y = *(const Member *const *)b;
	size_t i = state_at(x->state), k = state_at(y->state);

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
	f->primary[0] = '\0';
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

	f->samples++;
	qsort(m->appliances, m->n_appliances, sizeof(Member *), by_state);
	take_counts(v, m);
	for (size_t i = 0; i < m->n_appliances; i++) {
		if (!wanted(f, m->appliances[i]))
			continue;
		if (at != NULL && strcmp(at, m->appliances[i]->name) == 0)
			f->table.row = n;
		set_row(v, &rows[n], m->appliances[i]);
		keep_spark(f, &rows[n++], m->appliances[i]);
	}
	rows_sort(rows, n, sizeof *rows, &f->table.sort, at != NULL ? &f->table.row : NULL);
	free(at);
	rows_free(f->rows, f->n);
	f->rows = rows;
	f->n = n;
	f->loaded = true;
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
static const struct table_column columns[] = { { "POP", 10, 2, false, 0 },
	{ "SITE", 5, 1, false, 0 }, { "STATE", 7, 0, false, 0 }, { "ROLE", 7, 0, false, 70 },
	{ "VERSION", 8, 0, false, 110 }, { "LAG", 11, 0, false, 0 }, { "HEARD", 8, 0, true, 0 },
	{ "QPS", 6, 0, true, 0 }, { "P50", 6, 0, true, 118 }, { "P99", 7, 0, true, 100 },
	{ "ERR%", 4, 0, true, 100 }, { "LAST 8", 8, 0, false, 76 }, { "UP", 4, 0, true, 118 },
	{ "REVISION", 8, 0, true, 132 }, { NULL, 0, 0, false, 0 } };

static const char *const sorts[TABLE_COLUMNS] = { "pop", "site", "state", "role", "version", "-lag",
	"-heard", "-qps", "-p50", "-p99", "-err", NULL, "up", "-revision" };

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
	static char text[64];
	struct view *v = arg;
	const struct pop_row *r = &((struct fleet *)v->state)->rows[row];

	if (column == TABLE_SIGN)
		return strcmp(r->row.cells[0], v->ui->name) == 0 ? "@" : "";
	if (column == 11) {
		size_t end = SPARK - graph_held(v, ((struct fleet *)v->state)->samples);

		*role = UI_GRAPH;
		spark_text(v, r->qps + end - 8, 8, text, sizeof text);
		return text;
	}
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
	x += surface_putf(s, x, r.y, end - x, UI_TEXT, "%zu appliance%s: in service %zu", f->all,
	    f->all == 1 ? "" : "s", f->serving);
	if (f->lag > 0)
		x += 2 + surface_putf(s, x + 2, r.y, end - x, UI_WARN, "lag %zu", f->lag);
	if (f->silent > 0)
		x += 2 + surface_putf(s, x + 2, r.y, end - x, UI_CRIT, "silent %zu", f->silent);
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
		    "@ this appliance    primary %s, change %llu", f->primary,
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
		    !f->loaded ? "loading"
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
