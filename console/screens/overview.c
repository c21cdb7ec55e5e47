/* overview.c - how this appliance is: load, latency, rcodes, busiest zones, problems, the last change. */
#include "console/screens/overview.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/core/sanitize.h"
#include "console/screens/troubles.h"
#include "console/screens/ui.h"
#include "console/widgets/table.h"
#include "ipc/base/xalloc.h"

#define SAMPLES    600u /* ten minutes at the usual interval */
#define ZONES      20u
#define SPARK      16u
#define TIMEOUT_MS 2000u
#define WIDE       110 /* two columns of panes */

struct top_zone {
	char *name; /* as the appliance has it */
	char *shown;
	double qps, errors; /* errors in percent of its queries */
	double spark[SPARK];
};

struct overview {
	double qps[SAMPLES], p99[SAMPLES]; /* the newest last; -1: none */
	double now, peak, p50, p99_now, p999;
	bool latency, known;
	struct shares shares;
	struct top_zone zones[ZONES];
	size_t n_zones;
	struct ns_table table;
	struct troubles troubles;
	bool at_troubles; /* the pane that has the keys */
	uint64_t sampled_ms;
	char change[512];
	uint64_t stats_request, history_request;
};

static void
shift_in(double *list, size_t n, double value)
{
	memmove(list, list + 1, (n - 1) * sizeof *list);
	list[n - 1] = value;
}

/* ---- what comes ---- */

static void
zone_free(struct top_zone *z)
{
	free(z->name);
	free(z->shown);
}

/* The rows stay with their zones: history by name, and the cursor too. */
static void
take_zones(struct view *v, const Ns__StatsReply *r)
{
	struct overview *o = v->state;
	struct top_zone fresh[ZONES] = { 0 };
	size_t n = 0, cursor = o->table.row;
	const char *at = cursor < o->n_zones ? o->zones[cursor].name : NULL;

	for (size_t i = 0; i < r->n_top && n < ZONES; i++, n++) {
		const Ns__StatsReply__Top *t = r->top[i];
		struct top_zone *z = &fresh[n];

		z->name = xstrdup(t->name);
		z->shown = sanitize_dup(t->name, v->ui->ascii);
		z->shown[ui_name_len(z->shown)] = '\0';
		z->qps = t->qps;
		z->errors = t->count > 0 ? 100.0 * (double)t->errors / (double)t->count : 0;
		for (size_t s = 0; s < SPARK; s++)
			z->spark[s] = -1;
		for (size_t k = 0; k < o->n_zones; k++)
			if (strcmp(o->zones[k].name, t->name) == 0)
				memcpy(z->spark, o->zones[k].spark, sizeof z->spark);
		shift_in(z->spark, SPARK, t->qps);
		if (cursor > 0 && at != NULL && strcmp(at, t->name) == 0)
			o->table.row = n;
	}
	for (size_t i = 0; i < o->n_zones; i++)
		zone_free(&o->zones[i]);
	memcpy(o->zones, fresh, sizeof fresh);
	o->n_zones = n;
}

/* Time in which nobody looked, or the link was lost, is a hole in the graph. */
static void
leave_gap(struct view *v)
{
	struct overview *o = v->state;
	uint64_t missed = (v->ui->mono_ms - o->sampled_ms) / v->ui->refresh_ms;

	if (o->sampled_ms == 0)
		missed = 0;
	for (uint64_t i = 2; i < missed && i < SAMPLES; i++) {
		shift_in(o->qps, SAMPLES, -1);
		shift_in(o->p99, SAMPLES, -1);
	}
	o->sampled_ms = v->ui->mono_ms;
}

