/* theme.c - see theme.h. */
#include "console/core/theme.h"

#include <stddef.h>
#include <string.h>

static const struct {
	struct look colour;
	uint8_t mono;
} looks[UI_ROLES] = {
	[UI_TEXT] = { { 0, -1, '.' }, 0 },
	[UI_DIM] = { { THEME_DIM, -1, 'd' }, 0 },
	[UI_BAR] = { { THEME_REVERSE, -1, 'B' }, THEME_REVERSE },
	[UI_TAB] = { { 0, -1, 't' }, 0 },
	[UI_TAB_ON] = { { THEME_BOLD, 6, 'T' }, THEME_BOLD | THEME_UNDERLINE },
	[UI_TITLE] = { { THEME_BOLD, -1, 'H' }, THEME_BOLD },
	[UI_HEAD] = { { 0, 6, 'h' }, 0 },
	[UI_SORT] = { { THEME_UNDERLINE, 6, 's' }, THEME_UNDERLINE },
	[UI_SELECT] = { { THEME_REVERSE, -1, '>' }, THEME_REVERSE },
	[UI_OK] = { { 0, 2, 'o' }, 0 },
	[UI_WARN] = { { 0, 3, 'w' }, THEME_BOLD },
	[UI_CRIT] = { { THEME_BOLD, 1, 'c' }, THEME_BOLD },
	[UI_ADDED] = { { 0, 2, '+' }, 0 },
	[UI_REMOVED] = { { 0, 1, '-' }, 0 },
	[UI_KEY] = { { THEME_BOLD, -1, 'k' }, THEME_BOLD },
	[UI_INPUT] = { { THEME_UNDERLINE, -1, 'i' }, THEME_UNDERLINE },
	[UI_GRAPH] = { { 0, 2, 'g' }, 0 },
	[UI_BANNER] = { { THEME_REVERSE | THEME_BOLD, 1, '!' }, THEME_REVERSE | THEME_BOLD },
};

/* What the other themes have differently. */
struct patch {
	enum ui_role role;
	uint8_t attributes;
	int8_t colour;
};

static const struct patch contrast[] = { { UI_DIM, 0, -1 },
	{ UI_TAB_ON, THEME_BOLD | THEME_REVERSE, -1 },
	{ UI_HEAD, THEME_BOLD | THEME_UNDERLINE, -1 }, { UI_SORT, THEME_BOLD | THEME_REVERSE, -1 },
	{ UI_SELECT, THEME_BOLD | THEME_REVERSE, -1 }, { UI_OK, THEME_BOLD, 2 },
	{ UI_WARN, THEME_BOLD | THEME_UNDERLINE, 3 }, { UI_CRIT, THEME_BOLD | THEME_REVERSE, 1 },
	{ UI_ADDED, THEME_BOLD, 2 }, { UI_REMOVED, THEME_BOLD, 1 },
	{ UI_KEY, THEME_BOLD | THEME_UNDERLINE, -1 }, { UI_GRAPH, THEME_BOLD, -1 } },
			  deuteranopia[] = { { UI_OK, 0, THEME_BLUE },
				  { UI_WARN, THEME_UNDERLINE, THEME_ORANGE },
				  { UI_CRIT, THEME_BOLD | THEME_REVERSE, THEME_ORANGE },
				  { UI_ADDED, 0, THEME_BLUE }, { UI_REMOVED, 0, THEME_ORANGE },
				  { UI_GRAPH, 0, THEME_BLUE },
				  { UI_BANNER, THEME_REVERSE | THEME_BOLD, THEME_ORANGE } };

static const char *const names[UI_THEMES] = { "default", "high-contrast", "deuteranopia" };

const char *
theme_name(enum ui_theme theme)
{
	return names[theme < UI_THEMES ? theme : UI_THEME_DEFAULT];
}

enum ui_theme
theme_named(const char *name)
{
	unsigned i = 0;

	while (i < UI_THEMES && strcmp(names[i], name) != 0)
		i++;
	return (enum ui_theme)i;
}

static void
patch(struct look *l, enum ui_role role, const struct patch *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].role == role) {
			l->attributes = list[i].attributes;
			l->colour = list[i].colour;
		}
}

struct look
theme_look(enum ui_theme theme, enum ui_role role)
{
	static const char letters[] = ".brRuUvVdddddddd";
	enum ui_role known = role < UI_ROLES ? role : UI_TEXT;
	struct look l = looks[known].colour;

	if (theme == UI_THEME_MONO) {
		l.attributes = looks[known].mono;
		l.colour = -1;
		l.letter = letters[l.attributes & 15];
	}
	if (theme == UI_THEME_CONTRAST)
		patch(&l, known, contrast, sizeof contrast / sizeof *contrast);
	if (theme == UI_THEME_DEUTERANOPIA)
		patch(&l, known, deuteranopia, sizeof deuteranopia / sizeof *deuteranopia);
	return l;
}
