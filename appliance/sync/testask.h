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
uint64_t testask_id(struct sync *);	/* a fresh one, of what is asked anywhere */

/* ---- testaway.c: at other appliances ---- */
struct fleet_from;
/* Ask there; false: the request was refused, and is gone. */
bool	 testaway_begin(struct sync *, struct request *);
/* Is this appliance asked, too? */
bool	 testaway_asks_here(const struct request *);
/* This appliance's own answer, which is taken over; true: the request has its reply. */
bool	 testaway_here(struct request *, Ns__TestReply *);
/* Another one's; false: it was not asked of this request. */
bool	 testaway_take(struct request *, const char *from, const Ns__FleetTested *, bool *done);
/* The time of the others is over; true: what there is is the reply. */
bool	 testaway_late(struct request *);
/* Another appliance asks. */
void	 testaway_called(struct sync *, const struct fleet_from *, const Ns__FleetTest *);
/* It has answered. */
void	 testask_tested(struct sync *, const char *from, const Ns__FleetTested *);

#endif
