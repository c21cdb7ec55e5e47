/* named - see named.h. */
#include "appliance/sync/named.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/sync/errors.h"

static int
compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

bool
named_take(struct named *m, char **list, size_t n, struct ns_why *why)
{
	*m = (struct named){ list, n };
	if (n > NAMED_MAX) {
		(void)ns_fail(why, NS_USAGE, ES_FILTER, "filter: at most %u drafts", NAMED_MAX);
		return false;
	}
	if (n > 0)
		qsort(list, n, sizeof *list, compare);
	return true;
}

bool
named_has(const struct named *m, const char *name)
{
	return m->n > 0 && bsearch(&name, m->list, m->n, sizeof *m->list, compare) != NULL;
}
