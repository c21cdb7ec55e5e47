/* history.c - who changed what, when and why: of one zone (a tab of it), or of all, and then for an operator also who
 * logged in and was given secrets; the appliance filters. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/core/sanitize.h"
#include "console/screens/changepane.h"
#include "console/screens/drafts.h"
#include "console/screens/sorting.h"
#include "console/screens/twin.h"
#include "console/screens/zone.h"
#include "ipc/base/xalloc.h"

#define TIMEOUT_MS 5000u
#define HELP       "foo ^foo *.x ~re -not  who:ci from:192.0.2. at:fra1 kind:login since:1d via:api"

/* The columns, of either list. */
enum {
	COL_ID,
	COL_WHEN,
	COL_WHO,
	COL_VIA,
	COL_FROM,
	COL_AT,
	COL_KIND,
	COL_SERIAL,
	COL_ADDED,
	COL_REMOVED,
	COL_CHANGED,
	COL_OF,
	COL_COMMENT,
};

struct history {
	struct ns_table table;
	struct pages pages;
	char filter[PROMPT_MAX];
	struct changepane pane;
	char at[UI_OBJECT]; /* whose logins are among them; "": nobody's */
	bool placed; /* the cursor was put on the newest change */
	bool changes_only; /* more is refused: the role does not reach that appliance whole */
};

/* Whether to ask for them: who may not is refused. */
static bool
with_audit(const struct view *v)
{
	return v->object[0] == '\0' && !((struct history *)v->state)->changes_only &&
	       (strcmp(v->ui->role, "operator") == 0 || strcmp(v->ui->role, "admin") == 0);
}

static uint64_t
history_ask(struct view *v, const char *cursor, unsigned limit, ns_reply_fn *fn, struct pages *p)
{
	Ns__HistoryListRequest body = NS__HISTORY_LIST_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	body.zone = v->object;
	body.filter = ((struct history *)v->state)->filter;
	body.cursor = (char *)(uintptr_t)cursor;
	body.limit = limit;
	body.audit = with_audit(v);
	request.body_case = NS__ENVELOPE__BODY_HISTORY_LIST_REQUEST;
	request.history_list_request = &body;
	return ns_client_request(v->ui->client, &request, TIMEOUT_MS, fn, p);
}

static size_t
history_rows(const Ns__Envelope *env, const char **next, uint64_t *total)
{
	*next = env->history_list_reply->next;
	*total = 0;
	return env->history_list_reply->n_changes;
}

static const char *
count_text(uint64_t n, char out[16])
{
	if (n < 10000)
		snprintf(out, 16, "%llu", (unsigned long long)n);
	else if (n < 10000000)
		snprintf(out, 16, "%lluk", (unsigned long long)n / 1000);
	else
		snprintf(out, 16, "%lluM", (unsigned long long)n / 1000000);
	return out;
}

/* RRsets that come, go and are another; of what is too large for that, records that come and go. */
static void
fill_counts(struct view *v, struct row *r, const Ns__Change *c)
{
	const uint64_t n[3] = { c->rrsets != NULL ? c->rrsets->added : c->added,
		c->rrsets != NULL ? c->rrsets->removed : c->removed,
		c->rrsets != NULL ? c->rrsets->changed : 0 };
	char count[16];

	for (unsigned i = 0; i < 3; i++) {
		if (c->zone_count == 0) {
			row_set(v, r, COL_ADDED + i, UI_DIM, "-");
			continue;
		}
		row_set(v, r, COL_ADDED + i, c->rrsets != NULL ? UI_TEXT : UI_DIM, "%s",
		    c->rrsets == NULL && i == 2 ? "?" : count_text(n[i], count));
		row_figure(r, COL_ADDED + i, (double)n[i]);
	}
}

/* "2026-11-22T14:03:10.000Z" as 20261122140310000: what events and changes are both sorted by. */
static double
when_figure(const char *at)
{
	double n = 0;

	for (; *at != '\0'; at++)
		if (*at >= '0' && *at <= '9')
			n = n * 10 + (*at - '0');
	return n;
}

