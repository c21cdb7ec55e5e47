/* image_key - relative sort keys: how a node is named inside an image (image_format.h).
 *
 * The form is that of name_sort_key() without the apex's labels in front.  Inline, because every
 * query makes one. */
#ifndef NS_ZONEMAP_IMAGE_KEY_H
#define NS_ZONEMAP_IMAGE_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "appliance/dns/name.h"

#define IMAGE_KEY_FAST (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)

/* Append one lower-case label (its length octet first); the new end. */
static inline size_t
image_key_label(uint8_t *key, size_t at, const uint8_t *label)
{
	unsigned n = *label++;

	for (unsigned i = 0; i < n; i++) {
		uint8_t c = label[i];

		if (c <= 1) {
			key[at++] = 1;
			c++;
		}
		key[at++] = c;
	}
	key[at++] = 0;
	return at;
}

#define IMAGE_KEY_SLACK 8u /* octets behind a name that image_key_padded() may read */

/* The same for a short label in one step; 0: it is long, or has octets to escape.  The length of a
 * label is nothing that a branch predictor could know. */
static inline size_t
image_key_short(uint8_t *key, size_t at, const uint8_t *label)
{
	const uint64_t ones = 0x0101010101010101u, high = 0x80 * ones;
	unsigned n = *label++;
	uint64_t v, escaped;

	if (n >= 8)
		return 0;
	memcpy(&v, label, 8);
	v &= ((uint64_t)1 << 8 * n) - 1; /* the low octets are the first: little-endian */
	escaped = v | ~(((uint64_t)1 << 8 * n) - 1);
	escaped = (escaped - 2 * ones) & ~escaped & high; /* some octet is below 2 */
	if (escaped != 0)
		return 0;
	memcpy(key + at, &v, 8); /* with the zero that ends it */
	return at + n + 1;
}

/* The key of the first `rel` labels of a lower-case name whose labels begin at off[]. */
static inline size_t
image_key(const uint8_t *lname, const uint8_t *off, unsigned rel, uint8_t key[NAME_MAX_KEY])
{
	size_t at = 0;

	while (rel > 0)
		at = image_key_label(key, at, lname + off[--rel]);
	return at;
}

/* The same, for queries; behind the name IMAGE_KEY_SLACK octets are read. */
static inline size_t
image_key_padded(
    const uint8_t *lname, const uint8_t *off, unsigned rel, uint8_t key[NAME_MAX_KEY])
{
	size_t at = 0, next;

	while (rel > 0) {
		const uint8_t *label = lname + off[--rel];

		next = IMAGE_KEY_FAST && at < NAME_MAX_KEY - 8 ? image_key_short(key, at, label) : 0;
		at = next != 0 ? next : image_key_label(key, at, label);
	}
	return at;
}

/* Where the labels of a name begin; how many there are. */
static inline unsigned
image_labels(const uint8_t *name, uint8_t off[NAME_MAX_LABELS + 1])
{
	unsigned n = 0, pos = 0;

	while (name[pos] != 0) {
		off[n++] = (uint8_t)pos;
		pos += name[pos] + 1u;
	}
	off[n] = (uint8_t)pos;
	return n;
}

/* The length of the key of the ancestor that has one label more than the first `len` octets. */
static inline size_t
image_key_next(const uint8_t *key, size_t keylen, size_t len)
{
	while (len < keylen && key[len] != 0)
		len++;
	return len < keylen ? len + 1 : keylen;
}

/* Octets shared by two keys, whole labels only. */
static inline size_t
image_key_common(const uint8_t *a, size_t alen, const uint8_t *b, size_t blen)
{
	size_t n = alen < blen ? alen : blen, whole = 0;

	for (size_t i = 0; i < n && a[i] == b[i]; i++) {
		if (a[i] == 0)
			whole = i + 1;
	}
	return whole;
}

static inline int
image_key_cmp(const uint8_t *a, size_t alen, const uint8_t *b, size_t blen)
{
	size_t n = alen < blen ? alen : blen;
	int d = n > 0 ? memcmp(a, b, n) : 0;

	return d != 0 ? d : (alen > blen) - (alen < blen);
}

/* The whole name of a key, wire form; 0 when the key is broken. */
size_t	 image_key_name(const uint8_t *key, size_t keylen, const uint8_t *apex, size_t apex_len,
	    uint8_t out[NAME_MAX_WIRE]);
/* And the key of a lower-case name at or below an apex of that many labels. */
size_t	 image_key_of(const uint8_t *lname, unsigned apex_labels, uint8_t key[NAME_MAX_KEY]);

#endif
