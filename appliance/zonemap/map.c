/* map - opening the zone map, entering it, and finding zones in it (map.h).
 *
 * Runs in workers (query path: no allocation, no lock, no system call after map_open), in answer, and
 * in the signer.  Everything that is loaded from the map is checked against the view's size before
 * it is followed; the file never shrinks, so what is below size is always there. */
#include "appliance/zonemap/map.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "appliance/zonemap/hash.h"

#define CODE_MAP_OPEN 5001

/* Address space that begins at a multiple of MAP_HUGE, for the file to be mapped over. */
static void *
reserve_span(void)
{
	size_t len = MAP_SPAN + MAP_HUGE, front;
	uint8_t *p = mmap(NULL, len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return p;
	front = (size_t)(-(uintptr_t)p & (MAP_HUGE - 1));
	if (front > 0)
		munmap(p, front);
	munmap(p + front + MAP_SPAN, MAP_HUGE - front);
	return p + front;
}

enum ns_err
map_open(int fd, bool writable, struct map *map, struct ns_why *why)
{
	int prot = writable ? PROT_READ | PROT_WRITE : PROT_READ;
	struct stat st;
	void *base;

	if (fstat(fd, &st) != 0)
		return ns_fail(why, NS_FAILED, CODE_MAP_OPEN, "zone map: %s", strerror(errno));
	if (st.st_size < (off_t)MAP_PAGE)
		return ns_fail(why, NS_UNAVAILABLE, CODE_MAP_OPEN,
		    "zone map: descriptor %d holds %lld octets, less than a header", fd,
		    (long long)st.st_size);
	base = reserve_span();
	if (base != MAP_FAILED)
		base = mmap(base, MAP_SPAN, prot, MAP_SHARED | MAP_NORESERVE | MAP_FIXED, fd, 0);
	if (base == MAP_FAILED)
		return ns_fail(
		    why, NS_FAILED, CODE_MAP_OPEN, "zone map: mmap: %s", strerror(errno));
	map->base = base;
	map->header = base;
	map->writable = writable;
	return NS_OK;
}

void
map_close(struct map *map)
{
	if (map->base != NULL)
		munmap(map->base, MAP_SPAN);
	map->base = NULL;
	map->header = NULL;
}

/* The view of one root; false when there is none or it is not one. */
static bool
view_of(const struct map *map, map_off root, struct map_view *view)
{
	const struct map_root *r;
	size_t len;

	view->map = map;
	view->base = map->base;
	view->root = NULL;
	/* Loaded after root: what root reaches was below size when it was published. */
	view->size = atomic_load_explicit(&map->header->size, memory_order_acquire);
	if (view->size > MAP_SPAN)
		view->size = MAP_SPAN;
	if (root == 0)
		return false;
	r = map_block_at(view, root, &len);
	if (r == NULL || len < sizeof *r || r->magic != MAP_ROOT_MAGIC || r->format != MAP_FORMAT ||
	    r->depth > MAP_DEPTH_MAX || len < sizeof *r + ((size_t)sizeof r->dir[0] << r->depth))
		return false;
	view->root = r;
	return true;
}

bool
map_enter(struct map *map, struct worker_page *page, struct map_view *view)
{
	struct map_header *h = map->header;

	/* If the writer's scan of the slots misses this store, then its swap of root came before
	 * the fence and the load below sees the new root: one of the two always holds. */
	atomic_store_explicit(&page->slot, atomic_load_explicit(&h->epoch, memory_order_acquire),
	    memory_order_relaxed);
	atomic_thread_fence(memory_order_seq_cst);
	if (view_of(map, atomic_load_explicit(&h->root, memory_order_acquire), view))
		return true;
	map_leave(page);
	return false;
}

void
map_leave(struct worker_page *page)
{
	atomic_store_explicit(&page->slot, 0, memory_order_release);
}

uint64_t
map_revision(const struct map_view *view)
{
	return view->root->revision;
}

uint64_t
map_zone_count(const struct map_view *view)
{
	return view->root->zones;
}

unsigned
map_min_labels(const struct map_view *view)
{
	return view->root->min_labels;
}

unsigned
map_max_labels(const struct map_view *view)
{
	return view->root->max_labels;
}

bool
map_published(const struct map *map, uint64_t *revision, uint64_t *epoch)
{
	struct map_header *h = map->header;
	struct map_view view;
	uint64_t before;
	map_off root;
	bool loaded;

	/* Without a page nothing keeps the root from being reused, so what was read counts only
	 * when it was the root all the time: two publishes can bring back its offset, but not the
	 * header's epoch.  What is told is the root's own epoch: between the two stores of a
	 * publish the header's is still that of readers of the old root. */
	do {
		before = atomic_load_explicit(&h->epoch, memory_order_acquire);
		root = atomic_load_explicit(&h->root, memory_order_acquire);
		loaded = view_of(map, root, &view);
		*revision = loaded ? view.root->revision : 0;
		*epoch = loaded ? view.root->epoch : 0;
		atomic_thread_fence(memory_order_seq_cst);
	} while (atomic_load(&h->root) != root || atomic_load(&h->epoch) != before);
	return loaded;
}

struct map_root *
map_glance(const struct map *map, struct map_view *view)
{
	struct map_root *copy = NULL;
	uint64_t before;
	map_off root;
	size_t len;

	do {
		free(copy);
		copy = NULL;
		before = atomic_load_explicit(&map->header->epoch, memory_order_acquire);
		root = atomic_load_explicit(&map->header->root, memory_order_acquire);
		if (!view_of(map, root, view) || map_block_at(view, root, &len) == NULL)
			return NULL;
		copy = malloc(len);
		if (copy == NULL)
			return NULL;
		memcpy(copy, view->root, len);
		atomic_thread_fence(memory_order_seq_cst);
	} while (
	    atomic_load(&map->header->root) != root || atomic_load(&map->header->epoch) != before);
	view->root = copy;
	return copy;
}

/* The page of slots for a hash, or NULL.  Does not read the page. */
static const uint8_t *
slots_addr(const struct map_view *view, uint64_t hash)
{
	const struct map_root *r = view->root;
	/* Two shifts, because a shift by 64 (depth 0) is undefined. */
	uint64_t at = (uint64_t)r->dir[(hash >> 1) >> (63 - r->depth)] * MAP_PAGE;

	if (at < MAP_PAGE || at + MAP_PAGE > view->size)
		return NULL;
	return view->base + at;
}

static const struct map_slots *
slots_of(const uint8_t *page)
{
	return (const struct map_slots *)(const void *)(page + sizeof(struct map_block));
}

/* The line of a page where the search for a hash starts. */
static unsigned
slot_line(uint64_t hash)
{
	return (unsigned)(((hash & UINT32_MAX) * MAP_SLOT_LINES) >> 32);
}

const void *
map_slot_prefetch(const struct map_view *view, uint64_t hash)
{
	const uint8_t *page = slots_addr(view, hash);

	return page == NULL ? view->base : (const void *)(page + 64 + (size_t)64 * slot_line(hash));
}

const uint8_t *
map_image_apex(const struct map_view *view, map_off image, size_t *len)
{
	const struct map_image_head *head;
	size_t block_len;

	head = map_block_at(view, image, &block_len);
	if (head == NULL || block_len < sizeof *head || head->apex_len == 0 ||
	    (size_t)head->apex_off + head->apex_len > block_len)
		return NULL;
	*len = head->apex_len;
	return (const uint8_t *)head + head->apex_off;
}

static bool
apex_is(const struct map_view *view, map_off image, const uint8_t *lname, size_t len)
{
	const uint8_t *apex;
	size_t apex_len;

	apex = map_image_apex(view, image, &apex_len);
	return apex != NULL && apex_len == len && memcmp(apex, lname, len) == 0;
}

map_off
map_zone_lookup(const struct map_view *view, uint64_t hash, const uint8_t *lname, size_t len)
{
	const uint8_t *page = slots_addr(view, hash);
	unsigned i, at;

	if (page == NULL)
		return 0;
	at = slot_line(hash) * MAP_SLOT_LINE;
	for (i = 0; i < MAP_SLOTS; i++, at = at + 1 < MAP_SLOTS ? at + 1 : 0) {
		const struct map_slot *s = &slots_of(page)->slot[at];

		if (s->image == 0)
			return 0;
		if (s->hash == hash && apex_is(view, s->image, lname, len))
			return s->image;
	}
	return 0;
}

map_off
map_zone_peek(const struct map_view *view, uint64_t hash)
{
	const uint8_t *page = slots_addr(view, hash);
	unsigned i, at;

	if (page == NULL)
		return 0;
	at = slot_line(hash) * MAP_SLOT_LINE;
	for (i = 0; i < MAP_SLOTS; i++, at = at + 1 < MAP_SLOTS ? at + 1 : 0) {
		const struct map_slot *s = &slots_of(page)->slot[at];

		if (s->image == 0 || s->hash == hash)
			return s->image;
	}
	return 0;
}

bool
map_zone_page(const struct map_view *view, uint64_t *cursor, map_zone_fn *fn, void *arg)
{
	const uint8_t *page = slots_addr(view, *cursor);
	uint64_t first = *cursor, width;
	unsigned i, depth;

	/* A broken page is stepped over at the directory's width. */
	depth = page != NULL ? slots_of(page)->depth : view->root->depth;
	if (depth > view->root->depth)
		depth = view->root->depth;
	for (i = 0; page != NULL && i < MAP_SLOTS; i++) {
		const struct map_slot *s = &slots_of(page)->slot[i];

		if (s->image != 0 && s->hash >= first)
			fn(arg, s->hash, s->image);
	}
	if (depth == 0)
		return false;
	width = 1ull << (64 - depth);
	*cursor = (first & ~(width - 1)) + width;
	return *cursor != 0;
}

uint64_t
block_sum(const void *data, size_t len, uint64_t seed)
{
	const uint64_t k0 = 0xa0761d6478bd642fu, k1 = 0xe7037ed1a0b428dbu;
	const uint64_t k2 = 0x8ebc6af09c88c6e3u, k3 = 0x589965cc75374cc3u;
	uint64_t s0 = seed ^ k0, s1 = seed ^ k1, s2 = seed ^ k2, sum;
	const uint8_t *p = data;
	uint8_t tail[16] = { 0 };
	size_t left = len;

	/* Three independent chains, or the multiplier's latency would set the pace. */
	while (left >= 48) {
		s0 = hash_fold(hash_load8(p) ^ k1, hash_load8(p + 8) ^ s0);
		s1 = hash_fold(hash_load8(p + 16) ^ k2, hash_load8(p + 24) ^ s1);
		s2 = hash_fold(hash_load8(p + 32) ^ k3, hash_load8(p + 40) ^ s2);
		p += 48;
		left -= 48;
	}
	for (; left >= 16; p += 16, left -= 16)
		s0 = hash_fold(hash_load8(p) ^ k1, hash_load8(p + 8) ^ s0);
	memcpy(tail, p, left);
	s0 = hash_fold(hash_load8(tail) ^ k2, hash_load8(tail + 8) ^ s0 ^ s1);
	sum = hash_fold(s0 ^ k0 ^ len, s2 ^ k1);
	return sum != 0 ? sum : 1;
}

bool
map_block_sound(const struct map_view *view, map_off off)
{
	const struct map_block *b;
	const void *data;
	size_t len;

	data = map_block_at(view, off, &len);
	if (data == NULL)
		return false;
	b = (const struct map_block *)data - 1;
	return b->sum == block_sum(data, len, off ^ (uint64_t)b->index << 48);
}

uint64_t
map_oldest(struct worker_page *const *pages, size_t n)
{
	uint64_t oldest = UINT64_MAX, e;
	size_t i, j;

	/* Pairs with the fence in map_enter(). */
	atomic_thread_fence(memory_order_seq_cst);
	for (i = 0; i < n; i++) {
		e = atomic_load_explicit(&pages[i]->slot, memory_order_acquire);
		if (e != 0 && e < oldest)
			oldest = e;
		for (j = 0; j < PAGE_PINS; j++) {
			e = atomic_load_explicit(&pages[i]->pins[j], memory_order_acquire);
			if (e != 0 && e < oldest)
				oldest = e;
		}
	}
	return oldest;
}

bool
map_all_past(struct worker_page *const *pages, size_t n, uint64_t epoch)
{
	return map_oldest(pages, n) > epoch;
}
