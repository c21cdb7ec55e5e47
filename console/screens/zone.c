/* zone.c - see zone.h. */
#include "console/screens/zone.h"

#include <string.h>

#include "console/core/sanitize.h"
#include "console/screens/drafts.h"
#include "console/screens/presence.h"
#include "console/screens/zonehead.h"

static const struct {
	const struct ns_screen_ops *ops;
	const char *text;
} tabs[] = { { &screen_records, "Records" }, { &screen_policies, "Policies" },
	{ &screen_dnssec, "DNSSEC" }, { &screen_metrics, "Metrics" },
	{ &screen_zone_history, "History" }, { &screen_zonesettings, "Settings" } };
#define TABS (sizeof tabs / sizeof *tabs)

bool
zone_is_tab(const struct ns_screen_ops *ops)
{
	for (size_t i = 0; i < TABS; i++)
		if (tabs[i].ops == ops)
			return true;
	return false;
}

int
zone_relative(const char *name, const char *zone, const char **out)
{
	size_t n = strlen(name), z = strlen(zone);

	*out = name;
	if (strcmp(name, zone) == 0) {
		*out = "@";
		return 1;
	}
	if (n > z && strcmp(name + n - z, zone) == 0 && name[n - z - 1] == '.')
		return (int)(n - z - 1);
	return (int)n;
}

/* Behind the title where there is room, else in the last row; the rows that it took. */
static int
put_others(struct view *v, struct rect r, int x)
{
	const char *text = presence_text(v->ui, v->object);
	int w = text_width(text);

	if (w == 0 || v->ui->lost)
		return 0;
	if (x + 3 + w < r.x + r.w) {
		surface_put(v->ui->surface, r.x + r.w - w - 1, r.y, w, UI_WARN, text);
		return 0;
	}
	surface_put(v->ui->surface, r.x + 1, r.y + r.h - 1, r.w - 2, UI_WARN, text);
	return 1;
}

struct rect
zone_title(struct view *v, struct rect r, const char *state, const char *right)
{
	struct surface *s = v->ui->surface;
	char name[UI_OBJECT];
	int x = r.x + 1, w = text_width(state);

	sanitize(name, sizeof name, v->object, v->ui->ascii);
	name[ui_name_len(name)] = '\0';
	x += surface_put(s, x, r.y, 8, UI_TITLE, "Zones > ");
	x += surface_put(s, x, r.y, r.w - x - 1 - w - 3, UI_TITLE, name);
	x = zonehead_draw(v, x, r.y, r.x + r.w - 1 - (w > 0 ? w + 3 : 0));
	x += 3 + surface_put(s, x + 3, r.y, r.w - x - 4, UI_TEXT, state);
	r.h -= put_others(v, r, x);
	x = r.x + 1;
	for (size_t i = 0; i < TABS; i++)
		x += 2 + surface_put(s, x, r.y + 1, r.w - x,
			     tabs[i].ops == v->ops ? UI_TAB_ON : UI_TAB, tabs[i].text);
	surface_put_right(s, x, r.y + 1, r.w - x - 1, UI_DIM, right);
	return (struct rect){ r.x, r.y + 2, r.w, r.h - 2 };
}

static void
next_tab(struct view *v, size_t step)
{
	size_t i = 0;

	while (i < TABS && tabs[i].ops != v->ops)
		i++;
	ui_replace(v->ui, tabs[(i + step) % TABS].ops, v->object);
}

bool
zone_act(struct view *v, enum ns_action_id id)
{
	switch (id) {
	case ACT_NEXT_TAB:
		next_tab(v, 1);
		return true;
	case ACT_PREVIOUS_TAB:
		next_tab(v, TABS - 1);
		return true;
	case ACT_OBJECT_HISTORY:
		ui_replace(v->ui, &screen_zone_history, v->object);
		return true;
	case ACT_PENDING:
		ui_open(v->ui, &screen_diff, v->object);
		return true;
	case ACT_UNDO:
		(void)drafts_undo(v->ui, v->object);
		return true;
	case ACT_REDO:
		(void)drafts_redo(v->ui, v->object);
		return true;
	default:
		return false;
	}
}

const char *
zone_refuse(const struct view *v, enum ns_action_id id)
{
	const struct drafts *d = v->ui->drafts;

	if (id == ACT_UNDO)
		return drafts_can_undo(d) ? NULL : "nothing was done in a draft of this zone";
	if (id == ACT_PENDING)
		return d != NULL && d->draft != NULL ? NULL : "no draft of this zone";
	if (id == ACT_REDO)
		return d != NULL && d->n_undone > 0 ? NULL : "nothing was undone";
	return NULL;
}
