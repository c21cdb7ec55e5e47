/* lower - folding a few dozen octets into lower case while they are copied, without a call. */
#ifndef NS_SERVE_LOWER_H
#define NS_SERVE_LOWER_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Eight octets in lower case. */
static inline uint64_t
lower_8(uint64_t v)
{
	const uint64_t ones = 0x0101010101010101u, high = 0x80 * ones;
	uint64_t low = v & ~high;
	uint64_t from_a = low + (0x80 - 'A') * ones;	 /* high bit: at least 'A' */
	uint64_t past_z = low + (0x80 - 'Z' - 1) * ones; /* high bit: after 'Z' */

#ifdef NS_BREAK_case
	return v;
#endif
	return v | (from_a & ~past_z & ~v & high) >> 2;
}

/* Copies in lower case.  Not a copy and then a change: octets that were just written in one size are
 * slow to read in another. */
static inline void
copy_lower(uint8_t *dst, const uint8_t *src, size_t n)
{
	size_t i = 0;
	uint64_t v;

	if (n < 8) {
		for (; i < n; i++)
			dst[i] = (uint8_t)lower_8(src[i]);
		return;
	}
	for (; i + 8 < n; i += 8) {
		memcpy(&v, src + i, 8);
		v = lower_8(v);
		memcpy(dst + i, &v, 8);
	}
	/* The last one overlaps the one before. */
	memcpy(&v, src + n - 8, 8);
	v = lower_8(v);
	memcpy(dst + n - 8, &v, 8);
}

#endif
