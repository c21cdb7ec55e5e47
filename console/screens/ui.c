/* ui.c - see ui.h: the stack of screens, and keys.  The frame is drawn in frame.c, the appliance's state kept in
 * appliance.c. */
#include "console/screens/ui.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/core/key.h"
#include "console/core/loop.h"
#include "console/core/memo.h"
#include "console/core/sanitize.h"
#include "console/screens/bulk.h"
#include "console/screens/drafts.h"
#include "console/screens/fieldedit.h"
#include "console/screens/textedit.h"
#include "ipc/base/clock.h"
#include "ipc/base/xalloc.h"

#define INTERRUPT_MS 2000u
#define REFRESH_MIN  250u
#define REFRESH_MAX  16000u

/* ---- for screens ---- */

struct view *
ui_top(const struct ui *ui)
{
	return ui->n_views > 0 ? ui->views[ui->n_views - 1] : NULL;
}

void
ui_dirty(struct ui *ui, bool now)
{
	if (ui->loop == NULL)
		return;
	if (now)
		loop_dirty_now(ui->loop);
	else
		loop_dirty(ui->loop);
}

void
ui_say(struct ui *ui, const char *fmt, ...)
{
	char text[RING_TEXT];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	sanitize(ui->message, sizeof ui->message, text, ui->ascii);
	message_add(&ui->ring, ui->wall_ms, text);
	ui_dirty(ui, false);
}

void
ui_say_why(struct ui *ui, const struct ns_why *why)
{
	const char *text = why->text[0] != '\0' ? why->text : ns_err_text(why->err);

	if (why->err == NS_UNAVAILABLE) /* the banner says it */
		return;
	if (why->code != 0)
		ui_say(ui, "E%04u %s", why->code, text);
	else
		ui_say(ui, "%s", text);
}

int
ui_name_len(const char *name)
{
	size_t n = strlen(name);

	return (int)(n > 1 && name[n - 1] == '.' && name[n - 2] != '\\' ? n - 1 : n);
}

void
ui_when(const char *at, char out[16])
{
	if (strlen(at) >= 19)
		snprintf(out, 16, "%.2s %.8s", at + 8, at + 11);
	else
		snprintf(out, 16, "-");
}

