/* name.c - domain names in wire form; see name.h.
 *
 * Used by every process, in the query path too: no allocation, no state, no locale.
 *
 * A length octet is at most 63 and an upper-case letter at least 65, so folding the case of a whole
 * name octet by octet never touches a length: comparisons and copies need not look at labels. */
#include "appliance/dns/name.h"

#include <assert.h>
#include <string.h>

#define LABEL_MAX 63

static inline uint8_t
lower(uint8_t c)
{
	return (uint8_t)(c | ((uint8_t)((uint8_t)(c - 'A') < 26) << 5));
}

size_t
name_check(const uint8_t *name, size_t avail)
{
	size_t pos = 0;

	if (avail > NAME_MAX_WIRE)
		avail = NAME_MAX_WIRE;
	while (pos < avail) {
		if (name[pos] == 0)
			return pos + 1;
		if (name[pos] > LABEL_MAX)
			return 0;
		pos += (size_t)name[pos] + 1;
	}
	return 0;
}

size_t
name_read(struct rbuf *r, uint8_t out[NAME_MAX_WIRE])
{
	size_t left = rbuf_left(r);
	size_t len = left > 0 ? name_check(r->base + r->pos, left) : 0;

	if (len == 0) {
		r->bad = true;
		return 0;
	}
	memcpy(out, rbuf_bytes(r, len), len);
	return len;
}

size_t
name_len(const uint8_t *name)
{
	const uint8_t *p = name;

	while (*p != 0)
		p += *p + 1;
	return (size_t)(p - name) + 1;
}

unsigned
name_labels(const uint8_t *name)
{
	unsigned n = 0;

	for (; *name != 0; name += *name + 1)
		n++;
	return n;
}

const uint8_t *
name_parent(const uint8_t *name)
{
	assert(*name != 0);
	return name + *name + 1;
}

const uint8_t *
name_skip(const uint8_t *name, unsigned labels)
{
	while (labels-- > 0)
		name = name_parent(name);
	return name;
}

bool
name_is_wild(const uint8_t *name)
{
	return name[0] == 1 && name[1] == '*';
}

void
name_lower(uint8_t *dst, const uint8_t *src, size_t len)
{
	for (size_t i = 0; i < len; i++)
		dst[i] = lower(src[i]);
}

/* Both are names, so the shorter one's root label ends the walk when they differ in length: there
 * the other one has a length octet that is not 0. */
bool
name_equal(const uint8_t *a, const uint8_t *b)
{
	for (;;) {
		unsigned n = *a;

		if (n != *b)
			return false;
		if (n == 0)
			return true;
		for (unsigned i = 1; i <= n; i++) {
			if (a[i] != b[i] && lower(a[i]) != lower(b[i]))
				return false;
		}
		a += n + 1;
		b += n + 1;
	}
}

bool
name_in(const uint8_t *name, const uint8_t *apex)
{
	unsigned have = name_labels(name), want = name_labels(apex);

	return have >= want && name_equal(name_skip(name, have - want), apex);
}

bool
name_is_below(const uint8_t *name, const uint8_t *ancestor)
{
	unsigned have = name_labels(name), want = name_labels(ancestor);

	return have > want && name_equal(name_skip(name, have - want), ancestor);
}

static unsigned
label_offsets(const uint8_t *name, uint8_t at[NAME_MAX_LABELS])
{
	unsigned n = 0;
	unsigned pos = 0;

	while (name[pos] != 0) {
		at[n++] = (uint8_t)pos;
		pos += name[pos] + 1u;
	}
	return n;
}

static int
label_cmp(const uint8_t *a, const uint8_t *b)
{
	unsigned n = *a < *b ? *a : *b;

	for (unsigned i = 1; i <= n; i++) {
		int d = lower(a[i]) - lower(b[i]);

		if (d != 0)
			return d;
	}
	return *a - *b;
}

int
name_cmp(const uint8_t *a, const uint8_t *b)
{
	uint8_t at_a[NAME_MAX_LABELS], at_b[NAME_MAX_LABELS];
	unsigned na = label_offsets(a, at_a), nb = label_offsets(b, at_b);

	while (na > 0 && nb > 0) {
		int d = label_cmp(a + at_a[--na], b + at_b[--nb]);

		if (d != 0)
			return d;
	}
	return (na > 0) - (nb > 0);
}

unsigned
name_common(const uint8_t *a, const uint8_t *b)
{
	uint8_t at_a[NAME_MAX_LABELS], at_b[NAME_MAX_LABELS];
	unsigned na = label_offsets(a, at_a), nb = label_offsets(b, at_b);
	unsigned n = 0;

	while (na > 0 && nb > 0 && label_cmp(a + at_a[--na], b + at_b[--nb]) == 0)
		n++;
	return n;
}

/* 255 octets hold at most 250 of content in 4 labels: 2 × 250 + 4 < NAME_MAX_KEY. */
size_t
name_sort_key(const uint8_t *name, uint8_t out[NAME_MAX_KEY])
{
	uint8_t at[NAME_MAX_LABELS];
	unsigned n = label_offsets(name, at);
	uint8_t *p = out;

	while (n > 0) {
		const uint8_t *label = name + at[--n];

		for (unsigned i = 1; i <= *label; i++) {
			uint8_t c = lower(label[i]);

			if (c <= 1) {
				*p++ = 1;
				c++;
			}
			*p++ = c;
		}
		*p++ = 0;
	}
	return (size_t)(p - out);
}

/* One label of a key, written before *end; the octets of key that were used, 0 when it is none. */
static size_t
label_from_key(const uint8_t *key, size_t len, uint8_t *buf, size_t *end)
{
	uint8_t label[LABEL_MAX];
	size_t n = 0, pos = 0;

	while (pos < len && key[pos] != 0) {
		uint8_t c = key[pos++];

		if (c == 1) {
			if (pos == len || key[pos] == 0 || key[pos] > 2)
				return 0;
			c = (uint8_t)(key[pos++] - 1);
		}
		if (c != lower(c) || n == LABEL_MAX)
			return 0;
		label[n++] = c;
	}
	if (pos == len || n == 0 || *end < n + 1)
		return 0;
	*end -= n + 1;
	buf[*end] = (uint8_t)n;
	memcpy(buf + *end + 1, label, n);
	return pos + 1;
}

size_t
name_from_key(const uint8_t *key, size_t len, uint8_t out[NAME_MAX_WIRE])
{
	uint8_t buf[NAME_MAX_WIRE];
	size_t end = sizeof buf - 1;

	buf[end] = 0;
	while (len > 0) {
		size_t used = label_from_key(key, len, buf, &end);

		if (used == 0)
			return 0;
		key += used;
		len -= used;
	}
	memcpy(out, buf + end, sizeof buf - end);
	return sizeof buf - end;
}
