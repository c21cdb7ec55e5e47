/* image_find.c - looking up owners and NSEC predecessors in flat images and trees; image_read.h. */
#include "appliance/zonemap/image_read.h"

#include "appliance/zonemap/nsec3_chain.h"

/* Is there a name below that key?  Then its first one is the node after it in canonical order. */
static bool
is_prefix(const struct image_node *next, const uint8_t *key, size_t keylen)
{
	return next->keylen > keylen && memcmp(next->key, key, keylen) == 0;
}

/* The path from the root of the tree to a leaf. */
struct path {
	struct inner_ref in[IMAGE_MAX_HEIGHT];
	unsigned at[IMAGE_MAX_HEIGHT];
	map_off leaf;
};

static bool
path_to(const struct image_ref *ref, const uint8_t *key, size_t keylen, struct path *path)
{
	map_off off = ref->image->tree;

	for (unsigned level = ref->image->height; level > 0; level--) {
		struct inner_ref *in = &path->in[level - 1];

		if (!inner_open(ref->view, off, level, in))
			return false;
		path->at[level - 1] = inner_pick(in, key, keylen);
		off = in->p->entry[path->at[level - 1]].child;
	}
	path->leaf = off;
	return true;
}

/* The leaf after (step 1) or before (-1) the path's; with `nsec` only subtrees that have one.
 * 1: moved, 0: there is none, -1: broken. */
static int
path_step(const struct image_ref *ref, struct path *path, int step, bool nsec)
{
	unsigned level = 1, height = ref->image->height;
	map_off off = 0;

	while (off == 0) {
		if (level > height)
			return 0;
		for (;;) {
			struct inner_ref *in = &path->in[level - 1];
			unsigned *at = &path->at[level - 1];

			if (step < 0 ? *at == 0 : *at + 1 >= in->p->count)
				break;
			*at = step < 0 ? *at - 1 : *at + 1;
			if (!nsec || (in->p->entry[*at].child & INNER_NSEC) != 0) {
				off = in->p->entry[*at].child;
				break;
			}
		}
		if (off == 0)
			level++;
	}
	/* Down again, along the near side, or the last that has an NSEC. */
	for (level--; level > 0; level--) {
		struct inner_ref *in = &path->in[level - 1];
		unsigned at;

		if (!inner_open(ref->view, off, level, in))
			return -1;
		at = step < 0 ? in->p->count - 1u : 0;
		while (nsec && at > 0 && (in->p->entry[at].child & INNER_NSEC) == 0)
			at--;
		path->at[level - 1] = at;
		off = in->p->entry[at].child;
	}
	path->leaf = off;
	return 1;
}

static enum image_found
tree_find(const struct image_ref *ref, const uint8_t *key, size_t keylen, struct image_node *node)
{
	struct path path;
	struct node_block leaf;
	struct image_node next;
	bool alone = false;
	unsigned i;
	int moved;

	if (!path_to(ref, key, keylen, &path) || !leaf_open(ref->view, path.leaf, &leaf))
		return IMAGE_BROKEN;
	i = leaf_upper(&leaf, key, keylen);
	if (i > 0) {
		if (!leaf_node(&leaf, i - 1, node))
			return IMAGE_BROKEN;
		if (node->keylen == keylen && memcmp(node->key, key, keylen) == 0) {
			alone = nsec3_is_alone(node);
			if (!alone)
				return IMAGE_NODE;
		}
	}
	if (i == nodes_head(&leaf)->count) {
		moved = path_step(ref, &path, 1, false);
		if (moved == 0)
			return IMAGE_NONE;
		if (moved < 0 || !leaf_open(ref->view, path.leaf, &leaf))
			return IMAGE_BROKEN;
		i = 0;
	}
	if (!leaf_node(&leaf, i, &next))
		return IMAGE_BROKEN;
	if (!is_prefix(&next, key, keylen))
		return IMAGE_NONE;
	if (alone)
		return IMAGE_NODE; /* a name below makes it one of the zone */
	*node = (struct image_node){ .key = key, .keylen = (uint16_t)keylen };
	return IMAGE_ENT;
}

bool
image_after(const struct image_ref *ref, const uint8_t *key, size_t keylen, struct image_node *next)
{
	struct path path;
	struct node_block leaf;
	unsigned i;

	if (!path_to(ref, key, keylen, &path) || !leaf_open(ref->view, path.leaf, &leaf))
		return false;
	i = leaf_upper(&leaf, key, keylen);
	if (i == nodes_head(&leaf)->count) {
		if (path_step(ref, &path, 1, false) <= 0 || !leaf_open(ref->view, path.leaf, &leaf))
			return false;
		i = 0;
	}
	return leaf_node(&leaf, i, next);
}

bool
image_has_below(const struct image_ref *ref, const uint8_t *key, size_t keylen)
{
	struct image_node next;

	return image_after(ref, key, keylen, &next) && next.keylen > keylen &&
	       is_prefix(&next, key, keylen);
}

enum image_found
image_find(const struct image_ref *ref, const uint8_t *key, size_t keylen, struct image_node *node)
{
	if (ref->flat.p != NULL)
		return image_find_hashed(ref, image_hash(ref, key, keylen), key, keylen, node);
	return tree_find(ref, key, keylen, node);
}

