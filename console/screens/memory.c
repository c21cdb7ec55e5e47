/* memory.c - what outlives a session, by appliance: the main screen, the filters of main screens, the refresh
 * interval, the theme, and what screens remember under a name of their own; see ui.h and core/memo.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/core/loop.h"
#include "console/core/memo.h"
#include "console/screens/mouse.h"
#include "console/screens/ui.h"
#include "ipc/client/draft.h"

void
ui_set_theme(struct ui *ui, enum ui_theme theme)
{
	ui->theme = theme;
	if (ui->loop != NULL)
		loop_theme(ui->loop, theme);
}

/* "Zones.filter"; what is below a zone has no filter that outlives it: zones would never end. */
static bool
name_of(const struct view *v, const char *what, char out[MEMO_NAME + 1])
{
	return (v->object[0] == '\0' || strcmp(what, "filter") != 0) &&
	       snprintf(out, MEMO_NAME + 1, "%s.%s", v->ops->name, what) <= (int)MEMO_NAME;
}

const char *
ui_recall(const struct view *v, const char *what)
{
	char name[MEMO_NAME + 1];

	return name_of(v, what, name) ? memo_get(v->ui->memo, name) : NULL;
}

void
ui_remember(struct view *v, const char *what, const char *value)
{
	char name[MEMO_NAME + 1];

	if (name_of(v, what, name))
		memo_set(v->ui->memo, name, value);
}

/* As it was, unless the operator has gone on already, or said otherwise. */
static void
restore(struct ui *ui)
{
	const char *mouse = memo_get(ui->memo, "mouse");
	const char *theme = memo_get(ui->memo, "theme"), *screen = memo_get(ui->memo, "screen");
	enum ui_theme t = theme != NULL ? theme_named(theme) : UI_THEMES;

	mouse_set(ui, mouse != NULL && strcmp(mouse, "on") == 0);
	if (t < UI_THEMES && !ui->theme_given)
		ui_set_theme(ui, t);
	for (const struct ns_action *a = ns_actions;
	     screen != NULL && !ui->touched && a->id != ACT_NONE; a++)
		if (ns_action_leads(a) && strcmp(a->name, screen) == 0)
			(void)ui_act(ui, a->id);
}

/* What was opened before the appliance had said its name. */
static void
catch_up(struct ui *ui, struct view *v)
{
	const char *filter = v->ops->filter != NULL ? ui_recall(v, "filter") : NULL,
		   *sort = v->ops->table != NULL ? ui_recall(v, "sort") : NULL;
	size_t rows;

	if (sort != NULL && ns_sort_read(&v->ops->table(v, &rows)->sort, sort) && v == ui_top(ui))
		v->ops->reload(v);
	if (filter != NULL && !ui->prompt.on && v->ops->filter_now(v)[0] == '\0')
		v->ops->filter(v, filter);
}

void
ui_memory_open(struct ui *ui, const char *appliance)
{
	struct ns_why why = { 0 };

	if (ui->memory_read)
		return;
	ui->memory_read = true;
	ui->memo_path = ns_state_file("console", appliance, ".json");
	if (ui->memo_path == NULL)
		return;
	if (memo_load(ui->memo, ui->memo_path, &why) == NS_CORRUPT)
		ui_say(ui, "%s", why.text);
	for (size_t i = 0; i < UI_MAINS; i++)
		if (ui->kept[i] != NULL)
			catch_up(ui, ui->kept[i]);
	for (size_t i = 0; i < ui->n_views; i++)
		catch_up(ui, ui->views[i]);
	restore(ui);
}

void
ui_memory_save(struct ui *ui)
{
	struct ns_why why = { 0 };

	if (ui->memo_path == NULL || ui->n_views == 0)
		return;
	if (ui->main_action != ACT_NONE)
		memo_set(ui->memo, "screen", ns_action_of(ui->main_action)->name);
	memo_set(ui->memo, "theme", theme_name(ui->theme));
	memo_set(ui->memo, "mouse", ui->mouse ? "on" : "off");
	if (memo_changed(ui->memo))
		(void)!memo_save(
		    ui->memo, ui->memo_path, &why); /* leaving is not the time to complain */
}

void
ui_memory_free(struct ui *ui)
{
	memo_destroy(&ui->memo);
	free(ui->memo_path);
	ui->memo_path = NULL;
}
