/* menu - what can be done on the screen below, from the table of actions; what cannot says why. */
#include <stdio.h>
#include <string.h>

#include "console/screens/ui.h"
#include "console/widgets/table.h"

#define ACTIONS ((size_t)ACT_MAX)

struct menu {
	struct ns_table table;
	const struct ns_action *list[ACT_MAX];
	size_t n;
	struct view *below;
	char filter[PROMPT_MAX];
	char key[16]; /* of the cell that is drawn */
};

static bool
wanted(const struct menu *m, const struct ns_action *a)
{
	/* Movements are in the help: here is what does something. */
	if ((a->contexts & m->below->contexts) == 0 || strcmp(a->group, "MOVE") == 0 ||
	    a->id == ACT_MENU)
		return false;
	return m->filter[0] == '\0' || strcasestr(a->help, m->filter) != NULL ||
	       strcasestr(a->name, m->filter) != NULL;
}

/* Asked as the screen below is: it answers for itself. */
static const char *
refusal(struct menu *m, const struct ns_action *a)
{
	struct ui *ui = m->below->ui;
	const char *why;

	ui->n_views--;
	why = ui_refuses(ui, a);
	ui->n_views++;
	return why;
}

static void
menu_reload(struct view *v)
{
	struct menu *m = v->state;

	m->n = 0;
	/* What is of this screen, then what is everywhere. */
	for (unsigned everywhere = 0; everywhere < 2; everywhere++)
		for (const struct ns_action *a = ns_actions; a->id != ACT_NONE && m->n < ACTIONS;
		     a++)
			if (wanted(m, a) && ((a->contexts & CTX_GLOBAL) != 0) == (everywhere == 1))
				m->list[m->n++] = a;
}

static const struct table_column columns[] = { { "KEY", 10, 0, false, 0 },
	{ "ACTION", 15, 0, false, 0 }, { "", 30, 1, false, 0 }, { NULL, 0, 0, false, 0 } };

static void
menu_open(struct view *v)
{
	struct menu *m = v->state;

	m->table.columns = columns;
	m->below = v->ui->views[v->ui->n_views - 2];
}

static void
menu_close(struct view *v)
{
	(void)v;
}

static const char *
menu_cell(void *arg, size_t row, unsigned column, enum ui_role *role)
{
	struct menu *m = arg;
	const struct ns_action *a = m->list[row];
	const char *why = refusal(m, a);

	*role = why != NULL ? UI_DIM : column == 0 ? UI_KEY : UI_TEXT;
	if (column == 0)
		return keymap_key(a, m->below->contexts, m->key);
	return column == 1 ? a->name : why != NULL ? why : a->help;
}

static void
menu_draw(struct view *v, struct rect r)
{
	struct menu *m = v->state;
	struct surface *s = v->ui->surface;

	surface_putf(s, r.x + 1, r.y, r.w - 2, UI_TITLE, "Actions: %s", m->below->ops->name);
	surface_put_right(s, r.x + r.w / 2, r.y, r.w / 2 - 1, UI_DIM,
	    m->filter[0] != '\0' ? "Esc shows all" : "/ searches");
	ns_table_draw(
	    &m->table, s, (struct rect){ r.x, r.y + 1, r.w, r.h - 1 }, m->n, menu_cell, m);
}

static bool
menu_act(struct view *v, enum ns_action_id id)
{
	struct menu *m = v->state;
	struct ui *ui = v->ui;

	if (ns_table_act(&m->table, id, m->n))
		return true;
	if (id != ACT_OPEN || m->table.row >= m->n)
		return false;
	id = m->list[m->table.row]->id;
	ui_back(ui);
	return ui_act(ui, id);
}

static void
menu_filter(struct view *v, const char *text)
{
	struct menu *m = v->state;

	snprintf(m->filter, sizeof m->filter, "%s", text);
	m->table.row = 0;
	menu_reload(v);
}

static const char *
menu_filter_now(struct view *v)
{
	return ((struct menu *)v->state)->filter;
}

const struct ns_screen_ops screen_menu = {
	.name = "Actions",
	.size = sizeof(struct menu),
	.contexts = CTX_GLOBAL | CTX_LIST | CTX_OPEN | CTX_FILTER,
	.open = menu_open,
	.close = menu_close,
	.reload = menu_reload,
	.draw = menu_draw,
	.act = menu_act,
	.filter = menu_filter,
	.filter_now = menu_filter_now,
	.filter_help = "part of a name, or any word of a line   Enter keep   Esc undo",
};
