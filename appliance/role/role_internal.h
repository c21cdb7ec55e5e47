/* role_internal - what the files of appliance/role share with each other, and with nobody else. */
#ifndef NS_ROLE_ROLE_INTERNAL_H
#define NS_ROLE_ROLE_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "appliance/role/role.h"

#define LINK_START_MAX (256u << 10) /* ChildStart: config and up to 128 sockets, in octets */

/* link.c: the descriptor to the supervisor. */
Ns__ChildStart *link_receive_start(const struct role_ops *); /* fatal() when it is not one */
void link_catch_signals(void);
void link_attach(struct role *); /* role->base exists: listen, and send ALIVE */
void link_detach(void);
void link_lacks(struct role *, const char *problems); /* the kernel's, for good */

/* rights.c: who we are.  rights_lend() sets everything but the last word (a saved uid of 0 is kept
 * until ops->open is through); rights_drop() gives that up too and checks that nothing is left. */
void rights_lend(const Ns__ChildStart *);
void rights_drop(const Ns__ChildStart *);

/* landlock.c, seccomp.c */
void landlock_apply(const struct role *, const struct role_rules *, char *problems, size_t size);
void seccomp_apply(const struct role_rules *);

/* Append "; "-separated text, cut at size. */
void problems_add(char *problems, size_t size, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
