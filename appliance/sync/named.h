/* named - the names that a request brings along, to be found among.  Borrows the request's; reorders its list. */
#ifndef NS_SYNC_NAMED_H
#define NS_SYNC_NAMED_H

#include <stdbool.h>
#include <stddef.h>

#include "ipc/base/err.h"

#define NAMED_MAX 1000u

struct named {
	char	**list;
	size_t	 n;
};
/* false, with why: more than NAMED_MAX. */
bool	 named_take(struct named *, char **list, size_t n, struct ns_why *);
bool	 named_has(const struct named *, const char *name);	/* as it is written */

#endif
