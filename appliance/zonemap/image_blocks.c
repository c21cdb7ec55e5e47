/* image_blocks.c - every block of an image, for adoption and for retiring it; see image.h. */
#include "appliance/zonemap/image_read.h"
#include "appliance/zonemap/writer.h"

struct visit {
	const struct map_view *view;
	image_block_fn *fn;
	void *arg;
};

/* Offsets inside nodes: every set of every node must be whole. */
static bool
nodes_sound(const struct node_block *b)
{
	const struct nodes *h = nodes_head(b);
	uint32_t at = h->first, unit = 1u << h->shift;

	for (unsigned i = 0; i < h->count; i++) {
		struct image_node node;
		uint32_t size;

		if (!node_open(b, at, &node) || (size = node_size(&node)) == 0)
			return false;
		at += (size + unit - 1) & ~(unit - 1);
	}
	return true;
}

static enum ns_err
visit_tree(const struct visit *v, map_off off, unsigned level)
{
	map_off block = off & ~(map_off)INNER_NSEC;
	struct inner_ref in;
	struct node_block leaf;
	enum ns_err err = NS_OK;

	if (!map_block_sound(v->view, block))
		return NS_CORRUPT;
	if (level == 0) {
		if (!leaf_open(v->view, block, &leaf) || !nodes_sound(&leaf))
			return NS_CORRUPT;
	} else {
		if (!inner_open(v->view, block, level, &in))
			return NS_CORRUPT;
		for (unsigned i = 0; i < in.p->count && err == NS_OK; i++)
			err = visit_tree(v, in.p->entry[i].child, level - 1);
	}
	if (err == NS_OK)
		v->fn(v->arg, block);
	return err;
}

enum ns_err
image_each_block(const struct map_view *view, map_off off, image_block_fn *fn, void *arg)
{
	struct visit v = { view, fn, arg };
	struct image_ref ref;
	enum ns_err err = NS_OK;

	if (!map_block_sound(view, off) || !image_open(view, off, &ref))
		return NS_CORRUPT;
	if (ref.flat.p != NULL)
		err = nodes_sound(&ref.flat) ? NS_OK : NS_CORRUPT;
	else
		err = visit_tree(&v, ref.image->tree, ref.image->height);
	if (err == NS_OK)
		fn(arg, off);
	return err;
}

/* ---- retiring: the writer trusts what it wrote, so no checksums are summed ---- */
static void
retire_tree(struct writer *w, const struct map_view *view, map_off off, unsigned level)
{
	struct inner_ref in;

	if (level > 0 && inner_open(view, off, level, &in)) {
		for (unsigned i = 0; i < in.p->count; i++)
			retire_tree(w, view, in.p->entry[i].child, level - 1);
	}
	writer_retire(w, off & ~(map_off)INNER_NSEC);
}

void
image_retire(struct writer *w, map_off off)
{
	struct map *map = writer_map(w);
	struct map_view view = {
		.map = map, .base = map->base, .size = atomic_load(&map->header->size)
	};
	struct image_ref ref;

	if (image_open(&view, off, &ref) && ref.flat.p == NULL)
		retire_tree(w, &view, ref.image->tree, ref.image->height);
	writer_retire(w, off);
}
