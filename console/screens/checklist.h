/* checklist - the names and states of all checks, for screens that choose one or say what they do. */
#ifndef NS_CONSOLE_SCREENS_CHECKLIST_H
#define NS_CONSOLE_SCREENS_CHECKLIST_H

#include "console/core/policyfx.h"
#include "console/screens/ui.h"

struct checklist {
	struct view *view;
	uint64_t request;
	struct checklist_row {
		char *name; /* as the appliance has it */
		uint8_t state; /* enum pol_state */
	} *rows, *coming; /* by name */
	size_t n, n_coming;
	const char **choices; /* "-", then the names; ends with NULL */
	bool loaded;
};

/* Asks for all of them; what was there stays until it has come.  Changed: the view is drawn anew. */
void checklist_ask(struct checklist *, struct view *);
void checklist_free(struct checklist *);
enum pol_state checklist_state(void *list, const char *check); /* for struct pol_health */
const struct checklist_row *checklist_find(const struct checklist *, const char *name); /* NULL: there is none */

#endif
