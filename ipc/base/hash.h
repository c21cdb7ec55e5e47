/* hash - SipHash-2-4 (Aumasson, Bernstein 2012), keyed: for tables whose keys strangers choose. */
#ifndef NS_BASE_HASH_H
#define NS_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t hash_sip24(const uint8_t key[16], const void *data, size_t len);

/* ---- the same a word at a time, where the length is known and each instruction counts ---- */
struct sip {
	uint64_t v0, v1, v2, v3;
};

static inline uint64_t
sip_rotl(uint64_t x, unsigned n)
{
	return (x << n) | (x >> (64 - n));
}

static inline void
sip_round(struct sip *s)
{
	s->v0 += s->v1;
	s->v1 = sip_rotl(s->v1, 13) ^ s->v0;
	s->v0 = sip_rotl(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = sip_rotl(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = sip_rotl(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = sip_rotl(s->v1, 17) ^ s->v2;
	s->v2 = sip_rotl(s->v2, 32);
}

/* The halves of the key as little-endian numbers, and so each word. */
static inline struct sip
sip_begin(uint64_t k0, uint64_t k1)
{
	return (struct sip){ k0 ^ 0x736f6d6570736575u, k1 ^ 0x646f72616e646f6du,
		k0 ^ 0x6c7967656e657261u, k1 ^ 0x7465646279746573u };
}

static inline void
sip_word(struct sip *s, uint64_t m)
{
	s->v3 ^= m;
	sip_round(s);
	sip_round(s);
	s->v0 ^= m;
}

/* The last word: what is left (fewer than 8 octets), with the whole length in its top octet. */
static inline uint64_t
sip_end(struct sip *s, uint64_t last)
{
	sip_word(s, last);
	s->v2 ^= 0xff;
	for (int i = 0; i < 4; i++)
		sip_round(s);
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

#endif
