/* filter - what a list shows: words are ANDed; `foo` substring, `^foo` prefix, `*.x.*` glob, `~re` regular expression,
 * `-word` not, all of them of the name; and facets:
 * of zones `name:foo`, `dnssec:on|off|bad`, `health:bad`, `qps:>100`, `qps:<1`, `changed:<1d`, `changed:>30m`,
 * `draft:mine`; of RRsets `name:foo`, `type:MX`, `policy:foo`, `draft:mine`; of changes
 * `name:foo`, `who:ci`, `via:api`, `from:192.0.2.`, `at:fra1`, `kind:edit`, `since:1d`.  A substring is looked for in the data of an RRset and in
 * the comment of a change, too.
 * Pure; one filter belongs to one thread. */
#ifndef NS_SYNC_FILTER_H
#define NS_SYNC_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/base/err.h"

#define FILTER_WORDS 16
#define FILTER_NAME  1024	/* longest name */
#define FILTER_WORD  128	/* octets of a word: a regular expression's memory and time grow with it */

struct filter;
enum filter_of { FILTER_ZONES, FILTER_RRSETS, FILTER_CHANGES };
struct filter	*filter_new(enum filter_of, const char *text, struct ns_why *);	/* NULL with why */
void	 filter_destroy(struct filter **);
bool	 filter_all(const struct filter *);			/* matches everything */
/* What of a zone a filter may ask for beside its name; filled in when filter_wants() it. */
enum filter_fact {
	FILTER_SIGNED = 1, FILTER_DNSSEC_BAD = 2, FILTER_HEALTH_BAD = 4,
	FILTER_QPS = 8, FILTER_CHANGED = 16, FILTER_DRAFT = 32, FILTER_NAMES = 64,
	FILTER_FLAGS = FILTER_SIGNED | FILTER_DNSSEC_BAD | FILTER_HEALTH_BAD,
};
struct filter_zone {
	const char *name;	/* master-file form, lower case, with its final dot */
	unsigned flags;		/* FILTER_FLAGS that are so; FILTER_DRAFT: whoever asks has a draft of it */
	double	 qps;		/* NAN: not known, neither above nor below anything */
	int64_t	 age_s;		/* since it was changed */
};
unsigned filter_wants(const struct filter *);			/* FILTER_* */
bool	 filter_match(struct filter *, const struct filter_zone *);
struct filter_rrset {
	const char *name;	/* as of a zone */
	const char *relative;	/* to the zone, "@" at its apex */
	const char *type;
	char *const *rdata;	/* master-file form */
	size_t	 n;
	bool	 draft;		/* the draft of whoever asks changes it */
};
bool	 filter_match_rrset(struct filter *, const struct filter_rrset *);
struct filter_change {
	const char *who, *via, *source, *appliance, *kind, *comment;
	int64_t	 age_s;
	char *const *names;	/* of its zones, or of what else it is of; NULL: words that ask for them match */
	size_t	 n;
};
bool	 filter_match_change(struct filter *, const struct filter_change *);
double	 filter_since(const struct filter *);			/* seconds; what is older matches not; INFINITY: no such word */

#endif
