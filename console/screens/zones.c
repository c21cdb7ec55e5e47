/* zones.c - all zones, a page at a time, in whatever order. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/core/sanitize.h"
#include "console/screens/bulk.h"
#include "console/screens/copy.h"
#include "console/screens/draftnames.h"
#include "console/screens/graphs.h"
#include "console/screens/marks.h"
#include "console/screens/preview.h"
#include "console/screens/sorting.h"
#include "console/screens/votes.h"
#include "console/screens/zonehead.h"
#include "console/screens/zonemake.h"
#include "ipc/base/clock.h"
#include "ipc/base/wbuf.h"
#include "ipc/base/xalloc.h"

#define TIMEOUT_MS  5000u
#define HOLD_MS     10000u /* how long rows stay where they are that are sorted by what moves */
#define COPY_OCTETS (1u << 20)
#define PAST        10u /* minutes of a zone */

struct zones {
	struct ns_table table;
	struct pages pages;
	struct marks marks;
	struct preview preview;
	struct zonepreview *behind; /* NULL: nothing was looked at yet */
	char filter[PROMPT_MAX];
	char name[UI_OBJECT]; /* that is asked about */
	char sort[24];
	uint64_t ordered_ms; /* when the order was asked for */
};

static uint64_t
zones_ask(struct view *v, const char *cursor, unsigned limit, ns_reply_fn *fn, struct pages *p)
{
	struct zones *z = v->state;
	Ns__ZoneListRequest body = NS__ZONE_LIST_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;
	struct draftnames mine;
	uint64_t id;

	(void)cursor;
	draftnames_zones(&mine, v->ui, z->filter);
	ns_sort_text(&z->table.sort, z->sort);
	if (p->fresh)
		z->ordered_ms = v->ui->mono_ms;
	body.filter = z->filter;
	body.sort = z->sort;
	body.qps = true;
	body.at = pages_at(p);
	body.around = (char *)(uintptr_t)pages_around(p);
	body.snapshot = p->snapshot;
	body.limit = limit;
	body.drafts = mine.list;
	body.n_drafts = mine.n;
	request.body_case = NS__ENVELOPE__BODY_ZONE_LIST_REQUEST;
	request.zone_list_request = &body;
	id = ns_client_request(v->ui->client, &request, TIMEOUT_MS, fn, p);
	draftnames_free(&mine);
	return id;
}

static size_t
zones_rows(const Ns__Envelope *env, const char **next, uint64_t *total)
{
	*next = env->zone_list_reply->next;
	*total = env->zone_list_reply->total;
	return env->zone_list_reply->n_zones;
}

static uint64_t
zones_rank(const Ns__Envelope *env, uint64_t *snapshot)
{
	*snapshot = env->zone_list_reply->snapshot;
	return env->zone_list_reply->rank;
}

/* Of zones that are asked; ten minutes of the busiest, and in words why there are none of another. */
static void
set_past(struct view *v, const Ns__ZoneInfo *z, struct row *r)
{
	double list[PAST];
	char text[PAST * 4 + 1];

	row_set(v, r, 4, (z->nx_percent >= 50 ? UI_WARN : UI_TEXT) | UI_LIVE,
	    z->qps > 0 ? "%.1f" : "", z->nx_percent);
	if (v->ui->surface->spoken != NULL)
		return;
	if (z->n_past != PAST) {
		row_set(v, r, 5, UI_DIM, "%s",
		    isnan(z->qps) ? ""
		    : z->qps > 0  ? "not kept"
				  : "quiet");
		return;
	}
	spark_past(list, PAST, z->past, z->n_past);
	spark_text(v, list, PAST, text, sizeof text);
	free(r->cells[5]);
	r->cells[5] = xstrdup(text); /* of our own characters */
	r->roles[5] = UI_GRAPH;
}

