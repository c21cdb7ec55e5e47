/* terminal - what the loop asks of a terminal; implemented in console/terminal. */
#ifndef NS_CONSOLE_CORE_TERMINAL_H
#define NS_CONSOLE_CORE_TERMINAL_H

#include <stdbool.h>
#include <stdint.h>

#include "console/core/surface.h"

struct terminal {
	void *state;
	/* The next key that is there; false: none now.  *closed: the terminal is gone. */
	bool (*read)(void *state, uint32_t *key, bool *closed);
	void (*size)(void *state, int *w, int *h);
	void (*resized)(void *state); /* the kernel says it has another size */
	void (*draw)(void *state, const struct surface *); /* what changed, in one write where it fits */
	void (*repaint)(void *state); /* the next draw paints all */
	bool (*writable)(void *state); /* without waiting */
	bool (*probe)(void *state); /* ask to be told when it is shown; false: cannot */
	void (*suspend)(void *state); /* back to the shell until SIGCONT */
	void (*leave)(void *state); /* another program has it, */
	void (*enter)(void *state); /* until it is ours again */
	void (*copy)(void *state, const char *text); /* to its clipboard */
	void (*page)(void *state, const char *text); /* as plain text, outside the alternate screen; */
	void (*unpage)(void *state); /* and back */
	void (*theme)(void *state, enum ui_theme); /* from the next frame on */
	void (*mouse)(void *state, bool on); /* clicks and the wheel are keys; NULL: has none */
};

#endif
