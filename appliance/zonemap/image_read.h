/* image_read - finding owners and RRsets in an image, for serve/, the digest and the edits.
 *
 * Everything is immutable while the caller holds the view; nothing is allocated.  Every offset is
 * checked against its block; what does not fit is reported as IMAGE_BROKEN or as absent, never
 * followed. */
#ifndef NS_ZONEMAP_IMAGE_READ_H
#define NS_ZONEMAP_IMAGE_READ_H

#include "appliance/zonemap/image.h"
#include "appliance/zonemap/image_format.h"
#include "appliance/zonemap/image_key.h"
#include "ipc/base/wbuf.h"

enum image_found { IMAGE_NONE, IMAGE_NODE, IMAGE_ENT, IMAGE_BROKEN };

struct node_block {			/* a checked struct nodes */
	const uint8_t	*p;
	uint32_t	 size;
};
struct image_ref {			/* an opened image */
	const struct map_view	*view;
	const struct image	*image;
	const uint8_t		*apex;
	struct node_block	 flat;		/* p is NULL in a tree */
};
struct image_node {
	const uint8_t	*key, *sets, *end;	/* end: of the block */
	uint16_t	 keylen, nsets;
	uint8_t		 flags;
};
struct image_set {
	const uint8_t	*body, *sig, *patch, *add;	/* patch and add: u16s, 2-aligned */
	uint32_t	 size;			/* of the whole set */
	uint16_t	 type, count, body_len, npatch, nadd, sig_len;
	uint16_t	 sig_word;		/* SIG_PACKED | number of signatures */
};
static inline unsigned
image_sig_count(const struct image_set *set)
{
	return set->sig_word & (SIG_PACKED - 1u);
}
static inline bool
image_sig_packed(const struct image_set *set)	/* image_sig.h */
{
	return (set->sig_word & SIG_PACKED) != 0;
}

bool	 image_open(const struct map_view *, map_off, struct image_ref *);

/* The node of that key.  A node of a flat image without sets is IMAGE_ENT (and *node is filled); one with
 * nothing but NSEC3 is IMAGE_NONE. */
enum image_found	 image_find(const struct image_ref *, const uint8_t *key, size_t keylen,
			    struct image_node *);
/* The node of the NSEC list (image_format.h) that is at that key or the last one before it. */
enum image_found	 image_find_nsec(const struct image_ref *, const uint8_t *key,
			    size_t keylen, struct image_node *);
/* In a tree: the first node behind that key, of whatever kind.  False: there is none, or it is broken. */
bool	 image_after(const struct image_ref *, const uint8_t *key, size_t keylen,
	    struct image_node *);
/* In a tree: is there a node strictly below that key, of whatever kind? */
bool	 image_has_below(const struct image_ref *, const uint8_t *key, size_t keylen);
/* The apex; false: broken. */
bool	 image_apex(const struct image_ref *, struct image_node *);
/* Flat: the node at an add's place. */
bool	 image_node_at(const struct image_ref *, uint16_t unit, struct image_node *);

/* Flat: for passes over a batch.  The value of a key, the place to fetch for it before image_node_hint(),
 * and the node that it will probably be (NULL: none), to fetch before image_find(). */
uint64_t	 image_hash(const struct image_ref *, const uint8_t *key, size_t keylen);
const void	*image_node_hint(const struct image_ref *, uint64_t hash);
enum image_found	 image_find_hashed(const struct image_ref *, uint64_t hash,
			    const uint8_t *key, size_t keylen, struct image_node *);
/* The same with what image_node_hint() said of that hash: usually one comparison. */
enum image_found	 image_find_hinted(const struct image_ref *, const void *hint, uint64_t hash,
			    const uint8_t *key, size_t keylen, struct image_node *);

/* Sets of a node in order of type: start with *at = node->sets. False at the end or when broken. */
bool	 image_set_next(const struct image_node *, const uint8_t **at, unsigned *left,
	    struct image_set *);
bool	 image_set_find(const struct image_node *, uint16_t type, struct image_set *);

