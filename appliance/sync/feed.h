/* feed - zone data to the signer, in revision order.  Loop only.
 *
 * A signer that says hello gets everything newer than what its map holds (all of it, when that is
 * nothing or unknown) from the feeder thread; what is committed meanwhile is held back and follows.
 * At most FEED_WINDOW octets are on their way unacknowledged.  What waits is bounded too: a signer
 * that falls behind by FEED_PENDING is caught up from the store again. */
#ifndef NS_SYNC_FEED_H
#define NS_SYNC_FEED_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/sync/feedblock.h"
#include "appliance/sync/sync.h"

#define FEED_WINDOW  (8u << 20)
#define FEED_PENDING (32u << 20)
#define FEED_ROOM    (16u << 20)	/* above it imports wait */

struct feed	*feed_new(void);
void	 feed_destroy(struct feed **);

void	 feed_live(struct sync *, struct feed_block_list *);	/* takes them */
void	 feed_block_arrived(struct job *, struct sync *);	/* from the feeder */
/* What the signer has is not this store's history any more: all of it again. */
void	 feed_anew(struct sync *);
/* Changes after that one are released, and no batch has them. */
void	 feed_since(struct sync *, uint64_t revision);
bool	 feed_has_room(const struct feed *);

void	 feed_signer_hello(struct sync *, const struct ns_peer *, const Ns__RoleHello *);
void	 feed_signer_gone(struct sync *);
void	 feed_acked(struct sync *, uint64_t seq);
void	 feed_published(struct sync *, const Ns__Published *);
void	 feed_resync(struct sync *, const Ns__ResyncZone *);
/* Send what may be sent; `s->pump` is the event that calls it again. */
void	 feed_pump(struct sync *);

struct feed_state {
	bool		signer;		/* one is there */
	bool		streaming;	/* being caught up from the store */
	bool		map_full;
	uint64_t	published, map_bytes;
	double		stuck_s;	/* how long nothing was taken though something waits */
	char		text[256];	/* the signer's trouble, in its words */
};
void	 feed_state(const struct feed *, struct feed_state *);

#endif
