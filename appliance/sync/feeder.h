/* feeder - the thread that reads zones from the store for the signer: all of them, those since a
 * revision, or one.  It has its own read handle and one consistent view per stream.
 *
 * At most FEEDER_OUT octets are on their way to the loop; the loop gives them back with
 * feeder_release() when a block is sent or dropped. */
#ifndef NS_SYNC_FEEDER_H
#define NS_SYNC_FEEDER_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/sync/feedblock.h"

#define FEEDER_OUT (4u << 20)

struct feeder;
struct feeder_conf {
	const char	*dir;
	const char	*appliance;
	struct wake	*wake;
	void		(*arrived)(struct job *, struct sync *);	/* a struct feed_block */
};
struct feeder_order {
	uint64_t	stream;		/* every block of it carries the number */
	uint64_t	since;
	uint64_t	upto;		/* what is newer may not be told: zones as they were then (asof.h) */
	bool		start_over;
	uint8_t		zone[255];	/* not the root name's zero length: one zone only, when `one` */
	bool		one;
};
struct feeder	*feeder_start(const struct feeder_conf *);
void	 feeder_stop(struct feeder **);
void	 feeder_order(struct feeder *, const struct feeder_order *);
/* Forget all orders and what is being read. */
void	 feeder_cancel(struct feeder *);
void	 feeder_release(struct feeder *, size_t octets);

#endif
