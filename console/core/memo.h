/* memo - what the console remembers of an appliance between two sessions: the screen, filters, sorting, theme.
 *
 * Values under names such as "Zones.filter", in one JSON file of ours (0600) in the state directory.  The file is
 * hostile input: bounded, and what is no such file is no reason not to start; it is set aside as NAME.damaged.  The
 * newest session that ends wins. */
#ifndef NS_CONSOLE_CORE_MEMO_H
#define NS_CONSOLE_CORE_MEMO_H

#include <stdbool.h>
#include <stddef.h>

#include "ipc/base/err.h"

#define MEMO_NAMES 64u
#define MEMO_NAME  48u /* octets of a name, */
#define MEMO_VALUE 512u /* and of a value */
#define MEMO_FILE  131072u /* quotes take two octets */

struct memo;

struct memo *memo_new(void);
void memo_destroy(struct memo **);
/* NULL: nothing is known of it. */
const char *memo_get(const struct memo *, const char *name);
/* What does not fit is not remembered.  NULL or "": forgotten. */
void memo_set(struct memo *, const char *name, const char *value);
/* Each name with its value, in the order of the file. */
typedef void memo_fn(void *arg, const char *name, const char *value);
void memo_each(const struct memo *, memo_fn *, void *arg);
/* Does it hold what was not saved? */
bool memo_changed(const struct memo *);

/* ---- pure: the file's octets ---- */
/* Adds to the memo what is not in it yet; NS_CORRUPT: nothing was added. */
enum ns_err memo_decode(struct memo *, const void *data, size_t len, struct ns_why *);
char *memo_encode(const struct memo *); /* malloc'ed */

/* ---- the file ---- */
/* NS_NOTFOUND: there is none.  NS_CORRUPT: it was set aside, with its new path. */
enum ns_err memo_load(struct memo *, const char *path, struct ns_why *);
/* All or nothing; NS_FAILED with why. */
enum ns_err memo_save(struct memo *, const char *path, struct ns_why *);

#endif
