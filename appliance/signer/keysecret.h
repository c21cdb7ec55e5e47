/* keysecret - the private half of a zone key: 32 octets, wrapped when they are not in use.
 *
 * P-256: the scalar; Ed25519: the seed.  What a blob belongs to (its context) is the zone's name and the
 * DNSKEY, so that no key opens as another one or for another zone. */
#ifndef NS_SIGNER_KEYSECRET_H
#define NS_SIGNER_KEYSECRET_H

#include "appliance/signer/keys.h"
#include "appliance/signer/vault.h"
#include "ipc/nameserve.pb-c.h"

/* Of a pair that was just made; the message gets rdata and blob, malloc'ed. */
enum ns_err	 keysecret_wrap(const struct vault *, const uint8_t *zone, const struct zone_key *,
		    Ns__ZoneKeys__Key *, struct ns_why *) __attribute__((warn_unused_result));
/* The key with its private half; NS_DENIED: we do not have what opens it. */
enum ns_err	 keysecret_open(const struct vault *, const uint8_t *zone, const Ns__ZoneKeys__Key *,
		    struct zone_key *, struct ns_why *) __attribute__((warn_unused_result));
/* The public half alone. */
enum ns_err	 keysecret_public(const Ns__ZoneKeys__Key *, struct zone_key *, struct ns_why *)
		    __attribute__((warn_unused_result));
/* With the newest fleet key instead of an older one. */
enum ns_err	 keysecret_rewrap(const struct vault *, const uint8_t *zone, Ns__ZoneKeys__Key *,
		    struct ns_why *) __attribute__((warn_unused_result));

#endif
