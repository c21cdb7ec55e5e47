/* theme.c - the default theme, and what is left of it without colour. */
#include "console/core/theme.h"

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

struct look
theme_look(enum ui_role role, bool colour)
{
	struct look l = looks[role < UI_ROLES ? role : UI_TEXT].colour;

	if (colour)
		return l;
	l.attributes = looks[role < UI_ROLES ? role : UI_TEXT].mono;
	l.colour = -1;
	static const char letters[] = ".brRuUvVdddddddd";
	l.letter = letters[l.attributes & 15];
	return l;
}
