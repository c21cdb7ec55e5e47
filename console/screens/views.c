/* views.c - the stack of open screens, the main ones that are kept meanwhile, and what goes on without its page. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/screens/presence.h"
#include "console/screens/ui.h"
#include "console/screens/zonehead.h"
#include "ipc/base/xalloc.h"

struct view *
ui_top(const struct ui *ui)
{
	return ui->n_views > 0 ? ui->views[ui->n_views - 1] : NULL;
}

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
	zonehead_tick(ui);
	ui_dirty(ui, true);
}

/* ---- what goes on without its page ---- */

bool
ui_is_aside(const struct ui *ui, const struct view *v)
{
	for (size_t i = 0; i < ui->n_aside; i++)
		if (ui->aside[i] == v)
			return true;
	return false;
}

static struct view *
aside_take(struct ui *ui, size_t i)
{
	struct view *v = ui->aside[i];

	ui->n_aside--;
	memmove(ui->aside + i, ui->aside + i + 1, (ui->n_aside - i) * sizeof *ui->aside);
	return v;
}

bool
ui_aside_room(struct ui *ui)
{
	for (size_t i = 0; i < ui->n_aside && ui->n_aside == UI_ASIDE; i++)
		if (!ui->aside[i]->ops->goes_on(ui->aside[i])) {
			view_free(aside_take(ui, i));
			break;
		}
	return ui->n_aside < UI_ASIDE;
}

bool
ui_aside_back(struct ui *ui)
{
	if (ui->n_aside == 0 || ui->n_views == UI_DEPTH)
		return false;
	ui->views[ui->n_views++] = aside_take(ui, ui->n_aside - 1);
	ui_dirty(ui, true);
	return true;
}

void
ui_aside_free(struct ui *ui)
{
	while (ui->n_aside > 0)
		view_free(aside_take(ui, 0));
}

/* ---- the stack ---- */

static void
pop(struct ui *ui)
{
	struct view *v = ui->views[--ui->n_views];

	ui->dialog.on = false; /* it was about what is gone */
	typeahead_drop(ui);
	if (v->ops->goes_on != NULL && v->ops->goes_on(v) && ui_aside_room(ui))
		ui->aside[ui->n_aside++] = v;
	else
		view_free(v);
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

void
ui_views_free(struct ui *ui)
{
	while (ui->n_views > 0)
		pop(ui);
	for (size_t i = 0; i < UI_MAINS; i++)
		if (ui->kept[i] != NULL) {
			view_free(ui->kept[i]);
			ui->kept[i] = NULL;
		}
}

/* What was asked of the other one is nobody's answer any more. */
void
ui_connect(struct ui *ui, const char *appliance)
{
	char name[sizeof ui->name];

	snprintf(name, sizeof name, "%s", appliance); /* may be of a screen that goes now */
	ui_views_free(ui);
	if (ui->asked != 0)
		ns_client_cancel(ui->client, ui->asked);
	ui->asked = 0;
	presence_forget(ui);
	zonehead_forget(ui);
	ns_client_to(ui->client, name);
	memcpy(ui->name, name, sizeof ui->name);
	ui->heard_ms = 0;
	ui->lost = false;
	ui->n_problems = 0;
	ui_ask_status(ui);
	ui_main(ui, &screen_overview);
}
