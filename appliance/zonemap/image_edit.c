/* image_edit.c - a new image from an old one and the owners that changed; see image.h.
 *
 * Runs in the signer and in tests.  In a tree the leaves on the way are merged with the change and the
 * blocks above them written again; all else is shared with the old image.  A flat image, and one
 * whose NSEC3 chain becomes another, is written back to zwire, changed, and built again.  Old blocks are retired only when all went well;
 * new ones when it did not. */
#include <stdlib.h>
#include <string.h>

#include "appliance/dns/rrtype.h"
#include "appliance/zonemap/image_build.h"
#include "appliance/zonemap/image_read.h"
#include "appliance/zonemap/writer.h"
#include "ipc/base/xalloc.h"

struct op { /* what an owner becomes */
	uint8_t *key; /* owned */
	size_t keylen;
	const uint8_t *raw; /* its zwire */
	size_t raw_len; /* 0: it is gone */
};
struct edit {
	struct writer *w;
	struct map_view view;
	struct image_ref old;
	struct render zone;
	struct op *op;
	size_t n, cap;
	struct tree_writer tw;
	struct block_list replaced;
	struct zone_facts facts;
	struct ns_why *why;
	enum ns_err err;
};

/* ---- the change as a sorted list ---- */
static enum ns_err
edit_fail(struct edit *e, enum ns_err err, const char *text)
{
	if (e->err == NS_OK)
		e->err = ns_fail(e->why, err, CODE_IMAGE_EDIT, "%s", text);
	return e->err;
}

static struct op *
add_op(struct edit *e, const uint8_t *owner)
{
	uint8_t lname[NAME_MAX_WIRE], key[NAME_MAX_KEY];
	struct op *op;

	name_lower(lname, owner, name_len(owner));
	if (!name_in(lname, e->old.apex)) {
		edit_fail(e, NS_CORRUPT, "a name of the change lies outside its zone");
		return NULL;
	}
	if (e->n == e->cap) {
		e->cap = e->cap > 0 ? e->cap * 2 : 16;
		e->op = xreallocarray(e->op, e->cap, sizeof *e->op);
	}
	op = &e->op[e->n++];
	*op = (struct op){ .keylen = image_key_of(lname, e->old.image->head.apex_labels, key) };
	op->key = xmemdup(key, op->keylen > 0 ? op->keylen : 1);
	return op;
}

static void
read_sets(struct edit *e, const void *zwire, size_t len)
{
	struct zwire_iter it = zwire_iter(zwire, len);
	struct rrset set, prev = { 0 };
	struct op *op = NULL;

	while (zwire_next(&it, &set)) {
		if (op == NULL || set.owner_len != prev.owner_len ||
		    memcmp(set.owner, prev.owner, set.owner_len) != 0) {
			op = add_op(e, set.owner);
			if (op == NULL)
				return;
			op->raw = set.raw;
		}
		op->raw_len += set.raw_len;
		prev = set;
	}
	if (!rbuf_ok(&it.r))
		edit_fail(e, NS_CORRUPT, "the change breaks its own form");
}

static void
read_gone(struct edit *e, const void *gone, size_t len)
{
	struct rbuf r = rbuf_init(gone, len);
	uint8_t name[NAME_MAX_WIRE];

	while (rbuf_left(&r) > 0) {
		if (name_read(&r, name) == 0) {
			edit_fail(e, NS_CORRUPT, "the change breaks its own form");
			return;
		}
		if (add_op(e, name) == NULL)
			return;
	}
}

static int
op_cmp(const void *pa, const void *pb)
{
	const struct op *a = pa, *b = pb;

	return image_key_cmp(a->key, a->keylen, b->key, b->keylen);
}

