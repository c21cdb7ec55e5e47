/* aead - the three primitives of keyblob.c, from OpenSSL 3: AES-256-GCM under a key of HKDF-SHA256, and X25519.
 * Pure; nothing is kept. */
#ifndef NS_IPC_AEAD_H
#define NS_IPC_AEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AEAD_KEY   32u
#define AEAD_NONCE 12u
#define AEAD_TAG   16u

struct aead {
	const uint8_t	*master;	/* AEAD_KEY octets */
	uint8_t		 info;		/* what for: other keys come from the same master */
	const uint8_t	*nonce;		/* random, never twice; also the salt of HKDF */
	const void	*head, *context;	/* authenticated, not encrypted */
	size_t		 head_len, context_len;
};
/* out: len + AEAD_TAG octets. */
bool	 aead_close(const struct aead *, const uint8_t *plain, size_t len, uint8_t *out);
/* out: len - AEAD_TAG octets; wiped when false. */
bool	 aead_open(const struct aead *, const uint8_t *body, size_t len, uint8_t *out);
bool	 aead_x25519_public(const uint8_t secret[AEAD_KEY], uint8_t out[AEAD_KEY]);
bool	 aead_x25519_shared(const uint8_t secret[AEAD_KEY], const uint8_t theirs[AEAD_KEY],
	    uint8_t out[AEAD_KEY]);

#endif
