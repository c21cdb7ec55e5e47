/* check - one check: how each appliance sees it, its last looks, what happened to it.
 *
 * The looks of the appliance that we are connected to are its own; those of the others are noted here as they come,
 * for as long as the screen is open. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/core/sanitize.h"
#include "console/screens/checks.h"
#include "console/screens/copy.h"
#include "console/screens/votes.h"
#include "console/widgets/table.h"
#include "ipc/base/xalloc.h"

#define LOOKS     60u
#define NARROW    16u
#define WIDE_FROM 116
#define EVENTS    4u
#define SAME_MS   400 /* a look that is told anew is of the same time, to that */
#define TEXT      1024u

struct vote_row {
	char *pop, *site, *error;
	char letter;
	double rtt_ms, age_s;
	uint32_t looks[LOOKS];
	size_t n;
	int64_t looked_ms; /* monotonic; of the newest one */
};

struct check {
	struct ns_table table;
	struct vote_row *rows;
	size_t n;
	uint64_t request;
	bool loaded, gone;
	char title[TEXT], state[TEXT], why[TEXT], used[TEXT];
	enum ui_role role;
	struct {
		char text[256];
		bool up;
	} events[EVENTS];
	size_t n_events;
	char cell[4 * LOOKS + 1];
};

static void
row_drop(struct vote_row *r)
{
	free(r->pop);
	free(r->site);
	free(r->error);
}

static void
clear(struct vote_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		row_drop(&rows[i]);
	free(rows);
}

/* ---- what comes ---- */
static void
note_look(struct vote_row *r, const Ns__CheckInfo__Vote *v, uint64_t now_ms)
{
	int64_t at = (int64_t)now_ms - (int64_t)(v->age_s * 1000);
	uint32_t us = (uint32_t)(v->rtt_ms * 1000);

	if (r->letter == '?' || r->letter == '-' || at - r->looked_ms < SAME_MS)
		return;
	r->looked_ms = at;
	if (r->n == LOOKS)
		memmove(r->looks, r->looks + 1, (--r->n) * sizeof *r->looks);
	r->looks[r->n++] = r->letter == 'd' ? 0 : us > 0 ? us : 1;
}

static void
take_vote(struct view *v, const Ns__CheckInfo *info, size_t i, struct vote_row *r)
{
	const struct check *c = v->state;
	const Ns__CheckInfo__Vote *in = info->votes[i];

	r->pop = sanitize_dup(in->appliance, v->ui->ascii);
	r->site = sanitize_dup(in->site, v->ui->ascii);
	r->letter = votes_letter(in);
	r->error = sanitize_dup(r->letter == 'U' ? "-" : in->reason, v->ui->ascii);
	r->rtt_ms = in->rtt_ms;
	r->age_s = in->age_s;
	if (in->heard_s == 0 && info->n_looks > 0) {
		r->n = info->n_looks < LOOKS ? info->n_looks : LOOKS;
		memcpy(r->looks, info->looks + info->n_looks - r->n, r->n * sizeof *r->looks);
		return;
	}
	for (size_t k = 0; k < c->n; k++)
		if (strcmp(c->rows[k].pop, r->pop) == 0) {
			memcpy(r->looks, c->rows[k].looks, sizeof r->looks);
			r->n = c->rows[k].n;
			r->looked_ms = c->rows[k].looked_ms;
		}
	note_look(r, in, v->ui->mono_ms);
}

static void
take_votes(struct view *v, const Ns__CheckInfo *info)
{
	struct check *c = v->state;
	struct vote_row *rows = xcalloc(info->n_votes + 1, sizeof *rows);

	for (size_t i = 0; i < info->n_votes; i++)
		take_vote(v, info, i, &rows[i]);
	clear(c->rows, c->n);
	c->rows = rows;
	c->n = info->n_votes;
}

static unsigned
flips_of_an_hour(const struct ui *ui, const Ns__CheckInfo *info)
{
	unsigned n = 0;

	for (size_t i = 0; i < info->n_flips; i++) {
		char ago[16];

		ui_ago(ui, info->flips[i]->at, ago);
		n += strpbrk(ago, "hd-") == NULL;
	}
	return n;
}

