/* checkform - what the definition of a health check is made of, for people: a row a field, and which kinds have it.
 * From it come the form, and the way from the message to texts and back.  Pure.
 *
 * Names of fields are the appliance's (message Check), so that what it refuses (`check.plan`) is shown at its field; its
 * rules are the only ones (appliance/sync/checkrule.c).  An empty field is its default. */
#ifndef NS_CONSOLE_CORE_CHECKFORM_H
#define NS_CONSOLE_CORE_CHECKFORM_H

#include <stdbool.h>
#include <stddef.h>

#include "ipc/nameserve.pb-c.h"

struct check_field {
	const char *name; /* of message Check */
	const char *title;
	int width; /* of its box */
	unsigned kinds; /* bits of check_kinds */
	const char *const *choices; /* NULL: typed */
	const char *hint; /* with its default */
};

extern const struct check_field check_fields[]; /* in the form's order, the type first; ends with a NULL name */
extern const char *const check_kinds[]; /* ends with NULL */
const char *check_about(const char *kind);

/* Does a check of that kind have the field?  Of an unknown kind only the type. */
bool check_has(const char *kind, const struct check_field *);
/* What is there, as it is typed; malloc'ed, empty for what is zero. */
char *check_text(const Ns__Check *, const struct check_field *);
/* NULL: taken; else what it should be.  The check is one of ns__check__unpack's, or init'ed: it owns what it holds. */
const char *check_take(Ns__Check *, const struct check_field *, const char *text);

/* A copy with what its kind has alone; what was typed for another kind stays in the other. */
Ns__Check *check_own(const Ns__Check *);
/* As `check set` reads it, on one line; what is its default is left out.  malloc'ed. */
char *check_json(const Ns__Check *);

#endif
