/* ask - a few fields before something that is done at once: force a check, drain an appliance, roll a key.
 *
 * Ctrl-S gives them to `accept`, which asks by ui_ask() and then sends by ask_send().  The form stays until the
 * appliance has answered, so that a refusal costs nothing that was typed. */
#ifndef NS_CONSOLE_SCREENS_ASK_H
#define NS_CONSOLE_SCREENS_ASK_H

#include "console/screens/ui.h"

#define ASK_FIELDS 4u

struct ask_field {
	const char *label;
	const char *const *choices; /* NULL: free text */
	const char *text; /* at first */
	const char *hint;
	size_t max; /* octets of free text, with the NUL */
};

/* title, of what (as the appliance has it), fields. */
struct ask_what {
	const char *title, *object;
	const struct ask_field *fields;
	size_t n;
	void (*accept)(struct view *);
	unsigned flags; /* the opener's own */
};

/* NULL: there is no room for a screen more. */
struct view *ask_open(struct ui *, const struct ask_what *);
/* A line below the fields; any octets. */
void ask_note(struct view *, enum ui_role, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
unsigned ask_flags(const struct view *);
const char *ask_text(struct view *, size_t field);
/* Says what is wrong with a field, and goes there. */
void ask_wrong(struct view *, size_t field, const char *why);
void ask_send(struct view *, Ns__Envelope *);

#endif
