/* ncurses - the terminal as curses sees it: keys in, changed cells out, one doupdate a frame. */
#ifndef NS_CONSOLE_TERMINAL_NCURSES_H
#define NS_CONSOLE_TERMINAL_NCURSES_H

#include <stdbool.h>

#include "console/core/terminal.h"

/* NULL with a sentence in *why when TERM cannot do it.  Colour as asked, where the terminal has any. */
struct terminal *ncurses_open(bool colour, const char **why);
void ncurses_close(struct terminal **); /* the terminal is as it was */
/* Can glyphs beyond ASCII be shown?  By locale and TERM; sets the locale. */
bool ncurses_utf8(void);

#endif
