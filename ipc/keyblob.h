/* keyblob - keys encrypted: at rest, wrapped by another key, or sealed to whoever has the secret half of an X25519 key.
 *
 * AES-256-GCM under a key that HKDF-SHA256 derives for that blob alone (salt: its nonce; info: its kind), over
 * header and context, so that nothing opens in another place than it was made for:
 *   "NSb1" | kind 1 | 0 0 0 | epoch 4 | nonce 12 | [sealed: ephemeral X25519 public 32] | ciphertext | tag 16
 * Kinds and epochs are the user's (appliance/signer/vault.h).  Octets from elsewhere go through one bounded
 * reader.  Pure. */
#ifndef NS_IPC_KEYBLOB_H
#define NS_IPC_KEYBLOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/base/err.h"
#include "ipc/base/wbuf.h"

#define KEYBLOB_KEY    32u	/* octets of every key here */
#define KEYBLOB_MAX    1024u
#define KEYBLOB_SEALED 2	/* the kind that has an ephemeral key */

/* What a blob says of itself; points into it. */
struct keyblob {
	uint8_t		 kind;
	uint32_t	 epoch;
	const uint8_t	*head, *nonce, *ephemeral, *body;
	size_t		 head_len, body_len;	/* body: ciphertext and tag */
};
bool	 keyblob_read(const uint8_t *, size_t, struct keyblob *);
/* plain: body_len less the tag. */
bool	 keyblob_get(const struct keyblob *, const uint8_t master[KEYBLOB_KEY], const void *context,
	    size_t context_len, uint8_t *plain);

struct keyblob_maker {
	uint8_t		 kind;
	uint32_t	 epoch;
	const uint8_t	*master;	/* KEYBLOB_KEY octets */
	const uint8_t	*ephemeral;	/* sealed: goes into the header */
	const void	*context;
	size_t		 context_len;
};
enum ns_err	 keyblob_put(const struct keyblob_maker *, const uint8_t *plain, size_t, struct wbuf *out,
		    struct ns_why *) __attribute__((warn_unused_result));

/* ---- sealed to an X25519 key ---- */
enum ns_err	 keyblob_seal(const uint8_t public_key[KEYBLOB_KEY], uint32_t epoch, const uint8_t *plain,
		    size_t, struct wbuf *out, struct ns_why *) __attribute__((warn_unused_result));
/* NS_DENIED: to another key.  The caller wipes what came out. */
enum ns_err	 keyblob_unseal(const uint8_t secret[KEYBLOB_KEY], const uint8_t public_key[KEYBLOB_KEY],
		    const uint8_t *blob, size_t, uint8_t plain[KEYBLOB_MAX], size_t *plain_len,
		    struct ns_why *) __attribute__((warn_unused_result));

#endif
