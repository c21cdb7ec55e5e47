/* testask - `nameserve test`: asks the answer process, which asks the serving code.  Loop. */
#ifndef NS_SYNC_TESTASK_H
#define NS_SYNC_TESTASK_H

#include "appliance/sync/request.h"
#include "appliance/sync/sync.h"

struct testask;
struct testask	*testask_new(void);
void	 testask_destroy(struct testask **);
void	 testask_request(struct sync *, struct request *);
void	 testask_explained(struct sync *, const Ns__Envelope *);
void	 testask_tick(struct sync *, uint64_t now_ns);

#endif
