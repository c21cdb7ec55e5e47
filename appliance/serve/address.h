/* address - the A or AAAA of a name that has them by a policy or an ALIAS: for one asker, and for all. */
#ifndef NS_SERVE_ADDRESS_H
#define NS_SERVE_ADDRESS_H

#include "appliance/dns/policy.h"
#include "appliance/serve/work.h"

struct address_set {
	struct image_set set;		/* points into body, or into the map */
	uint32_t	 ttl;		/* instead of those in set */
	bool		 stale;		/* over their own TTL, and not over the ceiling */
	uint8_t		 body[POLICY_PICK * (RR_HEAD + 16u)];
};
enum address_result {
	ADDRESS_FOUND,
	ADDRESS_NONE,		/* of that type */
	ADDRESS_UNKNOWN,	/* a target outside of which nothing is known, or not any more */
	ADDRESS_BROKEN,		/* a loop, or a damaged image */
};
/* Of the node, which is in the hop's zone.  A CNAME there is not followed. */
enum address_result	 address_of(struct reply *, const struct hop *, const struct image_node *,
			    uint16_t type, struct address_set *);

/* What there may be for whoever asks, whenever: at health as it is and with each single check the other way round, by
 * what the probe knows now, however old.  For the signer: one thread. */
struct address_each {
	void	(*name)(void *arg, const uint8_t *name);	/* on the way: what it is decides */
	void	(*check)(void *arg, uint64_t check);		/* so does this; some come more than once */
	void	(*end)(void *arg, enum address_result, const struct image_set *);	/* FOUND: addresses */
	void	(*more)(void *arg);	/* a policy may pick more than EMISSIONS_MAX; these are not told */
	void	*arg;
};
/* Of an ALIAS to that target (lower case) in a zone of that account; `type`: A or AAAA. */
void	 address_each(const struct map_view *, const struct board *, uint32_t account, const uint8_t *target,
	    uint16_t type, const struct address_each *);

#endif
