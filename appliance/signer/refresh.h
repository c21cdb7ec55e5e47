/* refresh - zones whose signatures are due, found in the map and made anew before they end.
 *
 * An image says when its first signature ends (image_format.h), so a sweep looks at nothing else: pages of
 * the map's directory, a slice of time at each turn, all of 100,000 zones in half a minute.  What is due is made anew in slices,
 * one zone at a time, by feed_refresh(); a zone that cannot be waits for the next sweep. */
#ifndef NS_SIGNER_REFRESH_H
#define NS_SIGNER_REFRESH_H

#include "appliance/dns/name.h"
#include "appliance/signer/feed.h"

struct refresh;

struct refresh	*refresh_new(struct writer *, struct feed *);
void	 refresh_destroy(struct refresh **);
/* Looks at pages until `deadline` (clock_mono_ns), at one at least; true: that was the last one. */
bool	 refresh_sweep(struct refresh *, uint32_t now, uint64_t deadline_ns);
/* Works until `deadline` (clock_mono_ns); true: there is more to do now. */
bool	 refresh_step(struct refresh *, uint64_t deadline_ns);

struct refresh_state {			/* of the last whole sweep */
	uint64_t	zones;		/* signed here */
	uint32_t	expires;	/* the first signature that ends; 0: none */
	uint64_t	due;		/* zones that wait now */
	uint8_t		zone[NAME_MAX_WIRE];		/* whose signature that is */
	/* Zones that arrived signed, those of them with a signature that has ended, and the first that ends. */
	uint64_t	external, external_expired;
	uint32_t	external_expires;
	uint8_t		external_zone[NAME_MAX_WIRE];
};
void	 refresh_state(const struct refresh *, struct refresh_state *);

#endif
