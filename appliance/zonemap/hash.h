/* hash - the two hashes of the zone map: of names, and of blocks.
 *
 * zone_hash() is on the answer path, once per candidate name: a keyed multiply-and-fold hash (the
 * 64×64→128 bit construction of wyhash, Wang Yi 2019), about 2 ns for 20 octets.  The key is 128
 * random bits of the map's header, so nobody outside can choose names that collide; that a
 * customer reads the key out of timing is not in its threat model (SipHash is: ipc/base/hash.h).
 * The value is kept in the map, so it must not change within one MAP_FORMAT.
 *
 * block_sum() guards blocks against torn writes and stray stores, not against people. */
#ifndef NS_ZONEMAP_HASH_H
#define NS_ZONEMAP_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t
hash_load8(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof v);
	return v;
}

static inline uint64_t
hash_load4(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof v);
	return v;
}

/* Multiply to 128 bits and fold. */
static inline uint64_t
hash_fold(uint64_t a, uint64_t b)
{
	unsigned __int128 m = (unsigned __int128)a * b;

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

/* Of a lower-case wire name.  Never reads past len. */
static inline uint64_t
zone_hash(const uint8_t key[16], const uint8_t *lname, size_t len)
{
	uint64_t k0 = hash_load8(key), k1 = hash_load8(key + 8), seed = k0, a = 0, b = 0;
	const uint8_t *p = lname;
	size_t left = len;

	while (left > 16) {
		seed = hash_fold(hash_load8(p) ^ k1, hash_load8(p + 8) ^ seed);
		p += 16;
		left -= 16;
	}
	/* The last 1..16 octets: two loads that overlap where there are fewer than 16. */
	if (left >= 8) {
		a = hash_load8(p);
		b = hash_load8(p + left - 8);
	} else if (left >= 4) {
		a = hash_load4(p);
		b = hash_load4(p + left - 4);
	} else if (left > 0) {
		a = (uint64_t)p[0] << 16 | (uint64_t)p[left >> 1] << 8 | p[left - 1];
	}
	seed = hash_fold(a ^ k1, b ^ seed);
	return hash_fold(seed ^ 0x9e3779b97f4a7c15u ^ len, k1 ^ 0xd6e8feb86659fd93u);
}

/* Of a block's content; seed: where it is and how long (map.c).  Never 0, which is "not sealed". */
uint64_t block_sum(const void *data, size_t len, uint64_t seed);

#endif
