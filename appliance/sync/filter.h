/* filter - which names a list shows: words are ANDed; `foo` substring, `^foo` prefix,
 * `*.x.*` glob, `~re` regular expression, `-word` not, `dnssec:on|off|bad`, `health:bad`, `qps:>100`, `qps:<1`,
 * `changed:<1d`, `changed:>30m`.
 * Pure; one filter belongs to one thread. */
#ifndef NS_SYNC_FILTER_H
#define NS_SYNC_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "ipc/base/err.h"

#define FILTER_WORDS 16
#define FILTER_NAME  1024	/* longest name */
#define FILTER_WORD  128	/* octets of a word: a regular expression's memory and time grow with it */

struct filter;
struct filter	*filter_new(const char *text, struct ns_why *);	/* NULL with why */
void	 filter_destroy(struct filter **);
bool	 filter_all(const struct filter *);			/* matches everything */
/* What of a zone a filter may ask for beside its name; filled in when filter_wants() it. */
enum filter_fact {
	FILTER_SIGNED = 1, FILTER_DNSSEC_BAD = 2, FILTER_HEALTH_BAD = 4,
	FILTER_QPS = 8, FILTER_CHANGED = 16,
	FILTER_FLAGS = FILTER_SIGNED | FILTER_DNSSEC_BAD | FILTER_HEALTH_BAD,
};
struct filter_zone {
	const char *name;	/* master-file form, lower case, with its final dot */
	unsigned flags;		/* FILTER_FLAGS that are so */
	double	 qps;		/* NAN: not known, neither above nor below anything */
	int64_t	 age_s;		/* since it was changed */
};
unsigned filter_wants(const struct filter *);			/* FILTER_* */
bool	 filter_match(struct filter *, const struct filter_zone *);

#endif
