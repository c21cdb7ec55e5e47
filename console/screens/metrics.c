/* metrics.c - what is asked of one zone: here, or at all appliances. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/core/sanitize.h"
#include "console/screens/copy.h"
#include "console/screens/graphs.h"
#include "console/screens/querytest.h"
#include "console/screens/twin.h"
#include "console/screens/zone.h"
#include "console/widgets/table.h"
#include "ipc/base/xalloc.h"

#define TIMEOUT_MS 3000u
#define PAST_MS    10000u /* of silence: the appliance is asked what was meanwhile */
#define NAMES      100u /* that are asked for, of all zones */
#define NAMES_MS   5000u /* they are of minutes: seldom */

struct top_name {
	char *name, *shown;
	uint64_t count;
};

struct metrics {
	struct series qps, nxdomain, errors;
	uint64_t queries, nx, bad; /* counters of the last reply */
	double now, nx_now, bad_now; /* a second */
	bool known, counted, fleet;
	uint64_t sampled_ms, names_ms;
	uint64_t limited; /* answers withheld in a flood; 0: there is none */
	size_t silent;
	uint64_t request, names_request;
	struct top_name names[NAMES];
	size_t n_names;
	struct ns_table table;
};

/* ---- what comes ---- */
static double
rate(uint64_t now, uint64_t before, uint64_t ms)
{
	return ms > 0 && now >= before ? (double)(now - before) * 1000 / (double)ms : 0;
}

/* The figures of a second are the steps of the counters; the first reply has none. */
static void
sample(struct view *v, const Ns__StatsReply *r)
{
	struct metrics *m = v->state;
	uint64_t ms = v->ui->mono_ms - m->sampled_ms;
	bool again = m->counted && r->queries >= m->queries && ms > 0;

	if (again) {
		m->now = rate(r->queries, m->queries, ms);
		m->nx_now = rate(r->nxdomain, m->nx, ms);
		m->bad_now = rate(r->errors, m->bad, ms);
		series_gap(&m->qps, ms, v->ui->refresh_ms);
		series_gap(&m->nxdomain, ms, v->ui->refresh_ms);
		series_gap(&m->errors, ms, v->ui->refresh_ms);
	}
	/* What was meanwhile, and before, is kept of zones that are asked much. */
	series_past(&m->qps, r->past, r->n_past, 1, v->ui->refresh_ms);
	series_past(&m->nxdomain, r->past_nxdomain, r->n_past_nxdomain, 1, v->ui->refresh_ms);
	series_past(&m->errors, r->past_errors, r->n_past_errors, 1, v->ui->refresh_ms);
	if (again) {
		series_add(&m->qps, m->now);
		series_add(&m->nxdomain, m->nx_now);
		series_add(&m->errors, m->bad_now);
	}
	m->queries = r->queries;
	m->nx = r->nxdomain;
	m->bad = r->errors;
	m->counted = true;
	m->sampled_ms = v->ui->mono_ms;
}

static void
came(void *arg, const Ns__Envelope *env, const struct ns_why *why)
{
	struct view *v = arg;
	struct metrics *m = v->state;
	const Ns__StatsReply *r;

	m->request = 0;
	if (env == NULL) {
		ui_say_why(v->ui, why);
		return;
	}
	r = env->stats_reply;
	ui_live(v);
	sample(v, r);
	m->known = true;
	m->silent = r->n_silent;
	m->limited = 0;
	for (size_t i = 0; i < r->n_floods; i++)
		if (strcmp(r->floods[i]->zone, v->object) == 0)
			m->limited = r->floods[i]->limited;
	ui_dirty(v->ui, false);
}

static void
forget_names(struct metrics *m)
{
	for (size_t i = 0; i < m->n_names; i++) {
		free(m->names[i].name);
		free(m->names[i].shown);
	}
	m->n_names = 0;
}

