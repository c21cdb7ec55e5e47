/* overview_draw.c - the Overview as it is seen: one column of panes, or two where there is room. */
#include <stdio.h>
#include <string.h>

#include "console/core/sanitize.h"
#include "console/screens/drafts.h"
#include "console/screens/overview_int.h"

#define WIDE      110 /* two columns of panes */
#define WAYS_FROM 58 /* columns that load and ways take on one line */
#define P999_FROM 62 /* columns */
#define INDENT    11 /* of what is behind a title */

const struct table_column overview_columns[] = { { "TOP ZONES", 16, 1, false, 0 },
	{ "QPS", 6, 0, true, 0 }, { "NX%", 5, 0, true, 56 }, { "ERR%", 5, 0, true, 34 },
	{ "10m", SPARK, 0, false, 46 }, { NULL, 0, 0, false, 0 } };

static const char *
zone_cell(void *arg, size_t row, unsigned column, enum ui_role *role)
{
	static char text[64];
	struct view *v = arg;
	const struct top_zone *z = &((struct overview *)v->state)->zones[row];

	text[0] = '\0';
	switch (column) {
	case 0:
		return z->shown;
	case 1:
		glyph_number(z->qps, text);
		*role = UI_TEXT | UI_LIVE;
		break;
	case 2:
		snprintf(text, sizeof text, "%.1f", z->nx);
		*role = (z->nx >= 50 ? UI_WARN : UI_TEXT) | UI_LIVE;
		break;
	case 3:
		snprintf(text, sizeof text, "%.1f", z->errors);
		*role = (z->errors >= 1 ? UI_WARN : UI_TEXT) | UI_LIVE;
		break;
	case 4:
		spark_text(v, z->spark, SPARK, text, sizeof text);
		*role = UI_GRAPH;
		break;
	default:
		break;
	}
	return text;
}

static void
draw_zones(struct view *v, struct rect r)
{
	struct overview *o = v->state;

	ns_table_draw(&o->table, v->ui->surface, r, o->n_zones, zone_cell, v);
	if (o->n_zones == 0)
		surface_put(v->ui->surface, r.x + 3, r.y + 1, r.w - 3, UI_DIM,
		    o->known ? "no queries yet" : ui_loading(v));
}

/* "udp 97.0%  tcp 2.0%  dot 1.0%", and what was dropped first, if anything was. */
static void
draw_ways(struct surface *s, struct rect r, const struct share_view *sh)
{
	const struct {
		const char *name;
		double percent;
	} ways[] = { { "drop", sh->dropped }, { "udp", sh->udp }, { "tcp", sh->tcp },
		{ "dot", sh->tls } };
	int x = r.x;

	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		char text[32];

		snprintf(text, sizeof text, "%s %.1f%%", ways[i].name, ways[i].percent);
		if ((i == 0 && ways[i].percent <= 0) || x + text_width(text) > r.x + r.w)
			continue;
		x += 2 + surface_put(s, x, r.y, text_width(text),
			     (i == 0 && ways[i].percent >= 1 ? UI_WARN : UI_TEXT) | UI_LIVE, text);
	}
}

static int
draw_load(struct view *v, struct rect r, int rows)
{
	struct overview *o = v->state;
	struct surface *s = v->ui->surface;
	struct share_view sh;
	int x = r.x + INDENT;
	char now[16], peak[16];

	glyph_number(o->now, now);
	glyph_number(o->peak, peak);
	shares_view(&o->shares, &sh);
	surface_put(s, r.x + 1, r.y, 9, UI_TITLE, "Queries/s");
	if (o->known)
		x += surface_putf(
		    s, x, r.y, r.w - INDENT, UI_TEXT | UI_LIVE, "%s  peak %s", now, peak);
	if (o->known && r.w >= WAYS_FROM)
		draw_ways(s, (struct rect){ x + 2, r.y, r.x + r.w - x - 2, 1 }, &sh);
	series_draw(v, (struct rect){ r.x, r.y + 1, r.w, rows }, &o->qps, o->known ? peak : "");
	return r.y + 1 + rows;
}

static int
draw_latency(struct view *v, struct rect r, int y, int rows)
{
	struct overview *o = v->state;
	struct surface *s = v->ui->surface;
	double top = series_most(&o->p99);
	char scale[32] = "", p999[32] = "", most[32] = "";

	surface_put(s, r.x + 1, y, 9, UI_TITLE, "Latency");
	if (o->latency) {
		if (o->n_buckets > 0)
			snprintf(most, sizeof most, "  max %.2fms",
			    o->buckets[o->n_buckets - 1].us / 1000);
		if (r.w >= P999_FROM || most[0] == '\0')
			snprintf(p999, sizeof p999, "  p99.9 %.2fms", o->p999);
		surface_putf(s, r.x + INDENT, y, r.w - INDENT, UI_TEXT | UI_LIVE,
		    "p50 %.2fms  p99 %.2fms%s%s", o->p50, o->p99_now, p999, most);
		snprintf(scale, sizeof scale, "%.2fms", top);
	}
	series_draw(v, (struct rect){ r.x, y + 1, r.w, rows }, &o->p99, scale);
	return y + 1 + rows;
}

