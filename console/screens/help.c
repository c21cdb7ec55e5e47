/* help.c - keys and what they do, from the table of actions; the filter finds by any word of a line. */
#include <stdio.h>
#include <string.h>

#include "console/core/sanitize.h"
#include "console/screens/ui.h"
#include "console/widgets/lines.h"

struct help {
	struct lines lines;
	char filter[PROMPT_MAX];
};

static bool
wanted(const struct help *h, const struct ns_action *a)
{
	return h->filter[0] == '\0' || strcasestr(a->help, h->filter) != NULL ||
	       strcasestr(a->name, h->filter) != NULL ||
	       strcasestr(ns_action_keys(a), h->filter) != NULL;
}

static void
help_reload(struct view *v)
{
	static const char *const groups[] = { "OPEN", "EDIT", "MARK", "FIND", "MOVE", "OTHER" };
	struct help *h = v->state;

	lines_clear(&h->lines);
	for (size_t g = 0; g < sizeof groups / sizeof *groups; g++)
		for (const struct ns_action *a = ns_actions; a->id != ACT_NONE; a++)
			if (strcmp(a->group, groups[g]) == 0 && wanted(h, a))
				lines_add(&h->lines, UI_TEXT, "   %-6s %-13s :%-14s  %s", groups[g],
				    ns_action_keys(a), a->name, a->help);
	if (h->lines.n == 0)
		lines_add(&h->lines, UI_DIM, "   nothing matches");
}

static void
help_open(struct view *v)
{
	(void)v;
}

static void
help_close(struct view *v)
{
	lines_clear(&((struct help *)v->state)->lines);
}

static void
help_draw(struct view *v, struct rect r)
{
	struct help *h = v->state;
	struct surface *s = v->ui->surface;
	char filter[PROMPT_MAX * 2];

	surface_putf(s, r.x + 1, r.y, r.w - 2, UI_TITLE, "Help");
	sanitize(filter, sizeof filter, h->filter, v->ui->ascii);
	if (h->filter[0] != '\0')
		surface_putf(s, r.x + 9, r.y, r.w - 10, UI_INPUT, "/%s", filter);
	else
		surface_put_right(s, r.x + 9, r.y, r.w - 10, UI_DIM, "/ searches");
	lines_draw(&h->lines, s, (struct rect){ r.x, r.y + 2, r.w, r.h - 2 });
}

static bool
help_act(struct view *v, enum ns_action_id id)
{
	return lines_act(&((struct help *)v->state)->lines, id);
}

static void
help_filter(struct view *v, const char *text)
{
	struct help *h = v->state;

	snprintf(h->filter, sizeof h->filter, "%s", text);
	h->lines.top = 0;
	help_reload(v);
}

static const char *
help_filter_now(struct view *v)
{
	return ((struct help *)v->state)->filter;
}

const struct ns_screen_ops screen_help = {
	.name = "Help",
	.size = sizeof(struct help),
	.contexts = CTX_GLOBAL | CTX_TEXT | CTX_FILTER,
	.open = help_open,
	.close = help_close,
	.reload = help_reload,
	.draw = help_draw,
	.act = help_act,
	.filter = help_filter,
	.filter_now = help_filter_now,
	.twin = "help keys",
};
