/* hash.c - SipHash-2-4 from the paper (Aumasson, Bernstein: SipHash, a fast short-input PRF, 2012).
 *
 * Any thread; pure.  The key is random per process, made at start by the table's owner. */
#include "ipc/base/hash.h"

/* Little-endian whatever the machine; compilers make one load of it. */
static inline uint64_t
le64(const uint8_t *p)
{
	return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24 |
	       (uint64_t)p[4] << 32 | (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 |
	       (uint64_t)p[7] << 56;
}

uint64_t
hash_sip24(const uint8_t key[16], const void *data, size_t len)
{
	struct sip s = sip_begin(le64(key), le64(key + 8));
	size_t whole = len / 8, rest = len % 8;
	uint64_t last = (uint64_t)len << 56;
	const uint8_t *p = data;

	for (size_t i = 0; i < whole; i++, p += 8)
		sip_word(&s, le64(p));
	for (size_t i = 0; i < rest; i++)
		last |= (uint64_t)p[i] << (8 * i);
	return sip_end(&s, last);
}
