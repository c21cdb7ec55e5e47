/* overview.c - how this appliance is: load, latency, rcodes, busiest zones, problems, the last change. */
#include "console/screens/overview.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/core/sanitize.h"
#include "console/screens/graphs.h"
#include "console/screens/overview_list.h"
#include "console/screens/querytest.h"
#include "console/screens/troubles.h"
#include "console/screens/twin.h"
#include "console/widgets/table.h"
#include "ipc/base/xalloc.h"

#define ZONES      20u
#define SPARK      (8u + GRAPH_BUCKET)
#define TIMEOUT_MS 2000u
#define WIDE       110 /* two columns of panes */
#define BUCKETS    128u
#define FLEET_MS   3000u

struct top_zone {
	char *name; /* as the appliance has it */
	char *shown;
	double qps, errors; /* errors in percent of its queries */
	double spark[SPARK];
};

struct overview {
	struct series qps, p99;
	double now, peak, p50, p99_now, p999;
	bool latency, known;
	struct shares shares, types;
	bool fleet; /* all appliances, not this one */
	uint32_t appliances; /* that are in it, */
	size_t silent; /* and that are not */
	Ns__StatsReply__Bucket buckets[BUCKETS], *bucket_list[BUCKETS]; /* of the latency */
	size_t n_buckets;
	struct overview_list list; /* what is listed beside the zones, or in their place */
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

static void
take_latency(struct view *v, const Ns__StatsReply *r)
{
	struct overview *o = v->state;

	o->latency = r->latency_us != NULL && r->queries > 0;
	if (o->latency) {
		o->p50 = r->latency_us->p50 / 1000;
		o->p99_now = r->latency_us->p99 / 1000;
		o->p999 = r->latency_us->p999 / 1000;
	}
	o->n_buckets = r->n_latency < BUCKETS ? r->n_latency : BUCKETS;
	for (size_t i = 0; i < o->n_buckets; i++) {
		o->buckets[i] = *r->latency[i];
		o->bucket_list[i] = &o->buckets[i];
	}
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
	o->appliances = r->appliances;
	o->silent = r->n_silent;
	take_latency(v, r);
	if (o->sampled_ms != 0) {
		series_gap(&o->qps, v->ui->mono_ms - o->sampled_ms, v->ui->refresh_ms);
		series_gap(&o->p99, v->ui->mono_ms - o->sampled_ms, v->ui->refresh_ms);
	}
	o->sampled_ms = v->ui->mono_ms;
	series_add(&o->qps, r->qps);
	series_add(&o->p99, o->latency ? o->p99_now : -1);
	o->peak = series_most(&o->qps);
	shares_add(&o->shares, r, r->rcodes, r->n_rcodes);
	shares_add(&o->types, r, r->qtypes, r->n_qtypes);
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
	ui_when(c->at, when);
	const char *zone = c->n_zones > 0 ? c->zones[0] : "";
	snprintf(text, sizeof text, "Change %llu  %sZ  %s  %s  %.*s%s%s%s",
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
	overview_list_tick(v, &o->list, o->fleet);
	body.scope = (char *)(uintptr_t)(o->fleet ? "fleet" : "");
	body.top = (char *)(uintptr_t) "zones";
	body.limit = ZONES;
	request.body_case = NS__ENVELOPE__BODY_STATS_REQUEST;
	request.stats_request = &body;
	o->stats_request = ns_client_request(
	    v->ui->client, &request, o->fleet ? FLEET_MS : TIMEOUT_MS, stats_came, v);
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
	series_init(&o->qps);
	series_init(&o->p99);
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
	overview_list_close(v, &o->list);
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

	ns_table_draw(&o->table, v->ui->surface, r, o->n_zones, zone_cell, o);
	for (int i = 0; i + 1 < r.h && o->table.top + (size_t)i < o->n_zones; i++) {
		size_t row = o->table.top + (size_t)i;
		struct rect spark = { r.x + r.w - 8, r.y + 1 + i, 8, 1 };
		size_t n = SPARK - graph_held(v, o->qps.added);

		glyph_graph(v->ui->surface, spark, v->ui->glyphs, o->zones[row].spark, n,
		    most(o->zones[row].spark, n));
		if (row == o->table.row && !o->table.idle)
			surface_mark(v->ui->surface, spark, UI_SELECT);
	}
	if (o->n_zones == 0)
		surface_put(v->ui->surface, r.x + 3, r.y + 1, r.w - 3, UI_DIM,
		    o->known ? "no queries yet" : "loading");
}

static int
draw_load(struct view *v, struct rect r, int rows)
{
	struct overview *o = v->state;
	struct surface *s = v->ui->surface;
	struct share_view sh;
	char now[17], peak[16];

	glyph_number(o->now, now + 1);
	now[0] = '~'; /* of before the link was lost */
	glyph_number(o->peak, peak);
	shares_view(&o->shares, &sh);
	surface_put(s, r.x + 1, r.y, 9, UI_TITLE, "Queries/s");
	if (o->known && sh.dropped > 0)
		surface_putf(s, r.x + 11, r.y, r.w - 11, sh.dropped >= 1 ? UI_WARN : UI_TEXT,
		    "%s  peak %s  drop %.1f%%  udp %.1f%%  tcp %.1f%%", now + !v->ui->lost, peak,
		    sh.dropped, sh.udp, sh.tcp);
	else if (o->known)
		surface_putf(s, r.x + 11, r.y, r.w - 11, UI_TEXT,
		    "%s  peak %s  udp %.1f%%  tcp %.1f%%", now + !v->ui->lost, peak, sh.udp,
		    sh.tcp);
	series_draw(v, (struct rect){ r.x, r.y + 1, r.w, rows }, &o->qps, o->known ? peak : "");
	return r.y + 1 + rows;
}

static int
draw_latency(struct view *v, struct rect r, int y, int rows)
{
	struct overview *o = v->state;
	struct surface *s = v->ui->surface;
	double top = series_most(&o->p99);
	char scale[32] = "";

	surface_put(s, r.x + 1, y, 9, UI_TITLE, "Latency");
	if (o->latency) {
		surface_putf(s, r.x + 11, y, r.w - 11, UI_TEXT,
		    "%sp50 %.2fms  p99 %.2fms  p99.9 %.2fms", v->ui->lost ? "~" : "", o->p50,
		    o->p99_now, o->p999);
		snprintf(scale, sizeof scale, "%.2fms", top);
	}
	series_draw(v, (struct rect){ r.x, y + 1, r.w, rows }, &o->p99, scale);
	return y + 1 + rows;
}

/* "Rcodes    NOERROR 91.2%  NXDOMAIN 7.9%": as many as there is room for. */
static void
draw_shares(struct view *v, struct rect r, int y, const char *title, const struct shares *shares)
{
	struct overview *o = v->state;
	struct surface *s = v->ui->surface;
	struct share_view sh;
	int x = r.x + 11;

	shares_view(shares, &sh);
	surface_put(s, r.x + 1, y, 9, UI_TITLE, title);
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

/* Whose figures these are. */
static void
draw_scope(struct view *v, struct rect r)
{
	struct overview *o = v->state;
	struct surface *s = v->ui->surface;
	char text[128];
	int n;

	if (!o->fleet)
		n = snprintf(text, sizeof text, "%s", v->ui->name);
	else if (o->appliances == 0)
		n = snprintf(text, sizeof text, "all PoPs");
	else
		n = snprintf(text, sizeof text, "all %u PoPs", o->appliances);
	surface_put(s, r.x + 1, r.y, 9, UI_TITLE, "Scope");
	int x = r.x + 11 + surface_put(s, r.x + 11, r.y, n < 40 ? n : 40, UI_TEXT, text);
	if (o->fleet && o->silent > 0)
		x += surface_putf(
			 s, x + 2, r.y, r.x + r.w - x - 2, UI_WARN, "%zu silent", o->silent) +
		     2;
	surface_putf(s, x + 3, r.y, r.x + r.w - x - 4, UI_DIM, "window 10m   refresh %gs",
	    (double)v->ui->refresh_ms / 1000);
}

/* A list of its own has the cursor. */
static bool
on_list(struct view *v)
{
	const struct overview *o = v->state;

	return o->list.what != LIST_ZONES && o->list.what != LIST_LATENCY;
}

/* The list that Tab leads to, in the place of the zones. */
static void
draw_lists(struct view *v, struct rect r)
{
	struct overview *o = v->state;

	o->table.idle = o->list.table.idle = o->at_troubles;
	if (o->list.what == LIST_ZONES)
		draw_zones(v, r);
	else if (o->list.what == LIST_LATENCY) {
		surface_put(v->ui->surface, r.x + 3, r.y, r.w - 3, UI_HEAD, "LATENCY, LAST 10s");
		buckets_draw(
		    v, (struct rect){ r.x, r.y + 1, r.w, r.h - 1 }, o->bucket_list, o->n_buckets);
	} else
		overview_list_draw(v, &o->list, r);
}

/* One column: graphs above, lists below. */
static void
draw_narrow(struct view *v, struct rect r)
{
	struct overview *o = v->state;
	int rows = r.h >= 30 ? 4 : r.h >= 20 ? 2 : 1, y = r.y;

	if (r.h >= 20)
		draw_scope(v, (struct rect){ r.x, y++, r.w, 1 });
	y = draw_load(v, (struct rect){ r.x, y, r.w, r.h }, rows);
	y = draw_latency(v, r, y, rows);
	draw_shares(v, r, y++, "Rcodes", &o->shares);
	if (r.h >= 20)
		draw_shares(v, r, y++, "Types", &o->types);
	int h = r.y + r.h - 1 - y, left = r.w * 46 / 80;
	draw_lists(v, (struct rect){ 0, y, left, h });
	troubles_draw(&o->troubles, o->at_troubles, (struct rect){ left, y, r.w - left, h });
	surface_put(v->ui->surface, 1, r.y + r.h - 1, r.w - 2, UI_DIM, o->change);
}

/* Two: graphs on the left, lists on the right. */
static void
draw_wide(struct view *v, struct rect r)
{
	struct overview *o = v->state;
	int left = r.w * 55 / 120, rows = (r.h - 14) / 2 > 8 ? 8 : (r.h - 14) / 2, y = r.y;
	struct rect l = { 0, r.y, left, r.h };
	bool other = on_list(v);
	int zones = (r.h - 3) * 2 / 5, others = (r.h - 3) * 3 / 10;

	rows = rows < 1 ? 1 : rows;
	draw_scope(v, l);
	y = draw_load(v, (struct rect){ 0, y + 1, left, r.h }, rows);
	y = draw_latency(v, l, y + 1, rows);
	draw_shares(v, l, y + 1, "Rcodes", &o->shares);
	draw_shares(v, l, y + 2, "Types", &o->types);
	if (r.y + r.h - 1 - (y + 4) >= 3) {
		surface_put(v->ui->surface, 1, y + 4, left - 2, UI_TITLE, "Latency, last 10s");
		buckets_draw(v, (struct rect){ 0, y + 5, left, r.y + r.h - 1 - (y + 5) },
		    o->bucket_list, o->n_buckets);
	}
	o->table.idle = other || o->at_troubles;
	o->list.table.idle = !other || o->at_troubles;
	draw_zones(v, (struct rect){ left + 2, r.y, r.w - left - 3, zones });
	overview_list_draw(
	    v, &o->list, (struct rect){ left + 2, r.y + zones + 1, r.w - left - 3, others });
	troubles_draw(&o->troubles, o->at_troubles,
	    (struct rect){
		left + 2, r.y + zones + others + 2, r.w - left - 3, r.h - zones - others - 3 });
	surface_put(v->ui->surface, 1, r.y + r.h - 1, r.w - 2, UI_DIM, o->change);
}

static void
overview_draw(struct view *v, struct rect r)
{
	if (r.w >= WIDE)
		draw_wide(v, r);
	else
		draw_narrow(v, r);
}

/* Other counters: what was drawn so far does not go on. */
static void
change_scope(struct view *v)
{
	struct overview *o = v->state;

	o->fleet = !o->fleet;
	o->known = false;
	o->sampled_ms = 0;
	o->n_buckets = 0;
	series_init(&o->qps);
	series_init(&o->p99);
	memset(&o->shares, 0, sizeof o->shares);
	memset(&o->types, 0, sizeof o->types);
	if (o->stats_request != 0)
		ns_client_cancel(v->ui->client, o->stats_request);
	o->stats_request = 0;
	overview_list_step(v, &o->list, 0, o->fleet);
	overview_tick(v);
}

static bool
overview_act(struct view *v, enum ns_action_id id)
{
	struct overview *o = v->state;

	switch (id) {
	case ACT_PROBLEMS:
		o->at_troubles = !o->at_troubles;
		return true;
	case ACT_NEXT_TAB:
	case ACT_PREVIOUS_TAB:
		o->at_troubles = false;
		overview_list_step(v, &o->list, id == ACT_NEXT_TAB ? 1 : -1, o->fleet);
		return true;
	case ACT_WIDE:
		change_scope(v);
		return true;
	default:
		break;
	}
	if (o->at_troubles)
		return troubles_act(&o->troubles, id);
	if (on_list(v))
		return overview_list_act(v, &o->list, id);
	if (ns_table_act(&o->table, id, o->n_zones))
		return true;
	if (o->table.row >= o->n_zones)
		return false;
	return ui_open_zone(v->ui, id, o->zones[o->table.row].name);
}

static void
overview_twin(struct view *v, struct wbuf *w)
{
	const struct overview *o = v->state;

	twin_word(w, "stats");
	twin_option(w, "--scope", o->fleet ? "fleet" : "");
	twin_option(w, "--top", "zones");
}

const struct ns_screen_ops screen_overview = {
	.name = "Overview",
	.size = sizeof(struct overview),
	.contexts =
	    CTX_GLOBAL | CTX_LIST | CTX_OPEN | CTX_ZONE | CTX_TABS | CTX_WIDE | CTX_PROBLEMS,
	.open = overview_open,
	.close = overview_close,
	.reload = overview_reload,
	.tick = overview_tick,
	.draw = overview_draw,
	.act = overview_act,
	.twin_words = overview_twin,
};