static void
take_texts(struct view *v, const Ns__CheckInfo *info)
{
	struct check *c = v->state;
	const Ns__Check *d = info->definition;
	char text[TEXT], since[16];
	const char *word = level_word(votes_level(info), &c->role);

	ui_when(info->since, since);
	snprintf(text, sizeof text, "%s %s%s%.0u%s%s%s", info->type, info->target,
	    d != NULL && d->port != 0 ? ":" : "", d != NULL ? d->port : 0, d != NULL ? d->path : "",
	    d != NULL && d->host[0] != '\0' ? "  Host " : "", d != NULL ? d->host : "");
	if (d != NULL && d->interval > 0)
		snprintf(text + strlen(text), sizeof text - strlen(text),
		    "   every %gs  timeout %gs", d->interval, d->timeout);
	sanitize(c->title, sizeof c->title, text, v->ui->ascii);
	if (info->needed > 0)
		snprintf(text, sizeof text, "%s since %sZ   up %u/%zu   quorum %u   flips %u/1h",
		    word, since, votes_up(info), info->n_votes, info->needed,
		    flips_of_an_hour(v->ui, info));
	else
		snprintf(text, sizeof text, "%s since %sZ   flips %u/1h", word, since,
		    flips_of_an_hour(v->ui, info));
	sanitize(c->state, sizeof c->state, text, v->ui->ascii);
	if (info->override != NULL)
		snprintf(text, sizeof text, "FORCED %s by %s%s%.16s: %s", info->override->state,
		    info->override->author, info->override->until[0] != '\0' ? " until " : "",
		    info->override->until, info->override->reason);
	else
		snprintf(text, sizeof text, "%s%s", info->reason,
		    info->frozen  ? "  FROZEN: too little of the fleet is heard"
		    : info->stale ? "  STALE: too few votes to change anything"
				  : "");
	sanitize(c->why, sizeof c->why, text, v->ui->ascii);
}

static void
take_users(struct view *v, const Ns__CheckInfo *info)
{
	struct check *c = v->state;
	char text[TEXT];
	size_t n;

	n = (size_t)snprintf(
	    text, sizeof text, "%s", info->n_used_by == 0 ? "no policy uses it" : "used by");
	for (size_t i = 0; i < info->n_used_by && n + UI_OBJECT / 4 < sizeof text; i++)
		n += (size_t)snprintf(text + n, sizeof text - n, " %.*s",
		    ui_name_len(info->used_by[i]) < 255 ? ui_name_len(info->used_by[i]) : 255,
		    info->used_by[i]);
	if (info->used_count > info->n_used_by)
		snprintf(text + n, sizeof text - n, " (%llu in all)",
		    (unsigned long long)info->used_count);
	sanitize(c->used, sizeof c->used, text, v->ui->ascii);
}

static void
take_events(struct view *v, const Ns__CheckInfo *info)
{
	struct check *c = v->state;

	for (c->n_events = 0; c->n_events < EVENTS && c->n_events < info->n_flips; c->n_events++) {
		const Ns__CheckInfo__Flip *f = info->flips[c->n_events];
		bool up = strcmp(f->state, "up") == 0;
		char text[256], when[16];

		ui_when(f->at, when);
		snprintf(text, sizeof text, "%s  %-4s  %s", when, up ? "UP" : "DOWN", f->reason);
		sanitize(c->events[c->n_events].text, sizeof c->events[0].text, text, v->ui->ascii);
		c->events[c->n_events].up = up;
	}
}

static void
came(void *arg, const Ns__Envelope *env, const struct ns_why *why)
{
	struct view *v = arg;
	struct check *c = v->state;

	c->request = 0;
	ui_dirty(v->ui, false);
	if (env == NULL) {
		if (why->err == NS_NOTFOUND)
			c->gone = true;
		else
			ui_say_why(v->ui, why);
		return;
	}
	if (env->check_list_reply->n_checks != 1)
		return;
	ui_live(v);
	c->loaded = true;
	c->gone = false;
	take_votes(v, env->check_list_reply->checks[0]);
	take_texts(v, env->check_list_reply->checks[0]);
	take_users(v, env->check_list_reply->checks[0]);
	take_events(v, env->check_list_reply->checks[0]);
}

/* ---- life ---- */
static const struct table_column columns[] = { { "POP", 12, 1, false, 0 },
	{ "SITE", 8, 0, false, 100 }, { "VOTE", 4, 0, false, 0 }, { "RTT ms", 7, 0, true, 0 },
	{ "LAST LOOKS", 16, 0, false, 70 }, { "LAST ERROR", 14, 3, false, 0 },
	{ "AGE", 4, 0, true, 0 }, { NULL, 0, 0, false, 0 } };
static const struct table_column wide[] = { { "POP", 12, 1, false, 0 }, { "SITE", 8, 0, false, 0 },
	{ "VOTE", 4, 0, false, 0 }, { "RTT ms", 7, 0, true, 0 }, { "LAST LOOKS", 48, 0, false, 0 },
	{ "LAST ERROR", 14, 3, false, 0 }, { "AGE", 4, 0, true, 0 }, { NULL, 0, 0, false, 0 } };

static void
check_open(struct view *v)
{
	((struct check *)v->state)->table.columns = columns;
}

static void
check_reload(struct view *v)
{
	struct check *c = v->state;

	if (c->request == 0)
		c->request = checks_ask(v, v->object, came);
}

static void
check_close(struct view *v)
{
	struct check *c = v->state;

	if (c->request != 0)
		ns_client_cancel(v->ui->client, c->request);
	clear(c->rows, c->n);
}

