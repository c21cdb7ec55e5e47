/* handover - the standby is another one, or none, since a change of ours: that change counts when the one before has
 * stored it too.  Until then that one takes itself for the standby and may be promoted, without what the new one
 * alone was given.  `fleet standby none` is also the way out when the standby is silent: then nobody waits for it.
 * Loop only; the fact of it is members.h's. */
#ifndef NS_SYNC_HANDOVER_H
#define NS_SYNC_HANDOVER_H

#include "appliance/fleet/standby.h"
#include "appliance/sync/members.h"
#include "appliance/sync/sync.h"

struct follower;

/* After the COMMIT of the change, and when the store is open. */
void	 handover_begin(struct sync *, const struct handover *);
/* One is under way, and waits for somebody that must not be left out. */
bool	 handover_must(const struct sync *);
/* That change may not be told: the standby before has not stored so far. */
bool	 handover_waits(const struct sync *, uint64_t revision);
/* What the standby before may be sent; 0: it is not that one. */
uint64_t handover_limit(const struct sync *, const char *name);
void	 handover_look(const struct sync *, struct gate_view *);
/* Who is silent and must not be; NULL: nobody. */
const struct member *handover_silent(const struct sync *, const struct follower **);
/* Ends it when it is done. */
void	 handover_settle(struct sync *);

#endif
