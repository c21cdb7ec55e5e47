/* key.c - see key.h. */
#include "console/core/key.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "console/core/surface.h"

static const struct {
	uint32_t key;
	const char *name;
} names[] = { { UIKEY_ESC, "Esc" }, { UIKEY_ENTER, "Enter" }, { UIKEY_TAB, "Tab" },
	{ UIKEY_BACKSPACE, "Backspace" }, { ' ', "Space" }, { UIKEY_UP, "Up" },
	{ UIKEY_DOWN, "Down" }, { UIKEY_LEFT, "Left" }, { UIKEY_RIGHT, "Right" },
	{ UIKEY_HOME, "Home" }, { UIKEY_END, "End" }, { UIKEY_PGUP, "PgUp" },
	{ UIKEY_PGDN, "PgDn" }, { UIKEY_DELETE, "Delete" }, { UIKEY_BACKTAB, "Shift-Tab" },
	{ UIKEY_F1, "F1" }, { UIKEY_F2, "F2" } };

uint32_t
key_number(const char *name)
{
	uint32_t cp = 0;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(names[i].name, name) == 0)
			return names[i].key;
	if (strncmp(name, "Ctrl-", 5) == 0 && name[5] != '\0' && name[6] == '\0' &&
	    isalpha((unsigned char)name[5]))
		return CTRL_KEY(toupper((unsigned char)name[5]));
	unsigned n = utf8_next(name, &cp);
	return n > 0 && name[n] == '\0' && cp > ' ' ? cp : 0;
}

const char *
key_label(uint32_t key, char out[16])
{
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (names[i].key == key) {
			snprintf(out, 16, "%s", names[i].name);
			return out;
		}
	if (key < 32)
		snprintf(out, 16, "Ctrl-%c", (char)(key + 64));
	else if (key < 127)
		snprintf(out, 16, "%c", (char)key);
	else
		snprintf(out, 16, "U+%04X", key);
	return out;
}
