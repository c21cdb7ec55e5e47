/* parentcheck - zone check: our side from the store (a reader thread), the parent's from the probe (the
 * bus), the verdict from delegation.h.  The loop brings them together and never waits. */
#ifndef NS_SYNC_PARENTCHECK_H
#define NS_SYNC_PARENTCHECK_H

#include "appliance/sync/request.h"
#include "appliance/sync/sync.h"

void	 parentcheck_request(struct sync *, struct request *);
void	 parentcheck_reply(struct sync *, const Ns__Envelope *);	/* from the probe */
void	 parentcheck_tick(struct sync *, uint64_t now_ns);
void	 parentcheck_gone(struct sync *);	/* the probe is: what was asked has no answer */
void	 parentcheck_stop(void);

#endif
