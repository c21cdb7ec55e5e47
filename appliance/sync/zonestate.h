/* zonestate - what is not well with a zone: the DS that a roll waits for, signatures that end, checks that are down.
 *
 * Read from the store and the health board when somebody asks; any reader thread.  What the store cannot say counts as
 * well: verify tells of a damaged store. */
#ifndef NS_SYNC_ZONESTATE_H
#define NS_SYNC_ZONESTATE_H

#include "appliance/store/store.h"

/* As ZoneInfo has them; constants. */
const char	*zone_dnssec_trouble(struct store *, const struct store_zone *);
const char	*zone_health(struct store *, uint64_t zone_id);

/* The same for a walk over all zones: what is bad is read once. */
struct zone_facts;
struct zone_facts	*zone_facts_new(struct store *, unsigned wants);	/* FILTER_* */
void	 zone_facts_destroy(struct zone_facts **);
unsigned zone_facts_of(struct zone_facts *, const struct store_zone *);		/* FILTER_* */

#endif