static void
stats_came(void *arg, const Ns__Envelope *env, const struct ns_why *why)
{
	struct view *v = arg;
	struct overview *o = v->state;
	const Ns__StatsReply *r;

	o->stats_request = 0;
	if (env == NULL) {
		ui_say_why(v->ui, why);
		return;
	}
	r = env->stats_reply;
	o->known = true;
	o->now = r->qps;
	o->latency = r->latency_us != NULL && r->queries > 0;
	if (o->latency) {
		o->p50 = r->latency_us->p50 / 1000;
		o->p99_now = r->latency_us->p99 / 1000;
		o->p999 = r->latency_us->p999 / 1000;
	}
	leave_gap(v);
	shift_in(o->qps, SAMPLES, r->qps);
	shift_in(o->p99, SAMPLES, o->latency ? o->p99_now : -1);
	o->peak = 0;
	for (size_t i = 0; i < SAMPLES; i++)
		if (o->qps[i] > o->peak)
			o->peak = o->qps[i];
	shares_add(&o->shares, r);
	take_zones(v, r);
	ui_dirty(v->ui, false);
}

static void
history_came(void *arg, const Ns__Envelope *env, const struct ns_why *why)
{
	struct view *v = arg;
	struct overview *o = v->state;
	char text[512], when[16];

	(void)why;
	o->history_request = 0;
	o->change[0] = '\0';
	if (env == NULL || env->history_list_reply->n_changes == 0)
		return;
	const Ns__Change *c = env->history_list_reply->changes[0];
	ui_ago(v->ui, c->at, when);
	const char *zone = c->n_zones > 0 ? c->zones[0] : "";
	snprintf(text, sizeof text, "Change %llu  %s ago  %s  %s  %.*s%s%s%s",
	    (unsigned long long)c->revision, when, c->author, c->kind, ui_name_len(zone), zone,
	    c->comment[0] != '\0' ? "  \"" : "", c->comment, c->comment[0] != '\0' ? "\"" : "");
	sanitize(o->change, sizeof o->change, text, v->ui->ascii);
	ui_dirty(v->ui, false);
}

/* ---- asking ---- */

static void
overview_tick(struct view *v)
{
	struct overview *o = v->state;
	Ns__StatsRequest body = NS__STATS_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	troubles_tick(&o->troubles);
	if (o->stats_request != 0)
		return;
	body.top = (char *)(uintptr_t) "zones";
	body.limit = ZONES;
	request.body_case = NS__ENVELOPE__BODY_STATS_REQUEST;
	request.stats_request = &body;
	o->stats_request = ns_client_request(v->ui->client, &request, TIMEOUT_MS, stats_came, v);
}

static void
overview_reload(struct view *v)
{
	struct overview *o = v->state;
	Ns__HistoryListRequest body = NS__HISTORY_LIST_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	troubles_reload(&o->troubles);
	overview_tick(v);
	if (o->history_request != 0)
		ns_client_cancel(v->ui->client, o->history_request);
	body.limit = 1;
	request.body_case = NS__ENVELOPE__BODY_HISTORY_LIST_REQUEST;
	request.history_list_request = &body;
	o->history_request =
	    ns_client_request(v->ui->client, &request, TIMEOUT_MS, history_came, v);
}

static const struct table_column columns[] = { { "TOP ZONES", 16, 1, false, 0 },
	{ "QPS", 6, 0, true, 0 }, { "ERR%", 5, 0, true, 0 }, { "LAST", 8, 0, false, 0 },
	{ NULL, 0, 0, false, 0 } };

static void
overview_open(struct view *v)
{
	struct overview *o = v->state;

	o->table.columns = columns;
	troubles_init(&o->troubles, v);
	for (size_t i = 0; i < SAMPLES; i++)
		o->qps[i] = o->p99[i] = -1;
}

static void
overview_close(struct view *v)
{
	struct overview *o = v->state;

	if (o->stats_request != 0)
		ns_client_cancel(v->ui->client, o->stats_request);
	if (o->history_request != 0)
		ns_client_cancel(v->ui->client, o->history_request);
	for (size_t i = 0; i < o->n_zones; i++)
		zone_free(&o->zones[i]);
	troubles_free(&o->troubles);
}

/* ---- drawing ---- */

