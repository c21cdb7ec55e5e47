/* events - when a check went up and down here, and why: the newest first. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/core/sanitize.h"
#include "console/screens/ui.h"
#include "console/widgets/lines.h"

#define TIMEOUT_MS 5000u
#define LIMIT      1000u

struct events {
	struct lines lines;
	uint64_t request;
	bool loaded;
};

static void
came(void *arg, const Ns__Envelope *env, const struct ns_why *why)
{
	struct view *v = arg;
	struct events *e = v->state;

	e->request = 0;
	ui_dirty(v->ui, false);
	if (env == NULL) {
		ui_say_why(v->ui, why);
		return;
	}
	lines_clear(&e->lines);
	e->loaded = true;
	for (size_t i = 0; i < env->check_list_reply->n_flips; i++) {
		const Ns__CheckInfo__Flip *f = env->check_list_reply->flips[i];
		bool up = strcmp(f->state, "up") == 0;
		char *reason = sanitize_dup(f->reason, v->ui->ascii);
		char at[32];

		sanitize(at, sizeof at, f->at, true);
		lines_add(&e->lines, up ? UI_OK : UI_CRIT, "  %.10s %.8sZ  %-5s %s", at,
		    strlen(at) > 19 ? at + 11 : "", up ? "UP" : "DOWN", reason);
		free(reason);
	}
}

static void
events_open(struct view *v)
{
	(void)v;
}

static void
events_reload(struct view *v)
{
	struct events *e = v->state;
	Ns__CheckListRequest body = NS__CHECK_LIST_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	if (e->request != 0)
		return;
	body.name = v->object;
	body.history = true;
	body.limit = LIMIT;
	request.body_case = NS__ENVELOPE__BODY_CHECK_LIST_REQUEST;
	request.check_list_request = &body;
	e->request = ns_client_request(v->ui->client, &request, TIMEOUT_MS, came, v);
}

static void
events_close(struct view *v)
{
	struct events *e = v->state;

	if (e->request != 0)
		ns_client_cancel(v->ui->client, e->request);
	lines_clear(&e->lines);
}

static void
events_draw(struct view *v, struct rect r)
{
	struct events *e = v->state;
	struct surface *s = v->ui->surface;
	char name[UI_OBJECT];

	sanitize(name, sizeof name, v->object, v->ui->ascii);
	surface_putf(s, r.x + 1, r.y, r.w - 2, UI_TITLE, "Health > %s > events", name);
	surface_put_right(
	    s, r.x + r.w / 2, r.y, r.w / 2 - 1, UI_DIM, "as seen from this appliance");
	lines_draw(&e->lines, s, (struct rect){ r.x, r.y + 2, r.w, r.h - 2 });
	if (e->lines.n == 0)
		surface_put(s, r.x + 3, r.y + 2, r.w - 4, UI_DIM,
		    e->loaded ? "it has not flipped yet" : ui_loading(v));
}

static bool
events_act(struct view *v, enum ns_action_id id)
{
	return lines_act(&((struct events *)v->state)->lines, id);
}

const struct ns_screen_ops screen_events = {
	.name = "Events",
	.size = sizeof(struct events),
	.contexts = CTX_GLOBAL | CTX_TEXT,
	.open = events_open,
	.close = events_close,
	.reload = events_reload,
	.tick = events_reload,
	.draw = events_draw,
	.act = events_act,
	.twin = "check history %o",
};
