/* copy - copying and folding a few dozen octets without a call: most of what a reply is made of.
 *
 * Compilers make `rep movs` of a memcpy of unknown small length, which costs more than the copy. */
#ifndef NS_SERVE_COPY_H
#define NS_SERVE_COPY_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define COPY_BIG 256u

static inline void
copy_octets(uint8_t *dst, const uint8_t *src, size_t n)
{
	size_t i = 0;

	if (n > COPY_BIG) {
		memcpy(dst, src, n);
		return;
	}
	/* Steps of fixed size; the last one overlaps the one before. */
	if (n >= 16) {
		for (; i + 16 < n; i += 16)
			memcpy(dst + i, src + i, 16);
		memcpy(dst + n - 16, src + n - 16, 16);
	} else if (n >= 8) {
		memcpy(dst, src, 8);
		memcpy(dst + n - 8, src + n - 8, 8);
	} else if (n >= 4) {
		memcpy(dst, src, 4);
		memcpy(dst + n - 4, src + n - 4, 4);
	} else {
		for (; i < n; i++)
			dst[i] = src[i];
	}
}

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
