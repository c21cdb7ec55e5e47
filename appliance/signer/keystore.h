/* keystore - the keys of all zones that are signed here, as the feed brought them; opened when asked for.
 *
 * Kept packed (about 900 octets a zone, KSKs' private halves left out); a zone's ZSKs are opened for whoever signs it
 * (keys.h) and closed when that one lets go of them. */
#ifndef NS_SIGNER_KEYSTORE_H
#define NS_SIGNER_KEYSTORE_H

#include "appliance/signer/keys.h"
#include "appliance/signer/vault.h"
#include "ipc/nameserve.pb-c.h"

struct keystore;

/* vault may be NULL: then every key is locked, and no_vault says why. */
struct keystore	*keystore_new(struct vault *, const char *no_vault);
void	 keystore_destroy(struct keystore **);
/* Of a zone in wire form, lower case; len 0: it is not signed here any more.  False: not keys that can be,
 * what was known stays. */
bool	 keystore_put(struct keystore *, const uint8_t *name, const uint8_t *body, size_t len);
void	 keystore_clear(struct keystore *);
size_t	 keystore_count(const struct keystore *);
/* keys_find_fn, with the keystore as its argument. */
enum keys_found	 keystore_find(void *keystore, const uint8_t *apex, struct zone_keys **,
		    struct ns_why *);

#endif