static void
fill_way(struct view *v, struct row *r, const Ns__Change *c)
{
	row_set(v, r, COL_WHO, UI_TEXT, "%s", c->author);
	row_set(v, r, COL_VIA, UI_TEXT, "%s", c->via);
	row_set(v, r, COL_FROM, c->source[0] != '\0' ? UI_TEXT : UI_DIM, "%s",
	    c->source[0] != '\0' ? c->source : "-");
	row_set(v, r, COL_AT, c->appliance[0] != '\0' ? UI_TEXT : UI_DIM, "%s",
	    c->appliance[0] != '\0' ? c->appliance : "-");
	row_set(v, r, COL_KIND, UI_TEXT, "%s", c->kind);
}

static void
fill_event(struct view *v, struct row *r, const Ns__Change *c)
{
	char last[16];

	r->id = xasprintf(EVENT_ID "%llu", (unsigned long long)c->event->id);
	row_set(v, r, COL_ID, UI_DIM, "%s", c->kind); /* where there is no room for KIND, too */
	for (unsigned i = COL_SERIAL; i <= COL_OF; i++)
		row_set(v, r, i, UI_DIM, "-");
	ui_when(c->event->last, last);
	if (c->event->count > 1)
		row_set(v, r, COL_COMMENT, UI_TEXT, "%s, %llu times until %s", c->comment,
		    (unsigned long long)c->event->count, last);
	else
		row_set(v, r, COL_COMMENT, UI_TEXT, "%s", c->comment);
}

static void
fill_change(struct view *v, struct row *r, const Ns__Change *c)
{
	const char *zone = c->n_zones > 0 ? c->zones[0] : c->object[0] != '\0' ? c->object : "-";
	int len = ui_name_len(zone);

	r->id = xasprintf("%llu", (unsigned long long)c->revision);
	row_set(v, r, COL_ID, UI_TEXT, "%s", r->id);
	if (c->serial != 0)
		row_set(v, r, COL_SERIAL, UI_TEXT, "%u", c->serial);
	else
		row_set(v, r, COL_SERIAL, UI_DIM, "-");
	fill_counts(v, r, c);
	if (c->zone_count > 1)
		row_set(v, r, COL_OF, UI_TEXT, "%.*s (+%llu)", len, zone,
		    (unsigned long long)c->zone_count - 1);
	else
		row_set(v, r, COL_OF, UI_TEXT, "%.*s", len, zone);
	row_set(v, r, COL_COMMENT, UI_TEXT, "%s", c->comment);
}

static void
history_fill(struct view *v, const Ns__Envelope *env, size_t i, struct row *r)
{
	struct history *h = v->state;
	const Ns__HistoryListReply *list = env->history_list_reply;
	const Ns__Change *c = list->changes[i];
	char when[16];

	if (c->event != NULL)
		fill_event(v, r, c);
	else
		fill_change(v, r, c);
	sanitize(h->at, sizeof h->at, list->appliance, v->ui->ascii);
	row_figure(r, COL_ID, h->at[0] != '\0' ? when_figure(c->at) : (double)c->revision);
	ui_when(c->at, when);
	row_set(v, r, COL_WHEN, UI_TEXT, "%s", when);
	fill_way(v, r, c);
}

static const struct pages_ops pages_of_history = { history_ask, history_rows, history_fill, NULL,
	false };

#define NOT_HERE (SURFACE_MAX + 1)

static const struct table_column columns[] = { { "ID", 7, 0, true, 0 },
	{ "WHEN UTC", 11, 0, false, 0 }, { "WHO", 8, 0, false, 0 }, { "VIA", 7, 0, false, 90 },
	{ "FROM", 15, 0, false, 110 }, { "POP", 8, 0, false, 110 }, { "KIND", 7, 0, false, 140 },
	{ "SERIAL", 10, 0, true, 150 }, { "+", 4, 0, true, 0 }, { "-", 4, 0, true, 0 },
	{ "~", 4, 0, true, 0 }, { "OF", 11, 1, false, 70 }, { "COMMENT", 13, 2, false, 0 },
	{ NULL, 0, 0, false, 0 } };