static void
read_change(struct edit *e, const void *zwire, size_t len, const void *gone, size_t gone_len)
{
	read_sets(e, zwire, len);
	read_gone(e, gone, gone_len);
	if (e->n > 1)
		qsort(e->op, e->n, sizeof *e->op, op_cmp);
	for (size_t i = 1; i < e->n; i++) {
		if (op_cmp(&e->op[i - 1], &e->op[i]) == 0)
			edit_fail(e, NS_CORRUPT, "the change names an owner twice");
	}
	if (e->n > 0 && e->op[0].keylen == 0 && e->op[0].raw_len == 0)
		edit_fail(e, NS_CORRUPT, "the change removes the apex");
}

/* ---- leaves ---- */
static void
put_op(struct edit *e, const struct op *op)
{
	struct zwire_iter it = zwire_iter(op->raw, op->raw_len);
	struct render_owner o = { .key = op->key, .keylen = op->keylen };
	struct rrset *sets;
	struct wbuf node;

	if (op->raw_len == 0 || e->err != NS_OK)
		return;
	sets = xreallocarray(NULL, op->raw_len / 16 + 1, sizeof *sets);
	node = wbuf_grow(SIZE_MAX / 2);
	o.sets = sets;
	while (zwire_next(&it, &sets[o.n]))
		o.n++;
	if (op->keylen == 0)
		e->facts = (struct zone_facts){ .has_policy = e->facts.has_policy,
			.has_alias = e->facts.has_alias };
	o.flags = owner_flags(&o, &e->facts);
	e->err = render_node(&e->zone, &o, &node, e->why);
	if (e->err == NS_OK)
		tree_writer_node(&e->tw, node.base, node.len, owner_proves(&o, &e->facts));
	wbuf_free(&node);
	free(sets);
}

static void
put_old(struct edit *e, const struct image_node *node)
{
	struct image_set set;
	uint32_t size = node_size(node);

	if (size == 0)
		edit_fail(e, NS_CORRUPT, "the old image is broken");
	else
		tree_writer_node(&e->tw, node_start(node), size,
		    e->facts.chain.used ? nsec3_chain_has_node(&e->facts.chain, node)
					: image_set_find(node, RR_NSEC, &set));
}

/* The nodes of a leaf with ops[0..n) among them. */
static void
merge_leaf(struct edit *e, map_off off, const struct op *op, size_t n)
{
	struct node_block leaf;
	struct image_node node;
	size_t done = 0;

	if (!leaf_open(&e->view, off, &leaf)) {
		edit_fail(e, NS_CORRUPT, "the old image is broken");
		return;
	}
	for (unsigned i = 0; i < nodes_head(&leaf)->count && e->err == NS_OK; i++) {
		int d = 1;

		if (!leaf_node(&leaf, i, &node)) {
			edit_fail(e, NS_CORRUPT, "the old image is broken");
			return;
		}
		while (done < n && (d = image_key_cmp(
					op[done].key, op[done].keylen, node.key, node.keylen)) < 0)
			put_op(e, &op[done++]);
		if (done < n && d == 0)
			put_op(e, &op[done++]);
		else
			put_old(e, &node);
	}
	while (done < n)
		put_op(e, &op[done++]);
	block_list_add(&e->replaced, off & ~(map_off)INNER_NSEC);
}

/* ---- inner blocks ---- */
/* How many of the ops belong to child i. */
static size_t
ops_of_child(const struct inner_ref *in, unsigned i, const struct op *op, size_t n)
{
	size_t len = 0, k = 0;
	const uint8_t *next = i + 1u < in->p->count ? inner_key(in, i + 1, &len) : NULL;

	if (next == NULL)
		return n;
	while (k < n && image_key_cmp(op[k].key, op[k].keylen, next, len) < 0)
		k++;
	return k;
}

/* A child that no op touches stays as it is, unless what is pending before it is so little that
 * a block of its own would be a waste. */
static void
keep_leaf(struct edit *e, const struct inner_ref *in, unsigned i)
{
	size_t pending = tree_writer_pending(&e->tw), len = 0;
	const uint8_t *key = inner_key(in, i, &len);

	if (key == NULL) {
		edit_fail(e, NS_CORRUPT, "the old image is broken");
	} else if (pending > 0 && pending < IMAGE_LEAF / 4) {
		merge_leaf(e, in->p->entry[i].child, NULL, 0);
	} else {
		tree_writer_flush(&e->tw);
		tree_level_add(&e->tw.leaves, key, len, in->p->entry[i].child);
	}
}

