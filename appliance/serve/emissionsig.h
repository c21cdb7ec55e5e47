/* emissionsig - the signatures of what a policy or an ALIAS answers as records that can be sent (emission.h,
 * aliassig.h). */
#ifndef NS_SERVE_EMISSIONSIG_H
#define NS_SERVE_EMISSIONSIG_H

#include "appliance/dns/policy.h"
#include "appliance/serve/work.h"
#include "appliance/zonemap/aliassig.h"
#include "appliance/zonemap/emission.h"

#define EMISSION_RRSIG (RR_HEAD + 18u + NAME_MAX_WIRE + EMISSION_SIG)

struct emission_sigs {
	uint8_t		p[EMISSION_KEYS * EMISSION_RRSIG];	/* rendered (image_format.h) */
	uint16_t	len, count;
};

/* Those of entry `at` and of the same emission behind it. */
void	 emission_sigs(const struct reply *, const struct lookup *, const struct policy *,
	    const struct emission_table *, unsigned at, struct emission_sigs *);
/* Those of that set, under the TTL that was signed. */
void	 emission_alias_sigs(const struct reply *, const struct lookup *, uint32_t ttl,
	    const struct aliassig *, struct emission_sigs *);

#endif
