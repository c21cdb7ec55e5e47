/* conflict - what stands against what when an edit's base is not the newest: base, theirs and mine of every
 * RRset that either side changed.  Reader or writer thread. */
#ifndef NS_SYNC_CONFLICT_H
#define NS_SYNC_CONFLICT_H

#include "appliance/sync/zoneplan.h"
#include "ipc/nameserve.pb-c.h"

#define CONFLICT_RRSETS 200		/* named in a reply, */
#define CONFLICT_OCTETS (256u << 10)	/* in so many octets */

struct request;

/* The reply's part, empty; the request owns it and it goes out with its refusal. */
Ns__Conflict	*conflict_of(struct request *);
/* The edit of a zone whose base is another version than now: fills why (NS_CONFLICT, ES_STALE) and the
 * conflict as far as the log tells. */
enum ns_err	 conflict_stale(Ns__Conflict *, const struct zoneplan *, const struct edit_zone *,
		    struct ns_why *);
/* One RRset; NULL: there is none.  Whether it overlaps is computed. */
struct conflict_sets {
	const struct rrset *base, *theirs, *mine;
};
void	 conflict_add(Ns__Conflict *, const uint8_t *apex, const struct rrset *key,
	    const struct conflict_sets *);
/* What a planned edit makes another, as if nobody else had changed anything. */
void	 conflict_of_plan(Ns__Conflict *, const struct zoneplan *);

#endif
