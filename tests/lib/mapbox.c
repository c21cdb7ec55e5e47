/* mapbox - see mapbox.h. */
#include "tests/lib/mapbox.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "appliance/zonemap/hash.h"

#define BOX_MAGIC    0x21786f62u
#define BOX_CHILDREN 4u

struct box_image {
	struct map_image_head head;
	uint64_t stamp;
	uint32_t fill, nchildren;
	map_off child[BOX_CHILDREN];
	uint8_t apex[64];
	uint8_t octets[];
};

void
mapbox_init(struct mapbox *box, uint64_t limit)
{
	void *p =
	    mmap(NULL, BOX_PAGES * 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert(p != MAP_FAILED);
	for (size_t i = 0; i < BOX_PAGES; i++)
		box->page[i] = (struct worker_page *)(void *)((uint8_t *)p + i * 4096);
	box->fd = memfd_create("box", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert(box->fd >= 0 && ftruncate(box->fd, MAP_PAGE) == 0);
	box->limit = limit;
}

void
mapbox_fini(struct mapbox *box)
{
	munmap(box->page[0], BOX_PAGES * 4096);
	close(box->fd);
}

struct writer *
mapbox_writer(const struct mapbox *box, bool poison)
{
	const struct writer_conf conf = {
		.fd = box->fd,
		.limit = box->limit,
		.generation = 1,
		.pages = box->page,
		.npages = BOX_PAGES,
		.walk = mapbox_walk,
		.poison = poison,
	};
	struct writer *w = NULL;
	struct ns_why why;

	if (writer_open_conf(&conf, &w, &why) != NS_OK) {
		fprintf(stderr, "mapbox: %s\n", why.text);
		abort();
	}
	return w;
}

size_t
mapbox_name(uint32_t number, uint8_t out[64])
{
	char label[16];
	int n = snprintf(label, sizeof label, "z%07u", number);

	out[0] = (uint8_t)n;
	memcpy(out + 1, label, (size_t)n);
	memcpy(out + 1 + n, "\007example", 9);
	return (size_t)n + 10;
}

static uint8_t
octet(uint64_t stamp, uint32_t i)
{
	return (uint8_t)(stamp * 167 + i * 13 + 1);
}

static map_off
block_make(struct writer *w, const uint8_t *name, uint64_t stamp, size_t fill)
{
	struct box_image *img;
	unsigned labels = 0;
	size_t len = 0;
	map_off off;

	img = writer_alloc(w, sizeof *img + fill, &off);
	if (img == NULL)
		return 0;
	for (; name[len] != 0; len += 1u + name[len])
		labels++;
	len++;
	*img = (struct box_image){ .stamp = stamp, .fill = (uint32_t)fill };
	img->head = (struct map_image_head){ .magic = BOX_MAGIC,
		.apex_off = offsetof(struct box_image, apex),
		.apex_len = (uint8_t)len,
		.apex_labels = (uint8_t)labels };
	memcpy(img->apex, name, len);
	for (uint32_t i = 0; i < fill; i++)
		img->octets[i] = octet(stamp, i);
	return off;
}

map_off
mapbox_image(struct writer *w, const uint8_t *name, uint64_t stamp, size_t size, unsigned children)
{
	map_off off = block_make(w, name, stamp, size), child;

	if (off == 0)
		return 0;
	for (unsigned i = 0; i < children && i < BOX_CHILDREN; i++) {
		struct box_image *img;

		child = block_make(w, name, stamp, size / 2);
		if (child == 0)
			return 0;
		writer_seal(w, child);
		img = (struct box_image *)(void *)(writer_map(w)->base + off);
		img->child[img->nchildren++] = child;
	}
	writer_seal(w, off);
	return off;
}

static const struct box_image *
image_at(const struct map_view *v, map_off off)
{
	const struct box_image *img;
	size_t len;

	img = map_block_at(v, off, &len);
	if (img == NULL || len < sizeof *img || img->head.magic != BOX_MAGIC ||
	    len != sizeof *img + img->fill || img->nchildren > BOX_CHILDREN)
		return NULL;
	return img;
}

bool
mapbox_sound(const struct map_view *v, map_off off, const uint8_t *name, uint64_t *stamp)
{
	const struct box_image *img = image_at(v, off);
	uint64_t child;

	if (img == NULL || memcmp(img->apex, name, img->head.apex_len) != 0)
		return false;
	for (uint32_t i = 0; i < img->fill; i++)
		if (img->octets[i] != octet(img->stamp, i))
			return false;
	for (unsigned i = 0; i < img->nchildren; i++)
		if (!mapbox_sound(v, img->child[i], name, &child) || child != img->stamp)
			return false;
	*stamp = img->stamp;
	return true;
}

void
mapbox_retire(struct writer *w, map_off off)
{
	const struct box_image *img =
	    (const struct box_image *)(const void *)(writer_map(w)->base + off);

	for (unsigned i = 0; i < img->nchildren; i++)
		mapbox_retire(w, img->child[i]);
	writer_retire(w, off);
}

enum ns_err
mapbox_walk(const struct map_view *v, map_off off, writer_block_fn *fn, void *arg)
{
	const struct box_image *img = image_at(v, off);
	enum ns_err err = NS_OK;

	if (img == NULL || !map_block_sound(v, off))
		return NS_CORRUPT;
	fn(arg, off);
	for (unsigned i = 0; i < img->nchildren && err == NS_OK; i++)
		err = mapbox_walk(v, img->child[i], fn, arg);
	return err;
}

bool
mapbox_put(struct writer *w, uint32_t number, uint64_t stamp, size_t size, unsigned children)
{
	uint8_t name[64];
	map_off off, old;

	mapbox_name(number, name);
	off = mapbox_image(w, name, stamp, size, children);
	if (off == 0)
		return false;
	old = writer_zone_find(w, name);
	if (writer_zone_put(w, name, off) != NS_OK)
		return false;
	if (old != 0)
		mapbox_retire(w, old);
	return true;
}

void
mapbox_publish(struct writer *w, uint64_t revision)
{
	struct ns_why why;

	if (writer_publish(w, revision, &why) != NS_OK) {
		fprintf(stderr, "mapbox: %s\n", why.text);
		abort();
	}
}

map_off
mapbox_lookup(const struct map_view *v, uint32_t number)
{
	uint8_t name[64];
	size_t len = mapbox_name(number, name);

	return map_zone_lookup(v, zone_hash(v->map->header->hash_key, name, len), name, len);
}

uint64_t
mapbox_random(uint64_t *seed)
{
	uint64_t z = *seed += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}
