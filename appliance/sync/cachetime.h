/* cachetime - until when caches may hold what was answered before now.
 *
 * What is served now may be kept for its TTL from now on; what was replaced by a change may have been answered
 * up to that change, and be kept for the TTL that it had then: of a TTL that was lowered an hour ago the old
 * one may be the longer.  The log of changes knows.  Reader or writer thread. */
#ifndef NS_SYNC_CACHETIME_H
#define NS_SYNC_CACHETIME_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/dns/zwire.h"
#include "appliance/store/store.h"
#include "ipc/nameserve.pb-c.h"

#define CACHE_TTL_MAX (7u * 86400u)	/* seconds: resolvers keep nothing longer, whatever the TTL */
#define CACHE_CHANGES 100000u		/* that are gone through */

struct cachetime {
	struct store	*store;
	int64_t		 now_ms;
	uint64_t	 until_ns;	/* clock_mono_ns(): what is not gone through by then is left out */
	int64_t		 last_ms;	/* out: in no cache after this; 0: nothing was found */
	bool		 partial;	/* out: it may be later */
};

/* How long caches may keep a set: its TTL; of policies the longest that they say themselves. */
uint32_t cachetime_ttl(const struct rrset *);
/* What is answered up to now with that TTL. */
void	 cachetime_now(struct cachetime *, uint32_t ttl);
/* What was replaced in a zone (0: in any), of those that are wanted (NULL: all). */
typedef bool cachetime_wants(void *arg, const struct rrset *);
void	 cachetime_past(struct cachetime *, uint64_t zone, cachetime_wants *, void *arg);
/* Seconds from now, rounded up. */
uint32_t cachetime_seconds(const struct cachetime *);

/* All that policies answer by a check or by one that is calculated from it: when the last cached answer of
 * its former state has expired.  NULL: no policy looks at it. */
Ns__Caches	*cachetime_of_check(struct cachetime *, const char *check);

#endif
