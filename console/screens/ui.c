/* ui.c - see ui.h: keys and what they do.  The stack of screens is in views.c, the frame is drawn in frame.c,
 * the appliance's state kept in appliance.c. */
#include "console/screens/ui.h"

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
#include "console/screens/mouse.h"
#include "console/screens/pages.h"
#include "console/screens/presence.h"
#include "console/screens/palette.h"
#include "console/screens/textedit.h"
#include "console/screens/twin.h"
#include "console/screens/zonehead.h"
#include "ipc/base/clock.h"
#include "ipc/base/xalloc.h"

#define INTERRUPT_MS 2000u
#define BURST_MS     20u
#define BURST_KEYS   8u /* within that, and nobody typed them */
#define REFRESH_MIN  250u
#define REFRESH_MAX  16000u
#define LATE_MS      2000u /* as long as an answer may take */

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

/* ---- time ---- */

void
ui_tick(struct ui *ui)
{
	struct view *top = ui_top(ui);

	if (ui->frozen)
		return;
	ui->asked_ms = ui->mono_ms;
	/* The clock moves with what the answers bring, in one frame; without answers, by itself. */
	if (ui->lost || ui->asked != 0)
		ui_dirty(ui, false);
	ui_ask_status(ui);
	presence_tick(ui);
	zonehead_tick(ui);
	if (top != NULL && top->ops->tick != NULL && !ui->lost)
		top->ops->tick(top);
}

void
ui_live(struct view *v)
{
	v->live_ms = v->ui->mono_ms;
}

bool
ui_stale(const struct view *v)
{
	const struct ui *ui = v->ui;

	if (ui->lost || v->live_ms == 0)
		return ui->lost;
	return clock_since(ui->asked_ms, v->live_ms) > 2 * ui->refresh_ms + LATE_MS;
}

/* Once a frame, not once a key: a cursor that runs through a list asks for what it stops at. */
void
ui_follow(struct ui *ui)
{
	struct view *top = ui_top(ui);

	if (top != NULL && top->ops->follow != NULL && !ui->lost)
		top->ops->follow(top);
}

