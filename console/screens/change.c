/* change.c - one change: who, when, why, and what it did to each zone. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/core/sanitize.h"
#include "console/screens/changepane.h"
#include "console/screens/drafts.h"
#include "console/widgets/lines.h"

#define TIMEOUT_MS 5000u

struct change {
	struct lines lines;
	char title[512], places[512];
	uint64_t request;
	bool loaded;
	size_t n_zones;
	char zone[UI_OBJECT]; /* of the first */
	uint32_t serial; /* that it had after it */
};

static void
add_zone(struct view *v, const Ns__HistoryShowReply__ZoneDiff *d)
{
	struct change *c = v->state;
	char zone[UI_OBJECT];

	sanitize(zone, sizeof zone, d->zone, v->ui->ascii);
	lines_add(&c->lines, UI_TITLE, " %s   %u -> %u", zone, d->serial_before, d->serial_after);
	change_lines(v, &c->lines, d);
	lines_add(&c->lines, UI_TEXT, "%s", "");
}

/* RRsets, as in the list; of what is too large to count them, records. */
static void
count(const Ns__Change *ch, char out[80])
{
	out[0] = '\0';
	if (ch->rrsets != NULL)
		snprintf(out, 80, "  +%llu -%llu ~%llu", (unsigned long long)ch->rrsets->added,
		    (unsigned long long)ch->rrsets->removed,
		    (unsigned long long)ch->rrsets->changed);
	else if (ch->zone_count > 0)
		snprintf(out, 80, "  +%llu -%llu records", (unsigned long long)ch->added,
		    (unsigned long long)ch->removed);
}

static void
take(struct view *v, const Ns__HistoryShowReply *r)
{
	struct change *c = v->state;
	const Ns__Change *ch = r->change;
	char text[800] = "", when[16], counts[80];

	if (ch != NULL) {
		ui_when(ch->at, when);
		count(ch, counts);
		snprintf(text, sizeof text, "%s  by %s via %s%s%s%s%s  %s%s%s%s%s", when,
		    ch->author, ch->via, ch->source[0] != '\0' ? " from " : "", ch->source,
		    ch->appliance[0] != '\0' ? " at " : "", ch->appliance, ch->kind, counts,
		    ch->comment[0] != '\0' ? "  \"" : "", ch->comment,
		    ch->comment[0] != '\0' ? "\"" : "");
	}
	sanitize(c->title, sizeof c->title, text, v->ui->ascii);
	snprintf(text, sizeof text, "served by %zu%s%s", r->n_served_by,
	    r->n_behind > 0 ? ", behind: " : "", r->n_behind > 0 ? r->behind[0] : "");
	sanitize(c->places, sizeof c->places, text, v->ui->ascii);
	lines_clear(&c->lines);
	for (size_t i = 0; i < r->n_diffs; i++)
		add_zone(v, r->diffs[i]);
	if (r->n_diffs == 0)
		lines_add(&c->lines, UI_DIM, "   no zone's records were changed");
	c->n_zones = r->n_diffs;
	c->zone[0] = '\0';
	if (r->n_diffs > 0) {
		snprintf(c->zone, sizeof c->zone, "%s", r->diffs[0]->zone);
		c->serial = r->diffs[0]->serial_after;
	}
	c->loaded = true;
}

static void
came(void *arg, const Ns__Envelope *env, const struct ns_why *why)
{
	struct view *v = arg;
	struct change *c = v->state;

	c->request = 0;
	if (env == NULL)
		ui_say_why(v->ui, why);
	else
		take(v, env->history_show_reply);
	ui_dirty(v->ui, true);
}

static void
change_open(struct view *v)
{
	(void)v;
}

static void
change_reload(struct view *v)
{
	struct change *c = v->state;
	Ns__HistoryShowRequest body = NS__HISTORY_SHOW_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	if (c->request != 0)
		return;
	body.revision = strtoull(v->object, NULL, 10);
	request.body_case = NS__ENVELOPE__BODY_HISTORY_SHOW_REQUEST;
	request.history_show_request = &body;
	c->request = ns_client_request(v->ui->client, &request, TIMEOUT_MS, came, v);
}

static void
change_close(struct view *v)
{
	struct change *c = v->state;

	if (c->request != 0)
		ns_client_cancel(v->ui->client, c->request);
	lines_clear(&c->lines);
}

static void
change_draw(struct view *v, struct rect r)
{
	struct change *c = v->state;
	struct surface *s = v->ui->surface;

	surface_putf(s, r.x + 1, r.y, r.w - 2, UI_TITLE, "History > change %s", v->object);
	if (c->loaded)
		surface_put_right(s, r.x + r.w / 2, r.y, r.w / 2 - 1, UI_DIM, c->places);
	surface_put(s, r.x + 1, r.y + 1, r.w - 2, UI_TEXT, c->loaded ? c->title : ui_loading(v));
	lines_draw(&c->lines, s, (struct rect){ r.x, r.y + 3, r.w, r.h - 3 });
}

static void
restore(struct view *v)
{
	struct change *c = v->state;
	Ns__RewindRequest body = NS__REWIND_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;
	char comment[48];

	body.zone = c->zone;
	body.serial = c->serial;
	body.draft = true;
	request.body_case = NS__ENVELOPE__BODY_REWIND_REQUEST;
	request.rewind_request = &body;
	snprintf(comment, sizeof comment, "back to serial %u", c->serial);
	drafts_ask(v->ui, &request, comment);
}

static const char *
change_refuse(struct view *v, enum ns_action_id id)
{
	struct change *c = v->state;

	if (id == ACT_REVERT)
		return c->loaded ? NULL : "it is not loaded yet";
	if (id != ACT_RESTORE)
		return NULL;
	return !c->loaded        ? "it is not loaded yet"
	       : c->n_zones == 0 ? "no zone's records were changed"
	       : c->n_zones > 1  ? "it changed several zones: nameserve restore ZONE --to SERIAL"
				 : NULL;
}

static bool
change_act(struct view *v, enum ns_action_id id)
{
	if (id == ACT_REVERT)
		drafts_revert(v->ui, strtoull(v->object, NULL, 10));
	else if (id == ACT_RESTORE)
		restore(v);
	else
		return lines_act(&((struct change *)v->state)->lines, id);
	return true;
}

static bool
change_search(struct view *v, const char *text, size_t *at, int by)
{
	return search_lines(&((struct change *)v->state)->lines, text, at, by);
}

const struct ns_screen_ops screen_change = {
	.name = "Change",
	.size = sizeof(struct change),
	.contexts = CTX_GLOBAL | CTX_TEXT | CTX_CHANGES | CTX_SEARCH,
	.search = change_search,
	.open = change_open,
	.close = change_close,
	.reload = change_reload,
	.draw = change_draw,
	.act = change_act,
	.refuse = change_refuse,
	.twin = "history show %o",
};
