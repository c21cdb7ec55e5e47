/* sketch.c - see sketch.h.
 *
 * The span: a header of its own, the served file as long as it is now, then `first` to `end`: new blocks,
 * one after the other.  Nothing is freed before the end. */
#include "appliance/zonemap/sketch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "appliance/zonemap/hash.h"
#include "appliance/zonemap/image_read.h"
#include "appliance/zonemap/writer_internal.h"
#include "ipc/base/xalloc.h"

#define CODE_SKETCH 5051

struct sketch {
	int fd;
	uint64_t limit;
	struct map served;
	struct writer w; /* its map is the span */
	uint32_t first; /* page: the first that is ours */
	struct map_root *root; /* a copy; NULL: not begun */
	struct map_view view;
};

static bool
map_at(uint8_t *at, uint64_t len, int prot, int fd)
{
	int flags =
	    MAP_FIXED | MAP_NORESERVE | (fd >= 0 ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS);

	return mmap(at, len, prot, flags, fd, 0) != MAP_FAILED;
}

enum ns_err
sketch_open(int map_fd, uint64_t limit, struct sketch **out, struct ns_why *why)
{
	struct sketch *sk = xcalloc(1, sizeof *sk);
	enum ns_err err;

	sk->fd = map_fd;
	sk->limit = limit;
	err = map_open(map_fd, false, &sk->served, why);
	if (err == NS_OK)
		err = map_open(map_fd, false, &sk->w.map, why);
	if (err != NS_OK) {
		sketch_close(&sk);
		return err;
	}
	sketch_end(sk);
	*out = sk;
	return NS_OK;
}

void
sketch_close(struct sketch **skp)
{
	struct sketch *sk = *skp;

	if (sk == NULL)
		return;
	free(sk->root);
	map_close(&sk->w.map);
	map_close(&sk->served);
	free(sk);
	*skp = NULL;
}

void
sketch_end(struct sketch *sk)
{
	free(sk->root);
	sk->root = NULL;
	sk->view = (struct map_view){ 0 };
	(void)map_at(sk->w.map.base, MAP_SPAN, PROT_NONE, -1);
}

static enum ns_err
no_memory(struct sketch *sk, struct ns_why *why)
{
	sketch_end(sk);
	return ns_fail(why, NS_FAILED, CODE_SKETCH, "zone map: mmap: %s", strerror(errno));
}

enum ns_err
sketch_begin(struct sketch *sk, struct ns_why *why)
{
	uint8_t *base = sk->w.map.base;
	struct map_header *h = (struct map_header *)(void *)base;
	uint64_t size;

	sketch_end(sk);
	sk->root = map_glance(&sk->served, &sk->view);
	if (sk->root == NULL)
		return ns_fail(why, NS_UNAVAILABLE, CODE_SKETCH, "nothing is loaded yet");
	size = sk->view.size & ~(uint64_t)(MAP_PAGE - 1);
	if (size + sk->limit > MAP_SPAN)
		return ns_fail(why, NS_UNAVAILABLE, CODE_SKETCH, "the zone map is full");
	if (!map_at(base, size, PROT_READ, sk->fd) ||
	    !map_at(base, MAP_PAGE, PROT_READ | PROT_WRITE, -1) ||
	    !map_at(base + size, sk->limit, PROT_READ | PROT_WRITE, -1))
		return no_memory(sk, why);
	sk->first = (uint32_t)(size / MAP_PAGE);
	sk->w.sketch_next = size;
	sk->w.sketch_end = size + sk->limit;
	memcpy(h->hash_key, sk->served.header->hash_key, sizeof h->hash_key);
	atomic_store(&h->size, sk->w.sketch_end);
	sk->w.map.header = h;
	sk->view = (struct map_view){
		.map = &sk->w.map, .base = base, .size = sk->w.sketch_end, .root = sk->root
	};
	return NS_OK;
}

const struct map_view *
sketch_view(const struct sketch *sk)
{
	return &sk->view;
}

/* ---- the directory ---- */

/* The page of slots for a hash, as one of ours: 0 when there is no room for it. */
static uint32_t
own_page(struct sketch *sk, uint64_t hash)
{
	uint32_t old = sk->root->dir[(hash >> 1) >> (63 - sk->root->depth)], page;
	uint64_t at = (sk->w.sketch_next + MAP_PAGE - 1) / MAP_PAGE * MAP_PAGE;

	if (old >= sk->first)
		return old;
	if (sk->w.sketch_end - at < MAP_PAGE)
		return 0;
	memcpy(sk->w.map.base + at, sk->w.map.base + (uint64_t)old * MAP_PAGE, MAP_PAGE);
	sk->w.sketch_next = at + MAP_PAGE;
	page = (uint32_t)(at / MAP_PAGE);
	for (uint32_t i = 0; i < 1u << sk->root->depth; i++)
		if (sk->root->dir[i] == old)
			sk->root->dir[i] = page;
	return page;
}

static bool
put_image(struct sketch *sk, uint64_t hash, map_off old, map_off image)
{
	uint32_t page = own_page(sk, hash);
	struct map_slots *s =
	    (struct map_slots *)(void *)(sk->w.map.base + (uint64_t)page * MAP_PAGE +
					 sizeof(struct map_block));

	for (unsigned i = 0; page != 0 && i < MAP_SLOTS; i++) {
		if (s->slot[i].image != old)
			continue;
		s->slot[i].image = image;
		return true;
	}
	return false;
}

enum ns_err
sketch_zone(struct sketch *sk, const struct sketch_edit *in, struct ns_why *why)
{
	size_t len = name_len(in->apex);
	uint64_t hash = zone_hash(sk->w.map.header->hash_key, in->apex, len);
	map_off old = map_zone_lookup(&sk->view, hash, in->apex, len), image;
	struct image_ref ref;
	struct image_meta meta;
	enum ns_err err;

	if (old == 0)
		return ns_fail(why, NS_NOTFOUND, CODE_SKETCH, "the zone is not served here");
	if (!image_open(&sk->view, old, &ref))
		return ns_fail(why, NS_CORRUPT, CODE_SKETCH, "the zone's image is broken");
	if (ref.image->version != in->base_version)
		return ns_fail(why, NS_CONFLICT, CODE_SKETCH,
		    "another version of the zone is served here than the draft was planned on: "
		    "try again");
	meta = (struct image_meta){ .version = ref.image->version, .account = ref.image->account };
	err =
	    image_edit(&sk->w, old, &meta, in->zwire, in->len, in->gone, in->gone_len, &image, why);
	if (err == NS_UNAVAILABLE || (err == NS_OK && !put_image(sk, hash, old, image)))
		return ns_fail(why, NS_UNAVAILABLE, CODE_SKETCH,
		    "the zone is too large to be made anew for a test: more than %llu KiB",
		    (unsigned long long)sk->limit >> 10);
	return err;
}
