/* health - all checks, the worst first, live while it is on screen; below, who says what of the one under the
 * cursor. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/core/sanitize.h"
#include "console/screens/checks.h"
#include "console/screens/copy.h"
#include "console/screens/sorting.h"
#include "console/screens/votes.h"
#include "ipc/base/xalloc.h"

#define TIMEOUT_MS 2000u
#define SPARK      8u
#define PANE_H     5 /* with the line above it */
#define TEXT       1024u

struct health {
	struct ns_table table;
	struct pages pages;
	char filter[PROMPT_MAX];
	bool problems;
	uint64_t crit, warn, ok, none;
	bool frozen;
	ns_reply_fn *page_came; /* of pages.c, and its argument */
	/* The one under the cursor. */
	uint64_t request;
	char asked[UI_OBJECT], name[UI_OBJECT];
	char head[TEXT], votes[TEXT], errors[TEXT];
};

/* ---- the list ---- */
static void
list_came(void *arg, const Ns__Envelope *env, const struct ns_why *why)
{
	struct view *v = arg;
	struct health *h = v->state;

	if (env != NULL) {
		const Ns__HealthListReply *m = env->health_list_reply;

		h->crit = m->crit, h->warn = m->warn, h->ok = m->ok, h->none = m->none;
		h->frozen = m->frozen;
	}
	h->page_came(&h->pages, env, why);
}

static uint64_t
list_ask(struct view *v, const char *cursor, unsigned limit, ns_reply_fn *fn, struct pages *p)
{
	struct health *h = v->state;
	Ns__HealthListRequest body = NS__HEALTH_LIST_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	(void)p;
	h->page_came = fn;
	body.filter = h->filter;
	body.problems = h->problems;
	body.cursor = (char *)(uintptr_t)cursor;
	body.limit = limit;
	request.body_case = NS__ENVELOPE__BODY_HEALTH_LIST_REQUEST;
	request.health_list_request = &body;
	return ns_client_request(v->ui->client, &request, TIMEOUT_MS, list_came, v);
}

static size_t
list_rows(const Ns__Envelope *env, const char **next, uint64_t *total)
{
	*next = env->health_list_reply->next;
	*total = env->health_list_reply->total;
	return env->health_list_reply->n_rows;
}

static void
list_fill(struct view *v, const Ns__Envelope *env, size_t i, struct row *r)
{
	const Ns__HealthListReply__Row *c = env->health_list_reply->rows[i];
	char since[16], spark[4 * SPARK + 1];
	enum ui_role role;
	const char *word = level_word(c->level, &role);

	r->id = xstrdup(c->name);
	checks_since(v->ui, c->since, since);
	votes_spark(v->ui->glyphs, c->looks, c->n_looks, SPARK, spark, sizeof spark);
	row_set(v, r, 0, UI_TEXT, "%s", c->name);
	row_set(v, r, 1, UI_TEXT, "%s", c->type);
	row_set(v, r, 2, UI_TEXT, "%s", c->target);
	row_set(v, r, 3, role | UI_LIVE, "%s", word);
	row_figure(r, 3, (double)i); /* they come the worst first */
	if (c->assigned > 0)
		row_set(v, r, 4, UI_TEXT | UI_LIVE, "%u/%u", c->up, c->assigned);
	else
		row_set(v, r, 4, UI_DIM, "-");
	if (c->assigned > 0)
		row_figure(r, 4, (double)c->up / c->assigned);
	if (c->rtt_us > 0)
		row_set(v, r, 5, UI_TEXT | UI_LIVE, c->rtt_us < 10000 ? "%.1fms" : "%.0fms",
		    c->rtt_us / 1000.0);
	else
		row_set(v, r, 5, UI_DIM, "-");
	if (c->rtt_us > 0)
		row_figure(r, 5, c->rtt_us);
	row_set(v, r, 6, UI_GRAPH, "%s", spark);
	row_set(v, r, 7, UI_TEXT, "%s", since);
	row_set(v, r, 8, c->note[0] != '\0' ? UI_WARN : UI_DIM, "%s%s%s", c->note,
	    c->note[0] != '\0' ? ", " : "", c->reason);
}

static const struct pages_ops pages_of_health = { list_ask, list_rows, list_fill, NULL, true };

static const struct table_column columns[] = { { "CHECK", 10, 2, false, 0 },
	{ "KIND", 5, 0, false, 70 }, { "TARGET", 15, 2, false, 0 }, { "STATE", 5, 0, false, 0 },
	{ "UP", 5, 0, false, 0 }, { "RTT p50", 7, 0, true, 0 }, { "LAST 8", 8, 0, false, 70 },
	{ "SINCE", 5, 0, false, 76 }, { "WHY", 24, 3, false, 100 }, { NULL, 0, 0, false, 0 } };
static const char *const sorts[TABLE_COLUMNS] = { "check", "kind", "target", "state", "up",
	"-rtt" };

static void
sorted(struct view *v)
{
	(void)pages_sort(&((struct health *)v->state)->pages);
}

