/* signed.c - see signed.h. */
#include "appliance/signer/signed.h"

#include <string.h>

#include "appliance/dns/rrtype.h"

bool
signed_open(struct signed_image *s, const struct map_view *view, map_off image)
{
	memset(s, 0, sizeof *s);
	s->owner = wbuf_grow(SIZE_MAX / 2);
	if (image != 0 && image_open(view, image, &s->ref))
		return true;
	s->ref.image = NULL;
	return false;
}

void
signed_close(struct signed_image *s)
{
	wbuf_free(&s->owner);
}

/* A node with nothing but NSEC3 is found in the chain's list alone. */
static bool
find_node(const struct signed_image *s, const uint8_t *name, struct image_node *node)
{
	uint8_t key[NAME_MAX_KEY];
	size_t len;

	if (s->ref.image == NULL || !name_in(name, s->ref.apex))
		return false;
	len = image_key_of(name, s->ref.image->head.apex_labels, key);
	if (image_find(&s->ref, key, len, node) == IMAGE_NODE)
		return true;
	return (s->ref.image->flags & IMAGE_NSEC3) != 0 &&
	       image_find_nsec(&s->ref, key, len, node) == IMAGE_NODE && node->keylen == len &&
	       memcmp(node->key, key, len) == 0;
}

const struct wbuf *
signed_owner(struct signed_image *s, const uint8_t *name)
{
	struct image_node node;

	if (s->name[0] != 0 && name_equal(s->name, name))
		return &s->owner;
	s->owner.len = 0;
	memcpy(s->name, name, name_len(name));
	if (find_node(s, name, &node) && !image_node_zwire(&s->ref, &node, false, &s->owner))
		s->owner.len = 0;
	return &s->owner;
}

/* The record of a signature set that is of that key. */
static size_t
pick(const struct rrset *sigs, const struct zone_key *key, uint8_t out[RRSIG_MAX])
{
	struct rbuf r = rbuf_init(sigs->rdata, sigs->rdata_len);
	const uint8_t *rdata;
	struct rrsig sig;
	size_t len;

	while ((rdata = rrset_next_rdata(&r, &len)) != NULL) {
		if (len > RRSIG_MAX || !rrsig_read(rdata, len, &sig) || sig.tag != key->tag ||
		    sig.algorithm != key->algorithm)
			continue;
		memcpy(out, rdata, len);
		return len;
	}
	return 0;
}

size_t
signed_find(void *arg, const struct rrset *want, const struct zone_key *key, uint8_t out[RRSIG_MAX])
{
	const struct wbuf *owner = signed_owner(arg, want->owner);
	struct zwire_iter it = zwire_iter(owner->base, owner->len);
	struct rrset set;
	bool same = false;
	size_t len = 0;

	/* RRSIG stands before or behind what it covers. */
	while (zwire_next(&it, &set)) {
		if (set.type == want->type && want->type != RR_RRSIG)
			same = rrset_same_data(&set, want);
		else if (set.type == RR_RRSIG && set.covers == want->type)
			len = pick(&set, key, out);
	}
	return same ? len : 0;
}

void
signed_emissions(void *arg, const uint8_t *name, uint16_t covers, struct rrset *out)
{
	const struct wbuf *owner = signed_owner(arg, name);
	struct zwire_iter it = zwire_iter(owner->base, owner->len);
	struct rrset set;

	while (zwire_next(&it, &set)) {
		if (set.type == RR_RRSIG && set.covers == covers)
			*out = set;
	}
}
