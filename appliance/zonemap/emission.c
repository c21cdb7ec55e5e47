/* emission.c - see emission.h.  Workers come here: no allocation. */
#include "appliance/zonemap/emission.h"

#include "appliance/dns/zwire.h"
#include "appliance/zonemap/image_read.h"
#include "ipc/base/wbuf.h"

static uint64_t
get_u64(const uint8_t *p)
{
	return (uint64_t)get_u32(p) << 32 | get_u32(p + 4);
}

/* A piece's entries; NULL: it is none. */
static const uint8_t *
piece_of(const uint8_t *p, size_t len, unsigned *n)
{
	if (len < 2)
		return NULL;
	*n = get_u16(p);
	return *n <= EMISSION_PIECE && 2 + (size_t)*n * EMISSION_SIZE <= len ? p + 2 : NULL;
}

bool
emission_open(struct emission_table *t, const uint8_t *p, size_t len)
{
	unsigned n = 0;
	const uint8_t *entry = piece_of(p, len, &n);

	t->n = t->pieces = 0;
	t->denial_len = 0;
	if (entry == NULL)
		return false;
	t->n = n;
	t->piece[t->pieces++] = entry;
	t->denial = entry + (size_t)n * EMISSION_SIZE;
	t->denial_len = len - 2 - (size_t)n * EMISSION_SIZE;
	return true;
}

bool
emission_more(struct emission_table *t, const uint8_t *p, size_t len)
{
	unsigned n = 0;
	const uint8_t *entry = piece_of(p, len, &n);

	if (entry == NULL || t->pieces == EMISSION_PIECES || t->n != t->pieces * EMISSION_PIECE)
		return false;
	t->n += n;
	t->piece[t->pieces++] = entry;
	return true;
}

bool
emission_open_set(struct emission_table *t, const struct rrset *sigs, uint16_t type)
{
	struct rbuf r = rbuf_init(sigs->rdata, sigs->rdata_len);
	const uint8_t *rdata;
	bool found = false;
	size_t len;

	t->n = t->pieces = 0;
	t->denial_len = 0;
	while ((rdata = rrset_next_rdata(&r, &len)) != NULL) {
		if (len <= 2 || get_u16(rdata) != type)
			continue;
		if (!(found ? emission_more : emission_open)(t, rdata + 2, len - 2))
			return false;
		found = true;
	}
	return found;
}

bool
emission_open_node(struct emission_table *t, const struct image_node *node, uint16_t type)
{
	const uint8_t *at = node->sets;
	unsigned left = node->nsets;
	struct image_set set;
	bool found = false;

	t->n = t->pieces = 0;
	t->denial_len = 0;
	while (image_set_next(node, &at, &left, &set)) {
		if (!image_set_is_policy(&set) || set.type != type)
			continue;
		if (!(found ? emission_more : emission_open)(t, set.sig, set.sig_len))
			break;
		found = true;
	}
	return found;
}

static const uint8_t *
entry_at(const struct emission_table *t, unsigned i)
{
	return t->piece[i / EMISSION_PIECE] + (size_t)(i % EMISSION_PIECE) * EMISSION_SIZE;
}

void
emission_at(const struct emission_table *t, unsigned i, struct emission *e)
{
	const uint8_t *p = entry_at(t, i);

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
	const uint8_t *p = entry_at(t, i);
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
emission_denial_read(const uint8_t *p, size_t len, struct emission_denial *d)
{
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

bool
emission_denial(const struct emission_table *t, struct emission_denial *d)
{
	return emission_denial_read(t->denial, t->denial_len, d);
}
