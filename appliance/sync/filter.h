/* filter - which names a list shows: words are ANDed; `foo` substring, `^foo` prefix,
 * `*.x.*` glob, `~re` regular expression, `-word` not, `dnssec:on|off|bad`, `health:bad`.
 * Pure; one filter belongs to one thread. */
#ifndef NS_SYNC_FILTER_H
#define NS_SYNC_FILTER_H

#include <stdbool.h>

#include "ipc/base/err.h"

#define FILTER_WORDS 16
#define FILTER_NAME  1024	/* longest name */
#define FILTER_WORD  128	/* octets of a word: a regular expression's memory and time grow with it */

struct filter;
struct filter	*filter_new(const char *text, struct ns_why *);	/* NULL with why */
void	 filter_destroy(struct filter **);
bool	 filter_all(const struct filter *);			/* matches everything */
/* What of a zone a filter may ask for beside its name; filled in when filter_wants() it. */
enum filter_fact { FILTER_SIGNED = 1, FILTER_DNSSEC_BAD = 2, FILTER_HEALTH_BAD = 4 };
unsigned filter_wants(const struct filter *);			/* FILTER_* */
/* name: master-file form, lower case, with its final dot.  facts: FILTER_* that are so. */
bool	 filter_match(struct filter *, const char *name, unsigned facts);

#endif
