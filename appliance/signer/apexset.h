/* apexset - the sets that a KSK signs: DNSKEY, CDS and CDNSKEY of a zone, with their RRSIGs.
 *
 * Made by the primary's signer, because it has the KSK; what it makes is committed with the keys, replicated, and
 * served by every appliance as it is (keys.h).  Its signatures last so long that a lost primary makes
 * nothing bogus.  Pure: keys and a time in, octets out. */
#ifndef NS_SIGNER_APEXSET_H
#define NS_SIGNER_APEXSET_H

#include "appliance/signer/keys.h"

#define APEX_VALID (60u * 86400u)	/* seconds; inception is RRSIG_SKEW before `now` */
#define APEX_RENEW (30u * 86400u)	/* made anew when so much is left */

enum apex_cds {
	APEX_CDS_NONE,
	APEX_CDS_KEYS,			/* of the KSKs of cds_of: "have a DS of these" (RFC 7344) */
	APEX_CDS_DELETE,		/* "have no DS" (RFC 8078 4) */
};
struct apex_wish {
	uint32_t	ttl;		/* of all three sets */
	enum apex_cds	cds;
	uint32_t	cds_of;		/* bit i: key[i] */
	uint32_t	now;		/* UNIX seconds */
};

/* Puts DNSKEYs (of the keys that are published), CDS and CDNSKEY, signed by each KSK that signs, into
 * keys->apex.  NS_INVALID: no KSK signs, or it is not here. */
enum ns_err	 apexset_make(struct zone_keys *, const uint8_t *apex, const struct apex_wish *,
		    struct ns_why *) __attribute__((warn_unused_result));
/* The first second at which a signature in it ends; 0: none, or it is broken. */
uint32_t	 apexset_expires(const struct zone_keys *);

#endif