static enum ui_role
rcode_role(const char *name)
{
	return (strcmp(name, "SERVFAIL") == 0 ? UI_CRIT : UI_TEXT) | UI_LIVE;
}

/* "Rcodes    NOERROR 91.2%  NXDOMAIN 7.9%": as many as there is room for. */
static void
draw_shares(struct view *v, struct rect r, int y, const char *title, const struct shares *shares)
{
	struct overview *o = v->state;
	struct surface *s = v->ui->surface;
	struct share_view sh;
	int x = r.x + INDENT;

	shares_view(shares, &sh);
	surface_put(s, r.x + 1, y, 9, UI_TITLE, title);
	for (unsigned i = 0; i < sh.n; i++) {
		char text[48];

		if (sh.percent[i] <= 0)
			continue;
		snprintf(text, sizeof text, "%s %.1f%%", sh.name[i], sh.percent[i]);
		if (x + text_width(text) > r.x + r.w)
			break;
		x += 2 + surface_put(s, x, y, text_width(text), rcode_role(sh.name[i]), text);
	}
	if (sh.idle && o->known)
		surface_put(
		    s, x, y, r.x + r.w - x, UI_DIM, sh.n > 0 ? "(none in the last 10s)" : "");
}

/* "Drafts 2: example.com 5 ops", of the zone that was edited last, where there is room. */
static void
draw_drafts(struct view *v, struct rect r)
{
	const struct drafts *d = v->ui->drafts;
	char text[96], zone[80] = "", all[180];

	if (d == NULL || d->count == 0)
		return;
	snprintf(text, sizeof text, "Drafts %zu", d->count);
	sanitize(zone, sizeof zone, d->draft != NULL ? d->zone : "", v->ui->ascii);
	zone[ui_name_len(zone)] = '\0';
	if (zone[0] != '\0')
		snprintf(all, sizeof all, "%s: %s %zu op%s", text, zone, d->draft->n_ops,
		    d->draft->n_ops == 1 ? "" : "s");
	surface_put_right(v->ui->surface, r.x, r.y, r.w, UI_WARN,
	    zone[0] != '\0' && text_width(all) <= r.w ? all
	    : text_width(text) <= r.w                 ? text
						      : "");
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
	int x = r.x + INDENT + surface_put(s, r.x + INDENT, r.y, n < 40 ? n : 40, UI_TEXT, text);
	if (o->fleet && o->silent > 0)
		x += surface_putf(s, x + 2, r.y, r.x + r.w - x - 2, UI_WARN | UI_LIVE, "%zu silent",
			 o->silent) +
		     2;
	x += 3 + surface_putf(s, x + 3, r.y, r.x + r.w - x - 4, UI_DIM,
		     r.x + r.w - x >= 28 ? "window 10m   refresh %gs" : "10m, each %gs",
		     (double)v->ui->refresh_ms / 1000);
	draw_drafts(v, (struct rect){ x + 3, r.y, r.x + r.w - x - 4, 1 });
}