static void
names_came(void *arg, const Ns__Envelope *env, const struct ns_why *why)
{
	struct view *v = arg;
	struct metrics *m = v->state;

	(void)why;
	m->names_request = 0;
	if (env == NULL)
		return;
	forget_names(m);
	for (size_t i = 0; i < env->stats_reply->n_top && m->n_names < NAMES; i++) {
		const Ns__StatsReply__Top *t = env->stats_reply->top[i];
		struct top_name *n = &m->names[m->n_names];
		const char *relative;
		int len = zone_relative(t->name, v->object, &relative);
		char *text;

		if (relative == t->name && (size_t)len == strlen(t->name))
			continue; /* of another zone */
		text = xasprintf("%.*s", len, relative);
		n->name = xstrdup(t->name);
		n->shown = sanitize_dup(text, v->ui->ascii);
		n->count = t->count;
		m->n_names++;
		free(text);
	}
	ui_dirty(v->ui, false);
}

/* ---- asking ---- */
static uint64_t
ask(struct view *v, const char *scope, const char *top, uint32_t limit, bool past, ns_reply_fn *fn)
{
	Ns__StatsRequest body = NS__STATS_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	body.scope = (char *)(uintptr_t)scope;
	body.top = (char *)(uintptr_t)top;
	body.limit = limit;
	body.past = past;
	request.body_case = NS__ENVELOPE__BODY_STATS_REQUEST;
	request.stats_request = &body;
	return ns_client_request(v->ui->client, &request, TIMEOUT_MS, fn, v);
}

static void
metrics_tick(struct view *v)
{
	struct metrics *m = v->state;
	char *scope = xasprintf("%szone:%s", m->fleet ? "fleet:" : "", v->object);

	if (m->request == 0)
		m->request = ask(v, scope, "", 0,
		    !m->counted || v->ui->mono_ms - m->sampled_ms >= PAST_MS, came);
	free(scope);
	if (m->names_request != 0 || (m->names_ms != 0 && v->ui->mono_ms - m->names_ms < NAMES_MS))
		return;
	m->names_ms = v->ui->mono_ms;
	m->names_request = ask(v, m->fleet ? "fleet" : "", "names", NAMES, false, names_came);
}

static const struct table_column columns[] = { { "BUSIEST NAMES", 30, 1, false, 0 },
	{ "QUERIES", 10, 0, true, 0 }, { NULL, 0, 0, false, 0 } };

static void
metrics_open(struct view *v)
{
	struct metrics *m = v->state;

	m->table.columns = columns;
	series_init(&m->qps);
	series_init(&m->nxdomain);
	series_init(&m->errors);
}

static void
cancel(struct view *v)
{
	struct metrics *m = v->state;

	if (m->request != 0)
		ns_client_cancel(v->ui->client, m->request);
	if (m->names_request != 0)
		ns_client_cancel(v->ui->client, m->names_request);
	m->request = m->names_request = 0;
}

static void
metrics_close(struct view *v)
{
	cancel(v);
	forget_names(v->state);
}

/* ---- drawing ---- */
static const char *
cell(void *arg, size_t row, unsigned column, enum ui_role *role)
{
	static char text[32];
	const struct metrics *m = arg;

	if (column == 0)
		return m->names[row].shown;
	*role = UI_TEXT | UI_LIVE;
	snprintf(text, sizeof text, "%llu", (unsigned long long)m->names[row].count);
	return text;
}

static int
draw_series(struct view *v, struct rect r, const char *title, const struct series *list, double now,
    int rows, enum ui_role role)
{
	struct metrics *m = v->state;
	double most = series_most(list);
	char text[16], peak[16];

	glyph_number(now, text);
	glyph_number(most, peak);
	surface_put(v->ui->surface, r.x + 1, r.y, 12, UI_TITLE, title);
	if (m->known)
		surface_putf(v->ui->surface, r.x + 13, r.y, r.w - 14,
		    (now > 0 ? role : UI_TEXT) | UI_LIVE, "%s  peak %s", text, peak);
	series_draw(v, (struct rect){ r.x, r.y + 1, r.w, rows }, list, m->known ? peak : "");
	return r.y + 1 + rows;
}

static void
draw_names(struct view *v, struct rect r)
{
	struct metrics *m = v->state;
	struct surface *s = v->ui->surface;

	if (r.h < 2)
		return;
	ns_table_draw(&m->table, s, r, m->n_names, cell, m);
	if (m->n_names == 0)
		surface_put(s, r.x + 3, r.y + 1, r.w - 4, UI_DIM,
		    m->known ? "none of it is among those that are asked most" : ui_loading(v));
}