bool
image_apex(const struct image_ref *ref, struct image_node *node)
{
	/* The first in canonical order. */
	if (ref->flat.p != NULL)
		return node_open(&ref->flat, nodes_head(&ref->flat)->first, node) &&
		       node->keylen == 0;
	return tree_find(ref, (const uint8_t *)"", 0, node) == IMAGE_NODE;
}

/* The last node with an NSEC in a block whose key is at most that one. */
static enum image_found
block_nsec(const struct node_block *b, const uint8_t *key, size_t keylen, struct image_node *node)
{
	const struct nodes *h = nodes_head(b);
	const uint8_t *list = nodes_nsec_list(b);
	unsigned lo = 0, hi = h->nsecs;

	while (lo < hi) {
		unsigned mid = (lo + hi) / 2;

		if (!node_open(b, (uint32_t)load_u16(list + 2u * mid) << h->shift, node))
			return IMAGE_BROKEN;
		if (image_key_cmp(node->key, node->keylen, key, keylen) <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == 0)
		return IMAGE_NONE;
	return node_open(b, (uint32_t)load_u16(list + 2u * (lo - 1)) << h->shift, node)
		   ? IMAGE_NODE
		   : IMAGE_BROKEN;
}

enum image_found
image_find_nsec(
    const struct image_ref *ref, const uint8_t *key, size_t keylen, struct image_node *node)
{
	struct path path;
	struct node_block leaf;
	enum image_found found;
	int moved;

	if (ref->flat.p != NULL)
		return block_nsec(&ref->flat, key, keylen, node);
	if (!path_to(ref, key, keylen, &path))
		return IMAGE_BROKEN;
	for (;;) {
		if (!leaf_open(ref->view, path.leaf, &leaf))
			return IMAGE_BROKEN;
		found = block_nsec(&leaf, key, keylen, node);
		if (found != IMAGE_NONE)
			return found;
		moved = path_step(ref, &path, -1, true);
		if (moved <= 0)
			return moved == 0 ? IMAGE_NONE : IMAGE_BROKEN;
	}
}

/* ---- walking ---- */
static bool
walk_leaf(struct image_walk *w)
{
	const struct image_ref *ref = w->ref;
	map_off off = ref->image->tree;
	struct inner_ref in;

	for (unsigned level = ref->image->height; level > 0; level--) {
		if (!inner_open(ref->view, off, level, &in) || w->child[level - 1] >= in.p->count)
			return false;
		off = in.p->entry[w->child[level - 1]].child;
	}
	if (!leaf_open(ref->view, off, &w->block))
		return false;
	w->at = nodes_head(&w->block)->first;
	w->left = nodes_head(&w->block)->count;
	return true;
}

/* Count the children's numbers one up. */
static bool
walk_advance(struct image_walk *w)
{
	const struct image_ref *ref = w->ref;
	unsigned height = ref->image->height;

	for (unsigned up = 1; up <= height; up++) {
		map_off off = ref->image->tree;
		struct inner_ref in;

		for (unsigned level = height; level >= up; level--) {
			if (!inner_open(ref->view, off, level, &in)) {
				w->broken = true;
				return false;
			}
			if (level > up && w->child[level - 1] >= in.p->count)
				return false;
			if (level > up)
				off = in.p->entry[w->child[level - 1]].child;
		}
		if (w->child[up - 1] + 1u < in.p->count) {
			w->child[up - 1]++;
			return true;
		}
		w->child[up - 1] = 0;
	}
	return false;
}

void
image_walk_begin(struct image_walk *w, const struct image_ref *ref)
{
	*w = (struct image_walk){ .ref = ref };
	if (ref->flat.p != NULL) {
		w->block = ref->flat;
		w->at = nodes_head(&ref->flat)->first;
		w->left = nodes_head(&ref->flat)->count;
	} else if (!walk_leaf(w)) {
		w->broken = true;
	}
}

bool
image_walk_next(struct image_walk *w, struct image_node *node)
{
	uint32_t size, unit;

	while (w->left == 0) {
		if (w->broken || w->ref->flat.p != NULL || !walk_advance(w))
			return false;
		if (!walk_leaf(w)) {
			w->broken = true;
			return false;
		}
	}
	if (!node_open(&w->block, w->at, node) || (size = node_size(node)) == 0) {
		w->broken = true;
		return false;
	}
	unit = 1u << nodes_head(&w->block)->shift;
	w->at += (size + unit - 1) & ~(unit - 1);
	w->left--;
	return true;
}

void
image_walk_behind(
    struct image_walk *w, const struct image_ref *ref, const uint8_t *key, size_t keylen)
{
	map_off off = ref->image->tree;
	struct image_node node;
	struct inner_ref in;

	*w = (struct image_walk){ .ref = ref };
	for (unsigned level = ref->image->height; level > 0 && !w->broken; level--) {
		w->broken = !inner_open(ref->view, off, level, &in);
		if (w->broken)
			break;
		w->child[level - 1] = (uint16_t)inner_pick(&in, key, keylen);
		off = in.p->entry[w->child[level - 1]].child;
	}
	if (w->broken || !walk_leaf(w)) {
		w->broken = true;
		return;
	}
	for (unsigned n = leaf_upper(&w->block, key, keylen); n > 0; n--)
		(void)image_walk_next(w, &node);
}