/* Days since 1970 of a date (Howard Hinnant's count). */
static int64_t
days_of(int y, int m, int d)
{
	y -= m <= 2;
	int64_t era = y / 400, yoe = y - era * 400,
		doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;

	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

void
ui_ago(const struct ui *ui, const char *at, char out[16])
{
	static const struct {
		int64_t s;
		const char *unit;
	} units[] = { { 86400, "d" }, { 3600, "h" }, { 60, "m" }, { 1, "s" } };
	int y, mo, d, h, mi, s;

	snprintf(out, 16, "-");
	if (strlen(at) < 19)
		return;
	y = atoi(at), mo = atoi(at + 5), d = atoi(at + 8);
	h = atoi(at + 11), mi = atoi(at + 14), s = atoi(at + 17);
	if (y < 1970 || y > 9999 || mo < 1 || mo > 12)
		return;
	int64_t ago = ui->wall_ms / 1000 - (days_of(y, mo, d) * 86400 + h * 3600 + mi * 60 + s);
	snprintf(out, 16, "now");
	for (size_t i = 0; i < 4; i++)
		if (ago >= units[i].s) {
			int64_t n = ago / units[i].s;

			/* Of a clock that is off: long ago is said, not how long. */
			snprintf(out, 16, "%u%s", (unsigned)(n < 9999 ? n : 9999), units[i].unit);
			return;
		}
}

/* ---- the stack ---- */

static void
view_free(struct view *v)
{
	v->ops->close(v);
	free(v->state);
	free(v);
}

static void
push(struct ui *ui, const struct ns_screen_ops *ops, const char *object)
{
	struct view *v = xcalloc(1, sizeof *v);

	v->ops = ops;
	v->ui = ui;
	v->contexts = ops->contexts;
	v->state = xcalloc(1, ops->size);
	snprintf(v->object, sizeof v->object, "%s", object != NULL ? object : "");
	ui->views[ui->n_views++] = v;
	ops->open(v);
	const char *filter = ops->filter != NULL ? ui_recall(v, "filter") : NULL;
	if (filter != NULL)
		ops->filter(v, filter);
	ops->reload(v);
	ui_dirty(ui, true);
}

static void
pop(struct ui *ui)
{
	ui->dialog.on = false; /* it was about what is gone */
	view_free(ui->views[--ui->n_views]);
}

void
ui_open(struct ui *ui, const struct ns_screen_ops *ops, const char *object)
{
	struct view *top = ui_top(ui);

	if (top != NULL && top->ops == ops &&
	    strcmp(top->object, object != NULL ? object : "") == 0)
		return;
	if (ui->n_views == UI_DEPTH) {
		ui_say(ui, "Too many screens are open: q closes one");
		return;
	}
	push(ui, ops, object);
}

bool
ui_open_zone(struct ui *ui, enum ns_action_id id, const char *zone)
{
	const struct ns_screen_ops *ops = id == ACT_OPEN             ? &screen_records
					  : id == ACT_OBJECT_HISTORY ? &screen_zone_history
					  : id == ACT_PENDING        ? &screen_diff
								     : NULL;

	if (ops != NULL)
		ui_open(ui, ops, zone);
	return ops != NULL;
}

void
ui_replace(struct ui *ui, const struct ns_screen_ops *ops, const char *object)
{
	char kept[UI_OBJECT];

	snprintf(kept, sizeof kept, "%s", object);
	pop(ui);
	push(ui, ops, kept);
}

/* A main screen that is left stays as it is; it asks for nothing meanwhile. */
static void
keep(struct ui *ui, struct view *v)
{
	size_t i = 0;

	while (i < UI_MAINS && ui->kept[i] != NULL)
		i++;
	if (i < UI_MAINS)
		ui->kept[i] = v;
	else
		view_free(v);
}

static bool
take_kept(struct ui *ui, const struct ns_screen_ops *ops)
{
	for (size_t i = 0; i < UI_MAINS; i++)
		if (ui->kept[i] != NULL && ui->kept[i]->ops == ops) {
			ui->views[ui->n_views++] = ui->kept[i];
			ui->kept[i] = NULL;
			return true;
		}
	return false;
}

void
ui_main(struct ui *ui, const struct ns_screen_ops *ops)
{
	while (ui->n_views > 1)
		pop(ui);
	if (ui->n_views == 1 && ui->views[0]->ops != ops)
		keep(ui, ui->views[--ui->n_views]);
	if (ui->n_views == 0 && !take_kept(ui, ops)) {
		push(ui, ops, "");
		return;
	}
	ops->reload(ui->views[0]);
	ui_dirty(ui, true);
}

static void
leave(struct ui *ui)
{
	ui->stopping = true;
	if (ui->loop != NULL)
		loop_stop(ui->loop, 0);
}

void
ui_back(struct ui *ui)
{
	if (ui->n_views > 1) {
		pop(ui);
		ui_top(ui)->ops->reload(ui_top(ui));
	} else if (ui_top(ui)->ops != &screen_overview) {
		ui_main(ui, &screen_overview);
	} else {
		ui_say(ui, "Q leaves NameServe");
	}
}

/* What was asked of the other one is nobody's answer any more. */
void
ui_connect(struct ui *ui, const char *appliance)
{
	char name[sizeof ui->name];

	snprintf(name, sizeof name, "%s", appliance); /* may be of a screen that goes now */
	while (ui->n_views > 0)
		pop(ui);
	for (size_t i = 0; i < UI_MAINS; i++)
		if (ui->kept[i] != NULL) {
			view_free(ui->kept[i]);
			ui->kept[i] = NULL;
		}
	if (ui->asked != 0)
		ns_client_cancel(ui->client, ui->asked);
	ui->asked = 0;
	ns_client_to(ui->client, name);
	memcpy(ui->name, name, sizeof ui->name);
	ui->heard_ms = 0;
	ui->lost = false;
	ui->n_problems = 0;
	ui_ask_status(ui);
	ui_main(ui, &screen_overview);
}

/* ---- time ---- */

void
ui_tick(struct ui *ui)
{
	struct view *top = ui_top(ui);

	if (ui->frozen)
		return;
	/* The clock moves with what the answers bring, in one frame; without answers, by itself. */
	if (ui->lost || ui->asked != 0)
		ui_dirty(ui, false);
	ui_ask_status(ui);
	if (top != NULL && top->ops->tick != NULL && !ui->lost)
		top->ops->tick(top);
}

void
ui_now(struct ui *ui, uint64_t mono_ms, int64_t wall_ms)
{
	ui->mono_ms = mono_ms;
	if (!ui->frozen)
		ui->wall_ms = wall_ms;
}

/* ---- actions ---- */

static void
refresh(struct ui *ui, bool slower)
{
	unsigned ms = slower ? ui->refresh_ms * 2 : ui->refresh_ms / 2;

	if (ms < REFRESH_MIN || ms > REFRESH_MAX) {
		ui_say(ui, "%s than every %g s is not possible", slower ? "Slower" : "Faster",
		    (double)ui->refresh_ms / 1000);
		return;
	}
	ui->refresh_ms = ms;
	if (ui->loop != NULL)
		loop_interval(ui->loop, ms);
	ui_say(ui, "Refresh every %g s", (double)ms / 1000);
}

static void
freeze(struct ui *ui)
{
	ui->frozen = !ui->frozen;
	ui_say(ui, ui->frozen ? "Frozen: nothing is asked until f" : "Live again");
	if (!ui->frozen)
		ui_tick(ui);
}

static void
interrupted(struct ui *ui)
{
	if (ui->interrupt_ms != 0 && clock_since(ui->mono_ms, ui->interrupt_ms) < INTERRUPT_MS) {
		leave(ui);
		return;
	}
	ui->interrupt_ms = ui->mono_ms;
	ui_say(ui, "Ctrl-C again, or Q, leaves NameServe");
}

/* Esc peels one layer: the filter, marks, then the screen. */
static void
peel(struct ui *ui)
{
	struct view *top = ui_top(ui);

	if (top->ops->leave != NULL && !top->ops->leave(top))
		return;
	if (top->ops->filter != NULL && top->ops->filter_now(top)[0] != '\0') {
		top->ops->filter(top, "");
		ui_remember(top, "filter", "");
	} else if (top->ops->peel != NULL && top->ops->peel(top))
		return;
	else if (ui->n_views > 1 || top->ops != &screen_overview)
		ui_back(ui);
}

static bool
act_anywhere(struct ui *ui, enum ns_action_id id)
{
	struct view *top = ui_top(ui);

	switch (id) {
	case ACT_OVERVIEW:
		ui_main(ui, &screen_overview);
		return true;
	case ACT_ZONES:
		ui_main(ui, &screen_zones);
		return true;
	case ACT_HEALTH:
		ui_main(ui, &screen_health);
		return true;
	case ACT_FLEET:
		ui_main(ui, &screen_fleet);
		return true;
	case ACT_HISTORY:
		ui_main(ui, &screen_history);
		return true;
	case ACT_DRAFTS:
		ui_main(ui, &screen_pending);
		return true;
	case ACT_QUERY:
		ui_main(ui, &screen_query);
		return true;
	case ACT_TAIL:
		ui_main(ui, &screen_tail);
		return true;
	case ACT_CONNECT:
		ui_main(ui, &screen_connect);
		return true;
	case ACT_MENU:
		ui_open(ui, &screen_menu, top->ops->name);
		return true;
	case ACT_COPY:
		if (top->ops == &screen_copy)
			return top->ops->act(top, id);
		ui_open(ui, &screen_copy, "");
		return true;
	case ACT_HELP:
		ui_open(ui, &screen_help, top->ops->name);
		return true;
	case ACT_TRASH:
		ui_open(ui, &screen_trash, "");
		return true;
	case ACT_MESSAGES:
		ui_open(ui, &screen_messages, "");
		return true;
	case ACT_COMMAND:
		prompt_open(&ui->prompt, ':', "");
		return true;
	case ACT_FILTER:
		snprintf(
		    ui->filter_before, sizeof ui->filter_before, "%s", top->ops->filter_now(top));
		prompt_open(&ui->prompt, '/', ui->filter_before);
		return true;
	case ACT_BACK:
		peel(ui);
		return true;
	case ACT_CLOSE:
		if (top->ops->leave == NULL || top->ops->leave(top))
			ui_back(ui);
		return true;
	case ACT_QUIT:
		leave(ui);
		return true;
	default:
		return false;
	}
}

const char *
ui_refuses(struct ui *ui, const struct ns_action *a)
{
	struct view *top = ui_top(ui);

	if (a->writes && ui->read_only)
		return "this console is --read-only";
	if (a->writes && strcmp(ui->role, "viewer") == 0)
		return "you are a viewer: changes need an operator (nameserve user set)";
	if ((a->id == ACT_EDIT_TEXT || a->id == ACT_FIELD_TEXT) && ui->paper != NULL)
		return "line by line there is no editor: nameserve zone export, zone import";
	if (a->id == ACT_SUSPEND && ui->restricted)
		return "there is no shell behind this account";
	if (a->id == ACT_CONFIRM && ui->unconfirmed == 0)
		return "nothing waits to be confirmed";
	return top->ops->refuse != NULL ? top->ops->refuse(top, a->id) : NULL;
}

void
ui_ask(struct ui *ui, const char *ask, const char *more, const char *name, void (*yes)(void *),
    void *arg)
{
	struct dialog *d = &ui->dialog;

	sanitize(d->ask, sizeof d->ask, ask, ui->ascii);
	sanitize(d->more, sizeof d->more, more, ui->ascii);
	sanitize(d->name, sizeof d->name, name != NULL ? name : "", ui->ascii);
	edit_set(&d->typed, DIALOG_TEXT, "");
	d->since_ms = ui->mono_ms;
	d->choices = NULL;
	d->yes = yes;
	d->arg = arg;
	d->on = true;
}

void
ui_ask_choices(struct ui *ui, const char *ask, const char *more,
    const struct dialog_choice *choices, void *arg)
{
	ui_ask(ui, ask, more, NULL, NULL, arg);
	ui->dialog.choices = choices;
}

static void
dialog_took(struct ui *ui, uint32_t key)
{
	enum dialog_end end = dialog_key(&ui->dialog, key, ui->mono_ms);

	if (end == DIALOG_MORE)
		return;
	ui->dialog.on = false;
	if (end == DIALOG_YES)
		ui->dialog.yes(ui->dialog.arg);
}

bool
ui_act(struct ui *ui, enum ns_action_id id)
{
	struct view *top = ui_top(ui);
	const struct ns_action *a = ns_action_of(id);
	const char *why = a != NULL ? ui_refuses(ui, a) : NULL;

	if (why != NULL) {
		ui_say(ui, "%s: %s", a->name, why);
		return true;
	}
	if (act_anywhere(ui, id)) {
		if (a != NULL && ns_action_leads(a))
			ui->main_action = id;
		return true;
	}
	switch (id) {
	case ACT_FREEZE:
		freeze(ui);
		return true;
	case ACT_SLOWER:
	case ACT_FASTER:
		refresh(ui, id == ACT_SLOWER);
		return true;
	case ACT_REFRESH:
		ns_client_retry(ui->client);
		ui_ask_status(ui);
		top->ops->reload(top);
		return true;
	case ACT_REPAINT:
		if (ui->loop != NULL)
			loop_repaint(ui->loop);
		return true;
	case ACT_THEME:
		ui_set_theme(ui, (enum ui_theme)((ui->theme + 1) % UI_THEMES));
		ui_say(ui, "Theme %s", theme_name(ui->theme));
		return true;
	case ACT_SUSPEND:
		if (ui->loop != NULL)
			loop_suspend(ui->loop);
		return true;
	case ACT_CONFIRM:
		ui_confirm(ui);
		return true;
	case ACT_FIELD_TEXT:
		fieldedit_start(ui);
		return true;
	case ACT_INTERRUPT:
		interrupted(ui);
		return true;
	default:
		return top->ops->act(top, id);
	}
}

/* ---- keys ---- */

void
ui_command(struct ui *ui, const char *text)
{
	const struct ns_action *a = ns_action_named(text);

	if (a == NULL)
		ui_say(ui, "%s: no such command; ? lists them", text);
	else if ((a->contexts & ui_top(ui)->contexts) == 0)
		ui_say(ui, "%s: not on this screen", a->name);
	else
		ui_act(ui, a->id);
}

static void
prompt_took(struct ui *ui, uint32_t key)
{
	struct view *top = ui_top(ui);
	struct prompt *p = &ui->prompt;
	enum prompt_end end;

	if (key == UIKEY_TAB && p->label == ':') {
		const struct ns_action *a = ns_action_named(edit_text(&p->edit));
		if (a != NULL)
			prompt_set(p, a->name);
		return;
	}
	/* An answer may have brought another screen meanwhile. */
	if (p->label == '/' && top->ops->filter == NULL) {
		p->on = false;
		return;
	}
	end = prompt_key(p, key);
	if (end == PROMPT_ENTER || end == PROMPT_CANCEL)
		p->on = false;
	if (p->label == '/' && end == PROMPT_ENTER)
		ui_remember(top, "filter", edit_text(&p->edit));
	if (p->label == '/' && end == PROMPT_CHANGED)
		top->ops->filter(top, edit_text(&p->edit));
	else if (p->label == '/' && end == PROMPT_CANCEL)
		top->ops->filter(top, ui->filter_before);
	else if (p->label == ':' && end == PROMPT_ENTER && p->edit.len > 0)
		ui_command(ui, edit_text(&p->edit));
}

void
ui_key(struct ui *ui, uint32_t key)
{
	const struct ns_action *a;

	struct view *top = ui_top(ui);
	bool typing = ui->prompt.on || (top->contexts & CTX_TYPED) != 0;
	bool break_too =
	    (top->contexts & CTX_AREA) != 0 && (key == UIKEY_ENTER || key == UIKEY_TAB);

	if (key == UIKEY_PASTE_BEGIN || key == UIKEY_PASTE_END) {
		ui->pasting = key == UIKEY_PASTE_BEGIN;
		if (ui->pasting && (!typing || ui->dialog.on))
			ui_say(ui, "Pasted text is ignored here; it is taken where text is typed");
		return;
	}
	/* Pasted text is text: it answers nothing, and a line break in it does not press Enter. */
	if (ui->pasting &&
	    (!typing || ui->dialog.on || (key < ' ' && !break_too) || key == UIKEY_BACKSPACE))
		return;
	if (ui->dialog.on) {
		dialog_took(ui, key);
		return;
	}
	if (ui->prompt.on) {
		prompt_took(ui, key);
		return;
	}
	ui->message[0] = '\0';
	ui->touched = true;
	a = keymap_find(ui->keymap, top->contexts, key);
	if (a != NULL)
		ui_act(ui, a->id);
	else if (top->ops->key != NULL && (top->contexts & CTX_TYPED) != 0)
		(void)top->ops->key(top, key);
}

/* ---- life ---- */

struct ui *
ui_new(struct ns_client *client, int w, int h, enum glyph_set glyphs)
{
	struct ui *ui = xcalloc(1, sizeof *ui);
	struct ns_why why = { 0 };

	ui->client = client;
	ui->glyphs = glyphs;
	ui->ascii = glyphs == GLYPH_ASCII;
	ui->refresh_ms = 1000;
	ui->memo = memo_new();
	ui->surface = surface_new(w, h, ui->ascii);
	ui->keymap = keymap_new(ns_actions, &why);
	if (ui->keymap == NULL)
		ui_destroy(&ui);
	return ui;
}

void
ui_destroy(struct ui **up)
{
	struct ui *ui = *up;

	if (ui == NULL)
		return;
	ui_memory_save(ui);
	while (ui->n_views > 0)
		pop(ui);
	for (size_t i = 0; i < UI_MAINS; i++)
		if (ui->kept[i] != NULL)
			view_free(ui->kept[i]);
	if (ui->keymap != NULL)
		keymap_destroy(&ui->keymap);
	textedit_free(ui);
	fieldedit_free(ui);
	bulk_free(ui);
	drafts_free(ui);
	ui_memory_free(ui);
	edit_free(&ui->prompt.edit);
	edit_free(&ui->dialog.typed);
	surface_destroy(&ui->surface);
	free(ui);
	*up = NULL;
}
