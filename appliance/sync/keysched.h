/* keysched - when a zone's keys are next looked at: by time, and by the DS at the parent.
 *
 * A table of all signed zones, filled at the start and kept by every batch, at replicas too; only the primary
 * acts, by requests of its own (verb EVENT) that go the way of any other (dnssec.h).  What the parent said is this
 * appliance's own observation, kept in memory and shown, never replicated.  Loop only. */
#ifndef NS_SYNC_KEYSCHED_H
#define NS_SYNC_KEYSCHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/store/store.h"
#include "appliance/sync/keyfeed.h"
#include "appliance/sync/sync.h"

/* Seconds that count for keys (keyclock.h). */
int64_t	 keysched_now(void);

void	 keysched_load(struct sync *);		/* all of them, from the store */
void	 keysched_update(struct sync *, const struct key_times *, size_t);
/* This appliance's keyring: the newest fleet key for ZSKs has that number (zones wrapped with an older one are
 * due), and the one for KSKs is there. */
void	 keysched_ring(uint32_t epoch, bool apex);
bool	 keysched_ringed(void);	/* … and it has been given to the signer */
void	 keysched_tick(struct sync *, uint64_t now_ns);
void	 keysched_stop(void);

/* What the parent said of a zone, just now; and what it said last (NULL: nothing), with the time in seconds. */
void	 keysched_seen(struct sync *, const struct store_zone *, const Ns__ParentReply *);
const Ns__ParentReply	*keysched_parent(uint64_t zone_id, int64_t *at);

/* For stats: the first event of all, how many wait for the parent, and keys by what they are. */
void	 keysched_stats(Ns__StatsReply__Signing *);
/* For status: what keeps keys from being looked after; malloc'ed, NULL: nothing. */
char	*keysched_trouble(const struct sync *);
/* What a promotion of this appliance means for them; malloc'ed, NULL: nothing. */
char	*keysched_promoted(void);

#endif