static const char *
zone_cell(void *arg, size_t row, unsigned column, enum ui_role *role)
{
	static char text[32];
	const struct overview *o = arg;
	const struct top_zone *z = &o->zones[row];

	text[0] = '\0';
	if (column == 0)
		return z->shown;
	if (column == 1)
		glyph_number(z->qps, text);
	else if (column == 2)
		snprintf(text, sizeof text, "%.1f", z->errors);
	if (column == 2 && z->errors >= 1)
		*role = UI_WARN;
	return text;
}

static double
most(const double *list, size_t n)
{
	double m = 0;

	for (size_t i = 0; i < n; i++)
		m = list[i] > m ? list[i] : m;
	return m;
}

static void
draw_zones(struct view *v, struct rect r)
{
	struct overview *o = v->state;

	o->table.blurred = o->at_troubles;
	ns_table_draw(&o->table, v->ui->surface, r, o->n_zones, zone_cell, o);
	for (int i = 0; i + 1 < r.h && o->table.top + (size_t)i < o->n_zones; i++) {
		size_t row = o->table.top + (size_t)i;
		struct rect spark = { r.x + r.w - 8, r.y + 1 + i, 8, 1 };

		glyph_graph(v->ui->surface, spark, v->ui->glyphs, o->zones[row].spark, SPARK,
		    most(o->zones[row].spark, SPARK));
		if (row == o->table.row && !o->at_troubles)
			surface_mark(v->ui->surface, spark, UI_SELECT);
	}
	if (o->n_zones == 0)
		surface_put(v->ui->surface, r.x + 3, r.y + 1, r.w - 3, UI_DIM,
		    o->known ? "no queries yet" : "loading");
}

/* "  231k ▂▂▃▃▄▄": the scale on the left, the graph as wide as there is room. */
static void
draw_graph(struct view *v, struct rect r, const double *list, double top, const char *scale)
{
	struct surface *s = v->ui->surface;

	surface_put_right(s, r.x, r.y, 7, UI_DIM, scale);
	glyph_graph(
	    s, (struct rect){ r.x + 8, r.y, r.w - 9, r.h }, v->ui->glyphs, list, SAMPLES, top);
}

static int
draw_load(struct view *v, struct rect r, int rows)
{
	struct overview *o = v->state;
	struct surface *s = v->ui->surface;
	struct share_view sh;
	char now[16], peak[16];

	glyph_number(o->now, now);
	glyph_number(o->peak, peak);
	shares_view(&o->shares, &sh);
	surface_put(s, r.x + 1, r.y, 9, UI_TITLE, "Queries/s");
	if (o->known && sh.dropped > 0)
		surface_putf(s, r.x + 11, r.y, r.w - 11, sh.dropped >= 1 ? UI_WARN : UI_TEXT,
		    "%s  peak %s  drop %.1f%%  udp %.1f%%  tcp %.1f%%", now, peak, sh.dropped,
		    sh.udp, sh.tcp);
	else if (o->known)
		surface_putf(s, r.x + 11, r.y, r.w - 11, UI_TEXT,
		    "%s  peak %s  udp %.1f%%  tcp %.1f%%", now, peak, sh.udp, sh.tcp);
	draw_graph(
	    v, (struct rect){ r.x, r.y + 1, r.w, rows }, o->qps, o->peak, o->known ? peak : "");
	return r.y + 1 + rows;
}

static int
draw_latency(struct view *v, struct rect r, int y, int rows)
{
	struct overview *o = v->state;
	struct surface *s = v->ui->surface;
	double top = most(o->p99, SAMPLES);
	char scale[32] = "";

	surface_put(s, r.x + 1, y, 9, UI_TITLE, "Latency");
	if (o->latency) {
		surface_putf(s, r.x + 11, y, r.w - 11, UI_TEXT,
		    "p50 %.2fms  p99 %.2fms  p99.9 %.2fms", o->p50, o->p99_now, o->p999);
		snprintf(scale, sizeof scale, "%.2fms", top);
	}
	draw_graph(v, (struct rect){ r.x, y + 1, r.w, rows }, o->p99, top, scale);
	return y + 1 + rows;
}

