/* nsec3_hash.c - names as NSEC3 knows them (RFC 5155 5); see nsec3_chain.h.
 *
 * By libcrypto's SHA-1 itself, because EVP's contexts allocate and workers come here.
 * SHA1_Init() and its kind are deprecated since OpenSSL 3.0 in favour of EVP. */
#define OPENSSL_API_COMPAT 10100
#include <openssl/sha.h>

#include "appliance/zonemap/nsec3_chain.h"

_Static_assert(NSEC3_HASH == SHA_DIGEST_LENGTH, "SHA-1 has 20 octets");

void
nsec3_label(const uint8_t hash[NSEC3_HASH], uint8_t label[NSEC3_LABEL])
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuv";

	for (unsigned group = 0; group < NSEC3_HASH / 5; group++) {
		uint64_t bits = 0;

		for (unsigned i = 0; i < 5; i++)
			bits = bits << 8 | hash[5 * group + i];
		for (unsigned i = 0; i < 8; i++)
			label[8 * group + i] = (uint8_t)digits[bits >> (35 - 5 * i) & 31];
	}
}

void
nsec3_digest(
    const struct nsec3_chain *chain, const uint8_t *name, size_t len, uint8_t hash[NSEC3_HASH])
{
	SHA_CTX sha;

	for (unsigned i = 0; i <= chain->iterations; i++) {
		SHA1_Init(&sha);
		SHA1_Update(&sha, i == 0 ? name : hash, i == 0 ? len : NSEC3_HASH);
		SHA1_Update(&sha, chain->salt, chain->salt_len);
		SHA1_Final(hash, &sha);
	}
}

void
nsec3_hash(
    const struct nsec3_chain *chain, const uint8_t *name, size_t len, uint8_t label[NSEC3_LABEL])
{
	uint8_t hash[NSEC3_HASH];

	nsec3_digest(chain, name, len, hash);
	nsec3_label(hash, label);
}
