/* theme - from what a cell means to how it looks.
 *
 * Roles are what screens know; attributes are what terminals know.  The themes use the terminal's own
 * foreground and background and the ANSI colours, never white or black as foreground; without colour, weight
 * and reverse remain.  high-contrast has nothing dim; deuteranopia tells good from bad by blue and orange.  Meaning is never in the colour alone: the text
 * says CRIT, the cursor row has a `>`. */
#ifndef NS_CONSOLE_CORE_THEME_H
#define NS_CONSOLE_CORE_THEME_H

#include <stdbool.h>
#include <stdint.h>

enum ui_role {
	UI_TEXT,
	UI_DIM, /* beside the point, or stale */
	UI_BAR, /* the identity bar */
	UI_TAB,
	UI_TAB_ON,
	UI_TITLE,
	UI_HEAD, /* column titles */
	UI_SORT, /* the title of the sorted column */
	UI_SELECT, /* the row under the cursor */
	UI_OK,
	UI_WARN,
	UI_CRIT,
	UI_ADDED,
	UI_REMOVED,
	UI_KEY, /* a key, in footer and help */
	UI_INPUT,
	UI_GRAPH,
	UI_BANNER, /* the link is lost */
	UI_ROLES,
	/* With a role that text is put with (surface_put()); no cell has them. */
	UI_LIVE = 0x40, /* a value that moves by itself */
	UI_OLD = 0x80, /* one that nobody says any more */
};

/* Of 256 colours; where there are fewer: yellow and blue. */
enum { THEME_ORANGE = 7, THEME_BLUE, THEME_COLOURS };
enum { THEME_BOLD = 1, THEME_REVERSE = 2, THEME_UNDERLINE = 4, THEME_DIM = 8 };

struct look {
	uint8_t attributes; /* THEME_* */
	int8_t colour; /* ANSI 1 to 6, THEME_ORANGE, THEME_BLUE; -1: the terminal's own */
	char letter; /* in the role plane of golden screens */
};

/* THEME_MONO: weight and reverse alone, for who wants or has no colour. */
enum ui_theme { UI_THEME_DEFAULT, UI_THEME_CONTRAST, UI_THEME_DEUTERANOPIA, UI_THEMES, UI_THEME_MONO = UI_THEMES };

struct look theme_look(enum ui_theme, enum ui_role);
const char *theme_name(enum ui_theme); /* of the first three, as options and files have it */
/* UI_THEMES: no such theme. */
enum ui_theme theme_named(const char *name);

#endif
