/* dialog - asks before something that cannot be undone.
 *
 * T1: y or n, n is what anything else means that leaves; T2: the name has to be typed.  The first 150 ms
 * nothing counts, so that what was typed before does not answer; neither Enter nor the key that asked
 * ever answers T1. */
#ifndef NS_CONSOLE_WIDGETS_DIALOG_H
#define NS_CONSOLE_WIDGETS_DIALOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "console/widgets/edit.h"

#define DIALOG_TEXT 1100u

/* In place of y and n; a list of them ends with key 0. */
struct dialog_choice {
	char key;
	const char *label;
	void (*fn)(void *arg); /* NULL: nothing is done, as by Esc */
};

struct dialog {
	bool on;
	char ask[DIALOG_TEXT]; /* the question */
	char more[DIALOG_TEXT]; /* what it means; empty: nothing */
	char name[DIALOG_TEXT]; /* T2: to be typed; empty: T1 */
	const struct dialog_choice *choices; /* NULL: y or n */
	struct edit typed;
	uint64_t since_ms;
	void (*yes)(void *arg);
	void *arg;
};

enum dialog_end { DIALOG_MORE, DIALOG_YES, DIALOG_NO };

enum dialog_end dialog_key(struct dialog *, uint32_t key, uint64_t now_ms);
void dialog_draw(const struct dialog *, struct surface *, struct rect);

#endif
