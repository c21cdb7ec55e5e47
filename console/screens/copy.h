/* copy - texts of the screen below to take along: to the terminal's clipboard (OSC 52) where --clipboard=osc52 says that
 * it takes it, and always as a page of plain text, outside the alternate screen, unwrapped. */
#ifndef NS_CONSOLE_SCREENS_COPY_H
#define NS_CONSOLE_SCREENS_COPY_H

#include "console/screens/ui.h"

#define COPIES_MAX 8u

struct copies {
	struct {
		const char *label;
		char *text; /* sanitized; malloc'ed */
	} list[COPIES_MAX];
	size_t n;
};

/* Takes the text over. */
void copies_add(struct copies *, const char *label, char *text);

#endif
