/* checkedit.c - see checkedit.h. */
#include "console/screens/checkedit.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/core/checkform.h"
#include "console/core/loop.h"
#include "console/core/sanitize.h"
#include "console/screens/checks.h"
#include "console/screens/checktry.h"
#include "console/screens/twin.h"
#include "console/widgets/form.h"
#include "ipc/base/xalloc.h"
#include "ipc/envelope.h"

#define TIMEOUT_MS  5000u
#define COMMIT_MS   15000u
#define DEBOUNCE_MS 150u
#define BELOW       5 /* rows below the form: hint, verdict */
#define NAME_MAX_IN 65u
#define WHY_MAX     640u
#define TEXT_MAX    4096u

struct checkedit {
	char name[128]; /* as the appliance has it; of a new one what is typed */
	bool fresh, loading, gone, dirty, sure;
	Ns__Check *check; /* NULL: not there yet */
	struct form form; /* the name, then the fields of its kind */
	const struct check_field **fields; /* of the form's, from the second on */
	uint64_t request;
	enum { CHECK_UNJUDGED, CHECK_ASKED, CHECK_GOOD, CHECK_BAD, CHECK_NO_LINK } verdict;
	char why[WHY_MAX], users[WHY_MAX];
	size_t wrong; /* field of the form; SIZE_MAX: none */
	struct checktry try; /* how what is typed looks from outside */
	int rows;
};

/* ---- the form ---- */
static void
show(struct view *v)
{
	struct checkedit *e = v->state;
	size_t focus = e->form.focus, n = 0;
	unsigned typed =
	    e->form.typed; /* the kind is chosen by its letters, and is what is shown */

	form_clear(&e->form);
	(void)form_add(&e->form, NAME_MAX_IN, e->name);
	e->form.list[0].fixed = !e->fresh;
	for (const struct check_field *f = check_fields; f->name != NULL; f++) {
		char *text;

		if (!check_has(e->check->type, f))
			continue;
		text = check_text(e->check, f);
		form_add(&e->form, TEXT_MAX,
		    f->choices != NULL && text[0] == '\0' ? f->choices[0] : text)
		    ->choices = f->choices;
		free(text);
		e->fields = xreallocarray(e->fields, n + 1, sizeof *e->fields);
		e->fields[n++] = f;
	}
	e->form.focus = focus < e->form.n ? focus : 0;
	e->form.typed = typed;
	if (e->form.list[e->form.focus].fixed)
		form_next(&e->form, 1);
}

/* ---- the appliance's verdict ---- */
static void
mark(struct checkedit *e, size_t field, const char *why, bool ascii)
{
	sanitize(e->why, sizeof e->why, why, ascii);
	e->wrong = field;
	if (field < e->form.n)
		e->form.list[field].error = e->why;
	e->verdict = CHECK_BAD;
}

static void
refused(struct view *v, const struct ns_why *why)
{
	struct checkedit *e = v->state;
	char text[WHY_MAX];
	size_t field = strcmp(why->field, "name") == 0 ? 0 : SIZE_MAX;

	for (size_t i = 1; i < e->form.n; i++)
		if (strcmp(e->fields[i - 1]->name, why->field) == 0)
			field = i;
	snprintf(text, sizeof text, "E%04u %s", why->code, why->text);
	mark(e, field, text, v->ui->ascii);
}

static void
judged(void *arg, const Ns__Envelope *env, const struct ns_why *why)
{
	struct view *v = arg;
	struct checkedit *e = v->state;

	e->request = 0;
	ui_dirty(v->ui, true);
	if (env != NULL)
		e->verdict = CHECK_GOOD;
	else if (why->err == NS_UNAVAILABLE)
		e->verdict = CHECK_NO_LINK;
	else
		refused(v, why);
}

static uint64_t
ask(struct view *v, bool plan, unsigned ms, ns_reply_fn *fn)
{
	struct checkedit *e = v->state;
	Ns__CheckSetRequest body = NS__CHECK_SET_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;
	uint64_t id;

	if (e->request != 0)
		ns_client_cancel(v->ui->client, e->request);
	body.name = e->name;
	body.check = check_own(e->check);
	request.body_case =
	    plan ? NS__ENVELOPE__BODY_CHECK_PLAN_REQUEST : NS__ENVELOPE__BODY_CHECK_SET_REQUEST;
	request.check_set_request = &body; /* the same message either way */
	id = ns_client_request(v->ui->client, &request, ms, fn, v);
	if (body.check != NULL)
		ns__check__free_unpacked(body.check, NULL);
	return id;
}

static void
settled(void *arg)
{
	struct view *v = arg;
	struct checkedit *e = v->state;

	if (e->verdict == CHECK_BAD) /* what is typed is no number */
		return;
	e->verdict = CHECK_ASKED;
	e->request = ask(v, true, TIMEOUT_MS, judged);
}