static struct ns_table *
health_table(struct view *v, size_t *rows)
{
	struct health *h = v->state;

	*rows = pages_count(&h->pages);
	return &h->table;
}

/* ---- the one under the cursor ---- */
static const char *
here(struct health *h)
{
	const struct row *r =
	    pages_count(&h->pages) > 0 ? pages_row(&h->pages, h->table.row) : NULL;

	return r != NULL ? r->id : NULL;
}

static void
take_head(struct view *v, const Ns__CheckInfo *c)
{
	struct health *h = v->state;
	char text[TEXT], force[TEXT / 2] = "";

	if (c->override != NULL)
		snprintf(force, sizeof force, "forced %s by %s: %s; ", c->override->state,
		    c->override->author, c->override->reason);
	if (c->needed > 0)
		snprintf(text, sizeof text, "%squorum %u of %zu, %u up; ", force, c->needed,
		    c->n_votes, votes_up(c));
	else
		snprintf(text, sizeof text, "%s%s; ", force, c->reason);
	sanitize(h->head, sizeof h->head, text, v->ui->ascii);
	checks_users(v->ui, c, h->head + strlen(h->head), sizeof h->head - strlen(h->head));
}

static void
detail_came(void *arg, const Ns__Envelope *env, const struct ns_why *why)
{
	struct view *v = arg;
	struct health *h = v->state;
	char text[TEXT];

	(void)why; /* the list says it */
	h->request = 0;
	ui_dirty(v->ui, false);
	snprintf(h->name, sizeof h->name, "%s", h->asked);
	h->head[0] = h->votes[0] = h->errors[0] = '\0';
	if (env == NULL || env->check_list_reply->n_checks != 1)
		return;
	take_head(v, env->check_list_reply->checks[0]);
	votes_by_site(env->check_list_reply->checks[0], text, sizeof text);
	sanitize(h->votes, sizeof h->votes, text, v->ui->ascii);
	votes_errors(env->check_list_reply->checks[0], text, sizeof text);
	sanitize(h->errors, sizeof h->errors, text, v->ui->ascii);
}

static void
ask_detail(struct view *v, bool again)
{
	struct health *h = v->state;
	const char *name = here(h);

	if (name == NULL || (!again && strcmp(name, h->asked) == 0))
		return;
	if (h->request != 0 && strcmp(name, h->asked) == 0)
		return;
	if (h->request != 0)
		ns_client_cancel(v->ui->client, h->request);
	snprintf(h->asked, sizeof h->asked, "%s", name);
	h->request = checks_ask(v, name, detail_came);
}

/* ---- life ---- */
static void
health_open(struct view *v)
{
	struct health *h = v->state;

	h->table.columns = columns;
	sorting_open(v, &h->table, sorts, "state");
	pages_init(&h->pages, v, &pages_of_health, &h->table);
}

static void
health_close(struct view *v)
{
	struct health *h = v->state;

	if (h->request != 0)
		ns_client_cancel(v->ui->client, h->request);
	pages_free(&h->pages);
}

static void
health_reload(struct view *v)
{
	struct health *h = v->state;

	if (h->pages.loaded)
		pages_refresh(&h->pages);
	else
		pages_reload(&h->pages, false);
	ask_detail(v, true);
}

static void
health_follow(struct view *v)
{
	ask_detail(v, false);
}

static void
health_filter(struct view *v, const char *text)
{
	struct health *h = v->state;

	snprintf(h->filter, sizeof h->filter, "%s", text);
	pages_reload(&h->pages, true);
}

static const char *
health_filter_now(struct view *v)
{
	return ((struct health *)v->state)->filter;
}

/* ---- drawing ---- */
static void
draw_title(struct view *v, struct rect r)
{
	struct health *h = v->state;
	struct surface *s = v->ui->surface;
	char filter[PROMPT_MAX * 2], sort[32], right[64];
	int x = r.x + 1, end = r.x + r.w - 1;

	x += 3 + surface_put(s, x, r.y, 6, UI_TITLE, "Health");
	if (h->pages.loaded) {
		uint64_t all = h->crit + h->warn + h->ok + h->none;

		x += 3 + surface_putf(s, x, r.y, end - x, UI_TEXT, "%llu check%s",
			     (unsigned long long)all, all == 1 ? "" : "s");
		x +=
		    2 + surface_putf(s, x, r.y, end - x, (h->crit > 0 ? UI_CRIT : UI_DIM) | UI_LIVE,
			    "CRIT %llu", (unsigned long long)h->crit);
		x +=
		    2 + surface_putf(s, x, r.y, end - x, (h->warn > 0 ? UI_WARN : UI_DIM) | UI_LIVE,
			    "WARN %llu", (unsigned long long)h->warn);
		x += 2 + surface_putf(s, x, r.y, end - x, UI_TEXT | UI_LIVE, "OK %llu",
			     (unsigned long long)h->ok);
		if (h->none > 0)
			x += 2 + surface_putf(s, x, r.y, end - x, UI_DIM | UI_LIVE,
				     "no verdict %llu", (unsigned long long)h->none);
	}
	if (h->frozen)
		x += 2 + surface_put(s, x, r.y, end - x, UI_WARN, "FROZEN");
	sanitize(filter, sizeof filter, h->filter, v->ui->ascii);
	if (filter[0] != '\0')
		x += 2 + surface_putf(s, x, r.y, end - x, UI_INPUT, "/%s", filter);
	sorting_text(&h->table, sort);
	snprintf(right, sizeof right, "%s   refresh %gs", sort, (double)v->ui->refresh_ms / 1000);
	if (h->problems)
		surface_put_right(s, x, r.y, end - x, UI_INPUT, "problems only");
	else if (x + 3 + text_width(right) <= end)
		surface_put_right(s, x, r.y, end - x, UI_DIM, right);
}

