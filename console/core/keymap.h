/* keymap - which key does what where, from the table of actions.  A key that two actions of one context want is
 * an error that names both; so is a table without a key to leave.  In a form every key that writes is text. */
#ifndef NS_CONSOLE_CORE_KEYMAP_H
#define NS_CONSOLE_CORE_KEYMAP_H

#include <stdint.h>

#include "console/core/action.h"
#include "ipc/base/err.h"

struct keymap;

/* actions as ns_actions; NULL with why: a conflict, a key that is none, no key to quit. */
struct keymap *keymap_new(const struct ns_action *actions, struct ns_why *);
void keymap_destroy(struct keymap **);
/* NULL: nothing is bound to it there. */
const struct ns_action *keymap_find(const struct keymap *, unsigned contexts, uint32_t key);
/* The key that is shown for an action in these contexts; out is returned, empty: it has none there. */
const char *keymap_key(const struct ns_action *, unsigned contexts, char out[16]);

#endif
