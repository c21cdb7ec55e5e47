/* console - the full-screen console, from an open client to the end. */
#ifndef NS_CONSOLE_SCREENS_CONSOLE_H
#define NS_CONSOLE_SCREENS_CONSOLE_H

#include <stdbool.h>

#include "ipc/client/client.h"

struct grammar;

struct console_options {
	int utf8; /* 1: glyphs; 0: ASCII; -1: as locale and TERM say */
	bool linear; /* line by line (linear.h) */
	bool mono;
	int theme; /* enum ui_theme; -1: the one of the last time */
	bool osc52; /* the terminal's clipboard takes what is copied */
	bool read_only; /* actions that change something say so instead */
	const struct grammar *grammar; /* of lines after `:` (palette.h); NULL: there are none */
	bool restricted; /* for somebody who has no shell here: the console's own editor, no suspending */
};

/* The exit code; 2 after a message when keys.conf has a mistake, or the terminal cannot place the cursor; 4 or 7 when
 * it ended before it reached an appliance; 130 when it was interrupted. */
int console_run(struct ns_client *, const struct console_options *);

#endif