static const struct table_column zone_columns[] = { { "ID", 7, 0, true, 0 },
	{ "WHEN UTC", 11, 0, false, 0 }, { "WHO", 8, 0, false, 0 }, { "VIA", 7, 0, false, 90 },
	{ "", 15, 0, false, NOT_HERE }, { "", 9, 0, false, NOT_HERE }, { "KIND", 7, 0, false, 90 },
	{ "SERIAL", 10, 0, true, 70 }, { "+", 4, 0, true, 0 }, { "-", 4, 0, true, 0 },
	{ "~", 4, 0, true, 0 }, { "", 14, 0, false, NOT_HERE }, { "COMMENT", 10, 2, false, 0 },
	{ NULL, 0, 0, false, 0 } };

static const char *const sorts[TABLE_COLUMNS] = { "-id", NULL, "who", "via", "from", "pop", "kind",
	"-serial", "-added", "-removed", "-changed", "zone", "comment" };

static void
history_open(struct view *v)
{
	struct history *h = v->state;

	h->table.columns = v->object[0] != '\0' ? zone_columns : columns;
	sorting_open(v, &h->table, sorts, "-id");
	pages_init(&h->pages, v, &pages_of_history, &h->table);
}

static void
history_close(struct view *v)
{
	pages_free(&((struct history *)v->state)->pages);
	changepane_close(&((struct history *)v->state)->pane);
}

static void
history_reload(struct view *v)
{
	pages_reload(&((struct history *)v->state)->pages, false);
}

/* ---- the filter ---- */
static void
history_filter(struct view *v, const char *text)
{
	struct history *h = v->state;

	if (strcmp(h->filter, text) == 0)
		return;
	snprintf(h->filter, sizeof h->filter, "%s", text);
	pages_filtered(&h->pages);
}

static const char *
history_filter_now(struct view *v)
{
	return ((struct history *)v->state)->filter;
}

/* "/who:ci  12+ changes". */
static void
put_sum(const struct view *v, char *out, size_t size)
{
	const struct history *h = v->state;
	char safe[PROMPT_MAX * 2], filter[32] = "";

	sanitize(safe, sizeof safe, h->filter, v->ui->ascii);
	if (safe[0] != '\0')
		snprintf(filter, sizeof filter, "/%.26s  ", safe);
	snprintf(out, size, "%s%zu%s %s%s", filter, h->pages.known, h->pages.ended ? "" : "+",
	    h->at[0] != '\0' ? "row" : "change", h->pages.known == 1 ? "" : "s");
}

static const struct row *
row_here(struct history *h)
{
	return h->table.row < pages_count(&h->pages) ? pages_row(&h->pages, h->table.row) : NULL;
}

/* Of a change that is too large to have its RRsets counted, only the whole screen tells. */
static bool
is_small(const struct row *row)
{
	return strcmp(row->cells[COL_CHANGED], "?") != 0;
}

/* Who comes looks for a change, and the newest row is his own login. */
static void
place_cursor(struct history *h)
{
	size_t n = pages_count(&h->pages), i = 0;

	if (h->placed || !h->pages.loaded || n == 0)
		return;
	h->placed = true;
	while (i < n && i < PAGE_ROWS && row_is_event(pages_row(&h->pages, i)))
		i++;
	if (i < n && h->table.row == 0)
		h->table.row = i;
}

static void
history_follow(struct view *v)
{
	struct history *h = v->state;
	const struct row *row;

	if (h->pages.refused_for == NS_DENIED && with_audit(v)) {
		h->changes_only = true;
		pages_reload(&h->pages, true);
	}
	place_cursor(h);
	row = row_here(h);
	changepane_follow(
	    v, &h->pane, row != NULL && !row_is_event(row) && is_small(row) ? row->id : NULL);
}

static void
draw_pane(struct view *v, struct rect r)
{
	struct history *h = v->state;
	const struct row *row = row_here(h);

	if (row != NULL)
		changepane_draw(v, &h->pane, r,
		    &(const struct change_words){ row, row->cells[COL_WHO], row->cells[COL_VIA],
			row->cells[COL_FROM], row->cells[COL_AT], row->cells[COL_KIND],
			row->cells[COL_COMMENT], is_small(row) });
}