static void
zones_fill(struct view *v, const Ns__Envelope *env, size_t i, struct row *r)
{
	const Ns__ZoneInfo *z = env->zone_list_reply->zones[i];
	enum ui_role role;
	const char *word;
	char ago[16], qps[16];

	r->id = strdup(z->name);
	ui_ago(v->ui, z->changed, ago);
	glyph_number(z->qps, qps);
	row_set(v, r, 0, UI_TEXT, "%.*s", ui_name_len(z->name), z->name);
	row_set(v, r, 1, UI_TEXT, "%u", z->serial);
	row_set(v, r, 2, UI_TEXT, "%llu", (unsigned long long)z->rrsets);
	row_set(
	    v, r, 3, (z->qps > 0 ? UI_TEXT : UI_DIM) | UI_LIVE, "%s", isnan(z->qps) ? "-" : qps);
	set_past(v, z, r);
	word = zonehead_dnssec(z, &role);
	row_set(v, r, 6, role | UI_LIVE, "%s", word);
	word = level_word(z->health, &role);
	row_set(v, r, 7, role | UI_LIVE, "%s", word);
	row_set(v, r, 8, UI_TEXT, "%s %s", ago, z->changed_by);
	row_set(v, r, 9, UI_DIM, "%s", z->account);
}

static const struct pages_ops pages_of_zones = { zones_ask, zones_rows, zones_fill, zones_rank,
	true };

static const struct table_column columns[] = { { "NAME", 20, 2, false, 0 },
	{ "SERIAL", 10, 0, true, 68 }, { "RRSETS", 6, 0, true, 0 }, { "QPS", 6, 0, true, 0 },
	{ "NX%", 5, 0, true, 110 }, { "10m", PAST, 0, false, 110 }, { "DNSSEC", 7, 0, false, 0 },
	{ "HEALTH", 6, 0, false, 0 }, { "CHANGED", 9, 1, false, 76 },
	{ "ACCOUNT", 12, 0, false, 110 }, { NULL, 0, 0, false, 0 } };
static const char *const sorts[TABLE_COLUMNS] = { "name", "-serial", "-rrsets", "-qps", NULL, NULL,
	"dnssec", "health", "-changed" };

static void
zones_open(struct view *v)
{
	struct zones *z = v->state;

	z->table.columns = columns;
	z->table.signs = true;
	sorting_open(v, &z->table, sorts, "name");
	preview_open(v, &z->preview);
	pages_init(&z->pages, v, &pages_of_zones, &z->table);
}

static void
zones_close(struct view *v)
{
	struct zones *z = v->state;

	marks_clear(&z->marks);
	zonepreview_free(v, &z->behind);
	pages_free(&z->pages);
}

/* Sorted by what changes without an edit: rows would jump. */
static bool
moves(const struct zones *z)
{
	return z->table.sort.column >= 3 && z->table.sort.column <= 7;
}

static void
zones_reload(struct view *v)
{
	struct zones *z = v->state;

	if (z->pages.loaded && moves(z) && !v->ui->anew &&
	    clock_since(v->ui->mono_ms, z->ordered_ms) < HOLD_MS)
		pages_refresh(&z->pages);
	else
		pages_reload(&z->pages, false);
}

/* What is on screen is looked at again; where they stand, seldom. */
static void
zones_tick(struct view *v)
{
	struct zones *z = v->state;

	if (!z->pages.loaded || z->pages.request != 0)
		return;
	if (moves(z) && clock_since(v->ui->mono_ms, z->ordered_ms) >= HOLD_MS)
		pages_reload(&z->pages, false);
	else
		pages_refresh(&z->pages);
}

static void
zones_sorted(struct view *v)
{
	pages_reload(&((struct zones *)v->state)->pages, true);
}

static struct ns_table *
zones_table(struct view *v, size_t *rows)
{
	struct zones *z = v->state;

	*rows = pages_count(&z->pages);
	return &z->table;
}

static void
zones_filter(struct view *v, const char *text)
{
	struct zones *z = v->state;

	if (strcmp(z->filter, text) == 0)
		return;
	snprintf(z->filter, sizeof z->filter, "%s", text);
	pages_filtered(&z->pages);
}

static const char *
zones_filter_now(struct view *v)
{
	return ((struct zones *)v->state)->filter;
}

/* ---- marks ---- */
static const char *
id_at(void *arg, size_t row)
{
	const struct row *r = pages_row(&((struct zones *)arg)->pages, row);

	return r != NULL ? r->id : NULL;
}

static const char *
cell(void *arg, size_t row, unsigned column, enum ui_role *role)
{
	struct zones *z = arg;
	const char *id;

	if (column != TABLE_SIGN)
		return pages_cell(&z->pages, row, column, role);
	id = z->marks.n > 0 ? id_at(z, row) : NULL;
	*role = UI_KEY;
	return id != NULL && marks_has(&z->marks, id) ? "*" : "";
}

