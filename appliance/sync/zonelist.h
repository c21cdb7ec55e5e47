/* zonelist - `zone list` and `zone show`: reader threads, but for what the loop asks of a request. */
#ifndef NS_SYNC_ZONELIST_H
#define NS_SYNC_ZONELIST_H

#include "appliance/store/store.h"
#include "appliance/sync/request.h"

/* Does it need to know how much each zone is asked? */
bool	 zone_list_wants_rates(const Ns__ZoneListRequest *);
/* r->state: the rates (zonerates.h), or NULL. */
enum ns_err	 zone_list_read(struct request *, struct store *);

#endif
