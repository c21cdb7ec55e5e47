/* zonedraft - a difference as operations, for a draft of the client's: of a zone and a file of it, and of a
 * change that is to be taken back.  Writes nothing.  Writer thread. */
#ifndef NS_SYNC_ZONEDRAFT_H
#define NS_SYNC_ZONEDRAFT_H

#include "appliance/sync/plan.h"

#define ZONEDRAFT_OCTETS (700u << 10) /* of all drafts of a reply, which must fit NS_MSG_MAX */

/* NULL with why: too much of it.  newer: the SOA's new serial is meant and kept; any other is set at the
 * commit.  *octets: what there is room for, and then what is left. */
Ns__ZoneEdit	*zone_draft(const struct store_zone *, const struct diff *, bool newer, size_t *octets,
		    struct ns_why *);
/* The same difference on top of what the edit has: an RRset in it twice counts as it is last.  false: too much. */
bool	 zone_draft_add(Ns__ZoneEdit *, const struct diff *, bool skip_soa, size_t *octets);
/* A CommitReply with a draft for each zone of the plan that would change. */
enum ns_err	 plan_draft(struct request *, struct store *, struct plan *) __attribute__((warn_unused_result));

#endif
