/* stats - `stats` is the answer process's to know: ask it, and hand its word on.  Loop only. */
#ifndef NS_SYNC_STATS_H
#define NS_SYNC_STATS_H

#include "appliance/sync/request.h"
#include "appliance/sync/sync.h"

struct stats	*stats_new(void);
void	 stats_destroy(struct stats **);
void	 stats_request(struct sync *, struct request *);
void	 stats_metrics(struct sync *, const Ns__Envelope *);
/* What a zone is asked a second, as answer said when this was asked for last: NAN when that is long ago, or never was. */
double	 stats_zone_qps(struct sync *, const char *name, uint64_t now_ns);
/* Asks answer for its load once a second, too: it comes to s->fleet->qps, for the list of appliances. */
void	 stats_tick(struct sync *, uint64_t now_ns);

#endif
