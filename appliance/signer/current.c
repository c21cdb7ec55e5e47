/* current.c - see current.h. */
#include "appliance/signer/current.h"

#include "appliance/dns/rrtype.h"
#include "appliance/signer/rrsig.h"

/* Has the owner this set, octet for octet? */
static bool
has_set(const struct wbuf *owner, const struct rrset *want)
{
	struct zwire_iter it = zwire_iter(owner->base, owner->len);
	struct rrset set;

	while (zwire_next(&it, &set)) {
		if (set.type == want->type && set.covers == want->covers)
			return rrset_same_data(&set, want);
	}
	return false;
}

/* The denial that an image was made with; opt-out shows in the NSEC3s alone. */
static enum zone_denial
denial_of(const struct image_ref *ref)
{
	static const uint8_t behind_all[] = { 'z' };
	struct image_node node;
	struct image_set set;

	if ((ref->image->flags & IMAGE_NSEC3) == 0)
		return DENIAL_NSEC;
	if (image_find_nsec(ref, behind_all, sizeof behind_all, &node) == IMAGE_NODE &&
	    image_set_find(&node, RR_NSEC3, &set) && set.body_len > RR_HEAD + 1u &&
	    set.body[RR_HEAD + 1] != 0)
		return DENIAL_NSEC3_OPTOUT;
	return DENIAL_NSEC3;
}

/* Sets that come with the keys. */
static unsigned
count_key_sets(const uint8_t *zwire, size_t len)
{
	struct zwire_iter it = zwire_iter(zwire, len);
	struct rrset set;
	unsigned n = 0;

	while (zwire_next(&it, &set)) {
		uint16_t type = set.type == RR_RRSIG ? set.covers : set.type;

		n += type == RR_DNSKEY || type == RR_CDS || type == RR_CDNSKEY;
	}
	return n;
}

static bool
has_key_sets(struct signed_image *old, const struct zone_keys *keys)
{
	const struct wbuf *owner = signed_owner(old, old->ref.apex);
	struct zwire_iter it = zwire_iter(keys->apex, keys->apex_len);
	struct rrset set;
	bool same =
	    count_key_sets(owner->base, owner->len) == count_key_sets(keys->apex, keys->apex_len);

	while (same && zwire_next(&it, &set))
		same = has_set(owner, &set);
	return same;
}

/* Is the SOA signed by these keys, and by no other? */
static bool
soa_is_signed_by(struct signed_image *old, const struct zone_keys *keys)
{
	const struct wbuf *owner = signed_owner(old, old->ref.apex);
	struct zwire_iter it = zwire_iter(owner->base, owner->len);
	unsigned signing = 0, there = 0, found = 0;
	struct rrset set, soa = { 0 };
	uint8_t rdata[RRSIG_MAX];

	while (zwire_next(&it, &set)) {
		if (set.type == RR_SOA)
			soa = set;
		if (set.type == RR_RRSIG && set.covers == RR_SOA)
			there = set.count;
	}
	if (soa.owner == NULL)
		return false;
	for (unsigned i = 0; i < keys->n; i++) {
		if (keys->key[i].flags != KEY_ZSK || !keys->key[i].signs)
			continue;
		signing++;
		found += signed_find(old, &soa, &keys->key[i], rdata) > 0;
	}
	return signing == found && there == found;
}

bool
current_is_by(struct signed_image *old, const struct zone_keys *keys)
{
	return (old->ref.image->flags & IMAGE_HERE) != 0 && has_key_sets(old, keys) &&
	       soa_is_signed_by(old, keys);
}

static bool
is_due(const struct image *img, uint32_t now)
{
	return (int32_t)(img->expires - now) < (int32_t)RRSIG_SPARE;
}

bool
current_is(struct signed_image *old, const struct zone_keys *keys, uint32_t now)
{
	const struct image *img = old->ref.image;

	if (keys == NULL)
		return (img->flags & IMAGE_HERE) == 0;
	/* What policies may answer depends on more than this. */
	return (img->flags & (IMAGE_HERE | IMAGE_POLICY)) == IMAGE_HERE && !is_due(img, now) &&
	       denial_of(&old->ref) == keys->denial && has_key_sets(old, keys) &&
	       soa_is_signed_by(old, keys);
}

bool
current_may_resign(struct signed_image *old, const struct zone_keys *keys)
{
	const struct image *img = old->ref.image;

	return old->ref.flat.p == NULL && (img->flags & IMAGE_HERE) != 0 &&
	       (img->flags & (IMAGE_NSEC | IMAGE_NSEC3)) != 0 &&
	       denial_of(&old->ref) == keys->denial && has_key_sets(old, keys) &&
	       soa_is_signed_by(old, keys);
}

bool
current_is_due(const struct signed_image *old, uint32_t now)
{
	return is_due(old->ref.image, now);
}