static void
draw_rcodes(struct view *v, struct rect r, int y)
{
	struct overview *o = v->state;
	struct surface *s = v->ui->surface;
	struct share_view sh;
	int x = r.x + 11;

	shares_view(&o->shares, &sh);
	surface_put(s, r.x + 1, y, 9, UI_TITLE, "Rcodes");
	for (unsigned i = 0; i < sh.n; i++) {
		char text[48];

		if (sh.percent[i] <= 0)
			continue;
		snprintf(text, sizeof text, "%s %.1f%%", sh.name[i], sh.percent[i]);
		if (x + text_width(text) > r.x + r.w)
			break;
		x += 2 + surface_put(s, x, y, text_width(text),
			     strcmp(sh.name[i], "SERVFAIL") == 0 ? UI_CRIT : UI_TEXT, text);
	}
	if (sh.idle && o->known)
		surface_put(
		    s, x, y, r.x + r.w - x, UI_DIM, sh.n > 0 ? "(none in the last 10s)" : "");
}

/* One column: graphs above, lists below. */
static void
draw_narrow(struct view *v, struct rect r)
{
	struct overview *o = v->state;
	int rows = r.h >= 30 ? 4 : r.h >= 20 ? 2 : 1, y;

	y = draw_load(v, r, rows);
	y = draw_latency(v, r, y, rows);
	draw_rcodes(v, r, y++);
	int h = r.y + r.h - 1 - y, left = r.w * 46 / 80;
	draw_zones(v, (struct rect){ 0, y, left, h });
	troubles_draw(&o->troubles, o->at_troubles, (struct rect){ left, y, r.w - left, h });
	surface_put(v->ui->surface, 1, r.y + r.h - 1, r.w - 2, UI_DIM, o->change);
}

/* Two: graphs on the left, lists on the right. */
static void
draw_wide(struct view *v, struct rect r)
{
	struct overview *o = v->state;
	int left = r.w * 55 / 120, rows = (r.h - 6) / 2 > 8 ? 8 : (r.h - 6) / 2, y;
	struct rect l = { 0, r.y, left, r.h };

	y = draw_load(v, l, rows);
	y = draw_latency(v, l, y + 1, rows);
	draw_rcodes(v, l, y + 1);
	int lists = (r.h - 2) * 2 / 3;
	draw_zones(v, (struct rect){ left + 2, r.y, r.w - left - 3, lists });
	troubles_draw(&o->troubles, o->at_troubles,
	    (struct rect){ left + 2, r.y + lists + 1, r.w - left - 3, r.h - lists - 2 });
	surface_put(v->ui->surface, 1, r.y + r.h - 1, r.w - 2, UI_DIM, o->change);
}

static void
overview_draw(struct view *v, struct rect r)
{
	if (r.w >= WIDE)
		draw_wide(v, r);
	else
		draw_narrow(v, r);
	if (v->ui->lost)
		for (int y = r.y; y < r.y + r.h; y++)
			surface_mark(v->ui->surface, (struct rect){ r.x, y, r.w, 1 }, UI_DIM);
}

static bool
overview_act(struct view *v, enum ns_action_id id)
{
	struct overview *o = v->state;

	if (id == ACT_NEXT_TAB || id == ACT_PREVIOUS_TAB || id == ACT_PROBLEMS) {
		o->at_troubles = !o->at_troubles;
		return true;
	}
	if (o->at_troubles)
		return troubles_act(&o->troubles, id);
	if (ns_table_act(&o->table, id, o->n_zones))
		return true;
	if (o->table.row >= o->n_zones)
		return false;
	return ui_open_zone(v->ui, id, o->zones[o->table.row].name);
}

const struct ns_screen_ops screen_overview = {
	.name = "Overview",
	.size = sizeof(struct overview),
	.contexts = CTX_GLOBAL | CTX_LIST | CTX_TABS | CTX_OPEN | CTX_ZONE | CTX_PROBLEMS,
	.open = overview_open,
	.close = overview_close,
	.reload = overview_reload,
	.tick = overview_tick,
	.draw = overview_draw,
	.act = overview_act,
};
