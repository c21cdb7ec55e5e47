/* backupkeys - the fleet keys in a backup, and out of it again.
 *
 * A backup asks the signer to seal them to the key that the client made of a passphrase (ipc/passkey.h); a restore
 * brings them sealed to this appliance's own key, as the keyring that its signer then gets like any other.
 * Sync sees neither passphrase nor fleet keys. */
#ifndef NS_SYNC_BACKUPKEYS_H
#define NS_SYNC_BACKUPKEYS_H

#include "appliance/store/store.h"
#include "appliance/sync/request.h"
#include "appliance/sync/sync.h"
#include "ipc/base/wbuf.h"

/* ---- loop ---- */
/* May this request have them, or bring them?  NS_INVALID, NS_UNAVAILABLE: this signer can keep no key. */
enum ns_err	 backupkeys_check(const Ns__FleetKeys *, const ProtobufCBinaryData *seal_to, struct ns_why *);
/* Calls done(arg) once with what the signer sealed, or with why. */
typedef void backupkeys_fn(struct sync *, void *arg, const ProtobufCBinaryData *sealed, enum ns_err,
    const struct ns_why *);
void	 backupkeys_ask(struct sync *, const uint8_t seal_to[32], backupkeys_fn *done, void *arg);

/* ---- reader ---- */
/* Zones that are signed here, and the number of the newest fleet key for ZSKs (0: there is none yet). */
enum ns_err	 backupkeys_describe(struct store *, const char *appliance, uint64_t *zones, uint32_t *epoch);
/* Is what the signer sealed at least as new as that? */
bool	 backupkeys_new_enough(const ProtobufCBinaryData *sealed, uint32_t epoch);
/* The keyring of this appliance, as an object of the change `version` in an open transaction; the caller frees
 * the message. */
enum ns_err	 backupkeys_adopt(struct store *, const char *appliance, uint64_t version,
		    const uint8_t public_key[32], const struct wbuf *sealed, Ns__ChangeBody__Object **,
		    struct ns_why *);

#endif