uint64_t
ui_clock_ns(const struct ui *ui)
{
	return ui->clock_ns != NULL ? ui->clock_ns() : ui->mono_ms * 1000000;
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
leave(struct ui *ui)
{
	ui->stopping = true;
	if (ui->loop != NULL)
		loop_stop(ui->loop, 0);
}

static void
leave_anyway(void *arg)
{
	leave(arg);
}

static void
quit(struct ui *ui)
{
	const char *command = output_running(ui);

	if (command == NULL)
		leave(ui);
	else
		ui_ask(ui, "Leave, and stop what still runs?", command, NULL, leave_anyway, ui);
}

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
	struct view *top = ui_top(ui);

	if (top->ops->interrupt != NULL && top->ops->interrupt(top))
		return;
	if (top->list != NULL && pages_interrupt(top->list)) {
		typeahead_drop(ui);
		ui_say(ui, "Not asked for any more; r asks again");
		return;
	}
	if (ui->typeahead.n > 0) {
		typeahead_drop(ui);
		ui_say(ui, "What waited for the list is dropped");
		return;
	}
	if (ui->interrupt_ms != 0 && clock_since(ui->mono_ms, ui->interrupt_ms) < INTERRUPT_MS) {
		ui->code = LOOP_INTERRUPTED;
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

	typeahead_drop(ui);
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

/* How a screen opens: instead of all others, above what is shown, above it and about it; its key again closes that. */
enum anywhere_how { INSTEAD, ABOVE, ABOUT };

/* Screens that have a key wherever one is. */
static const struct anywhere {
	enum ns_action_id id;
	const struct ns_screen_ops *screen;
	enum anywhere_how how;
} anywhere[] = {
	{ ACT_OVERVIEW, &screen_overview, INSTEAD },
	{ ACT_ZONES, &screen_zones, INSTEAD },
	{ ACT_HEALTH, &screen_health, INSTEAD },
	{ ACT_FLEET, &screen_fleet, INSTEAD },
	{ ACT_HISTORY, &screen_history, INSTEAD },
	{ ACT_DRAFTS, &screen_pending, INSTEAD },
	{ ACT_QUERY, &screen_query, INSTEAD },
	{ ACT_TAIL, &screen_tail, INSTEAD },
	{ ACT_CONNECT, &screen_connect, INSTEAD },
	{ ACT_MENU, &screen_menu, ABOUT },
	{ ACT_HELP, &screen_help, ABOUT },
	{ ACT_TRASH, &screen_trash, ABOVE },
	{ ACT_MESSAGES, &screen_messages, ABOVE },
};

static bool
open_anywhere(struct ui *ui, enum ns_action_id id)
{
	for (size_t i = 0; i < sizeof anywhere / sizeof anywhere[0]; i++) {
		const struct anywhere *a = &anywhere[i];

		if (a->id != id)
			continue;
		if (a->how == INSTEAD)
			ui_main(ui, a->screen);
		else if (a->how == ABOUT && ui_top(ui)->ops == a->screen)
			ui_back(ui);
		else
			ui_open(ui, a->screen, a->how == ABOUT ? ui_top(ui)->ops->name : "");
		return true;
	}
	return false;
}

static bool
act_anywhere(struct ui *ui, enum ns_action_id id)
{
	struct view *top = ui_top(ui);

	switch (id) {
	case ACT_COPY:
		if (top->ops == &screen_copy)
			return top->ops->act(top, id);
		ui_open(ui, &screen_copy, "");
		return true;
	case ACT_YANK:
		twin_yank(ui);
		return true;
	case ACT_COMMAND:
		palette_open(ui);
		return true;
	case ACT_FILTER:
		snprintf(
		    ui->filter_before, sizeof ui->filter_before, "%s", top->ops->filter_now(top));
		prompt_open(&ui->prompt, '/', ui->filter_before);
		return true;
	case ACT_SEARCH:
		search_open(ui);
		return true;
	case ACT_SEARCH_NEXT:
	case ACT_SEARCH_PREVIOUS:
		search_step(ui, id == ACT_SEARCH_NEXT ? 1 : -1);
		return true;
	case ACT_BACK:
		peel(ui);
		return true;
	case ACT_CLOSE:
		if (top->ops->leave == NULL || top->ops->leave(top))
			ui_back(ui);
		return true;
	case ACT_OUTPUT:
		if (!ui_aside_back(ui))
			ui_say(ui, "No command goes on without its page");
		return true;
	case ACT_QUIT:
		quit(ui);
		return true;
	default:
		return open_anywhere(ui, id);
	}
}

const char *
ui_refuses(struct ui *ui, const struct ns_action *a)
{
	struct view *top = ui_top(ui);
	bool writes = a->writes && (!top->own || (a->contexts & CTX_GLOBAL) != 0);

	if (writes && ui->read_only)
		return "this console is --read-only";
	if (writes && strcmp(ui->role, "viewer") == 0)
		return "you are a viewer: changes need an operator (nameserve user set)";
	if ((a->id == ACT_EDIT_TEXT || a->id == ACT_FIELD_TEXT) && ui->paper != NULL)
		return "line by line there is no editor: nameserve zone export, zone import";
	if (a->id == ACT_FIELD_TEXT && (top->ops->field == NULL || top->ops->field(top) == NULL))
		return "this field is chosen, not typed";
	if (a->id == ACT_MOUSE && ui->paper != NULL)
		return "line by line there is nothing to click at";
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
	const char *why;

	if (a != NULL && typeahead_act(ui, a))
		return true;
	why = a != NULL ? ui_refuses(ui, a) : NULL;
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
		ui->anew = true;
		top->ops->reload(top);
		presence_tick(ui);
		zonehead_tick(ui);
		ui->anew = false;
		return true;
	case ACT_REPAINT:
		if (ui->loop != NULL)
			loop_repaint(ui->loop);
		return true;
	case ACT_THEME:
		ui_set_theme(ui, (enum ui_theme)((ui->theme + 1) % UI_THEMES));
		ui_say(ui, "Theme %s", theme_name(ui->theme));
		return true;
	case ACT_MOUSE:
		return mouse_line(ui, ui->mouse ? "set mouse off" : "set mouse on");
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
	case ACT_PENDING:
		if (!top->ops->act(top, id))
			ui_main(ui, &screen_pending);
		return true;
	default:
		return top->ops->act(top, id);
	}
}

/* ---- keys ---- */

static void
filter_took(struct ui *ui, uint32_t key)
{
	struct view *top = ui_top(ui);
	struct prompt *p = &ui->prompt;
	enum prompt_end end;

	/* An answer may have brought another screen meanwhile. */
	if (top->ops->filter == NULL) {
		p->on = false;
		return;
	}
	end = prompt_key(p, key);
	if (end == PROMPT_ENTER || end == PROMPT_CANCEL)
		p->on = false;
	if (end == PROMPT_CHANGED || end == PROMPT_CANCEL)
		typeahead_drop(ui);
	if (end == PROMPT_ENTER)
		ui_remember(top, "filter", edit_text(&p->edit));
	else if (end == PROMPT_CHANGED)
		top->ops->filter(top, edit_text(&p->edit));
	else if (end == PROMPT_CANCEL)
		top->ops->filter(top, ui->filter_before);
}

/* Text from a clipboard into the wrong window, by a terminal that does not say so: what is of it after the first few
 * keys means nothing, until there is a pause. */
static bool
is_burst(struct ui *ui, uint32_t key)
{
	bool goes_on = ui->burst.n > 0 && clock_since(ui->mono_ms, ui->burst.last_ms) < BURST_MS;

	if (key < ' ' || key >= UIKEY_BASE)
		return false;
	if (!goes_on ||
	    (!ui->burst.ignored && clock_since(ui->mono_ms, ui->burst.since_ms) >= BURST_MS)) {
		ui->burst.since_ms = ui->mono_ms;
		ui->burst.n = 0;
		ui->burst.ignored = false;
	}
	ui->burst.n += ui->burst.n == 0 || key != ui->burst.key;
	ui->burst.key = key;
	ui->burst.last_ms = ui->mono_ms;
	if (ui->burst.n > BURST_KEYS && !ui->burst.ignored) {
		ui->burst.ignored = true;
		ui_say(ui, "Pasted text is ignored here; it is taken where text is typed");
	}
	return ui->burst.ignored;
}

void
ui_typed(struct ui *ui, uint32_t key)
{
	struct view *top = ui_top(ui);
	const struct ns_action *a = keymap_find(ui->keymap, top->contexts, key);

	if (typeahead_key(ui, key, a))
		return;
	if (a != NULL)
		ui_act(ui, a->id);
	else if (top->ops->key != NULL && (top->contexts & CTX_TYPED) != 0)
		(void)top->ops->key(top, key);
	typeahead_left(ui, top);
}

void
ui_key(struct ui *ui, uint32_t key)
{
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
	if (key_is_mouse(key)) {
		mouse_took(ui, key);
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
	if (ui->prompt.on && key == CTRL_KEY('O') && ui->paper == NULL) {
		fieldedit_start(ui);
		return;
	}
	if (ui->prompt.on) {
		(ui->prompt.label == ':'       ? palette_key
		    : top->ops->search != NULL ? search_took
					       : filter_took)(ui, key);
		return;
	}
	if (!typing && is_burst(ui, key))
		return;
	ui->message[0] = '\0';
	ui->touched = true;
	ui_typed(ui, key);
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
	ui_views_free(ui);
	ui_aside_free(ui);
	if (ui->keymap != NULL)
		keymap_destroy(&ui->keymap);
	textedit_free(ui);
	fieldedit_free(ui);
	bulk_free(ui);
	presence_forget(ui);
	zonehead_forget(ui);
	palette_free(ui);
	drafts_free(ui);
	ui_memory_free(ui);
	edit_free(&ui->prompt.edit);
	edit_free(&ui->dialog.typed);
	surface_destroy(&ui->surface);
	free(ui);
	*up = NULL;
}
