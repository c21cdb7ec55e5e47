/* help.c - keys and what they do, from the table of actions: those of the screen below first, then those of every
 * screen, then the others; the filter finds by any word of a line. */
#include <stdio.h>
#include <string.h>

#include "console/core/sanitize.h"
#include "console/screens/ui.h"
#include "console/widgets/lines.h"

struct help {
	struct lines lines;
	unsigned contexts; /* of the screen below */
	char filters[160]; /* what it can be filtered by; empty: it cannot */
	char filter[PROMPT_MAX];
};

enum where { HERE, EVERYWHERE, ELSEWHERE, WHERES };

static bool
wanted(const struct help *h, const struct ns_action *a)
{
	return h->filter[0] == '\0' || strcasestr(a->help, h->filter) != NULL ||
	       strcasestr(a->name, h->filter) != NULL ||
	       strcasestr(ns_action_keys(a), h->filter) != NULL;
}

static enum where
where(const struct help *h, const struct ns_action *a)
{
	if ((a->contexts & CTX_GLOBAL) != 0)
		return EVERYWHERE;
	return (a->contexts & h->contexts) != 0 ? HERE : ELSEWHERE;
}

static void
add_actions(struct help *h, enum where place, const char *title)
{
	static const char *const groups[] = { "OPEN", "EDIT", "MARK", "FIND", "MOVE", "OTHER" };
	bool titled = false;

	for (size_t g = 0; g < sizeof groups / sizeof *groups; g++)
		for (const struct ns_action *a = ns_actions; a->id != ACT_NONE; a++) {
			if (strcmp(a->group, groups[g]) != 0 || where(h, a) != place ||
			    !wanted(h, a))
				continue;
			if (!titled && h->lines.n > 0)
				lines_add(&h->lines, UI_TEXT, "%s", "");
			if (!titled)
				lines_add(&h->lines, UI_HEAD, " %s", title);
			titled = true;
			lines_add(&h->lines, place == ELSEWHERE ? UI_DIM : UI_TEXT,
			    "   %-6s %-13s :%-14s  %s", groups[g], ns_action_keys(a), a->name,
			    a->help);
		}
}

/* What the words of filters mean; a screen says which of them it takes. */
static const struct {
	const char *word, *says;
} words[] = { { "foo", "part of the name; of a record's data or a change's comment, too" },
	{ "^foo", "the name begins so" }, { "*.x", "the name, * for anything" },
	{ "~re", "a regular expression" },
	{ "-not", "a minus before any word: what does not match it" },
	{ "dnssec:", "on, off; bad: the DS at the parent, or signatures, are not well" },
	{ "health:", "bad: checks that its policies depend on are down" },
	{ "qps:", ">100, <1: queries a second" }, { "changed:", "<1d, >30m: how long ago" },
	{ "zone:", "of that zone" }, { "name:", "part of a name; of a query, all of it" },
	{ "type:", "as it is written, MX" }, { "policy:", "a policy at such a name" },
	{ "draft:", "mine: you have a draft of it" }, { "who:", "part of the author's name" },
	{ "since:", "1d, 12h, 30m, 2w: not older" }, { "kind:", "edit, import, and others" },
	{ "via:", "how it came: of a change cli or api, of a query udp, tcp or tls" },
	{ "rcode:", "NXDOMAIN; DROP: got no reply" },
	{ "client:", "an address, or a network as 192.0.2.0/24" } };

static void
add_words(struct help *h)
{
	bool said = h->filter[0] != '\0';

	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		const char *at = strstr(h->filters, words[i].word);

		if (at == NULL || (at > h->filters && at[-1] != ' ') ||
		    (h->filter[0] != '\0' && strcasestr(words[i].word, h->filter) == NULL &&
			strcasestr(words[i].says, h->filter) == NULL))
			continue;
		if (!said)
			lines_add(
			    &h->lines, UI_TEXT, "   /      takes words, which must all match:");
		said = true;
		lines_add(&h->lines, UI_DIM, "          %-13s %s", words[i].word, words[i].says);
	}
	if (!said && h->filters[0] != '\0')
		lines_add(&h->lines, UI_TEXT, "   /      takes %s", h->filters);
}

static void
help_reload(struct view *v)
{
	static const char *const titles[WHERES] = { "ON THIS SCREEN", "EVERYWHERE",
		"ON OTHER SCREENS" };
	struct help *h = v->state;

	lines_clear(&h->lines);
	for (enum where place = HERE; place < WHERES; place++) {
		add_actions(h, place, titles[place]);
		if (place == HERE)
			add_words(h);
	}
	if (h->lines.n == 0)
		lines_add(&h->lines, UI_DIM, "   nothing matches");
}

static void
help_open(struct view *v)
{
	struct help *h = v->state;
	const struct view *below = v->ui->n_views > 1 ? v->ui->views[v->ui->n_views - 2] : NULL;

	if (below == NULL)
		return;
	h->contexts = below->contexts & ~(unsigned)CTX_GLOBAL;
	if ((below->contexts & CTX_FILTER) != 0)
		snprintf(h->filters, sizeof h->filters, "%s",
		    below->ops->filter_help != NULL ? below->ops->filter_help : UI_FILTER_HELP);
}

static void
help_close(struct view *v)
{
	lines_clear(&((struct help *)v->state)->lines);
}

static const char *
rights(const struct ui *ui)
{
	if (ui->read_only)
		return "--read-only: nothing is changed from here";
	if (ui->role[0] == '\0')
		return "";
	return strcmp(ui->role, "viewer") == 0 ? "a viewer changes nothing: EDIT needs an operator"
					       : "EDIT needs an operator: you have it";
}

static void
help_draw(struct view *v, struct rect r)
{
	struct help *h = v->state;
	struct surface *s = v->ui->surface;
	char filter[PROMPT_MAX * 2];
	int x = 3 + surface_putf(s, r.x + 1, r.y, r.w - 2, UI_TITLE, "Help: %s", v->object);

	sanitize(filter, sizeof filter, h->filter, v->ui->ascii);
	if (h->filter[0] != '\0')
		surface_putf(s, r.x + x, r.y, r.w - x - 1, UI_INPUT, "/%s", filter);
	else
		surface_put_right(s, r.x + x, r.y, r.w - x - 1, UI_DIM, "/ searches");
	surface_put(s, r.x + 1, r.y + 1, r.w - 2, UI_DIM, rights(v->ui));
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
	.filter_help = "a key, a name, or any word of a line   Enter keep   Esc undo",
	.filter_now = help_filter_now,
	.twin = "help keys",
};
