/* copy.c - see copy.h. */
#include "console/screens/copy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/core/loop.h"
#include "console/widgets/table.h"

struct copy {
	struct ns_table table;
	struct copies copies;
	char shown[256]; /* the first line of the cell that is drawn */
};

void
copies_add(struct copies *c, const char *label, char *text)
{
	if (c->n == COPIES_MAX || text == NULL) {
		free(text);
		return;
	}
	c->list[c->n].label = label;
	c->list[c->n++].text = text;
}

static const struct table_column columns[] = { { "COPY", 12, 0, false, 0 }, { "", 30, 1, false, 0 },
	{ NULL, 0, 0, false, 0 } };

static void
copy_open(struct view *v)
{
	struct copy *c = v->state;
	struct view *below = v->ui->views[v->ui->n_views - 2];

	c->table.columns = columns;
	if (below->ops->copies != NULL)
		below->ops->copies(below, &c->copies);
}

static void
copy_close(struct view *v)
{
	struct copy *c = v->state;

	for (size_t i = 0; i < c->copies.n; i++)
		free(c->copies.list[i].text);
}

static void
copy_reload(struct view *v)
{
	(void)v; /* it was taken when it was opened */
}

static const char *
cell(void *arg, size_t row, unsigned column, enum ui_role *role)
{
	struct copy *c = arg;
	const char *text = c->copies.list[row].text, *end = strchr(text, '\n');
	int len = (int)(end != NULL ? (size_t)(end - text) : strlen(text));

	*role = column == 0 ? UI_KEY : UI_TEXT;
	if (column == 0)
		return c->copies.list[row].label;
	snprintf(c->shown, sizeof c->shown, "%.*s%s", len < 240 ? len : 240, text,
	    end != NULL && end[1] != '\0' ? " ..." : "");
	return c->shown;
}

static void
copy_draw(struct view *v, struct rect r)
{
	struct copy *c = v->state;
	struct surface *s = v->ui->surface;

	surface_put(s, r.x + 1, r.y, r.w - 2, UI_TITLE, "Copy");
	surface_put_right(s, r.x + 8, r.y, r.w - 9, UI_DIM,
	    v->ui->osc52 ? "Enter: to the clipboard   y: as a page"
			 : "Enter: as a page of plain text");
	ns_table_draw(
	    &c->table, s, (struct rect){ r.x, r.y + 1, r.w, r.h - 1 }, c->copies.n, cell, c);
	if (c->copies.n == 0)
		surface_put(s, r.x + 3, r.y + 3, r.w - 4, UI_DIM, "there is nothing to copy here");
}

static bool
copy_act(struct view *v, enum ns_action_id id)
{
	struct copy *c = v->state;
	struct ui *ui = v->ui;
	const char *text;

	if (ns_table_act(&c->table, id, c->copies.n))
		return true;
	if ((id != ACT_OPEN && id != ACT_COPY) || c->table.row >= c->copies.n)
		return id == ACT_COPY;
	text = c->copies.list[c->table.row].text;
	if (ui->paper != NULL)
		fprintf(ui->paper, "%s\n", text);
	if (ui->loop == NULL)
		return true;
	if (id == ACT_OPEN && ui->osc52) {
		loop_copy(ui->loop, text);
		ui_back(ui);
		ui_say(ui, "Sent to the terminal's clipboard");
		return true;
	}
	loop_page(ui->loop, text);
	ui_back(ui);
	return true;
}

const struct ns_screen_ops screen_copy = {
	.name = "Copy",
	.size = sizeof(struct copy),
	.contexts = CTX_GLOBAL | CTX_LIST | CTX_OPEN,
	.open = copy_open,
	.close = copy_close,
	.reload = copy_reload,
	.draw = copy_draw,
	.act = copy_act,
};