static void
delete_one(void *arg)
{
	struct view *v = arg;
	struct zones *z = v->state;
	Ns__ZoneDeleteRequest body = NS__ZONE_DELETE_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	body.zone = body.confirm = z->name;
	request.body_case = NS__ENVELOPE__BODY_ZONE_DELETE_REQUEST;
	request.zone_delete_request = &body;
	ui_commit(v->ui, &request);
}

static void
ask_delete(struct view *v)
{
	struct zones *z = v->state;
	const char *id = id_at(z, z->table.row);
	char ask[UI_OBJECT + 16], name[UI_OBJECT];

	if (z->marks.n > 0) {
		bulk_delete(v->ui, &z->marks);
		return;
	}
	if (id == NULL)
		return;
	snprintf(z->name, sizeof z->name, "%s", id);
	snprintf(name, sizeof name, "%.*s", ui_name_len(id), id);
	snprintf(ask, sizeof ask, "Delete %s?", name);
	ui_ask(v->ui, ask, "It is answered no more; for 30 days :trash brings it back.", name,
	    delete_one, v);
}

static void
put_line(struct wbuf *w, const char *before, const char *text)
{
	wbuf_put(w, before, strlen(before));
	wbuf_put(w, text, strlen(text));
	wbuf_put(w, "\n", 1);
}

/* Of what is marked, or the row under the cursor. */
static void
zones_copies(struct view *v, struct copies *c)
{
	struct zones *z = v->state;
	const char *one = id_at(z, z->table.row);
	size_t n = z->marks.n > 0 ? z->marks.n : one != NULL;
	struct wbuf names = wbuf_grow(COPY_OCTETS), exports = wbuf_grow(COPY_OCTETS);
	char safe[UI_OBJECT];

	for (size_t i = 0; i < n; i++) {
		sanitize(safe, sizeof safe, z->marks.n > 0 ? z->marks.ids[i] : one, v->ui->ascii);
		put_line(&names, "", safe);
		put_line(&exports, "nameserve zone export ", safe);
	}
	wbuf_put(&names, "", 1);
	wbuf_put(&exports, "", 1);
	if (n > 0 && wbuf_ok(&names) && wbuf_ok(&exports)) {
		copies_add(c, n > 1 ? "names" : "name", (char *)names.base);
		copies_add(c, n > 1 ? "exports" : "export", (char *)exports.base);
		return;
	}
	wbuf_free(&names);
	wbuf_free(&exports);
}

static const char *
zones_refuse(struct view *v, enum ns_action_id id)
{
	struct zones *z = v->state;

	if (id == ACT_EDIT || id == ACT_CLONE)
		return "Enter opens the zone";
	if (id == ACT_UNMARK || id == ACT_SET_TTL)
		return z->marks.n > 0 ? NULL : "nothing is marked: Space marks";
	return (id == ACT_DELETE || id == ACT_MARK) && pages_count(&z->pages) == 0
		   ? "no zone is here"
		   : NULL;
}

/* "312 of 100 000   sort name ^   rows 1-15": what does not fit is left out from the right. */
static void
draw_title(struct view *v, struct rect r)
{
	struct zones *z = v->state;
	struct surface *s = v->ui->surface;
	size_t n = pages_count(&z->pages), last = z->table.top + (size_t)z->table.page;
	char filter[PROMPT_MAX * 2], right[160] = "", sort[32], count[32], all[32], rows[64];
	int room = r.w - 12;

	surface_put(s, r.x + 1, r.y, 5, UI_TITLE, "Zones");
	sanitize(filter, sizeof filter, z->filter, v->ui->ascii);
	if (filter[0] != '\0')
		room -= text_width(filter) + 1;
	if (z->marks.n > 0)
		snprintf(right, sizeof right, "%zu marked   ", z->marks.n);
	if (z->pages.loaded) {
		size_t len = strlen(right);

		glyph_count(n, count);
		glyph_count(v->ui->zones, all);
		len += (size_t)snprintf(right + len, sizeof right - len, "%s%s%s", count,
		    z->filter[0] != '\0' ? " of " : "", z->filter[0] != '\0' ? all : "");
		sorting_text(&z->table, sort);
		if ((int)(len + 3 + strlen(sort)) < room)
			len += (size_t)snprintf(right + len, sizeof right - len, "   %s", sort);
		snprintf(
		    rows, sizeof rows, "   rows %zu-%zu", z->table.top + 1, last < n ? last : n);
		if (n > 0 && (int)(len + strlen(rows)) < room)
			snprintf(right + len, sizeof right - len, "%s", rows);
	}
	int w = text_width(right);
	if (z->filter[0] != '\0')
		surface_putf(s, r.x + 9, r.y, r.w - 11 - w, UI_INPUT, "/%s", filter);
	surface_put_right(s, r.x + r.w - w - 1, r.y, w, UI_DIM, right);
}

