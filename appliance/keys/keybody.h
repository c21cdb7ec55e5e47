/* keybody - a zone's keys as they are stored and sent (ZoneKeys), and as keystate.h sees them.  Pure. */
#ifndef NS_KEYS_KEYBODY_H
#define NS_KEYS_KEYBODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/keys/keystate.h"
#include "ipc/nameserve.pb-c.h"

#define KEYS_KIND  "dnssec"		/* of the objects that hold a ZoneKeys */
#define KEYRING_KIND "keyring"		/* of those that hold a Keyring */
#define KEYS_NAME  24u			/* room for "z<zone id>" */
#define DNSKEY_MIN 36u			/* octets of rdata, Ed25519 */
#define DNSKEY_MAX 68u			/* P-256 */

enum key_denial { KD_NSEC, KD_NSEC3, KD_NSEC3_OPTOUT, KD_MAX };

void	 keys_object_name(uint64_t zone_id, char out[KEYS_NAME]);
/* The zone whose keys an object holds; 0: it holds something else. */
uint64_t keys_object_zone(const char *kind, const char *name);
/* NULL: not the octets of a zone's keys that can be.  Free with ns__zone_keys__free_unpacked(). */
Ns__ZoneKeys	*keybody_unpack(const uint8_t *, size_t);
void	 keybody_read(const Ns__ZoneKeys *, struct ks_zone *);
/* Back into the message, but for the octets of keys: those of which no id is in the zone go, and `next` is set.
 * A key that is new in the zone must have been appended already. */
void	 keybody_write(Ns__ZoneKeys *, const struct ks_zone *);

const char	*denial_name(uint32_t);
/* False: no such denial. */
bool	 denial_read(const char *, uint32_t *);

#endif
