/* preview.c - see preview.h. */
#include "console/screens/preview.h"

#include <string.h>

void
preview_open(struct view *v, struct preview *p)
{
	const char *kept = ui_recall(v, "preview");

	p->on = kept != NULL && strcmp(kept, "on") == 0;
}

struct rect
preview_part(const struct preview *p, struct rect *list)
{
	struct rect part = *list;
	int keeps = list->w * 2 / 3 > PREVIEW_LIST ? list->w * 2 / 3 : PREVIEW_LIST;

	part.w = 0;
	if (!p->on || list->w < PREVIEW_FROM)
		return part;
	part.x = list->x + keeps;
	part.w = list->w - keeps;
	list->w = keeps;
	return part;
}

bool
preview_shown(const struct view *v, const struct preview *p)
{
	return p->on && v->ui->surface->w >= PREVIEW_FROM;
}

bool
preview_act(struct view *v, struct preview *p, enum ns_action_id id)
{
	if (id != ACT_PREVIEW)
		return false;
	p->on = !p->on;
	ui_remember(v, "preview", p->on ? "on" : "off");
	if (p->on && v->ui->surface->w < PREVIEW_FROM)
		ui_say(v->ui, "The preview is shown where there are %d columns; here are %d",
		    PREVIEW_FROM, v->ui->surface->w);
	return true;
}

void
preview_put(struct view *v, struct rect *r, enum ui_role role, const char *text)
{
	int rows;

	if (r->h < 1)
		return;
	rows = surface_wrap(v->ui->surface, *r, role, text);
	rows = rows > 0 ? rows : 1;
	r->y += rows;
	r->h -= rows;
}