static void edit_block(
    struct edit *, map_off, unsigned level, const struct op *, size_t n, struct tree_level *);

static void
edit_child(struct edit *e, const struct inner_ref *in, unsigned i, const struct op *op, size_t n,
    struct tree_level *out)
{
	unsigned level = in->p->level;
	map_off child = in->p->entry[i].child;
	struct tree_level below = { 0 }, up;
	size_t len = 0;
	const uint8_t *key;

	if (level == 1) {
		if (n > 0)
			merge_leaf(e, child, op, n);
		else
			keep_leaf(e, in, i);
		return;
	}
	if (n == 0) {
		key = inner_key(in, i, &len);
		if (key != NULL)
			tree_level_add(out, key, len, child);
		else
			edit_fail(e, NS_CORRUPT, "the old image is broken");
		return;
	}
	edit_block(e, child, level - 1, op, n, &below);
	tree_level_up(&e->tw, &below, level - 1, &up);
	for (size_t k = 0; k < up.n; k++)
		tree_level_add(out, up.entry[k].key, up.entry[k].keylen, up.entry[k].off);
	tree_level_free(&up);
}

/* The new children of an inner block, in order. */
static void
edit_block(struct edit *e, map_off off, unsigned level, const struct op *op, size_t n,
    struct tree_level *out)
{
	struct inner_ref in;

	if (!inner_open(&e->view, off, level, &in)) {
		edit_fail(e, NS_CORRUPT, "the old image is broken");
		return;
	}
	for (unsigned i = 0; i < in.p->count && e->err == NS_OK; i++) {
		size_t mine = ops_of_child(&in, i, op, n);

		edit_child(e, &in, i, op, mine, out);
		op += mine;
		n -= mine;
	}
	if (level == 1) {
		tree_writer_flush(&e->tw);
		*out = e->tw.leaves;
		e->tw.leaves = (struct tree_level){ 0 };
	}
	block_list_add(&e->replaced, off & ~(map_off)INNER_NSEC);
}

static map_off
edit_tree(struct edit *e, const struct image_meta *meta)
{
	unsigned height = e->old.image->height;
	struct tree_level level = { 0 }, up;
	map_off off = 0;

	e->facts = (struct zone_facts){ .neg_ttl = e->old.image->neg_ttl,
		.has_soa = true,
		.has_nsec = (e->old.image->flags & IMAGE_NSEC) != 0,
		.is_signed = (e->old.image->flags & IMAGE_SIGNED) != 0,
		.has_policy = (e->old.image->flags & IMAGE_POLICY) != 0,
		.has_alias = (e->old.image->flags & IMAGE_ALIAS) != 0 };
	nsec3_chain_of_image(&e->old, &e->facts.chain);
	if (height == 0) {
		merge_leaf(e, e->old.image->tree, e->op, e->n);
		tree_writer_flush(&e->tw);
		level = e->tw.leaves;
		e->tw.leaves = (struct tree_level){ 0 };
	} else {
		edit_block(e, e->old.image->tree, height, e->op, e->n, &level);
		height--;
	}
	while (level.n > 1 && height < IMAGE_MAX_HEIGHT) {
		tree_level_up(&e->tw, &level, ++height, &up);
		level = up;
	}
	if (!e->facts.has_soa)
		edit_fail(e, NS_CORRUPT, "the change leaves the zone without a SOA");
	if (e->err == NS_OK && !e->tw.full && level.n == 1)
		off = tree_root(&e->tw, e->old.apex, meta, &e->facts, level.entry[0].off, height);
	tree_level_free(&level);
	if (off == 0)
		edit_fail(e, NS_UNAVAILABLE, "the zone map is full");
	return off;
}

/* Does the change put another NSEC3 chain in place, or one where there was none?  Then the lists of all
 * leaves are others. */