static void
history_draw(struct view *v, struct rect r)
{
	struct history *h = v->state;
	struct surface *s = v->ui->surface;
	struct rect pane;
	char count[80] = "", draft[64];

	drafts_text(v->object[0] != '\0' ? v->ui->drafts : NULL, draft, sizeof draft);
	if (h->pages.loaded)
		put_sum(v, count, sizeof count);
	if (v->object[0] != '\0') {
		r = zone_title(v, r, draft, count);
	} else {
		surface_put(s, r.x + 1, r.y, 7, UI_TITLE, "History");
		if (h->at[0] != '\0')
			surface_putf(s, r.x + 10, r.y, r.w / 2 - 10, UI_DIM, "logins at %s", h->at);
		surface_put_right(s, r.x + r.w / 2, r.y, r.w - r.w / 2 - 1, UI_DIM, count);
		r = (struct rect){ r.x, r.y + 1, r.w, r.h - 1 };
	}
	pane = changepane_part(&r);
	ns_table_draw(&h->table, s, r, pages_count(&h->pages), pages_cell, &h->pages);
	draw_pane(v, pane);
	if (pages_count(&h->pages) == 0)
		surface_put(s, r.x + 3, r.y + 1, r.w - 4, UI_DIM,
		    !h->pages.loaded              ? "loading"
		    : h->pages.refused[0] != '\0' ? h->pages.refused
		    : h->filter[0] != '\0'        ? "no change matches; Esc shows all"
						  : "no changes yet");
}

static void
sorted(struct view *v)
{
	(void)pages_sort(&((struct history *)v->state)->pages);
}

static struct ns_table *
history_table(struct view *v, size_t *rows)
{
	struct history *h = v->state;

	*rows = pages_count(&h->pages);
	return &h->table;
}

static const char *
history_refuse(struct view *v, enum ns_action_id id)
{
	struct history *h = v->state;
	const struct row *row;

	if (id == ACT_SORT || id == ACT_SORT_REVERSE)
		return pages_unsorted(&h->pages);
	if (id == ACT_RESTORE)
		return "open the change first: it has the serial";
	if (id != ACT_OPEN && id != ACT_REVERT)
		return NULL;
	if (pages_count(&h->pages) == 0)
		return "there is no change";
	row = pages_row(&h->pages, h->table.row);
	return row != NULL && row_is_event(row) ? "it is no change: all of it is below the list"
						: NULL;
}

static bool
history_act(struct view *v, enum ns_action_id id)
{
	struct history *h = v->state;
	const struct row *row;

	if (ns_table_act(&h->table, id, pages_count(&h->pages)) ||
	    sorting_act(v, &h->table, id, sorted))
		return true;
	if (id == ACT_OPEN || id == ACT_REVERT) {
		row = pages_row(&h->pages, h->table.row);
		if (row == NULL || row_is_event(row))
			return true;
		if (id == ACT_OPEN)
			ui_open(v->ui, &screen_change, row->id);
		else
			drafts_revert(v->ui, strtoull(row->id, NULL, 10));
		return true;
	}
	return v->object[0] != '\0' && zone_act(v, id);
}

static void
history_twin(struct view *v, struct wbuf *w)
{
	twin_word(w, "history");
	twin_word(w, with_audit(v) ? "audit" : "list");
	twin_option(w, "--filter", history_filter_now(v));
}

const struct ns_screen_ops screen_history = {
	.name = "History",
	.size = sizeof(struct history),
	.contexts = CTX_GLOBAL | CTX_LIST | CTX_OPEN | CTX_CHANGES | CTX_SORT | CTX_FILTER,
	.open = history_open,
	.close = history_close,
	.reload = history_reload,
	.follow = history_follow,
	.draw = history_draw,
	.act = history_act,
	.table = history_table,
	.refuse = history_refuse,
	.filter = history_filter,
	.filter_now = history_filter_now,
	.filter_help = HELP,
	.twin_words = history_twin,
};

const struct ns_screen_ops screen_zone_history = {
	.name = "Zone history",
	.size = sizeof(struct history),
	.contexts =
	    CTX_GLOBAL | CTX_LIST | CTX_OPEN | CTX_TABS | CTX_CHANGES | CTX_SORT | CTX_FILTER,
	.open = history_open,
	.close = history_close,
	.reload = history_reload,
	.follow = history_follow,
	.draw = history_draw,
	.act = history_act,
	.table = history_table,
	.refuse = history_refuse,
	.filter = history_filter,
	.filter_now = history_filter_now,
	.filter_help = HELP,
	.twin = "history list %o %f",
};
