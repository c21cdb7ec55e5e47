/* picks - which answers a policy may give: for health as it is, and with each single check the other way round.
 *
 * By the rules of pool.h, by which workers pick too.  For whoever signs beforehand what will be sent. */
#ifndef NS_ZONEMAP_PICKS_H
#define NS_ZONEMAP_PICKS_H

#include "appliance/dns/policy.h"
#include "appliance/zonemap/board.h"
#include "appliance/zonemap/emission.h"

/* All of one policy's: sorted, each once.  Their number; EMISSIONS_MAX + 1: more than may be. */
struct emission_pick {
	uint16_t	first;
	uint64_t	mask;
};
unsigned emissions_of(const struct policy *, const struct board *,
	    struct emission_pick out[EMISSIONS_MAX + 1]);
/* May it have no answer to give, whatever health is? */
bool	 emissions_may_be_none(const struct policy *);

#endif
