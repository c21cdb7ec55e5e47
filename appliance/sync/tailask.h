/* tailask - `tail` is the answer process's to know: ask it, or those of all appliances.  Loop only. */
#ifndef NS_SYNC_TAILASK_H
#define NS_SYNC_TAILASK_H

#include "appliance/sync/everywhere.h"
#include "appliance/sync/request.h"
#include "appliance/sync/sync.h"

struct tailask;
struct tailask *tailask_new(void);
void tailask_destroy(struct tailask **);
void tailask_request(struct sync *, struct request *);
void tailask_rows(struct sync *, const Ns__Envelope *);
void tailask_tick(struct sync *, uint64_t now_ns);
/* One reply of those of all, oldest rows first, at most as many as were asked for. */
everywhere_fn tailask_merge;

#endif
