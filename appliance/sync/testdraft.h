/* testdraft - what drafts would make of their zones, for `nameserve test --draft`: planned as `plan` plans
 * them, and written nowhere. */
#ifndef NS_SYNC_TESTDRAFT_H
#define NS_SYNC_TESTDRAFT_H

#include "appliance/sync/request.h"

struct sync;

/* Loop.  Plans the edits of a test request in the threads that plan, then calls `planned` in the loop; or
 * ends the request with the plan's refusal. */
typedef void testdraft_fn(struct sync *, struct request *);
void	 testdraft_plan(struct sync *, struct request *, testdraft_fn *planned);
/* The drafts of a request that is planned, which it leaves to the caller: n of them; testdraft_free(). */
struct testdraft;
struct testdraft	*testdraft_take(struct request *);
Ns__FeedZone		**testdraft_zones(const struct testdraft *, size_t *n);
void	 testdraft_free(void *);	/* NULL-safe */

#endif
