/* emission.c - see emission.h.  Workers come here: no allocation. */
#include "appliance/zonemap/emission.h"

#include "ipc/base/wbuf.h"

static uint64_t
get_u64(const uint8_t *p)
{
	return (uint64_t)get_u32(p) << 32 | get_u32(p + 4);
}

bool
emission_open(struct emission_table *t, const uint8_t *p, size_t len)
{
	size_t size;

	*t = (struct emission_table){ 0 };
	if (len < 2)
		return false;
	size = 2 + (size_t)get_u16(p) * EMISSION_SIZE;
	if (size > len)
		return false;
	t->n = get_u16(p);
	t->entry = p + 2;
	t->denial = p + size;
	t->denial_len = len - size;
	return true;
}

void
emission_at(const struct emission_table *t, unsigned i, struct emission *e)
{
	const uint8_t *p = t->entry + (size_t)i * EMISSION_SIZE;

	*e = (struct emission){ .first = get_u16(p),
		.mask = get_u64(p + 2),
		.print = get_u64(p + 10),
		.algorithm = p[18],
		.tag = get_u16(p + 19),
		.expiration = get_u32(p + 21),
		.inception = get_u32(p + 25),
		.sig = p + 29 };
}

static int
compare(const struct emission_table *t, unsigned i, uint16_t first, uint64_t mask)
{
	const uint8_t *p = t->entry + (size_t)i * EMISSION_SIZE;
	uint64_t m = get_u64(p + 2);

	if (get_u16(p) != first)
		return get_u16(p) < first ? -1 : 1;
	return (m > mask) - (m < mask);
}

unsigned
emission_find(const struct emission_table *t, uint16_t first, uint64_t mask)
{
	unsigned lo = 0, hi = t->n;

	while (lo < hi) {
		unsigned mid = (lo + hi) / 2;

		if (compare(t, mid, first, mask) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < t->n && compare(t, lo, first, mask) == 0 ? lo : t->n;
}

unsigned
emission_nearest(const struct emission_table *t, uint16_t first, uint64_t mask)
{
	unsigned best = t->n;
	int most = -1000;

	for (unsigned i = 0; i < t->n; i++) {
		struct emission e;
		int common;

		emission_at(t, i, &e);
		common = e.first != first ? -500
					  : 2 * __builtin_popcountll(e.mask & mask) -
						__builtin_popcountll(e.mask & ~mask);
		if (common > most) {
			most = common;
			best = i;
		}
	}
	return best;
}

bool
emission_denial(const struct emission_table *t, struct emission_denial *d)
{
	const uint8_t *p = t->denial;
	size_t len = t->denial_len;

	if (len < 3 || (size_t)p[0] + 3 > len)
		return false;
	d->key_len = p[0];
	d->key = p + 1;
	d->body_len = get_u16(p + 1 + d->key_len);
	d->body = p + 3 + d->key_len;
	len -= 3 + d->key_len;
	if (d->body_len > len)
		return false;
	d->sig = d->body + d->body_len;
	d->sig_len = len - d->body_len;
	return true;
}