static void
changed(struct view *v)
{
	struct checkedit *e = v->state;
	size_t at = e->form.focus;
	const char *text = edit_text(&e->form.list[at].edit), *wants = NULL;
	char why[64];

	e->dirty = true;
	checktry_forget(&e->try);
	e->verdict = CHECK_UNJUDGED;
	e->wrong = SIZE_MAX;
	e->why[0] = '\0';
	for (size_t i = 0; i < e->form.n; i++)
		e->form.list[i].error = NULL;
	if (at == 0)
		snprintf(e->name, sizeof e->name, "%s", text);
	else
		wants = check_take(e->check, e->fields[at - 1], text);
	if (at == 1)
		show(v);
	snprintf(why, sizeof why, "E2214 %s", wants != NULL ? wants : "");
	if (wants != NULL)
		mark(e, at, why, v->ui->ascii);
	else if (v->ui->loop != NULL)
		loop_later(v->ui->loop, DEBOUNCE_MS, settled, v);
	else
		settled(v);
}

/* ---- what is there ---- */
static void
came(void *arg, const Ns__Envelope *env, const struct ns_why *why)
{
	struct view *v = arg;
	struct checkedit *e = v->state;
	const Ns__Check *c;

	e->request = 0;
	e->loading = false;
	ui_dirty(v->ui, true);
	if (env == NULL) {
		e->gone = why->err != NS_UNAVAILABLE;
		ui_say_why(v->ui, why);
		return;
	}
	c = env->check_list_reply->n_checks == 1 ? env->check_list_reply->checks[0]->definition
						 : NULL;
	e->gone = c == NULL;
	if (c == NULL)
		return;
	e->check = ns_message_copy(&c->base);
	if (e->fresh)
		e->name[0] = '\0';
	else
		checks_users(v->ui, env->check_list_reply->checks[0], e->users, sizeof e->users);
	show(v);
}

static void
load(struct view *v)
{
	struct checkedit *e = v->state;
	Ns__CheckListRequest body = NS__CHECK_LIST_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	body.name = e->name;
	request.body_case = NS__ENVELOPE__BODY_CHECK_LIST_REQUEST;
	request.check_list_request = &body;
	e->loading = true;
	e->request = ns_client_request(v->ui->client, &request, TIMEOUT_MS, came, v);
}

static struct checkedit *
open_editor(struct ui *ui, const char *name)
{
	size_t before = ui->n_views;

	ui_open(ui, &screen_checkedit, name);
	return ui->n_views > before ? ui_top(ui)->state : NULL;
}

void
checkedit_open(struct ui *ui, const char *name, bool clone)
{
	struct checkedit *e = open_editor(ui, name);

	if (e == NULL)
		return;
	e->fresh = clone;
	snprintf(e->name, sizeof e->name, "%s", name);
	load(ui_top(ui));
}

void
checkedit_new(struct ui *ui, const char *target)
{
	struct checkedit *e = open_editor(ui, NULL);
	const struct check_field *f = check_fields;
	unsigned char address[sizeof(struct in6_addr)];

	if (e == NULL)
		return;
	e->fresh = true;
	e->check = xmalloc(sizeof *e->check);
	ns__check__init(e->check);
	e->check->verify_tls = true;
	(void)check_take(e->check, check_fields, "https");
	while (strcmp(f->name, "target") != 0)
		f++;
	if (inet_pton(AF_INET, target, address) == 1 || inet_pton(AF_INET6, target, address) == 1)
		(void)check_take(e->check, f, target);
	show(ui_top(ui));
}

/* ---- life ---- */
static void
checkedit_init(struct view *v)
{
	((struct checkedit *)v->state)->wrong = SIZE_MAX;
}

static void
checkedit_close(struct view *v)
{
	struct checkedit *e = v->state;

	if (v->ui->loop != NULL)
		loop_later(v->ui->loop, 0, NULL, NULL);
	if (e->request != 0)
		ns_client_cancel(v->ui->client, e->request);
	checktry_forget(&e->try);
	if (e->check != NULL)
		ns__check__free_unpacked(e->check, NULL);
	form_clear(&e->form);
	free(e->fields);
}

static void
checkedit_reload(struct view *v)
{
	struct checkedit *e = v->state;

	if (e->check == NULL && !e->gone && e->request == 0 && e->name[0] != '\0')
		load(v);
	else if (e->verdict == CHECK_NO_LINK)
		settled(v);
}

