/* image_tree.c - writing the blocks of a tree: leaves, inner blocks, root; see image_build.h.
 *
 * Runs in the signer and in tests.  When the map is full the writer notes it and goes on without
 * writing; the caller asks once, at the end. */
#include <stdlib.h>
#include <string.h>

#include "appliance/zonemap/image_build.h"
#include "appliance/zonemap/image_read.h"
#include "appliance/zonemap/writer.h"
#include "ipc/base/xalloc.h"

#define LEAF_MAX_NODES 4096u

void
tree_level_add(struct tree_level *l, const uint8_t *key, size_t keylen, map_off off)
{
	struct tree_entry *e;

	if (l->n == l->cap) {
		l->cap = l->cap > 0 ? l->cap * 2 : 64;
		l->entry = xreallocarray(l->entry, l->cap, sizeof *l->entry);
	}
	e = &l->entry[l->n++];
	e->key = xmemdup(keylen > 0 ? key : (const uint8_t *)"", keylen > 0 ? keylen : 1);
	e->keylen = (uint16_t)keylen;
	e->off = off;
}

void
tree_level_free(struct tree_level *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->entry[i].key);
	free(l->entry);
	*l = (struct tree_level){ 0 };
}

void
tree_writer_begin(struct tree_writer *t, struct writer *w)
{
	*t = (struct tree_writer){ .w = w, .nodes = wbuf_grow(SIZE_MAX / 2) };
}

void
tree_writer_free(struct tree_writer *t)
{
	block_list_free(&t->made);
	tree_level_free(&t->leaves);
	wbuf_free(&t->nodes);
	free(t->start);
	free(t->nsec);
}

size_t
tree_writer_pending(const struct tree_writer *t)
{
	return t->nodes.len;
}

static void *
make_block(struct tree_writer *t, size_t size, map_off *off)
{
	void *p = t->full ? NULL : writer_alloc(t->w, size, off);

	if (p == NULL) {
		t->full = true;
		return NULL;
	}
	block_list_add(&t->made, *off);
	memset(p, 0, size);
	return p;
}

/* The smallest unit that lets 16 bits reach the whole block. */
static unsigned
shift_for(size_t octets, size_t nodes)
{
	unsigned shift = 2;

	while (((octets + nodes * (1u << shift)) >> shift) > UINT16_MAX)
		shift++;
	return shift;
}

static void
fill_leaf(const struct tree_writer *t, struct nodes *h, unsigned shift, unsigned nsecs)
{
	uint16_t *order = (uint16_t *)(void *)(h + 1), *list = order + t->count;
	size_t unit = (size_t)1 << shift, at;

	*h = (struct nodes){ .magic = IMAGE_LEAF_MAGIC,
		.count = (uint16_t)t->count,
		.nsecs = (uint16_t)nsecs,
		.shift = (uint8_t)shift };
	at = (sizeof *h + 2 * (t->count + nsecs) + unit - 1) & ~(unit - 1);
	h->first = (uint32_t)at;
	for (size_t i = 0; i < t->count; i++) {
		size_t end = i + 1 < t->count ? t->start[i + 1] : t->nodes.len;
		size_t len = end - t->start[i];

		memcpy((uint8_t *)h + at, t->nodes.base + t->start[i], len);
		order[i] = (uint16_t)(at >> shift);
		if (t->nsec[i])
			*list++ = order[i];
		h->size = (uint32_t)(at + len);
		at = (at + len + unit - 1) & ~(unit - 1);
	}
}

void
tree_writer_flush(struct tree_writer *t)
{
	unsigned shift = shift_for(t->nodes.len + 4 * t->count + sizeof(struct nodes), t->count);
	unsigned nsecs = 0;
	const uint8_t *first = t->nodes.base;
	struct nodes *h;
	map_off off;

	if (t->count == 0)
		return;
	for (size_t i = 0; i < t->count; i++)
		nsecs += t->nsec[i];
	h = make_block(t,
	    sizeof *h + 2 * (t->count + nsecs) + t->nodes.len +
		(t->count + 1) * ((size_t)1 << shift),
	    &off);
	if (h != NULL) {
		fill_leaf(t, h, shift, nsecs);
		writer_seal(t->w, off);
		tree_level_add(&t->leaves, first + 4, load_u16(first) & NODE_KEY_MASK,
		    off | (nsecs > 0 ? INNER_NSEC : 0));
	}
	t->nodes.len = 0;
	t->count = 0;
}

void
tree_writer_node(struct tree_writer *t, const uint8_t *node, size_t len, bool nsec)
{
	if (t->count > 0 && (t->nodes.len + len > IMAGE_LEAF || t->count == LEAF_MAX_NODES))
		tree_writer_flush(t);
	if (t->count == t->cap) {
		t->cap = t->cap > 0 ? t->cap * 2 : 256;
		t->start = xreallocarray(t->start, t->cap, sizeof *t->start);
		t->nsec = xreallocarray(t->nsec, t->cap, sizeof *t->nsec);
	}
	t->start[t->count] = (uint32_t)t->nodes.len;
	t->nsec[t->count++] = nsec;
	wbuf_put(&t->nodes, node, len);
}

static void
write_inner(struct tree_writer *t, const struct tree_entry *e, unsigned n, unsigned level,
    struct tree_level *out)
{
	size_t size = sizeof(struct inner) + n * sizeof(struct inner_entry), at = size;
	struct inner *in;
	map_off off, nsec = 0;

	for (unsigned i = 0; i < n; i++)
		size += e[i].keylen;
	in = make_block(t, size, &off);
	if (in == NULL)
		return;
	in->magic = IMAGE_INNER_MAGIC;
	in->count = (uint16_t)n;
	in->level = (uint8_t)level;
	for (unsigned i = 0; i < n; i++) {
		in->entry[i] = (struct inner_entry){ e[i].off, (uint32_t)at, e[i].keylen };
		memcpy((uint8_t *)in + at, e[i].key, e[i].keylen);
		at += e[i].keylen;
		nsec |= e[i].off & INNER_NSEC;
	}
	writer_seal(t->w, off);
	tree_level_add(out, e[0].key, e[0].keylen, off | nsec);
}

void
tree_level_up(struct tree_writer *t, struct tree_level *in, unsigned level, struct tree_level *out)
{
	size_t blocks = (in->n + INNER_MAX_CHILDREN - 1) / INNER_MAX_CHILDREN, at = 0;

	*out = (struct tree_level){ 0 };
	/* Even shares, so that no block is left with a single child. */
	for (size_t b = 0; b < blocks; b++) {
		size_t end = in->n * (b + 1) / blocks;

		write_inner(t, in->entry + at, (unsigned)(end - at), level, out);
		at = end;
	}
	tree_level_free(in);
}

map_off
tree_root(struct tree_writer *t, const uint8_t *apex, const struct image_meta *meta,
    const struct zone_facts *facts, map_off tree, unsigned height)
{
	struct image *img;
	map_off off;

	img = make_block(t, sizeof *img + name_len(apex), &off);
	if (img == NULL)
		return 0;
	image_head_fill(img, apex, meta, facts);
	img->flags |= IMAGE_TREE;
	img->height = (uint8_t)height;
	img->tree = tree;
	writer_seal(t->w, off);
	return off;
}
