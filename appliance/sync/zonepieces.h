/* zonepieces - a zone as it is sent to another appliance, and its digest.  Threads with a store handle. */
#ifndef NS_SYNC_ZONEPIECES_H
#define NS_SYNC_ZONEPIECES_H

#include "appliance/fleet/socket.h"
#include "appliance/store/store.h"
#include "appliance/sync/residency.h"

/* Of its id, serial, whether it is external, and content; zeros: it cannot be read. */
void	 zone_sum(struct store *, const struct store_zone *, uint8_t out[32]);

/* Who gets it, and what becomes of the pieces. */
struct zone_view {
	struct store	*store;
	const struct residency *residency;
	const char	*site;
	uint64_t	 term, revision;	/* of what is said */
	/* Takes over the packet; NULL: it does not fit one.  False: no more. */
	bool		(*emit)(void *arg, struct packet *);
	void		*arg;
	uint64_t	 octets;	/* of content, so far */
};
/* FleetZone in pieces: all of it, or that there is none, or none that may be held there. */
enum ns_err	 zone_pieces(struct zone_view *, const uint8_t *name);

#endif