bool
overview_on_list(const struct overview *o)
{
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

/* The last changes, and how many appliances serve each; at least one row. */
static void
draw_changes(struct view *v, struct rect r)
{
	struct overview *o = v->state;
	char served[32];

	for (int i = 0; i < r.h && (size_t)i < o->n_changes; i++) {
		popbars_served(&o->pops, o->changes[i].revision, served);
		surface_put_right(
		    v->ui->surface, r.x + 1, r.y + i, r.w - 2, UI_DIM | UI_LIVE, served);
		surface_putf(v->ui->surface, r.x + 1, r.y + i, r.w - 2 - text_width(served), UI_DIM,
		    "%s %s", i == 0 ? "Change" : "      ", o->changes[i].text);
	}
}

/* What has a source of its own, not the counters, is as old as the link. */
static void
draw_others(struct view *v, struct rect problems, struct rect changes)
{
	struct overview *o = v->state;
	bool stale = v->ui->surface->stale;

	v->ui->surface->stale = v->ui->lost;
	troubles_draw(&o->troubles, o->at_troubles, problems);
	draw_changes(v, changes);
	v->ui->surface->stale = stale;
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
	draw_lists(v, (struct rect){ 0, y, left + 1, h }); /* a table leaves its last column free */
	draw_others(
	    v, (struct rect){ left, y, r.w - left, h }, (struct rect){ 0, r.y + r.h - 1, r.w, 1 });
}

/* "NOERROR  ███████ 91.2%" and, in a second line, the same of what is next, and the rest in words. */
static int
draw_bars(struct view *v, struct rect r, int y)
{
	struct overview *o = v->state;
	struct surface *s = v->ui->surface;
	struct share_view sh;
	int bars = 0, x = r.x + INDENT;

	shares_view(&o->shares, &sh);
	surface_put(s, r.x + 1, y, 9, UI_TITLE, "Rcodes");
	if (sh.idle) {
		draw_shares(v, r, y, "Rcodes", &o->shares);
		return y + 1;
	}
	for (unsigned i = 0; i < sh.n; i++) {
		if (sh.percent[i] <= 0)
			continue;
		if (bars < 2) {
			x = r.x + INDENT;
			surface_put(s, x, y + bars, 9, UI_TEXT, sh.name[i]);
			x += 9 + glyph_bar(s, x + 9, y + bars, r.w - INDENT - 17, v->ui->glyphs,
				     sh.percent[i] / 100);
			x += 1 + surface_putf(s, x + 1, y + bars, r.x + r.w - x - 1,
				     UI_TEXT | UI_LIVE, "%.1f%%", sh.percent[i]);
			bars++;
			continue;
		}
		char text[48];

		snprintf(text, sizeof text, "  %s %.1f%%", sh.name[i], sh.percent[i]);
		if (x + text_width(text) > r.x + r.w)
			break;
		x += surface_put(s, x, y + 1, text_width(text), rcode_role(sh.name[i]), text);
	}
	return y + (bars > 0 ? bars : 1);
}

/* What is left of the left half: appliances, where there are several, and the histogram. */
static void
draw_rest(struct view *v, struct rect r)
{
	struct overview *o = v->state;
	int y = r.y, h = r.h > 12 ? 6 : r.h / 2, rows;

	if (o->pops.all > 1 && h >= 1) {
		surface_put(v->ui->surface, r.x + 1, y, 9, UI_TITLE, "PoPs");
		surface_put(v->ui->surface, r.x + INDENT, y, r.w - INDENT, UI_DIM, "queries/s");
		rows = popbars_draw(&o->pops, v, (struct rect){ r.x + 1, y + 1, r.w - 1, h });
		y += rows + 2;
	}
	if (r.y + r.h - y < 4)
		return;
	surface_put(v->ui->surface, r.x + 1, y, r.w - 2, UI_TITLE, "Latency, last 10s");
	buckets_draw(
	    v, (struct rect){ r.x, y + 1, r.w, r.y + r.h - y - 1 }, o->bucket_list, o->n_buckets);
}

static void
draw_over(struct view *v, struct rect r, int y)
{
	struct overview *o = v->state;
	struct share_view sh;

	shares_view(&o->shares, &sh);
	surface_put(v->ui->surface, r.x + 1, y, 9, UI_TITLE, "Over");
	if (o->known)
		draw_ways(v->ui->surface, (struct rect){ r.x + INDENT, y, r.w - INDENT, 1 }, &sh);
}

/* Two: graphs on the left, lists on the right. */
static void
draw_wide(struct view *v, struct rect r)
{
	struct overview *o = v->state;
	int left = r.w * 55 / 120, rows = r.h >= 44 ? 8 : r.h >= 34 ? 5 : (r.h - 14) / 4, y = r.y;
	struct rect l = { 0, r.y, left, r.h };
	bool other = overview_on_list(o);
	int changes = o->n_changes > 1 && r.h >= 20 ? 2 : 1, h = r.h - changes - 1;
	int zones = h * 2 / 5, others = h * 3 / 10;

	rows = rows < 1 ? 1 : rows;
	draw_scope(v, l);
	y = draw_load(v, (struct rect){ 0, y + 1, left, r.h }, rows);
	y = draw_latency(v, l, y + (r.h >= 34), rows);
	y = draw_bars(v, l, y + (r.h >= 34));
	draw_shares(v, l, y++, "Types", &o->types);
	if (left < WAYS_FROM)
		draw_over(v, l, y++);
	draw_rest(v, (struct rect){ 0, y + 1, left, r.y + h - y - 1 });
	o->table.idle = other || o->at_troubles;
	o->list.table.idle = !other || o->at_troubles;
	int x = left + 2, w = r.w - left - 3;
	draw_zones(v, (struct rect){ x, r.y, w, zones });
	overview_list_draw(v, &o->list, (struct rect){ x, r.y + zones + 1, w, others });
	draw_others(v, (struct rect){ x, r.y + zones + others + 2, w, h - zones - others - 2 },
	    (struct rect){ 0, r.y + r.h - changes, r.w, changes });
}

void
overview_draw(struct view *v, struct rect r)
{
	if (r.w >= WIDE)
		draw_wide(v, r);
	else
		draw_narrow(v, r);
}
