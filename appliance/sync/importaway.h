/* importaway - imports of clients here, whose sessions are at the primary (forward.c).  Loop.
 *
 * Only this appliance can see that such a client is gone: it looks once a second and says so to the primary, or the
 * session would hold one of few places there until it is found idle. */
#ifndef NS_SYNC_IMPORTAWAY_H
#define NS_SYNC_IMPORTAWAY_H

#include "appliance/sync/request.h"
#include "appliance/sync/sync.h"

/* The primary answered that request: a session begins, or ends. */
void	 importaway_heard(struct sync *, const struct request *);
/* The primary that has them is lost, and they with it. */
void	 importaway_forget(struct sync *);
void	 importaway_tick(struct sync *, uint64_t now_ns);

#endif
