/* nsec.c - which NSEC records prove what is not there (RFC 4035 3.1.3); behind proof.c. */
#include "appliance/serve/work.h"

#include <string.h>

/* That nothing is at a key: the NSEC before it. */
static void
put_cover(struct reply *r, const uint8_t *key, size_t keylen)
{
	struct image_node node;

	if (image_find_nsec(&r->hop.zone, key, keylen, &node) == IMAGE_NODE)
		proof_put(r, &node, false);
}

/* The one before the hop's name, which is not there. */
static bool
find_cover(const struct reply *r, struct image_node *node)
{
#ifdef NS_BREAK_nsec
	(void)r;
	(void)node;
	return false;
#else
	/* The usual case: found in a pass before. */
	if (r->w->has_cover && r->hop.at == NULL) {
		*node = r->w->node;
		return true;
	}
	return image_find_nsec(&r->hop.zone, r->hop.key, r->hop.keylen, node) == IMAGE_NODE;
#endif
}

static void
put_name_cover(struct reply *r)
{
	struct image_node node;

	if (find_cover(r, &node))
		proof_put(r, &node, false);
}

static size_t
wild_key(const struct hop *h, size_t encloser, uint8_t out[NAME_MAX_KEY + 2])
{
	memcpy(out, h->key, encloser);
	out[encloser] = '*';
	out[encloser + 1] = 0;
	return encloser + 2;
}

static void
nsec_nxdomain(struct reply *r, const struct lookup *l)
{
	uint8_t wild[NAME_MAX_KEY + 2];

	put_name_cover(r);
	put_cover(r, wild, wild_key(&r->hop, l->keylen, wild));
}

static void
nsec_nodata(struct reply *r, const struct lookup *l)
{
	uint8_t wild[NAME_MAX_KEY + 2];
	struct image_set nsec;

	if (l->kind == LOOKUP_WILD) {
		put_cover(r, wild, wild_key(&r->hop, l->keylen, wild));
		put_name_cover(r);
	} else if (l->kind != LOOKUP_ENT && image_set_find(&l->node, RR_NSEC, &nsec)) {
		proof_put(r, &l->node, false);
	} else {
		put_name_cover(r);
	}
}

static void
nsec_no_ds(struct reply *r, const struct lookup *l)
{
	proof_put(r, &l->node, false);
}

const struct denial denial_nsec = { nsec_nxdomain, nsec_nodata, find_cover, nsec_no_ds };
