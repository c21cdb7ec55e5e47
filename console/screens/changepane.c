/* changepane.c - see changepane.h. */
#include "console/screens/changepane.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console/core/changetext.h"
#include "console/core/sanitize.h"

#define TIMEOUT_MS 5000u
#define ROOM_FROM  12 /* rows of a list that can spare some */

struct adding {
	struct view *view;
	struct lines *lines;
};

static void
add_line(void *arg, char sign, const char *text)
{
	struct adding *a = arg;
	char *safe = sanitize_dup(text, a->view->ui->ascii);

	lines_add(a->lines,
	    sign == '-'   ? UI_REMOVED
	    : sign == '+' ? UI_ADDED
			  : UI_WARN,
	    " %c %s", sign, safe);
	free(safe);
}

void
change_lines(struct view *v, struct lines *lines, const Ns__HistoryShowReply__ZoneDiff *d)
{
	struct adding a = { v, lines };

	changetext(d->removed, d->n_removed, d->added, d->n_added, add_line, &a);
	if (d->truncated)
		lines_add(lines, UI_DIM, "   longer than is shown here");
}

struct rect
changepane_part(struct rect *list)
{
	int h = list->h >= ROOM_FROM ? list->h / 3 : 0;

	list->h -= h;
	return (struct rect){ list->x, list->y + list->h, list->w, h };
}

static void
take(struct changepane *p, const Ns__HistoryShowReply *r)
{
	for (size_t i = 0; i < r->n_diffs; i++) {
		char zone[UI_OBJECT];

		if (p->zone[0] != '\0' && strcmp(r->diffs[i]->zone, p->zone) != 0)
			continue;
		if (p->zone[0] == '\0' && r->n_diffs > 1) {
			sanitize(zone, sizeof zone, r->diffs[i]->zone, p->view->ui->ascii);
			lines_add(&p->lines, UI_TITLE, " %s", zone);
		}
		change_lines(p->view, &p->lines, r->diffs[i]);
	}
	if (p->lines.n == 0)
		lines_add(&p->lines, UI_DIM,
		    p->zone[0] != '\0' ? "   no record of this zone was changed"
				       : "   no zone's records were changed");
}

static void
came(void *arg, const Ns__Envelope *env, const struct ns_why *why)
{
	struct changepane *p = arg;

	(void)why; /* Enter says why */
	p->request = 0;
	lines_clear(&p->lines);
	if (env != NULL)
		take(p, env->history_show_reply);
	ui_dirty(p->view->ui, false);
}

static void
ask(struct changepane *p)
{
	Ns__HistoryShowRequest body = NS__HISTORY_SHOW_REQUEST__INIT;
	Ns__Envelope request = NS__ENVELOPE__INIT;

	body.revision = strtoull(p->id, NULL, 10);
	request.body_case = NS__ENVELOPE__BODY_HISTORY_SHOW_REQUEST;
	request.history_show_request = &body;
	p->request = ns_client_request(p->view->ui->client, &request, TIMEOUT_MS, came, p);
}

void
changepane_follow(struct view *v, struct changepane *p, const char *id)
{
	if (id == NULL || p->hidden || p->request != 0 || strcmp(p->id, id) == 0)
		return;
	p->view = v;
	snprintf(p->id, sizeof p->id, "%s", id);
	snprintf(p->zone, sizeof p->zone, "%s", v->object);
	lines_clear(&p->lines);
	ask(p);
}

/* "- diff 8841  via cli  cut over api ----": what the list has no room for. */
static void
draw_rule(struct view *v, struct rect r, const struct row *row, const struct change_words *w)
{
	struct surface *s = v->ui->surface;
	int x = r.x + 1, end = r.x + r.w - 1;

	x += surface_putf(s, x, r.y, end - x, UI_DIM, "- diff %s  via %s ", row->id, w->via);
	if (w->comment[0] != '\0')
		x += surface_putf(s, x, r.y, end - x, UI_TEXT, " %s ", w->comment);
	for (; x < end; x++)
		surface_put(s, x, r.y, 1, UI_DIM, "-");
}

void
changepane_draw(struct view *v, struct changepane *p, struct rect r, const struct change_words *w)
{
	const struct row *row = w->row;

	p->hidden = r.h < 2;
	if (p->hidden || row == NULL || row->id == NULL)
		return;
	draw_rule(v, r, row, w);
	r = (struct rect){ r.x, r.y + 1, r.w, r.h - 1 };
	if (!w->small) {
		surface_put(v->ui->surface, r.x + 3, r.y, r.w - 4, UI_DIM,
		    "too much for a few lines: Enter opens it");
		return;
	}
	if (strcmp(p->id, row->id) != 0 || p->request != 0)
		return;
	for (size_t i = 0; i < p->lines.n && (int)i < r.h; i++) {
		bool more = (int)i + 1 == r.h && i + 1 < p->lines.n;

		surface_put(v->ui->surface, r.x, r.y + (int)i, r.w - 1,
		    more ? UI_DIM : p->lines.list[i].role,
		    more ? "   and more: Enter opens it" : p->lines.list[i].text);
	}
}

void
changepane_close(struct changepane *p)
{
	if (p->request != 0)
		ns_client_cancel(p->view->ui->client, p->request);
	lines_clear(&p->lines);
}
