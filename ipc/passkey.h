/* passkey - an X25519 key pair out of a passphrase, by scrypt (RFC 7914): what the fleet keys in a backup are sealed to.
 *
 * The passphrase stays with whoever runs the CLI: for a backup the appliance gets the public half alone, for a
 * restore it gets the fleet keys sealed to its own key.  Neither half is in the file, so that nobody can put
 * other keys into it without the passphrase.  Pure, but for the random octets of the salt. */
#ifndef NS_IPC_PASSKEY_H
#define NS_IPC_PASSKEY_H

#include <stddef.h>
#include <stdint.h>

#include "ipc/base/err.h"
#include "ipc/base/wbuf.h"
#include "ipc/keyblob.h"
#include "ipc/nameserve.pb-c.h"

#define PASSKEY_SALT	16u
#define PASSKEY_COST	17u		/* log2 N: with r = 8 it takes 128 MiB and half a second */
#define PASSKEY_COST_MAX 20u		/* what a file may ask of its reader: 1 GiB */
#define PASSKEY_BLOCK	8u		/* r */
#define PASSKEY_LANES	1u		/* p */
#define PASSKEY_MAX	1024u		/* octets of a passphrase */

#define PASSKEY_CODE	2807

struct passkey {
	uint8_t secret[KEYBLOB_KEY], public_key[KEYBLOB_KEY];
};

/* Fresh costs and salt; `salt` is borrowed and holds PASSKEY_SALT octets.  NS_FAILED: no random octets. */
enum ns_err	 passkey_begin(Ns__FleetKeys *, uint8_t salt[PASSKEY_SALT], struct ns_why *)
		    __attribute__((warn_unused_result));
/* NS_INVALID: costs or salt of a file that cannot be. */
enum ns_err	 passkey_check(const Ns__FleetKeys *, struct ns_why *) __attribute__((warn_unused_result));
enum ns_err	 passkey_derive(const Ns__FleetKeys *, const void *passphrase, size_t, struct passkey *,
		    struct ns_why *) __attribute__((warn_unused_result));
/* The fleet keys for an appliance.  NS_DENIED: another passphrase. */
enum ns_err	 passkey_reseal(const struct passkey *, const Ns__FleetKeys *,
		    const uint8_t public_key[KEYBLOB_KEY], struct wbuf *out, struct ns_why *)
		    __attribute__((warn_unused_result));
void	 passkey_wipe(struct passkey *);

#endif
