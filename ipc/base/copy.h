/* copy - copying a few dozen octets without a call: most of what a reply is made of.
 *
 * Compilers make `rep movs` of a memcpy of unknown small length, which costs more than the copy. */
#ifndef NS_BASE_COPY_H
#define NS_BASE_COPY_H

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

#endif
