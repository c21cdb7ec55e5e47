/* changetext - what a change did to a zone as people read it: a record in the place of another is one line, a policy is
 * words, and a mere new serial of the SOA is nothing.  Pure. */
#ifndef NS_CONSOLE_CORE_CHANGETEXT_H
#define NS_CONSOLE_CORE_CHANGETEXT_H

#include <stddef.h>

/* Lines as the appliance tells them, "owner TTL IN TYPE data", of one zone; each of the result is told with its sign:
 * '-', '+' or '~', not sanitized. */
void changetext(char *const *removed, size_t n_removed, char *const *added, size_t n_added,
    void (*line)(void *arg, char sign, const char *text), void *arg);

#endif
