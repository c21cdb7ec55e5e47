/* aliassig.c - see aliassig.h.  Workers come here: no allocation. */
#include "appliance/zonemap/aliassig.h"

#include <string.h>

#include "appliance/dns/rrtype.h"
#include "appliance/dns/zwire.h"
#include "appliance/zonemap/image_read.h"
#include "ipc/base/wbuf.h"

static bool
read_head(const uint8_t *p, size_t len, struct aliassig *out)
{
	if (len != 5)
		return false;
	out->denied = p[0];
	out->ttl = get_u32(p + 1);
	return true;
}

static bool
read_family(const uint8_t *p, size_t len, struct aliassig *out)
{
	if (len < 1 || p[0] >= ALIAS_FAMILIES)
		return false;
	out->family = (enum alias_family)p[0];
	return true;
}

static bool
read_none(const uint8_t *p, size_t len, struct aliassig *out)
{
	return read_family(p, len, out) && emission_denial_read(p + 1, len - 1, &out->denial);
}

static bool
read_set(const uint8_t *p, size_t len, struct aliassig *out)
{
	size_t octets;

	if (!read_family(p, len, out) || len < 3)
		return false;
	out->count = get_u16(p + 1);
	octets = out->count * aliassig_len(out->family);
	if (out->count == 0 || octets > len - 3)
		return false;
	out->addresses = p + 3;
	out->sigs = p + 3 + octets;
	out->nsigs = (unsigned)((len - 3 - octets) / ALIASSIG_SIG);
	return out->nsigs > 0;
}

enum aliassig_kind
aliassig_next(const uint8_t **at, const uint8_t *end, struct aliassig *out)
{
	static bool (*const readers[])(const uint8_t *, size_t, struct aliassig *) = {
		[ALIASSIG_HEAD] = read_head,
		[ALIASSIG_NONE] = read_none,
		[ALIASSIG_SET] = read_set,
	};
	const uint8_t *p = *at;
	size_t len;

	memset(out, 0, sizeof *out);
	if (end - p < (ptrdiff_t)ALIASSIG_ITEM)
		return ALIASSIG_END;
	len = get_u16(p + 1);
	if (p[0] == ALIASSIG_END || p[0] > ALIASSIG_SET ||
	    len > (size_t)(end - p) - ALIASSIG_ITEM || !readers[p[0]](p + ALIASSIG_ITEM, len, out))
		return ALIASSIG_END;
	*at = p + ALIASSIG_ITEM + len;
	return out->kind = (enum aliassig_kind)p[0];
}

bool
aliassig_has(const struct aliassig *s, const uint8_t *address)
{
	size_t len = aliassig_len(s->family);
	unsigned lo = 0, hi = s->count;

	while (lo < hi) {
		unsigned mid = (lo + hi) / 2;
		int d = memcmp(s->addresses + mid * len, address, len);

		if (d == 0)
			return true;
		if (d < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return false;
}

void
aliassig_at(const struct aliassig *s, unsigned i, struct emission *e)
{
	const uint8_t *p = s->sigs + (size_t)i * ALIASSIG_SIG;

	*e = (struct emission){ .algorithm = p[0],
		.tag = get_u16(p + 1),
		.expiration = get_u32(p + 3),
		.inception = get_u32(p + 7),
		.sig = p + 11 };
}

static void
each(const uint8_t *p, size_t len, aliassig_fn *fn, void *arg)
{
	const uint8_t *end = p + len;
	struct aliassig item;

	while (aliassig_next(&p, end, &item) != ALIASSIG_END)
		fn(arg, &item);
}

void
aliassig_each_of_set(const struct rrset *sigs, aliassig_fn *fn, void *arg)
{
	struct rbuf r = rbuf_init(sigs->rdata, sigs->rdata_len);
	const uint8_t *rdata;
	size_t len;

	while ((rdata = rrset_next_rdata(&r, &len)) != NULL)
		each(rdata, len, fn, arg);
}

void
aliassig_each_of_node(const struct image_node *node, aliassig_fn *fn, void *arg)
{
	const uint8_t *at = node->sets;
	unsigned left = node->nsets;
	struct image_set set;

	while (image_set_next(node, &at, &left, &set)) {
		if (set.type == RR_ALIAS && image_set_is_policy(&set))
			each(set.sig, set.sig_len, fn, arg);
	}
}
