/* address - the A or AAAA of a name that has them by a policy or an ALIAS; see address.c. */
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

#endif