static bool
chain_changes(const struct edit *e)
{
	struct nsec3_chain was, is = { 0 };
	struct zwire_iter it;
	struct rrset set;

	if (e->n == 0 || e->op[0].keylen > 0)
		return false;
	nsec3_chain_of_image(&e->old, &was);
	it = zwire_iter(e->op[0].raw, e->op[0].raw_len);
	while (zwire_next(&it, &set)) {
		if (set.type == RR_NSEC3PARAM)
			nsec3_chain_of_set(&set, &is);
	}
	return !nsec3_chain_equal(&was, &is);
}

/* Of a zone that arrives signed only all of its signatures say when the first one ends. */
static bool
ends_change(const struct edit *e, const struct image_meta *meta)
{
	return !meta->here && e->old.image->expires != 0;
}

/* ---- flat, and what must be made anew: back to zwire, change, build ---- */
static bool
all_changed(struct edit *e, struct wbuf *out)
{
	struct image_walk walk;
	struct image_node node;
	size_t done = 0;
	bool ok = true;

	image_walk_begin(&walk, &e->old);
	while (ok && image_walk_next(&walk, &node)) {
		int d = 1;

		while (done < e->n && (d = image_key_cmp(e->op[done].key, e->op[done].keylen,
					   node.key, node.keylen)) < 0) {
			wbuf_put(out, e->op[done].raw, e->op[done].raw_len);
			done++;
		}
		if (done < e->n && d == 0) {
			wbuf_put(out, e->op[done].raw, e->op[done].raw_len);
			done++;
		} else {
			ok = image_node_zwire(&e->old, &node, false, out);
		}
	}
	for (; done < e->n; done++)
		wbuf_put(out, e->op[done].raw, e->op[done].raw_len);
	return ok && !walk.broken;
}

static map_off
edit_anew(struct edit *e, const struct image_meta *meta)
{
	struct wbuf zwire = wbuf_grow(SIZE_MAX / 2);
	struct image_builder *b;
	map_off off = 0;

	if (!all_changed(e, &zwire)) {
		edit_fail(e, NS_CORRUPT, "the old image is broken");
	} else {
		b = image_builder_new(e->w, e->old.apex, meta);
		e->err = image_builder_add(b, zwire.base, zwire.len, e->why);
		if (e->err == NS_OK)
			e->err = image_builder_end(&b, &off, e->why);
		image_builder_destroy(&b);
	}
	wbuf_free(&zwire);
	return off;
}

enum ns_err
image_edit(struct writer *w, map_off old, const struct image_meta *meta, const void *zwire,
    size_t len, const void *gone, size_t gone_len, map_off *off, struct ns_why *why)
{
	struct map *map = writer_map(w);
	struct edit e = { .w = w, .why = why };
	bool anew;

	*off = 0;
	e.view = (struct map_view){
		.map = map, .base = map->base, .size = atomic_load(&map->header->size)
	};
	if (!image_open(&e.view, old, &e.old))
		return ns_fail(why, NS_CORRUPT, CODE_IMAGE_BROKEN, "the old image is broken");
	e.zone = (struct render){ .apex = e.old.apex, .apex_len = e.old.image->head.apex_len };
	tree_writer_begin(&e.tw, w);
	read_change(&e, zwire, len, gone, gone_len);
	anew =
	    e.err == NS_OK && (e.old.flat.p != NULL || chain_changes(&e) || ends_change(&e, meta));
	if (e.err == NS_OK)
		*off = anew ? edit_anew(&e, meta) : edit_tree(&e, meta);
	if (e.err == NS_OK && anew) {
		image_retire(w, old);
	} else if (e.err == NS_OK) {
		block_list_add(&e.replaced, old);
		block_list_retire(&e.replaced, w);
	} else {
		*off = 0;
		block_list_retire(&e.tw.made, w);
	}
	block_list_free(&e.replaced);
	tree_writer_free(&e.tw);
	for (size_t i = 0; i < e.n; i++)
		free(e.op[i].key);
	free(e.op);
	return e.err;
}
