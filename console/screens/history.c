/* history.c - who changed what, when and why: of one zone (a tab of it), or of all; the appliance filters. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/core/sanitize.h"
#include "console/screens/changepane.h"
#include "console/screens/drafts.h"
#include "console/screens/sorting.h"
#include "console/screens/zone.h"
#include "ipc/base/xalloc.h"

#define TIMEOUT_MS 5000u
#define HELP       "foo ^foo *.x ~re -not  who:ci  from:192.0.2.  at:fra1  since:1d  kind:edit  via:api"

struct history {
	struct ns_table table;
	struct pages pages;
	char filter[PROMPT_MAX];
	struct changepane pane;
};

static uint64_t
history_ask(struct view *v, const char *cursor, unsigned limit, ns_reply_fn *fn, struct pages *p)
{
	Ns__HistoryListRequest body = NS__HISTORY_LIST_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	body.zone = v->object;
	body.filter = ((struct history *)v->state)->filter;
	body.cursor = (char *)(uintptr_t)cursor;
	body.limit = limit;
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
			row_set(v, r, 6 + i, UI_DIM, "-");
			continue;
		}
		row_set(v, r, 6 + i, c->rrsets != NULL ? UI_TEXT : UI_DIM, "%s",
		    c->rrsets == NULL && i == 2 ? "?" : count_text(n[i], count));
		row_figure(r, 6 + i, (double)n[i]);
	}
}

static void
history_fill(struct view *v, const Ns__Envelope *env, size_t i, struct row *r)
{
	const Ns__Change *c = env->history_list_reply->changes[i];
	const char *zone = c->n_zones > 0 ? c->zones[0] : c->object[0] != '\0' ? c->object : "-";
	char when[16];

	int len = ui_name_len(zone);

	r->id = xasprintf("%llu", (unsigned long long)c->revision);
	ui_when(c->at, when);
	row_set(v, r, 0, UI_TEXT, "%s", r->id);
	row_figure(r, 0, (double)c->revision);
	row_set(v, r, 1, UI_TEXT, "%s", when);
	row_figure(r, 1, (double)c->revision);
	row_set(v, r, 2, UI_TEXT, "%s", c->author);
	row_set(v, r, 3, UI_TEXT, "%s", c->via);
	row_set(v, r, 4, UI_TEXT, "%s", c->kind);
	if (c->serial != 0)
		row_set(v, r, 5, UI_TEXT, "%u", c->serial);
	else
		row_set(v, r, 5, UI_DIM, "-");
	fill_counts(v, r, c);
	if (c->zone_count > 1)
		row_set(v, r, 9, UI_TEXT, "%.*s (+%llu)", len, zone,
		    (unsigned long long)c->zone_count - 1);
	else
		row_set(v, r, 9, UI_TEXT, "%.*s", len, zone);
	row_set(v, r, 10, UI_TEXT, "%s", c->comment);
}

static const struct pages_ops pages_of_history = { history_ask, history_rows, history_fill, NULL,
	false };

static const struct table_column columns[] = { { "ID", 7, 0, true, 0 },
	{ "WHEN UTC", 11, 0, false, 0 }, { "WHO", 8, 0, false, 0 }, { "VIA", 7, 0, false, 90 },
	{ "KIND", 7, 0, false, 90 }, { "SERIAL", 10, 0, true, 140 }, { "+", 4, 0, true, 0 },
	{ "-", 4, 0, true, 0 }, { "~", 4, 0, true, 0 }, { "OF", 14, 1, false, 70 },
	{ "COMMENT", 10, 2, false, 0 }, { NULL, 0, 0, false, 0 } };
static const struct table_column zone_columns[] = { { "ID", 7, 0, true, 0 },
	{ "WHEN UTC", 11, 0, false, 0 }, { "WHO", 8, 0, false, 0 }, { "VIA", 7, 0, false, 90 },
	{ "KIND", 7, 0, false, 90 }, { "SERIAL", 10, 0, true, 70 }, { "+", 4, 0, true, 0 },
	{ "-", 4, 0, true, 0 }, { "~", 4, 0, true, 0 }, { "", 14, 0, false, SURFACE_MAX + 1 },
	{ "COMMENT", 10, 2, false, 0 }, { NULL, 0, 0, false, 0 } };

static const char *const sorts[TABLE_COLUMNS] = { "-id", NULL, "who", "via", "kind", "-serial",
	"-added", "-removed", "-changed", "zone", "comment" };

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
	snprintf(out, size, "%s%zu%s change%s", filter, h->pages.known, h->pages.ended ? "" : "+",
	    h->pages.known == 1 ? "" : "s");
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
	return strcmp(row->cells[8], "?") != 0;
}

static void
history_follow(struct view *v)
{
	struct history *h = v->state;
	const struct row *row = row_here(h);

	changepane_follow(v, &h->pane, row != NULL && is_small(row) ? row->id : NULL);
}

static void
draw_pane(struct view *v, struct rect r)
{
	struct history *h = v->state;
	const struct row *row = row_here(h);

	if (row != NULL)
		changepane_draw(v, &h->pane, r,
		    &(const struct change_words){
			row, row->cells[3], row->cells[10], is_small(row) });
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
		surface_put_right(s, r.x + 9, r.y, r.w - 10, UI_DIM, count);
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

	if (id == ACT_SORT || id == ACT_SORT_REVERSE)
		return pages_unsorted(&h->pages);
	if (id == ACT_RESTORE)
		return "open the change first: it has the serial";
	return (id == ACT_OPEN || id == ACT_REVERT) && pages_count(&h->pages) == 0
		   ? "there is no change"
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
		if (row != NULL && id == ACT_OPEN)
			ui_open(v->ui, &screen_change, row->id);
		else if (row != NULL)
			drafts_revert(v->ui, strtoull(row->id, NULL, 10));
		return true;
	}
	return v->object[0] != '\0' && zone_act(v, id);
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
	.twin = "history list %f",
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
