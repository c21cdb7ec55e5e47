/* emissions - what the policies of an owner may answer, signed (emission.h): for health as it is, and with each
 * single check the other way round (zonemap/picks.h). */
#ifndef NS_SIGNER_EMISSIONS_H
#define NS_SIGNER_EMISSIONS_H

#include "appliance/dns/policy.h"
#include "appliance/signer/signowner.h"
#include "appliance/zonemap/board.h"
#include "appliance/zonemap/emission.h"
#include "appliance/zonemap/picks.h"


/* What a denial stands in for: the owner's NSEC, or its NSEC3. */
struct emission_chain {
	const uint8_t	*next;		/* NSEC: the next name */
	const uint8_t	*hash, *next_hash;	/* NSEC3 */
};
/* Adds the tables of the owner that s->sheet holds, as an RRSIG set that covers NSPOLICY.  False: a policy
 * has too many. */
bool	 emissions_add(struct signing *, const struct owner *, const struct emission_chain *);

/* For aliassign.c: an emission.h denial of the owner without that type. */
void	 emissions_denial(struct signing *, const struct owner *, const struct emission_chain *, uint16_t without,
	    struct wbuf *out);

/* The checks that the policies of a zone's content look at, each as it comes. */
typedef void	 emissions_check_fn(void *arg, uint64_t check);
void	 emissions_each_check(const struct rrset *policies, emissions_check_fn *, void *arg);

#endif
