/* keypack - a zone's keys as the keystore keeps them: what signing needs, and no octet twice.
 *
 *   u8 denial    u8 keys    keys × (u8 bits    u8 length, DNSKEY rdata    u8 length, the private half wrapped)
 *   sets of `apex`:  u8 0    u32 length, the set as it is
 *                    u8 1    u16 type    u16 covers    u32 ttl    u16 count    records     owner: the zone
 *   record:  u8 0    u16 length, rdata
 *            u8 1    76 octets: RRSIG rdata without the type covered and the original TTL, which are the set's,
 *                    and the signer's name, which is the zone
 *            u8 2 + k    the rdata of key k
 *
 * About 545 octets of 1,000 that a feed brings (P-256, one KSK and one ZSK).  Pure. */
#ifndef NS_SIGNER_KEYPACK_H
#define NS_SIGNER_KEYPACK_H

#include "appliance/signer/keys.h"
#include "ipc/base/wbuf.h"
#include "ipc/nameserve.pb-c.h"

/* Of a message that keybody.h checked; private halves of ZSKs that sign alone.  False: one of them is too long. */
bool	 keypack_put(struct wbuf *, const uint8_t *zone, const Ns__ZoneKeys *);
/* Into keys that are new; all of them closed. */
bool	 keypack_get(const uint8_t *, size_t, const uint8_t *zone, struct zone_keys *);

#endif
