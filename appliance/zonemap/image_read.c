/* image_read.c - opening images, blocks, nodes and sets with every offset checked; image_read.h.
 *
 * Runs in workers and in answer (query path) and in the signer. */
#include "appliance/zonemap/image_read.h"

#include "appliance/dns/rrtype.h"
#include "appliance/zonemap/hash.h"

/* Octets of the tables between struct nodes and the first node. */
static size_t
tables_size(const struct nodes *h)
{
	size_t n = 2u * h->nsecs;

	if (h->flat)
		n += (size_t)3 << h->hash_log2;
	else
		n += 2u * h->count;
	return n;
}

bool
nodes_open(const void *p, size_t size, bool flat, struct node_block *b)
{
	const struct nodes *h = p;

	if (size < sizeof *h || h->magic != IMAGE_LEAF_MAGIC || h->size > size ||
	    h->flat != (flat ? 1 : 0) || h->shift < 2 || h->shift > 6 || h->hash_log2 > 16 ||
	    (flat && h->hash_log2 == 0) || h->first > h->size ||
	    sizeof *h + tables_size(h) > h->first)
		return false;
	b->p = p;
	b->size = h->size;
	return true;
}

bool
image_open(const struct map_view *view, map_off off, struct image_ref *ref)
{
	size_t size;
	const struct image *img = map_block_at(view, off, &size);

	if (img == NULL || size < sizeof *img || img->head.magic != IMAGE_MAGIC ||
	    img->head.apex_len == 0 || (size_t)img->head.apex_off + img->head.apex_len > size)
		return false;
	ref->view = view;
	ref->image = img;
	ref->apex = (const uint8_t *)img + img->head.apex_off;
	ref->flat.p = NULL;
	ref->flat.size = 0;
	if (img->flags & IMAGE_TREE)
		return img->height <= IMAGE_MAX_HEIGHT;
	return img->nodes_off <= size && (img->nodes_off & 7) == 0 &&
	       nodes_open(
		   (const uint8_t *)img + img->nodes_off, size - img->nodes_off, true, &ref->flat);
}

bool
node_open(const struct node_block *b, uint32_t off, struct image_node *n)
{
	uint16_t word;
	uint32_t sets;

	if ((off & 3) != 0 || off < nodes_head(b)->first || off > b->size || b->size - off < 4)
		return false;
	word = load_u16(b->p + off);
	n->keylen = word & NODE_KEY_MASK;
	n->flags = (uint8_t)(word >> NODE_FLAG_SHIFT);
	n->nsets = load_u16(b->p + off + 2);
	n->key = b->p + off + 4;
	n->end = b->p + b->size;
	sets = (off + 4 + n->keylen + 3) & ~3u;
	if (sets > b->size)
		return false;
	n->sets = b->p + sets;
	return true;
}

/* Where the optional words of a set put everything. */
static inline bool
set_open(const uint8_t *start, const uint8_t *end, struct image_set *s)
{
	const uint8_t *p = start + SET_HEAD;
	size_t avail = (size_t)(end - start);
	unsigned flags;

	/* The shortest set has 8 octets and more behind its head: the optional words are inside. */
	if (avail < SET_HEAD + 8u)
		return false;
	s->type = load_u16(start);
	s->size = load_u16(start + 2) * 4u;
	s->body_len = load_u16(start + 4);
	s->count = load_u16(start + 6);
	flags = s->count >> SET_FLAG_SHIFT;
	s->count &= SET_COUNT_MASK;
	s->npatch = s->nadd = s->sig_len = s->sig_word = 0;
	if (flags & SET_PATCH) {
		s->npatch = load_u16(p);
		p += 2;
	}
	if (flags & SET_ADD) {
		s->nadd = load_u16(p);
		p += 2;
	}
	if (flags & SET_SIG) {
		s->sig_len = load_u16(p);
		s->sig_word = load_u16(p + 2);
		p += 4;
	}
	if (s->size > avail ||
	    (size_t)(p - start) + 2u * s->npatch + 4u * s->nadd + s->body_len + s->sig_len >
		s->size)
		return false;
	s->patch = p;
	s->add = s->patch + 2u * s->npatch;
	s->body = s->add + 4u * s->nadd;
	s->sig = s->body + s->body_len;
	return true;
}

bool
image_set_next(
    const struct image_node *node, const uint8_t **at, unsigned *left, struct image_set *set)
{
	if (*left == 0 || !set_open(*at, node->end, set))
		return false;
	*at += set->size;
	--*left;
	return true;
}

bool
image_set_find(const struct image_node *node, uint16_t type, struct image_set *set)
{
	const uint8_t *p = node->sets;

	for (unsigned i = node->nsets; i > 0; i--) {
		uint32_t size;

		if ((size_t)(node->end - p) < SET_HEAD)
			return false;
		if (load_u16(p) == type)
			return set_open(p, node->end, set) && set->count > 0;
		size = load_u16(p + 2) * 4u;
		if (size == 0 || size > (size_t)(node->end - p))
			return false;
		p += size;
	}
	return false;
}

bool
image_policy_find(const struct image_node *node, uint16_t type, struct image_set *set)
{
	const uint8_t *at = node->sets;
	unsigned left = node->nsets;

	while (image_set_next(node, &at, &left, set)) {
		if (image_set_is_policy(set) &&
		    (type == 0 ? set->type != RR_ALIAS : set->type == type))
			return true;
	}
	return false;
}

