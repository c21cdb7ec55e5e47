/* writer_zone - the staged directory: which zone has which image (writer.h, Staging).
 *
 * The staged root is in our own memory; its directory names pages of slots in the map.  A page is
 * copied before its first change in a batch (a fresh page is changed in place), halved when it is
 * full, and never joined again: names that come take the place of names that went. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/zonemap/hash.h"
#include "appliance/zonemap/writer_internal.h"
#include "ipc/base/xalloc.h"

/* A page with more is halved: open addressing stays within a line or two. */
#define SPLIT_AT (MAP_SLOTS * 6 / 7)
#define PAGE_LEN (MAP_PAGE - sizeof(struct map_block))

_Static_assert(sizeof(struct map_slots) == PAGE_LEN, "a page of slots is one page of the file");

size_t
writer_name_measure(const uint8_t *name, unsigned *labels)
{
	size_t len = 0;

	for (*labels = 0; name[len] != 0; len += 1u + name[len]) {
		assert(len < 255 && *labels < LABELS_MAX - 1);
		++*labels;
	}
	return len + 1;
}

struct map_slots *
writer_slots(const struct writer *w, uint32_t page)
{
	return (struct map_slots *)(void *)(w->map.base + (uint64_t)page * MAP_PAGE +
					    sizeof(struct map_block));
}

static map_off
page_off(uint32_t page)
{
	return (map_off)page * MAP_PAGE + sizeof(struct map_block);
}

struct map_view
writer_staged_view(const struct writer *w)
{
	return (struct map_view){ .map = &w->map,
		.base = w->map.base,
		.size = (uint64_t)atomic_load(&w->map.header->size),
		.root = w->staged };
}

/* ---- the staged root ---- */

static void
staged_reserve(struct writer *w, unsigned depth)
{
	if (w->staged != NULL && depth <= w->staged_cap)
		return;
	w->staged = xrealloc(w->staged, sizeof *w->staged + (sizeof w->staged->dir[0] << depth));
	w->staged_cap = depth;
}

static void
staged_empty(struct writer *w)
{
	staged_reserve(w, 0);
	*w->staged = (struct map_root){ .magic = MAP_ROOT_MAGIC, .format = MAP_FORMAT };
	w->staged->dir[0] = 0;
	memset(&w->staged_labels, 0, sizeof w->staged_labels);
}

void
writer_stage_reset(struct writer *w)
{
	const struct map_root *root;

	if (w->root == 0) {
		staged_empty(w);
		return;
	}
	root = (const struct map_root *)(const void *)(w->map.base + w->root);
	staged_reserve(w, root->depth);
	memcpy(w->staged, root, sizeof *root + (sizeof root->dir[0] << root->depth));
	w->staged_labels = w->labels;
}

/* ---- pages ---- */

static uint32_t
dir_index(const struct writer *w, uint64_t hash)
{
	return (uint32_t)((hash >> 1) >> (63 - w->staged->depth));
}

/* All entries that lead to the page for `hash`, whose depth is given, lead to `page`. */
static void
dir_set(struct writer *w, uint64_t hash, unsigned depth, uint32_t page)
{
	uint32_t n = 1u << (w->staged->depth - depth);
	uint32_t first = dir_index(w, hash) & ~(n - 1);

	for (uint32_t i = 0; i < n; i++)
		w->staged->dir[first + i] = page;
}

static uint32_t
page_new(struct writer *w, uint8_t depth)
{
	struct map_slots *s;
	map_off off;

	s = writer_alloc_vital(w, PAGE_LEN, &off);
	if (s == NULL)
		return 0;
	assert(off % MAP_PAGE == sizeof(struct map_block));
	memset(s, 0, PAGE_LEN);
	s->magic = MAP_SLOTPAGE_MAGIC;
	s->depth = depth;
	off_list_push(&w->touched, off);
	return (uint32_t)(off / MAP_PAGE);
}

/* The page for a hash, ours to change; NULL at the limit. */
static struct map_slots *
page_own(struct writer *w, uint64_t hash)
{
	uint32_t old = w->staged->dir[dir_index(w, hash)], page;
	uint8_t depth;

	if (old != 0 && alloc_is_fresh(w->alloc, page_off(old)))
		return writer_slots(w, old);
	depth = old != 0 ? writer_slots(w, old)->depth : 0;
	page = page_new(w, depth);
	if (page == 0)
		return NULL;
	if (old != 0) {
		memcpy(writer_slots(w, page), writer_slots(w, old), PAGE_LEN);
		writer_retire(w, page_off(old));
	}
	dir_set(w, hash, depth, page);
	return writer_slots(w, page);
}

static void
slot_insert(struct map_slots *s, uint64_t hash, map_off image)
{
	unsigned at = (unsigned)(((hash & UINT32_MAX) * MAP_SLOT_LINES) >> 32) * MAP_SLOT_LINE;

	while (s->slot[at].image != 0)
		at = at + 1 < MAP_SLOTS ? at + 1 : 0;
	s->slot[at] = (struct map_slot){ .hash = hash, .image = image };
	s->count++;
}

/* Packs a page anew: without `gone`, and without those that have `bit` when there is another page
 * for them. */