/* ---- drawing ---- */
static const char *
cell(void *arg, size_t row, unsigned column, enum ui_role *role)
{
	struct view *v = arg;
	struct check *c = v->state;
	const struct vote_row *r = &c->rows[row];
	bool up = r->letter == 'U';

	switch (column) {
	case 0:
		return r->pop;
	case 1:
		return r->site;
	case 2:
		*role = (up ? UI_OK : r->letter == 'd' ? UI_CRIT : UI_WARN) | UI_LIVE;
		snprintf(c->cell, sizeof c->cell, "%c", r->letter);
		return c->cell;
	case 3:
		if (!up || r->rtt_ms <= 0)
			return "-";
		*role = UI_TEXT | UI_LIVE;
		snprintf(c->cell, sizeof c->cell, "%.1f", r->rtt_ms);
		return c->cell;
	case 4:
		*role = UI_GRAPH;
		votes_spark(v->ui->glyphs, r->looks, r->n, (size_t)c->table.columns[4].width,
		    c->cell, sizeof c->cell);
		return c->cell;
	case 5:
		*role = r->letter == '?' ? UI_OLD : up ? UI_DIM : UI_CRIT;
		return r->error;
	default:
		*role = UI_TEXT | UI_LIVE;
		snprintf(c->cell, sizeof c->cell, r->age_s < 600 ? "%.0fs" : "old", r->age_s);
		return c->cell;
	}
}

static void
draw_events(struct view *v, struct rect r)
{
	struct check *c = v->state;
	struct surface *s = v->ui->surface;

	surface_put(s, r.x + 1, r.y, 8, UI_HEAD, "EVENTS");
	for (size_t i = 0; i < c->n_events && (int)i < r.h; i++)
		surface_put(s, r.x + 9, r.y + (int)i, r.w - 10, c->events[i].up ? UI_OK : UI_CRIT,
		    c->events[i].text);
	if (c->n_events == 0)
		surface_put(s, r.x + 9, r.y, r.w - 10, UI_DIM, "none");
}

static void
check_draw(struct view *v, struct rect r)
{
	struct check *c = v->state;
	struct surface *s = v->ui->surface;
	char name[UI_OBJECT];
	int x = r.x + 1, events = r.h >= 14 ? 1 + (int)EVENTS : 0;

	sanitize(name, sizeof name, v->object, v->ui->ascii);
	x += surface_put(s, x, r.y, 9, UI_TITLE, "Health > ");
	x += surface_put(s, x, r.y, r.w / 3, UI_TITLE, name);
	if (!c->loaded) {
		surface_put(s, r.x + 3, r.y + 2, r.w - 4, UI_DIM,
		    c->gone ? "there is no such check any more" : ui_loading(v));
		return;
	}
	surface_put(s, x + 3, r.y, r.w - x - 4, UI_TEXT, c->title);
	surface_put(s, r.x + 1, r.y + 1, r.w - 2, c->role | UI_LIVE, c->state);
	surface_put(s, r.x + 1, r.y + 2, r.w - 2, UI_TEXT | UI_LIVE, c->why);
	surface_put(s, r.x + 1, r.y + 3, r.w - 2, UI_DIM, c->used);
	c->table.columns = r.w >= WIDE_FROM ? wide : columns;
	ns_table_draw(
	    &c->table, s, (struct rect){ r.x, r.y + 4, r.w, r.h - 4 - events }, c->n, cell, v);
	if (c->n == 0)
		surface_put(s, r.x + 3, r.y + 5, r.w - 4, UI_DIM, "it is not voted on");
	if (events > 0)
		draw_events(v, (struct rect){ r.x, r.y + r.h - events + 1, r.w, events - 1 });
}

static bool
check_act(struct view *v, enum ns_action_id id)
{
	struct check *c = v->state;

	return ns_table_act(&c->table, id, c->n) || checks_act(v, id, v->object);
}

static void
check_copies(struct view *v, struct copies *c)
{
	char name[UI_OBJECT];

	sanitize(name, sizeof name, v->object, v->ui->ascii);
	copies_add(c, "name", xstrdup(name));
	copies_add(c, "command", xasprintf("nameserve check show %s", name));
}

static const char *
check_refuse(struct view *v, enum ns_action_id id)
{
	const struct check *c = v->state;

	return c->gone && id != ACT_ADD && ns_action_of(id)->writes
		   ? "there is no such check any more"
		   : NULL;
}

const struct ns_screen_ops screen_check = {
	.name = "Check",
	.size = sizeof(struct check),
	.contexts = CTX_GLOBAL | CTX_LIST | CTX_CHECKS | CTX_ROWS,
	.open = check_open,
	.close = check_close,
	.reload = check_reload,
	.tick = check_reload,
	.draw = check_draw,
	.act = check_act,
	.copies = check_copies,
	.refuse = check_refuse,
	.twin = "check show %o",
};