/* Where records would be stands a policy or an ALIAS (image_format.h). */
static inline bool
image_set_is_policy(const struct image_set *set)
{
	return set->count == 0 && set->body_len > 0;
}
/* The policy of a node with NODE_POLICY for that type (0: the first); its ALIAS for RR_ALIAS. */
bool	 image_policy_find(const struct image_node *, uint16_t type, struct image_set *);

/* Every node in canonical order. */
struct image_walk {
	const struct image_ref	*ref;
	struct node_block	 block;
	uint32_t		 at;
	unsigned		 left;
	unsigned		 depth;
	map_off			 inner[IMAGE_MAX_HEIGHT];
	uint16_t		 child[IMAGE_MAX_HEIGHT];
	bool			 broken;
};
void	 image_walk_begin(struct image_walk *, const struct image_ref *);
/* In a tree: the next one is the first behind that key. */
void	 image_walk_behind(struct image_walk *, const struct image_ref *, const uint8_t *key,
	    size_t keylen);
bool	 image_walk_next(struct image_walk *, struct image_node *);	/* false: end, or broken */

/* ---- what was compressed, whole again (image_expand.c); owner: the node's name, lower case ---- */
/* The name at a place in the records; its length, 0: broken. */
size_t	 image_set_name(const struct image_ref *, const struct image_set *, const uint8_t *owner,
	    unsigned place, uint8_t out[NAME_MAX_WIRE]);
/* The rdata of the record at a place; its length, SIZE_MAX: broken or larger than cap. */
size_t	 image_set_rdata(const struct image_ref *, const struct image_set *, const uint8_t *owner,
	    unsigned place, uint8_t *out, size_t cap);
/* Place of the record after the one at `place`; 0: broken.  Records end at set->body_len. */
static inline unsigned
image_rr_next(const uint8_t *body, unsigned len, unsigned place)
{
	unsigned rdlen;

	if (place + 12u > len)
		return 0;
	rdlen = (unsigned)body[place + 10] << 8 | body[place + 11];
	return rdlen <= len - place - 12u ? place + 12u + rdlen : 0;
}
/* The RRsets of a node as zwire, in its order; false: broken.  With `plain` rdata is in canonical
 * form, and the types that signing makes but DNSKEY are left out (image_digest). */
bool	 image_node_zwire(const struct image_ref *, const struct image_node *, bool plain,
	    struct wbuf *out);

/* ---- below: for the other image_*.c files ---- */
bool	 nodes_open(const void *p, size_t size, bool flat, struct node_block *);
bool	 node_open(const struct node_block *, uint32_t off, struct image_node *);
/* Octets that a node takes, unpadded; 0: broken. */
uint32_t node_size(const struct image_node *);
struct inner_ref {
	const struct inner	*p;
	size_t			 size;
};
bool	 inner_open(const struct map_view *, map_off, unsigned level, struct inner_ref *);
/* The key of an entry; NULL: broken. */
const uint8_t	*inner_key(const struct inner_ref *, unsigned i, size_t *len);
/* The child that a key belongs to. */
unsigned inner_pick(const struct inner_ref *, const uint8_t *key, size_t keylen);
bool	 leaf_open(const struct map_view *, map_off, struct node_block *);
/* Leaf: the number of nodes whose key is at most that one. */
unsigned leaf_upper(const struct node_block *, const uint8_t *key, size_t keylen);
/* Leaf: node number i in order. */
bool	 leaf_node(const struct node_block *, unsigned i, struct image_node *);

static inline const struct nodes *
nodes_head(const struct node_block *b)
{
	return (const struct nodes *)(const void *)b->p;
}

static inline uint16_t
load_u16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof v);
	return v;
}

/* The NSEC list of a checked block (image_format.h): h->nsecs nodes, a u16 each, in units of the block's. */
static inline const uint8_t *
nodes_nsec_list(const struct node_block *b)
{
	const struct nodes *h = nodes_head(b);

	return b->p + sizeof *h + (h->flat ? (size_t)3 << h->hash_log2 : 2u * h->count);
}

/* Where the node starts. */
static inline const uint8_t *
node_start(const struct image_node *n)
{
	return n->key - 4;
}

#endif
