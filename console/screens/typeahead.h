/* typeahead - a key acts on what the operator asked for before it.
 *
 * While the list that was asked for is on its way, what the screen still shows is another: keys that move in it, open or
 * change a row wait for it, in order; when it does not come they are dropped, and that is said.  While only the row at
 * the cursor is on its way, movements go on and what acts on the row waits.  Keys that leave act at once, and what
 * waited is dropped with what it was meant for. */
#ifndef NS_CONSOLE_SCREENS_TYPEAHEAD_H
#define NS_CONSOLE_SCREENS_TYPEAHEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "console/core/action.h"

#define TYPEAHEAD_MAX    32u /* more than anybody types in the five seconds that a list may take */
#define TYPEAHEAD_TOLD   250u /* ms, after which it is said that keys wait */
#define TYPEAHEAD_PLACE  24u

struct ui;
struct view;

/* A key; or, where that is 0, an action by its name or a place in the list ("50%"). */
struct typed {
	uint32_t key;
	enum ns_action_id id;
	char place[TYPEAHEAD_PLACE];
};

struct typeahead {
	struct typed list[TYPEAHEAD_MAX];
	size_t n;
	uint64_t since_ms; /* the first of them */
	bool going; /* they are being acted on */
};

/* For lists: what the operator asked for is on its way, and it is there, or will not come. */
void ui_awaits(struct view *);
void ui_came(struct view *, bool there); /* may close the view: the last that is done with it */

/* Does this wait? Then it is kept, or was one too many. */
bool typeahead_key(struct ui *, uint32_t key, const struct ns_action *);
bool typeahead_act(struct ui *, const struct ns_action *);
bool typeahead_place(struct ui *, const char *place);
/* What a key did at once that left where those were meant for that wait. */
void typeahead_left(struct ui *, const struct view *was);
void typeahead_drop(struct ui *);
/* "2 keys wait for the list", once it takes long; empty: none do. */
void typeahead_text(const struct ui *, char *out, size_t size);

#endif