/* ---- making it so ---- */
static void
made(void *arg, const Ns__Envelope *env, const struct ns_why *why)
{
	struct view *v = arg;
	struct checkedit *e = v->state;
	struct ui *ui = v->ui;

	e->request = 0;
	if (!ui_made(ui, env, why)) {
		if (why->err != NS_UNAVAILABLE)
			refused(v, why);
		return;
	}
	snprintf(ui->made_check, sizeof ui->made_check, "%.71s", e->fresh ? e->name : "");
	e->dirty = false;
	if (ui_top(ui) == v)
		ui_back(ui);
	ui->made_check[0] = '\0';
}

static void
make_it(void *arg)
{
	struct view *v = arg;
	struct checkedit *e = v->state;

	e->request = ask(v, false, COMMIT_MS, made);
}

static void
take_it(struct view *v)
{
	struct checkedit *e = v->state;
	struct ui *ui = v->ui;
	char text[160];

	if (!e->dirty) {
		ui_back(ui); /* and the view is gone */
		ui_say(ui, "Nothing was changed");
		return;
	}
	if (e->verdict == CHECK_BAD) {
		if (e->wrong < e->form.n)
			e->form.focus = e->wrong;
		ui_say(v->ui, "What is marked has to be mended first");
		return;
	}
	snprintf(text, sizeof text, "%s check %s?", e->fresh ? "Make" : "Change", e->name);
	ui_ask(v->ui, text, "It is so at once, on all appliances: checks are no part of a draft.",
	    NULL, make_it, v);
}

static void
leave_it(void *arg)
{
	ui_back(((struct view *)arg)->ui);
}

static bool
checkedit_leave(struct view *v)
{
	if (!((struct checkedit *)v->state)->dirty)
		return true;
	ui_ask(v->ui, "Leave this form? What is typed here is lost.", "", NULL, leave_it, v);
	return false;
}

static bool
checkedit_key(struct view *v, uint32_t key)
{
	struct checkedit *e = v->state;
	bool other = false, mine = false;

	if (e->check != NULL)
		mine = form_key(&e->form, key, &other);
	if (other)
		changed(v);
	return mine;
}

/* What is in force is looked at as a check; what is not yet, as it is typed. */
static void
look(struct view *v)
{
	struct checkedit *e = v->state;
	Ns__Check *def;

	if (!e->dirty && !e->fresh)
		(void)checks_act(v, ACT_PROBE, e->name);
	else if ((def = check_own(e->check)) != NULL)
		checktry_begin(&e->try, v, def);
}

static bool
checkedit_act(struct view *v, enum ns_action_id id)
{
	struct checkedit *e = v->state;

	if (e->check == NULL)
		return false;
	if (id == ACT_ACCEPT)
		take_it(v);
	else if (id == ACT_NEXT_FIELD || id == ACT_PREVIOUS_FIELD)
		form_next(&e->form, id == ACT_NEXT_FIELD ? 1 : -1);
	else if (id == ACT_PROBE)
		look(v);
	else
		return false;
	return true;
}

static const char *
checkedit_refuse(struct view *v, enum ns_action_id id)
{
	const struct checkedit *e = v->state;

	if (id == ACT_FORCE || id == ACT_OBJECT_HISTORY)
		return "leave the form first";
	return id == ACT_PROBE && e->verdict == CHECK_BAD ? "what is marked has to be mended first"
							  : NULL;
}

/* ---- drawing ---- */
static const char *
title_of(const struct checkedit *e, size_t i)
{
	return i == 0 ? "Name" : e->fields[i - 1]->title;
}

/* Fields flow from left to right; an error has the row below its field. */
static void
lay_out(struct checkedit *e, int w)
{
	int x = 1, y = 0, wrong_y = -1;

	for (size_t i = 0; i < e->form.n; i++) {
		struct form_field *f = &e->form.list[i];
		int label = (int)strlen(title_of(e, i)) + 1,
		    box = i == 0 ? 34 : e->fields[i - 1]->width;

		if (box > w - label - 3)
			box = w - label - 3 > 6 ? w - label - 3 : 6;
		if (x > 1 && x + label + box + 1 > w) {
			x = 1;
			y += wrong_y == y ? 2 : 1;
		}
		f->x = x + label;
		f->y = y;
		f->w = box;
		x += label + box + 2;
		if (i == e->wrong)
			wrong_y = y;
		if (i == 1 || i == 0) { /* what it is stands alone; its kind says what follows */
			x = 1;
			y += wrong_y == y ? 2 : 1;
		}
	}
	e->rows = y + 2;
}

