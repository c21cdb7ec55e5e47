/* nsec3.c - which NSEC3 records prove what is not there (RFC 5155 7.2); behind proof.c.
 *
 * A name is hashed when it is asked for.  The hash is a name below the apex, so the record at it or before
 * it is found as an NSEC's is, in a list of this chain's records alone; before the first comes the last. */
#include "appliance/serve/work.h"

#include <string.h>

/* Names above the closest encloser that are tried when it has no NSEC3 itself: an empty non-terminal that
 * only opted-out delegations make (RFC 5155 7.1).  ip6.arpa is the deepest tree there is. */
#define CLIMB_MAX 34u

enum found { NOTHING, COVERS, MATCHES };

/* The record whose owner is the hash of a name, or that covers it. */
static enum found
find(const struct reply *r, const struct nsec3_chain *chain, const uint8_t *name, size_t len,
    struct image_node *node)
{
	static const uint8_t behind_all[] = { 'z' }; /* base32hex ends at 'v' */
	uint8_t key[NSEC3_KEY];
	enum image_found found;

	nsec3_hash(chain, name, len, key);
	key[NSEC3_LABEL] = 0;
	found = image_find_nsec(&r->hop.zone, key, sizeof key, node);
	if (found == IMAGE_NONE)
		found = image_find_nsec(&r->hop.zone, behind_all, sizeof behind_all, node);
	if (found != IMAGE_NODE)
		return NOTHING;
	if (node->keylen != sizeof key)
		return NOTHING;
	return memcmp(node->key, key, sizeof key) == 0 ? MATCHES : COVERS;
}

/* The same for the hop's name from that many labels below the apex on. */
static enum found
find_at(
    const struct reply *r, const struct nsec3_chain *chain, unsigned depth, struct image_node *node)
{
	const struct hop *h = &r->hop;
	unsigned from = h->off[hop_label(h, depth)];

	return find(r, chain, h->name + from, h->off[h->labels] + 1u - from, node);
}

static enum found
find_wild(
    const struct reply *r, const struct nsec3_chain *chain, unsigned depth, struct image_node *node)
{
	const struct hop *h = &r->hop;
	unsigned from = h->off[hop_label(h, depth)];
	size_t len = h->off[h->labels] + 1u - from;
	uint8_t wild[NAME_MAX_WIRE + 2] = { 1, '*' };

	memcpy(wild + 2, h->name + from, len);
	return find(r, chain, wild, len + 2, node);
}

/* RFC 5155 7.2.1: the closest encloser that has an NSEC3, from that depth upwards, and the one that covers
 * the next closer name.  Returns its depth. */
static unsigned
put_encloser(struct reply *r, const struct nsec3_chain *chain, unsigned depth)
{
	struct image_node node;
	enum found found;

	for (unsigned climbed = 0;; climbed++) {
		found = find_at(r, chain, depth, &node);
		if (found != COVERS || depth == 0)
			break;
		depth = climbed < CLIMB_MAX ? depth - 1 : 0;
	}
	if (found != MATCHES)
		return depth; /* a broken chain proves nothing */
	proof_put(r, &node, false);
	if (find_at(r, chain, depth + 1, &node) == COVERS)
		proof_put(r, &node, false);
	return depth;
}

/* A name that exists: its own NSEC3, or, without one, that an opted-out span holds it (7.2.3, 7.2.4). */
static void
put_name(struct reply *r, const struct nsec3_chain *chain, unsigned depth)
{
	struct image_node node;

	if (find_at(r, chain, depth, &node) == MATCHES)
		proof_put(r, &node, false);
	else if (depth > 0)
		put_encloser(r, chain, depth - 1);
}

static void
nsec3_nxdomain(struct reply *r, const struct lookup *l)
{
	struct nsec3_chain chain;
	struct image_node node;
	unsigned depth;

	nsec3_chain_of_image(&r->hop.zone, &chain);
#ifdef NS_BREAK_nsec3
	depth = l->depth;
#else
	depth = put_encloser(r, &chain, l->depth);
#endif
	if (find_wild(r, &chain, depth, &node) == COVERS)
		proof_put(r, &node, false);
}

static void
nsec3_nodata(struct reply *r, const struct lookup *l)
{
	struct nsec3_chain chain;
	struct image_node node;
	unsigned depth;

	nsec3_chain_of_image(&r->hop.zone, &chain);
	if (l->kind != LOOKUP_WILD) {
		put_name(r, &chain, r->hop.rel);
		return;
	}
	/* 7.2.5 */
	depth = put_encloser(r, &chain, l->depth);
	if (find_wild(r, &chain, depth, &node) == MATCHES)
		proof_put(r, &node, false);
}

/* 7.2.6: the next closer name alone; the answer's signature names the encloser. */
static bool
nsec3_wild(const struct reply *r, struct image_node *node)
{
	struct nsec3_chain chain;
	struct lookup l;

	lookup_name(&r->hop, &l);
	if (l.kind != LOOKUP_WILD)
		return false;
	nsec3_chain_of_image(&r->hop.zone, &chain);
	return find_at(r, &chain, l.depth + 1, node) == COVERS;
}

static void
nsec3_no_ds(struct reply *r, const struct lookup *l)
{
	struct nsec3_chain chain;

	nsec3_chain_of_image(&r->hop.zone, &chain);
	put_name(r, &chain, l->depth);
}

const struct denial denial_nsec3 = { nsec3_nxdomain, nsec3_nodata, nsec3_wild, nsec3_no_ds };