static void
metrics_draw(struct view *v, struct rect r)
{
	struct metrics *m = v->state;
	char right[128], state[96] = "", silent[32] = "";
	int rows, y;

	if (m->silent > 0)
		snprintf(silent, sizeof silent, ", %zu silent", m->silent);
	snprintf(
	    right, sizeof right, "%.40s%s   last 10m", m->fleet ? "all PoPs" : v->ui->name, silent);
	if (m->limited > 0)
		snprintf(state, sizeof state, "%sFLOOD: %llu answers withheld",
		    surface_old(v->ui->surface), (unsigned long long)m->limited);
	r = zone_title(v, r, state, right);
	rows = r.h >= 28 ? 6 : r.h >= 16 ? 2 : 1;
	y = draw_series(v, r, "Queries/s", &m->qps, m->now, rows, UI_TEXT);
	y = draw_series(v, (struct rect){ r.x, y, r.w, r.h }, "NXDOMAIN/s", &m->nxdomain, m->nx_now,
	    (rows + 1) / 2, m->nx_now * 2 > m->now ? UI_WARN : UI_TEXT);
	y = draw_series(v, (struct rect){ r.x, y, r.w, r.h }, "Errors/s", &m->errors, m->bad_now,
	    (rows + 1) / 2, UI_WARN);
	if (r.h >= 16) {
		/* A histogram a zone would cost each query a line of cache more. */
		surface_put(v->ui->surface, r.x + 1, y, 11, UI_TITLE, "Latency");
		surface_put(v->ui->surface, r.x + 13, y++, r.w - 14, UI_DIM,
		    "is timed by appliance, not by zone: 1 Overview has it");
	}
	draw_names(v, (struct rect){ r.x, y + 1, r.w, r.y + r.h - y - 1 });
}

/* ---- keys ---- */
static bool
metrics_act(struct view *v, enum ns_action_id id)
{
	struct metrics *m = v->state;

	if (ns_table_act(&m->table, id, m->n_names))
		return true;
	switch (id) {
	case ACT_WIDE:
		m->fleet = !m->fleet;
		cancel(v);
		m->counted = m->known = false;
		m->names_ms = 0;
		series_init(&m->qps);
		series_init(&m->nxdomain);
		series_init(&m->errors);
		metrics_tick(v);
		return true;
	case ACT_OPEN:
		querytest_open(v->ui, m->names[m->table.row].name, "A", NULL);
		return true;
	default:
		return zone_act(v, id);
	}
}

static const char *
metrics_refuse(struct view *v, enum ns_action_id id)
{
	struct metrics *m = v->state;

	return id == ACT_OPEN && m->table.row >= m->n_names ? "no name is here" : NULL;
}

static void
metrics_copies(struct view *v, struct copies *c)
{
	struct metrics *m = v->state;
	char zone[UI_OBJECT];

	sanitize(zone, sizeof zone, v->object, v->ui->ascii);
	if (m->table.row < m->n_names)
		copies_add(c, "name", xstrdup(m->names[m->table.row].shown));
	copies_add(c, "command",
	    xasprintf("nameserve stats --scope %szone:%s", m->fleet ? "fleet:" : "", zone));
}

static void
metrics_twin(struct view *v, struct wbuf *w)
{
	const struct metrics *m = v->state;
	char scope[UI_OBJECT + 16];

	snprintf(scope, sizeof scope, "%szone:%s", m->fleet ? "fleet:" : "", v->object);
	twin_word(w, "stats");
	twin_option(w, "--scope", scope);
	twin_option(w, "--top", "names");
}

const struct ns_screen_ops screen_metrics = {
	.name = "Metrics",
	.size = sizeof(struct metrics),
	.contexts = CTX_GLOBAL | CTX_LIST | CTX_TABS | CTX_OPEN | CTX_ZONE | CTX_WIDE,
	.open = metrics_open,
	.close = metrics_close,
	.reload = metrics_tick,
	.tick = metrics_tick,
	.draw = metrics_draw,
	.act = metrics_act,
	.refuse = metrics_refuse,
	.copies = metrics_copies,
	.twin_words = metrics_twin,
};