uint32_t
node_size(const struct image_node *node)
{
	const uint8_t *at = node->sets;
	struct image_set set;
	unsigned left = node->nsets;

	while (image_set_next(node, &at, &left, &set))
		;
	return left == 0 ? (uint32_t)(at - node_start(node)) : 0;
}

/* ---- flat: the hash table ---- */
static inline const uint8_t *
hash_tags(const struct nodes *h)
{
	return (const uint8_t *)(h + 1);
}

static inline uint16_t
hash_unit(const struct nodes *h, uint32_t i)
{
	return load_u16(hash_tags(h) + ((size_t)1 << h->hash_log2) + 2u * i);
}

uint64_t
image_hash(const struct image_ref *ref, const uint8_t *key, size_t keylen)
{
	return zone_hash(ref->view->map->header->hash_key, key, keylen);
}

const void *
image_node_hint(const struct image_ref *ref, uint64_t hash)
{
	const struct nodes *h = nodes_head(&ref->flat);
	uint32_t mask = (1u << h->hash_log2) - 1, i = (uint32_t)hash & mask;
	uint8_t tag = (uint8_t)(hash >> 56);
	uint16_t unit;

	for (uint32_t n = 0; n <= mask && (unit = hash_unit(h, i)) != 0; n++) {
		if (hash_tags(h)[i] == tag)
			return ref->flat.p + ((size_t)unit << h->shift);
		i = (i + 1) & mask;
	}
	return NULL;
}

enum image_found
image_find_hashed(const struct image_ref *ref, uint64_t hash, const uint8_t *key, size_t keylen,
    struct image_node *node)
{
	const struct nodes *h = nodes_head(&ref->flat);
	uint32_t mask = (1u << h->hash_log2) - 1, i = (uint32_t)hash & mask;
	uint8_t tag = (uint8_t)(hash >> 56);
	uint16_t unit;

	for (uint32_t n = 0; n <= mask && (unit = hash_unit(h, i)) != 0; n++) {
		if (hash_tags(h)[i] == tag) {
			if (!node_open(&ref->flat, (uint32_t)unit << h->shift, node))
				return IMAGE_BROKEN;
			if (node->keylen == keylen && memcmp(node->key, key, keylen) == 0)
				return node->nsets > 0 ? IMAGE_NODE : IMAGE_ENT;
		}
		i = (i + 1) & mask;
	}
	return IMAGE_NONE;
}

enum image_found
image_find_hinted(const struct image_ref *ref, const void *hint, uint64_t hash, const uint8_t *key,
    size_t keylen, struct image_node *node)
{
	/* No tag of the chain is the key's. */
	if (hint == NULL)
		return IMAGE_NONE;
	if (!node_open(&ref->flat, (uint32_t)((const uint8_t *)hint - ref->flat.p), node))
		return IMAGE_BROKEN;
	if (node->keylen == keylen && memcmp(node->key, key, keylen) == 0)
		return node->nsets > 0 ? IMAGE_NODE : IMAGE_ENT;
	return image_find_hashed(ref, hash, key, keylen, node);
}

bool
image_node_at(const struct image_ref *ref, uint16_t unit, struct image_node *node)
{
	return ref->flat.p != NULL && unit != 0 &&
	       node_open(&ref->flat, (uint32_t)unit << nodes_head(&ref->flat)->shift, node);
}

/* ---- tree ---- */
bool
inner_open(const struct map_view *view, map_off off, unsigned level, struct inner_ref *in)
{
	in->p = map_block_at(view, off & ~(map_off)INNER_NSEC, &in->size);
	return in->p != NULL && in->size >= sizeof *in->p && in->p->magic == IMAGE_INNER_MAGIC &&
	       in->p->level == level && in->p->count > 0 &&
	       sizeof *in->p + in->p->count * sizeof in->p->entry[0] <= in->size;
}

const uint8_t *
inner_key(const struct inner_ref *in, unsigned i, size_t *len)
{
	const struct inner_entry *e = &in->p->entry[i];

	if (e->key_off > in->size || e->key_len > in->size - e->key_off)
		return NULL;
	*len = e->key_len;
	return (const uint8_t *)in->p + e->key_off;
}

unsigned
inner_pick(const struct inner_ref *in, const uint8_t *key, size_t keylen)
{
	unsigned lo = 0, hi = in->p->count;

	while (hi - lo > 1) {
		unsigned mid = (lo + hi) / 2;
		size_t len = 0;
		const uint8_t *k = inner_key(in, mid, &len);

		if (k != NULL && image_key_cmp(k, len, key, keylen) <= 0)
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}

bool
leaf_open(const struct map_view *view, map_off off, struct node_block *b)
{
	size_t size;
	const void *p = map_block_at(view, off & ~(map_off)INNER_NSEC, &size);

	return p != NULL && nodes_open(p, size, false, b);
}

bool
leaf_node(const struct node_block *b, unsigned i, struct image_node *node)
{
	const struct nodes *h = nodes_head(b);

	return i < h->count &&
	       node_open(b, (uint32_t)load_u16(b->p + sizeof *h + 2u * i) << h->shift, node);
}

unsigned
leaf_upper(const struct node_block *b, const uint8_t *key, size_t keylen)
{
	unsigned lo = 0, hi = nodes_head(b)->count;
	struct image_node node;

	while (lo < hi) {
		unsigned mid = (lo + hi) / 2;

		if (leaf_node(b, mid, &node) &&
		    image_key_cmp(node.key, node.keylen, key, keylen) <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}
