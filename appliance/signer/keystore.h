/* keystore - the keys of all zones that are signed here, as the feed brought them; opened when asked for.
 *
 * Kept packed (keypack.h: some 600 octets a zone); a zone's ZSKs are opened for whoever has to sign
 * (keys.h) and closed when that one lets go of them.  Until then they are not *loaded*: nobody knows whether they open
 * (keyload.h looks). */
#ifndef NS_SIGNER_KEYSTORE_H
#define NS_SIGNER_KEYSTORE_H

#include "appliance/dns/name.h"
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
void	 keystore_each(const struct keystore *, void (*)(void *arg, const uint8_t *apex), void *arg);
size_t	 keystore_count(const struct keystore *);
/* A zone whose keys were not opened since they came; false: none. */
bool	 keystore_unloaded(struct keystore *, uint8_t apex[NAME_MAX_WIRE]);
void	 keystore_loaded(struct keystore *, const uint8_t *apex);
void	 keystore_unload(struct keystore *);	/* what opens keys is another: all of them */
/* keys_find_fn, with the keystore as its argument; the keys must not outlive it. */
enum keys_found	 keystore_find(void *keystore, const uint8_t *apex, struct zone_keys **,
		    struct ns_why *);

#endif