static void
draw_fields(struct view *v, struct rect r)
{
	struct checkedit *e = v->state;
	struct surface *s = v->ui->surface;

	for (size_t i = 0; i < e->form.n; i++) {
		const struct form_field *f = &e->form.list[i];
		int y = f->y - e->form.top, label = (int)strlen(title_of(e, i));

		if (y < 0 || y >= r.h)
			continue;
		surface_put(s, r.x + f->x - label - 1, r.y + y, label, UI_TEXT, title_of(e, i));
		if (i == 1)
			surface_put(s, r.x + f->x + f->w + 2, r.y + y, r.w - f->x - f->w - 3,
			    UI_DIM, check_about(e->check->type));
		if (i != e->wrong || y + 1 >= r.h)
			continue;
		int x = f->x + 1, long_x = r.w - 3 - text_width(e->why);

		x = x > long_x ? long_x > 1 ? long_x : 1 : x;
		surface_put(s, r.x + x, r.y + y + 1, 1, UI_CRIT, s->ascii ? "^" : "└");
		surface_put(s, r.x + x + 2, r.y + y + 1, r.w - x - 2, UI_CRIT, e->why);
	}
	form_draw(&e->form, s, r);
}

static void
draw_below(struct view *v, struct rect r)
{
	struct checkedit *e = v->state;
	struct surface *s = v->ui->surface;
	static const char *const says[] = { "", "being checked", "can be made so", "",
		"not checked: no link" };

	if (e->form.n > 0)
		surface_put(s, r.x + 1, r.y, r.w - 2, UI_DIM,
		    e->form.focus == 0 ? "1 to 64 letters, digits, dots, - and _"
				       : e->fields[e->form.focus - 1]->hint);
	if (e->verdict == CHECK_BAD && e->wrong == SIZE_MAX) {
		surface_put(s, r.x + 1, r.y + 1, 8, UI_TEXT, "Refused");
		(void)surface_wrap(
		    s, (struct rect){ r.x + 10, r.y + 1, r.w - 11, 2 }, UI_CRIT, e->why);
		return;
	}
	checktry_draw(&e->try, (struct rect){ r.x + 1, r.y + 2, r.w - 2, r.h - 2 });
	surface_put(s, r.x + 1, r.y + 1, 8, UI_TEXT, says[e->verdict][0] != '\0' ? "Result" : "");
	surface_put(s, r.x + 10, r.y + 1, r.w - 11, e->verdict == CHECK_GOOD ? UI_OK : UI_DIM,
	    says[e->verdict]);
}

static void
checkedit_draw(struct view *v, struct rect r)
{
	struct checkedit *e = v->state;
	struct surface *s = v->ui->surface;
	int below = BELOW + (e->try.n > 2 ? (int)e->try.n - 2 : 0);
	struct rect body = { r.x, r.y + 2, r.w, r.h - 2 - below };
	char safe[256];

	sanitize(safe, sizeof safe, e->name, v->ui->ascii);
	surface_putf(s, r.x + 1, r.y, r.w - 22, UI_TITLE, "Health > %s %s",
	    e->fresh ? "new check" : "edit", safe);
	surface_put_right(s, r.x + r.w - 20, r.y, 19, UI_DIM, e->dirty ? "not made so yet" : "");
	surface_put(s, r.x + 1, r.y + 1, r.w - 2, UI_DIM, e->users);
	if (e->check == NULL) {
		surface_put(s, r.x + 3, r.y + 2, r.w - 4, UI_DIM,
		    e->gone ? "there is no such check any more" : ui_loading(v));
		return;
	}
	lay_out(e, r.w);
	form_show(
	    &e->form, e->form.list[e->form.focus].y + (e->form.focus == e->wrong), e->rows, body.h);
	draw_fields(v, body);
	draw_below(v, (struct rect){ r.x, r.y + r.h - below + 1, r.w, below - 1 });
}

/* What Ctrl-S does; of what is in force, what it is. */
static void
checkedit_twin(struct view *v, struct wbuf *w)
{
	struct checkedit *e = v->state;
	char *json = e->check != NULL && (e->dirty || e->fresh) ? check_json(e->check) : NULL;

	if (e->check == NULL)
		return;
	twin_word(w, "check");
	twin_word(w, json != NULL ? "set" : "show");
	twin_word(w, e->name);
	if (json != NULL) {
		twin_word(w, "-");
		wbuf_put(w, " <<<", 4);
		twin_word(w, json);
	}
	free(json);
}

const struct ns_screen_ops screen_checkedit = {
	.name = "Check editor",
	.size = sizeof(struct checkedit),
	.contexts = CTX_GLOBAL | CTX_FORM | CTX_CHECKS,
	.open = checkedit_init,
	.close = checkedit_close,
	.reload = checkedit_reload,
	.draw = checkedit_draw,
	.act = checkedit_act,
	.key = checkedit_key,
	.refuse = checkedit_refuse,
	.leave = checkedit_leave,
	.twin_words = checkedit_twin,
};
