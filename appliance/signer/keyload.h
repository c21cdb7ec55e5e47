/* keyload - every zone's keys opened once, in idle time: do they open, and did they sign what is served?
 *
 * At a start with the signature file nothing has to be signed, so no key is opened, and of what is served one signature
 * in 64 was verified (signcheck.h).  The rest of "one signature per key at its load" is done here, after READY, a little
 * at a time, zone by zone; what a signature needed meanwhile is loaded already.  So who looks at `status` learns of a key
 * that does not open long before a refresh needs it, and a wrong signature makes the zone be signed anew. */
#ifndef NS_SIGNER_KEYLOAD_H
#define NS_SIGNER_KEYLOAD_H

#include "appliance/signer/feed.h"
#include "appliance/signer/keystore.h"

struct keyload {
	struct writer	*w;
	struct feed	*feed;
	struct keystore	*keys;
	struct rrsigner	*signer;
	/* A zone's keys do not open, or its KSK's signature is not one. */
	void	(*locked)(void *arg, const uint8_t *apex, const struct ns_why *);
	void	(*opened)(void *arg, const uint8_t *apex);
	void	*arg;
};

/* Until the deadline (clock_mono_ns), one zone at least; false: there is nothing to do, or not now. */
bool	 keyload_step(const struct keyload *, uint32_t now, uint64_t deadline_ns);

#endif