static void
draw_pane(struct view *v, struct rect r)
{
	struct health *h = v->state;
	struct surface *s = v->ui->surface;
	const char *name = here(h);
	char safe[UI_OBJECT];
	int w;

	if (name == NULL || r.h < PANE_H)
		return;
	sanitize(safe, sizeof safe, name, v->ui->ascii);
	w = surface_put(s, r.x + 1, r.y + 1, r.w / 3, UI_TITLE, safe);
	if (strcmp(name, h->name) != 0) {
		surface_put(s, r.x + w + 4, r.y + 1, r.w - w - 5, UI_DIM, ui_loading(v));
		return;
	}
	surface_put(s, r.x + w + 4, r.y + 1, r.w - w - 5, UI_TEXT | UI_LIVE, h->head);
	if (h->votes[0] != '\0') {
		surface_put(s, r.x + 1, r.y + 2, 7, UI_HEAD, "votes");
		(void)surface_wrap(
		    s, (struct rect){ r.x + 9, r.y + 2, r.w - 10, 2 }, UI_TEXT | UI_LIVE, h->votes);
	}
	if (h->errors[0] != '\0') {
		surface_put(s, r.x + 1, r.y + 4, 7, UI_HEAD, "errors");
		surface_put(s, r.x + 9, r.y + 4, r.w - 10, UI_CRIT | UI_LIVE, h->errors);
	}
}

static void
health_draw(struct view *v, struct rect r)
{
	struct health *h = v->state;
	size_t n = pages_count(&h->pages);
	int pane = r.h >= 14 ? PANE_H : 0;
	struct rect body = { r.x, r.y + 1, r.w, r.h - 1 - pane };

	draw_title(v, r);
	ns_table_draw(&h->table, v->ui->surface, body, n, pages_cell, &h->pages);
	if (pane > 0)
		draw_pane(v, (struct rect){ r.x, r.y + r.h - pane, r.w, pane });
	if (n == 0)
		surface_put(v->ui->surface, r.x + 3, r.y + 3, r.w - 4, UI_DIM,
		    !h->pages.loaded ? ui_loading(v)
		    : h->problems || h->filter[0] != '\0'
			? "nothing here; all is well, or ! and Esc show more"
			: "no checks yet: a makes one");
}

/* ---- keys ---- */
static const char *
health_refuse(struct view *v, enum ns_action_id id)
{
	if (id == ACT_SORT || id == ACT_SORT_REVERSE)
		return pages_unsorted(&((struct health *)v->state)->pages);
	if (id != ACT_FORCE && id != ACT_PROBE && id != ACT_OBJECT_HISTORY && id != ACT_OPEN &&
	    id != ACT_EDIT && id != ACT_CLONE && id != ACT_DELETE)
		return NULL;
	return here(v->state) != NULL ? NULL : "no check is here";
}

static bool
health_act(struct view *v, enum ns_action_id id)
{
	struct health *h = v->state;
	const char *name;

	if (ns_table_act(&h->table, id, pages_count(&h->pages)) ||
	    sorting_act(v, &h->table, id, sorted))
		return true;
	if (id == ACT_PROBLEMS) {
		h->problems = !h->problems;
		pages_reload(&h->pages, true);
		return true;
	}
	name = id == ACT_ADD ? "" : here(h);
	return name != NULL && checks_act(v, id, name);
}

static void
health_copies(struct view *v, struct copies *c)
{
	const char *name = here(v->state);
	char safe[UI_OBJECT];

	if (name == NULL)
		return;
	sanitize(safe, sizeof safe, name, v->ui->ascii);
	copies_add(c, "name", xstrdup(safe));
	copies_add(c, "command", xasprintf("nameserve check show %s", safe));
}

const struct ns_screen_ops screen_health = {
	.name = "Health",
	.size = sizeof(struct health),
	.contexts = CTX_GLOBAL | CTX_LIST | CTX_OPEN | CTX_FILTER | CTX_CHECKS | CTX_PROBLEMS |
		    CTX_ROWS | CTX_SORT,
	.open = health_open,
	.close = health_close,
	.reload = health_reload,
	.tick = health_reload,
	.follow = health_follow,
	.draw = health_draw,
	.act = health_act,
	.table = health_table,
	.filter = health_filter,
	.filter_now = health_filter_now,
	.filter_help = "part of a check's name   Enter keep   Esc undo",
	.copies = health_copies,
	.refuse = health_refuse,
	.twin = "check health %f",
};
