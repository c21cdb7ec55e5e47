/* image_expand.c - rendered records back to what the zone said; see image_read.h.
 *
 * serve/ reads CNAME targets with it and falls back to it where pointers cannot reach; the digest
 * and edits of flat images read whole zones.  No allocation but the caller's wbuf. */
#include "appliance/zonemap/image_read.h"

#include "appliance/dns/rrtype.h"
#include "appliance/dns/zwire.h"
#include "appliance/zonemap/image_sig.h"

/* The patch at a place, or one past the last. */
static unsigned
find_patch(const struct image_set *set, unsigned place)
{
	unsigned lo = 0, hi = set->npatch;

	while (lo < hi) {
		unsigned mid = (lo + hi) / 2;

		if ((load_u16(set->patch + 2u * mid) & PATCH_PLACE) < place)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* The rest of the owner from a pointer's value on, appended at out[at]. */
static size_t
append_owner(
    const struct image_ref *ref, const uint8_t *owner, unsigned value, uint8_t *out, size_t at)
{
	size_t len = name_len(owner), apex = len - ref->image->head.apex_len;
	size_t from = apex + value - PATCH_BIAS, n;

	if (from >= len)
		return 0;
	n = name_check(owner + from, len - from);
	if (n == 0 || at + n > NAME_MAX_WIRE)
		return 0;
	memcpy(out + at, owner + from, n);
	return at + n;
}

size_t
image_set_name(const struct image_ref *ref, const struct image_set *set, const uint8_t *owner,
    unsigned place, uint8_t out[NAME_MAX_WIRE])
{
	size_t at = 0;

	while (place < set->body_len) {
		unsigned b = set->body[place], i, value;
		uint16_t patch;

		if (b == 0) {
			out[at] = 0;
			return at + 1;
		}
		if (b < 0x40) {
			if (b + 1 > set->body_len - place || at + b + 2 > NAME_MAX_WIRE)
				return 0;
			memcpy(out + at, set->body + place, b + 1);
			at += b + 1;
			place += b + 1;
			continue;
		}
		i = find_patch(set, place);
		if (i == set->npatch || place + 2u > set->body_len)
			return 0;
		patch = load_u16(set->patch + 2u * i);
		value = get_u16(set->body + place) & 0x3fffu;
		if ((patch & PATCH_PLACE) != place)
			return 0;
		if ((patch & PATCH_SET) == 0)
			return append_owner(ref, owner, value, out, at);
		if (value >= place) /* always backwards, so it ends */
			return 0;
		place = value;
	}
	return 0;
}

size_t
image_set_rdata(const struct image_ref *ref, const struct image_set *set, const uint8_t *owner,
    unsigned place, uint8_t *out, size_t cap)
{
	unsigned end = image_rr_next(set->body, set->body_len, place), i;
	uint8_t name[NAME_MAX_WIRE];
	size_t at = 0, n;

	if (end == 0)
		return SIZE_MAX;
	place += RR_HEAD;
	for (i = find_patch(set, place); place < end; i++) {
		unsigned stop = end;

		if (i < set->npatch && (load_u16(set->patch + 2u * i) & PATCH_PLACE) < end)
			stop = load_u16(set->patch + 2u * i) & PATCH_PLACE;
		if (stop < place || stop - place > cap - at)
			return SIZE_MAX;
		memcpy(out + at, set->body + place, stop - place);
		at += stop - place;
		place = stop;
		if (stop == end)
			break;
		n = image_set_name(ref, set, owner, place, name);
		if (n == 0 || n > cap - at)
			return SIZE_MAX;
		memcpy(out + at, name, n);
		at += n;
		place += 2;
	}
	return place == end ? at : SIZE_MAX;
}

/* ---- as zwire ---- */
struct set_out {
	const struct image_ref *ref;
	const uint8_t *owner;
	size_t owner_len;
	bool plain;
	struct wbuf *out;
};

static bool
put_rdatas(const struct set_out *o, const struct image_set *set, uint16_t type)
{
	uint8_t rdata[UINT16_MAX];
	unsigned place = 0;

	while (place < set->body_len) {
		size_t n = image_set_rdata(o->ref, set, o->owner, place, rdata, sizeof rdata);

		if (n == SIZE_MAX)
			return false;
		if (o->plain)
			rdata_canonical(type, rdata, n);
		wbuf_u16(o->out, (uint16_t)n);
		wbuf_put(o->out, rdata, n);
		place = image_rr_next(set->body, set->body_len, place);
	}
	return true;
}

/* An ALIAS is TTL and target. */
static bool
put_alias(const struct set_out *o, const struct image_set *set)
{
	size_t len = set->body_len - 4u;

	if (set->body_len <= SET_MORE)
		return set->body_len == SET_MORE; /* more of its signatures */
	wbuf_u8(o->out, (uint8_t)o->owner_len);
	wbuf_put(o->out, o->owner, o->owner_len);
	wbuf_u16(o->out, RR_ALIAS);
	wbuf_u16(o->out, 0);
	wbuf_put(o->out, set->body, 4);
	wbuf_u16(o->out, 1);
	wbuf_u32(o->out, (uint32_t)(2 + len));
	wbuf_u16(o->out, (uint16_t)len);
	wbuf_put(o->out, set->body + 4, len);
	if (o->plain && wbuf_ok(o->out))
		rdata_canonical(RR_ALIAS, o->out->base + o->out->len - len, len);
	return wbuf_ok(o->out);
}

/* Up to the records, whose octets put_size() says when they are there; where that goes. */
static size_t
put_head(
    const struct set_out *o, uint16_t type, uint16_t covers, const uint8_t *ttl, uint16_t count)
{
	wbuf_u8(o->out, (uint8_t)o->owner_len);
	wbuf_put(o->out, o->owner, o->owner_len);
	wbuf_u16(o->out, type);
	wbuf_u16(o->out, covers);
	wbuf_put(o->out, ttl, 4);
	wbuf_u16(o->out, count);
	wbuf_u32(o->out, 0);
	return o->out->len - 4;
}

static bool
put_size(const struct set_out *o, size_t size_at)
{
	if (!wbuf_ok(o->out))
		return false;
	put_u32(o->out->base + size_at, (uint32_t)(o->out->len - size_at - 4));
	return true;
}

static bool
put_set(const struct set_out *o, const struct image_set *set, uint16_t type, uint16_t covers)
{
	size_t size_at;

	if (type == RR_ALIAS && image_set_is_policy(set))
		return put_alias(o, set);
	if (set->count == 0 || set->body_len < RR_HEAD)
		return set->count == 0;
	size_at = put_head(o, type, covers, set->body + 6, set->count);
	return put_rdatas(o, set, type) && put_size(o, size_at);
}

/* The signatures of a set as a set of their own: they hold no pointers. */
static bool
put_sigs(const struct set_out *o, const struct image_set *set)
{
	struct image_set sigs = {
		.body = set->sig, .body_len = set->sig_len, .count = set->sig_word
	};
	uint8_t one[RR_HEAD + SIG_FIXED + NAME_MAX_WIRE + SIG_OCTETS];
	unsigned n = image_sig_count(set);
	size_t size_at;

	if (!image_sig_packed(set))
		return put_set(o, &sigs, RR_RRSIG, set->type);
	if (n == 0 || image_sigs_len(o->ref, set) == SIGS_BROKEN)
		return false;
	size_at = put_head(o, RR_RRSIG, set->type, set->body + 6, (uint16_t)n);
	for (unsigned i = 0; i < n; i++) {
		(void)image_sig_put(o->ref, set, set->sig + SIG_PACKED_SIZE * i, one);
		/* With the length of the rdata, which stands before it there as here. */
		wbuf_put(o->out, one + 8, image_sig_len(o->ref) - 8);
	}
	return put_size(o, size_at);
}

static bool
put_range(
    const struct set_out *o, const struct image_node *node, unsigned from, unsigned to, bool sigs)
{
	const uint8_t *at = node->sets;
	bool here = node->keylen == 0 && (o->ref->image->flags & IMAGE_HERE) != 0;
	unsigned left = node->nsets;
	struct image_set set;

	while (image_set_next(node, &at, &left, &set)) {
		if (set.type < from || set.type > to || (sigs && image_set_is_policy(&set)))
			continue;
		if (o->plain &&
		    (set.type == RR_NSEC || set.type == RR_NSEC3 || set.type == RR_NSEC3PARAM))
			continue;
		if (o->plain && here &&
		    (set.type == RR_DNSKEY || set.type == RR_CDS || set.type == RR_CDNSKEY))
			continue;
		if (!(sigs ? put_sigs(o, &set) : put_set(o, &set, set.type, 0)))
			return false;
	}
	return left == 0;
}

/* The policies, which are the last sets, as the pseudo RRset that they came from; or their signatures
 * (emission.h) as a set that covers it. */
static bool
put_policies(const struct set_out *o, const struct image_node *node, bool sigs)
{
	const uint8_t *at = node->sets;
	unsigned left = node->nsets;
	size_t count_at = 0, size_at = 0;
	struct image_set set;
	uint16_t count = 0;

	while (image_set_next(node, &at, &left, &set)) {
		if (!image_set_is_policy(&set) || set.type == RR_ALIAS ||
		    (sigs ? set.sig_len == 0 : set.body_len == SET_MORE))
			continue;
		if (count++ == 0) {
			wbuf_u8(o->out, (uint8_t)o->owner_len);
			wbuf_put(o->out, o->owner, o->owner_len);
			wbuf_u16(o->out, sigs ? RR_RRSIG : RR_NSPOLICY);
			wbuf_u16(o->out, sigs ? RR_NSPOLICY : 0);
			wbuf_u32(o->out, 0);
			count_at = o->out->len;
			wbuf_u16(o->out, 0);
			size_at = o->out->len;
			wbuf_u32(o->out, 0);
		}
		if (sigs) {
			wbuf_u16(o->out, (uint16_t)(2u + set.sig_len));
			wbuf_u16(o->out, set.type);
			wbuf_put(o->out, set.sig, set.sig_len);
		} else {
			wbuf_u16(o->out, set.body_len);
			wbuf_put(o->out, set.body, set.body_len);
		}
	}
	if (left != 0 || !wbuf_ok(o->out))
		return false;
	if (count > 0) {
		put_u16(o->out->base + count_at, count);
		put_u32(o->out->base + size_at, (uint32_t)(o->out->len - size_at - 4));
	}
	return true;
}

/* The signatures of an ALIAS (aliassig.h) as a set that covers it. */
static bool
put_alias_sigs(const struct set_out *o, const struct image_node *node)
{
	const uint8_t *at = node->sets;
	unsigned left = node->nsets;
	size_t count_at = 0;
	struct image_set set;
	uint16_t count = 0;

	while (image_set_next(node, &at, &left, &set)) {
		if (set.type != RR_ALIAS || !image_set_is_policy(&set) || set.sig_len == 0)
			continue;
		if (count++ == 0) {
			wbuf_u8(o->out, (uint8_t)o->owner_len);
			wbuf_put(o->out, o->owner, o->owner_len);
			wbuf_u16(o->out, RR_RRSIG);
			wbuf_u16(o->out, RR_ALIAS);
			wbuf_u32(o->out, 0);
			count_at = o->out->len;
			wbuf_u16(o->out, 0);
			wbuf_u32(o->out, 0);
		}
		wbuf_u16(o->out, set.sig_len);
		wbuf_put(o->out, set.sig, set.sig_len);
	}
	if (left != 0 || !wbuf_ok(o->out))
		return false;
	if (count > 0) {
		put_u16(o->out->base + count_at, count);
		put_u32(o->out->base + count_at + 2, (uint32_t)(o->out->len - count_at - 6));
	}
	return true;
}

bool
image_node_zwire(
    const struct image_ref *ref, const struct image_node *node, bool plain, struct wbuf *out)
{
	uint8_t owner[NAME_MAX_WIRE];
	struct set_out o = { .ref = ref, .owner = owner, .plain = plain, .out = out };

	o.owner_len =
	    image_key_name(node->key, node->keylen, ref->apex, ref->image->head.apex_len, owner);
	return o.owner_len > 0 && put_range(&o, node, 0, RR_RRSIG - 1, false) &&
	       (plain || put_range(&o, node, 0, RR_ALIAS, true)) &&
	       (plain || (node->flags & NODE_POLICY) == 0 || put_alias_sigs(&o, node)) &&
	       (plain || put_range(&o, node, RR_ALIAS + 1, UINT16_MAX, true)) &&
	       (plain || (node->flags & NODE_POLICY) == 0 || put_policies(&o, node, true)) &&
	       put_range(&o, node, RR_RRSIG + 1, UINT16_MAX, false) &&
	       ((node->flags & NODE_POLICY) == 0 || put_policies(&o, node, false));
}
