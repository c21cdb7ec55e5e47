/* image_key.c - relative sort keys and names; see image_key.h. */
#include "appliance/zonemap/image_key.h"

size_t
image_key_name(const uint8_t *key, size_t keylen, const uint8_t *apex, size_t apex_len,
    uint8_t out[NAME_MAX_WIRE])
{
	uint8_t rel[NAME_MAX_WIRE];
	size_t n = name_from_key(key, keylen, rel);

	if (n == 0 || n - 1 + apex_len > NAME_MAX_WIRE)
		return 0;
	memcpy(out, rel, n - 1);
	memcpy(out + n - 1, apex, apex_len);
	return n - 1 + apex_len;
}

size_t
image_key_of(const uint8_t *lname, unsigned apex_labels, uint8_t key[NAME_MAX_KEY])
{
	uint8_t off[NAME_MAX_LABELS + 1];
	unsigned n = image_labels(lname, off);

	return n >= apex_labels ? image_key(lname, off, n - apex_labels, key) : 0;
}
