/* lookup.c - RFC 1034 4.3.2 step 3 inside one zone: down from the apex until the name is found, a cut or a
 * DNAME takes over, or nothing matches and a wildcard may (RFC 4592 3.3).
 *
 * In a flat image the name itself is tried first: its flags say whether anything above takes over. */
#include "appliance/serve/work.h"

/* The wildcard right below the closest encloser. */
static void
lookup_wild(
    const struct image_ref *zone, const uint8_t *key, uint8_t encloser_flags, struct lookup *l)
{
	uint8_t wild[NAME_MAX_KEY + 2];
	enum image_found found = IMAGE_NONE;

#ifdef NS_BREAK_wildcard
	(void)zone;
	(void)key;
	(void)encloser_flags;
	(void)wild;
#else
	if (zone->flat.p == NULL || (encloser_flags & NODE_WILD) != 0) {
		memcpy(wild, key, l->keylen);
		wild[l->keylen] = '*';
		wild[l->keylen + 1] = 0;
		found = image_find(zone, wild, l->keylen + 2, &l->node);
	}
#endif
	if (found == IMAGE_BROKEN)
		l->kind = LOOKUP_BROKEN;
	else
		l->kind = found == IMAGE_NONE ? LOOKUP_NXDOMAIN : LOOKUP_WILD;
	if (found == IMAGE_ENT)
		l->node.nsets = 0;
}

/* Label by label from the apex; `absent`: the name itself is known not to be there. */
static void
lookup_down(
    const struct image_ref *zone, const uint8_t *key, size_t keylen, bool absent, struct lookup *l)
{
	struct image_node node;
	enum image_found found;
	size_t at = 0;
	uint8_t flags = 0;

	l->depth = 0;
	l->keylen = 0;
	for (;;) {
		if (at == 0)
			found = image_apex(zone, &node) ? IMAGE_NODE : IMAGE_BROKEN;
		else if (absent && at == keylen)
			found = IMAGE_NONE;
		else
			found = image_find(zone, key, at, &node);
		if (found == IMAGE_NONE || found == IMAGE_BROKEN)
			break;
		flags = node.flags;
		l->node = node;
		l->keylen = at;
		l->kind = found == IMAGE_ENT ? LOOKUP_ENT : LOOKUP_NODE;
		if (found == IMAGE_NODE && (flags & NODE_CUT) != 0)
			l->kind = LOOKUP_CUT;
		else if (found == IMAGE_NODE && (flags & NODE_DNAME) != 0 && at < keylen)
			l->kind = LOOKUP_DNAME;
		if (l->kind == LOOKUP_CUT || l->kind == LOOKUP_DNAME || at == keylen)
			return;
		at = image_key_next(key, keylen, at);
		l->depth++;
	}
	if (found == IMAGE_BROKEN || l->depth == 0) {
		l->kind = LOOKUP_BROKEN;
		return;
	}
	l->depth--;
	lookup_wild(zone, key, flags, l);
}

void
lookup_name(const struct hop *h, struct lookup *l)
{
	bool flat = h->zone.flat.p != NULL;

	if (flat && (h->found == IMAGE_NODE || h->found == IMAGE_ENT) &&
	    (h->node.flags & NODE_OCCLUDED) == 0) {
		l->node = h->node;
		l->keylen = h->keylen;
		l->depth = h->rel;
		if (h->found == IMAGE_ENT)
			l->kind = LOOKUP_ENT;
		else
			l->kind = (h->node.flags & NODE_CUT) != 0 ? LOOKUP_CUT : LOOKUP_NODE;
		return;
	}
	lookup_down(&h->zone, h->key, h->keylen, flat && h->found == IMAGE_NONE, l);
}

void
lookup_other(const struct hop *h, const uint8_t *lname, struct lookup *l)
{
	uint8_t key[NAME_MAX_KEY];
	size_t keylen = image_key_of(lname, h->zone.image->head.apex_labels, key);

	lookup_down(&h->zone, key, keylen, false, l);
}