static void
slots_sift(struct map_slots *s, struct map_slots *other, uint64_t bit, map_off gone)
{
	struct map_slot old[MAP_SLOTS];

	memcpy(old, s->slot, sizeof old);
	memset(s->slot, 0, sizeof s->slot);
	s->count = 0;
	for (unsigned i = 0; i < MAP_SLOTS; i++) {
		if (old[i].image == 0 || old[i].image == gone)
			continue;
		slot_insert(other != NULL && (old[i].hash & bit) != 0 ? other : s, old[i].hash,
		    old[i].image);
	}
}

static void
dir_double(struct writer *w)
{
	unsigned depth = w->staged->depth;

	staged_reserve(w, depth + 1);
	for (uint32_t i = 1u << depth; i-- > 0;)
		w->staged->dir[2 * i] = w->staged->dir[2 * i + 1] = w->staged->dir[i];
	w->staged->depth++;
}

/* Halves the fresh page of a hash. */
static enum ns_err
page_split(struct writer *w, struct map_slots *s, uint64_t hash)
{
	uint8_t depth = s->depth;
	uint64_t bit = 1ull << (63 - depth);
	uint32_t page;

	if (depth == MAP_DEPTH_MAX)
		return NS_UNAVAILABLE;
	page = page_new(w, (uint8_t)(depth + 1));
	if (page == 0)
		return NS_UNAVAILABLE;
	if (depth == w->staged->depth)
		dir_double(w);
	s->depth++;
	slots_sift(s, writer_slots(w, page), bit, 0);
	dir_set(w, hash | bit, depth + 1u, page);
	return NS_OK;
}

/* ---- zones ---- */

struct target {
	size_t len;
	unsigned labels;
	uint64_t hash;
	map_off image; /* staged now; 0: none */
};

static struct target
target(const struct writer *w, const uint8_t *name)
{
	struct map_view view = writer_staged_view(w);
	struct target t;

	t.len = writer_name_measure(name, &t.labels);
	t.hash = zone_hash(w->map.header->hash_key, name, t.len);
	t.image = map_zone_lookup(&view, t.hash, name, t.len);
	return t;
}

static void
note_replaced(struct writer *w, map_off image)
{
	struct broken_zone *b = w->nbroken > 0 ? writer_broken_find(w, image) : NULL;

	if (b != NULL)
		b->replaced = true;
}

static void
slot_replace(struct map_slots *s, map_off old, map_off image)
{
	for (unsigned i = 0; i < MAP_SLOTS; i++)
		if (s->slot[i].image == old)
			s->slot[i].image = image;
}

enum ns_err
writer_zone_put(struct writer *w, const uint8_t *name, map_off image)
{
	struct target t = target(w, name);
	struct map_slots *s = page_own(w, t.hash);

	assert(alloc_is_live(w->alloc, image));
	if (s == NULL)
		return NS_UNAVAILABLE;
	if (t.image != 0) {
		slot_replace(s, t.image, image);
		note_replaced(w, t.image);
		return NS_OK;
	}
	while (s->count >= SPLIT_AT) {
		if (page_split(w, s, t.hash) != NS_OK)
			return NS_UNAVAILABLE;
		s = page_own(w, t.hash);
		assert(s != NULL);
	}
	slot_insert(s, t.hash, image);
	w->staged->zones++;
	w->staged_labels.of[t.labels]++;
	return NS_OK;
}

enum ns_err
writer_zone_drop(struct writer *w, const uint8_t *name)
{
	struct target t = target(w, name);
	struct map_slots *s;

	if (t.image == 0)
		return NS_NOTFOUND;
	s = page_own(w, t.hash);
	if (s == NULL)
		return NS_UNAVAILABLE;
	slots_sift(s, NULL, 0, t.image);
	w->staged->zones--;
	w->staged_labels.of[t.labels]--;
	note_replaced(w, t.image);
	return NS_OK;
}

map_off
writer_zone_find(struct writer *w, const uint8_t *name)
{
	struct target t = target(w, name);

	if (t.image != 0 && w->nbroken > 0 && writer_broken_find(w, t.image) != NULL)
		return 0;
	return t.image;
}

struct start_over {
	struct writer *w;
	writer_retire_fn *retire;
};

static void
leave(void *arg, uint64_t hash, map_off image)
{
	struct start_over *so = arg;
	struct broken_zone *b = so->w->nbroken > 0 ? writer_broken_find(so->w, image) : NULL;

	(void)hash;
	if (b != NULL)
		b->replaced = true;
	else
		so->retire(so->w, image);
}

void
writer_start_over(struct writer *w, writer_retire_fn *retire)
{
	struct start_over so = { .w = w, .retire = retire };
	struct map_view view = writer_staged_view(w);
	uint64_t cursor = 0;
	uint32_t last = 0;

	while (map_zone_page(&view, &cursor, leave, &so))
		;
	for (uint32_t i = 0; i < 1u << w->staged->depth; i++) {
		/* Entries of one page are neighbours. */
		if (w->staged->dir[i] != 0 && w->staged->dir[i] != last)
			writer_retire(w, page_off(w->staged->dir[i]));
		last = w->staged->dir[i];
	}
	w->touched.n = 0; /* fresh pages among them: nobody will reach them */
	staged_empty(w);
}
