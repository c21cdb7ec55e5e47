/* chain - the hash chain of the change log: hash = SHA-256(prev || header || SHA-256(body)).
 *
 * Pure.  The header's encoding is fixed for good (a new one gets a new first octet): all numbers in
 * network order, strings as u16 length and octets:
 *   u8 1, u64 revision, u64 term, u64 at_ms, author, via, kind, comment, u64 added, u64 removed,
 *   u64 zone_count
 * A change that says from where it was made, or at which appliance, has u8 2 instead, and at the end
 *   source, appliance */
#ifndef NS_STORE_CHAIN_H
#define NS_STORE_CHAIN_H

#include "appliance/store/store.h"

/* From the header's fields and prev in `c` and the body; fills hash.  false: libcrypto failed. */
bool	 chain_hash(const struct store_change *c, const void *body, size_t body_len,
	    uint8_t hash[STORE_HASH]) __attribute__((warn_unused_result));
/* The same from SHA-256(body), where the body is not at hand. */
bool	 chain_hash_digest(const struct store_change *c, const uint8_t digest[STORE_HASH],
	    uint8_t hash[STORE_HASH]) __attribute__((warn_unused_result));
bool	 chain_digest(const void *body, size_t body_len, uint8_t digest[STORE_HASH])
	    __attribute__((warn_unused_result));

#endif
