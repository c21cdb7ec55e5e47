/* ask.c - see ask.h. */
#include "console/screens/ask.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/core/sanitize.h"
#include "console/widgets/form.h"
#include "console/widgets/lines.h"
#include "ipc/base/xalloc.h"

#define LABEL_W    12
#define FIELD_W    56
#define CHOICE_W   20
#define TIMEOUT_MS 15000u

struct asking {
	char title[UI_OBJECT];
	struct ask_what what;
	struct form form;
	struct lines notes;
	const char *wrong;
	bool sent;
};

struct view *
ask_open(struct ui *ui, const struct ask_what *what)
{
	struct view *v;
	struct asking *a;

	ui_open(ui, &screen_ask, what->object);
	v = ui_top(ui);
	if (v->ops != &screen_ask)
		return NULL;
	a = v->state;
	a->what = *what;
	sanitize(a->title, sizeof a->title, what->title, ui->ascii);
	form_clear(&a->form);
	for (size_t i = 0; i < what->n && i < ASK_FIELDS; i++) {
		const struct ask_field *in = &what->fields[i];
		struct form_field *f =
		    form_add(&a->form, in->max != 0 ? in->max : CHOICE_W, in->text);

		f->choices = in->choices;
		f->x = LABEL_W;
		f->y = (int)i;
		f->w = in->choices != NULL ? CHOICE_W : FIELD_W;
	}
	return v;
}

void
ask_note(struct view *v, enum ui_role role, const char *fmt, ...)
{
	struct asking *a = v->state;
	va_list ap;

	va_start(ap, fmt);
	lines_add_foreign(&a->notes, role, v->ui->ascii, fmt, ap);
	va_end(ap);
}

unsigned
ask_flags(const struct view *v)
{
	return ((const struct asking *)v->state)->what.flags;
}

const char *
ask_text(struct view *v, size_t field)
{
	struct asking *a = v->state;

	return field < a->form.n ? edit_text(&a->form.list[field].edit) : "";
}

static void
forget_wrong(struct asking *a)
{
	a->wrong = NULL;
	for (size_t i = 0; i < a->form.n; i++)
		a->form.list[i].error = NULL;
}

void
ask_wrong(struct view *v, size_t field, const char *why)
{
	struct asking *a = v->state;

	forget_wrong(a);
	a->wrong = a->form.list[field].error = why;
	a->form.focus = field;
}

/* ---- the answer ---- */
/* It may come when the form is long closed: what was sent is sent. */
static void
answered(void *arg, const Ns__Envelope *env, const struct ns_why *why)
{
	struct ui *ui = arg;
	struct view *top = ui_top(ui);
	bool here = top != NULL && top->ops == &screen_ask && ((struct asking *)top->state)->sent;

	if (here && env == NULL)
		((struct asking *)top->state)->sent = false;
	else if (here)
		ui_back(ui);
	(void)ui_made(ui, env, why);
}

void
ask_send(struct view *v, Ns__Envelope *request)
{
	((struct asking *)v->state)->sent = true;
	ui_say(v->ui, "Asked; waiting for the answer");
	ns_client_request(v->ui->client, request, TIMEOUT_MS, answered, v->ui);
}

/* ---- the screen ---- */
static void
ask_init(struct view *v)
{
	(void)v;
}

static void
ask_close(struct view *v)
{
	struct asking *a = v->state;

	form_clear(&a->form);
	lines_clear(&a->notes);
}

static void
ask_reload(struct view *v)
{
	(void)v; /* it is the operator's */
}

static void
ask_draw(struct view *v, struct rect r)
{
	struct asking *a = v->state;
	struct surface *s = v->ui->surface;
	struct rect fields = { r.x, r.y + 2, r.w, (int)a->form.n };
	int y = r.y + 3 + (int)a->form.n;
	const char *hint = a->form.focus < a->what.n ? a->what.fields[a->form.focus].hint : NULL;

	surface_put(s, r.x + 1, r.y, r.w - 2, UI_TITLE, a->title);
	for (size_t i = 0; i < a->form.n; i++) {
		struct form_field *f = &a->form.list[i];

		surface_put(
		    s, r.x + 1, fields.y + (int)i, LABEL_W - 1, UI_TEXT, a->what.fields[i].label);
		if (f->choices == NULL)
			f->w = r.w - LABEL_W - 2 < FIELD_W ? r.w - LABEL_W - 2 : FIELD_W;
	}
	form_draw(&a->form, s, fields);
	if (a->wrong != NULL)
		surface_put(s, r.x + LABEL_W, y - 1, r.w - LABEL_W - 1, UI_CRIT, a->wrong);
	else if (hint != NULL)
		surface_put(s, r.x + LABEL_W, y - 1, r.w - LABEL_W - 1, UI_DIM, hint);
	for (size_t i = 0; i < a->notes.n && y < r.y + r.h; i++) {
		int w = r.w - 2, used;

		y++;
		used = surface_wrap(s, (struct rect){ r.x + 1, y, w, r.y + r.h - y },
		    a->notes.list[i].role, a->notes.list[i].text);
		y += used > 1 ? used - 1 : 0;
	}
}

static bool
ask_act(struct view *v, enum ns_action_id id)
{
	struct asking *a = v->state;

	if (id == ACT_NEXT_FIELD || id == ACT_PREVIOUS_FIELD) {
		form_next(&a->form, id == ACT_NEXT_FIELD ? 1 : -1);
		return true;
	}
	if (id != ACT_ACCEPT)
		return false;
	forget_wrong(a);
	if (a->what.accept != NULL)
		a->what.accept(v);
	return true;
}

static bool
ask_key(struct view *v, uint32_t key)
{
	struct asking *a = v->state;
	bool changed, mine = form_key(&a->form, key, &changed);

	if (changed)
		forget_wrong(a);
	return mine;
}

static const char *
ask_field(struct view *v)
{
	return form_text(&((struct asking *)v->state)->form);
}

static const char *
ask_refuse(struct view *v, enum ns_action_id id)
{
	return id == ACT_ACCEPT && ((struct asking *)v->state)->sent ? "it was asked already"
								     : NULL;
}

const struct ns_screen_ops screen_ask = {
	.name = "Ask",
	.size = sizeof(struct asking),
	.contexts = CTX_GLOBAL | CTX_FORM | CTX_PLAIN,
	.open = ask_init,
	.close = ask_close,
	.reload = ask_reload,
	.draw = ask_draw,
	.act = ask_act,
	.key = ask_key,
	.field = ask_field,
	.refuse = ask_refuse,
};