static void
zones_follow(struct view *v)
{
	struct zones *z = v->state;
	const char *zone = preview_shown(v, &z->preview) && pages_count(&z->pages) > 0
			       ? id_at(z, z->table.row)
			       : NULL;

	if (zone != NULL)
		zonepreview_follow(v, &z->behind, zone);
}

static void
zones_draw(struct view *v, struct rect r)
{
	struct zones *z = v->state;
	struct rect body = { r.x, r.y + 1, r.w, r.h - 1 };
	size_t n = pages_count(&z->pages);

	struct rect part = preview_part(&z->preview, &body);

	ns_table_draw(&z->table, v->ui->surface, body, n, cell, z);
	if (part.w > 0)
		zonepreview_draw(v, z->behind, part, n > 0 ? id_at(z, z->table.row) : NULL);
	draw_title(v, r);
	pages_ahead(&z->pages);
	if (n > 0)
		return;
	(void)surface_wrap(v->ui->surface, (struct rect){ r.x + 3, r.y + 3, r.w - 4, r.h - 3 },
	    z->pages.refused[0] != '\0' ? UI_WARN : UI_DIM,
	    z->pages.refused[0] != '\0' ? z->pages.refused
	    : !z->pages.loaded          ? ui_loading(v)
	    : z->filter[0] != '\0'      ? "no zone matches; Esc shows all"
					: "no zones yet: a makes one, :zone import takes files");
}

static bool
zones_act(struct view *v, enum ns_action_id id)
{
	struct zones *z = v->state;
	const struct row *row;
	size_t missed;

	if (ns_table_act(&z->table, id, pages_count(&z->pages)) ||
	    sorting_act(v, &z->table, id, zones_sorted) || preview_act(v, &z->preview, id))
		return true;
	if (marks_act(&z->marks, id, &z->table, pages_count(&z->pages), id_at, z, &missed)) {
		if (missed > 0)
			ui_say(v->ui,
			    "%zu zones are not marked: they are not loaded; filter, or go there",
			    missed);
		else if (z->marks.ranging)
			ui_say(v->ui, "A range begins here: move, and v ends it");
		return true;
	}
	if (id == ACT_DELETE)
		ask_delete(v);
	else if (id == ACT_SET_TTL)
		bulk_ttl(v->ui, &z->marks);
	else if (id == ACT_ADD)
		zonemake_open(v->ui);
	if (id == ACT_DELETE || id == ACT_SET_TTL || id == ACT_ADD)
		return true;
	row = pages_row(&z->pages, z->table.row);
	return row != NULL && ui_open_zone(v->ui, id, row->id);
}

static bool
zones_peel(struct view *v)
{
	return marks_peel(&((struct zones *)v->state)->marks);
}

const struct ns_screen_ops screen_zones = {
	.name = "Zones",
	.size = sizeof(struct zones),
	.contexts = CTX_GLOBAL | CTX_LIST | CTX_OPEN | CTX_FILTER | CTX_ZONE | CTX_ROWS |
		    CTX_MARKS | CTX_SORT | CTX_PREVIEW,
	.open = zones_open,
	.close = zones_close,
	.reload = zones_reload,
	.tick = zones_tick,
	.table = zones_table,
	.follow = zones_follow,
	.draw = zones_draw,
	.act = zones_act,
	.filter = zones_filter,
	.filter_now = zones_filter_now,
	.copies = zones_copies,
	.refuse = zones_refuse,
	.peel = zones_peel,
	.filter_help =
	    "foo ^foo *.x ~re -not dnssec:on off bad health:bad qps:>9 changed:<1d draft:mine",
	.twin = "zone list %f",
};
