/* adopt - taking over a map that is already in use (writer.h: writer_adopted).
 *
 * Runs once, in writer_open, before anything is allocated.  Nothing of a predecessor's bookkeeping is
 * believed: what the root reaches is walked, each block's place, length and checksum are verified, and
 * its place tells the allocator what its span was.  All else is withheld until every reader has
 * moved past this start.  The walk only reads; workers go on meanwhile. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/zonemap/hash.h"
#include "appliance/zonemap/writer_internal.h"
#include "ipc/base/xalloc.h"

struct adoption {
	struct writer *w;
	struct map_view view;
	struct off_list blocks; /* of the zone in hand */
	uint64_t zones;
};

static void
collect(void *arg, map_off block)
{
	struct adoption *a = arg;

	off_list_push(&a->blocks, block);
}

/* Is it a name of exactly len octets?  Counts its labels. */
static bool
name_sound(const uint8_t *name, size_t len, unsigned *labels)
{
	size_t at = 0;

	for (*labels = 0; at < len && name[at] != 0; ++*labels) {
		if (name[at] > 63)
			return false;
		at += 1u + name[at];
	}
	return at + 1 == len && len <= 255;
}

static bool
image_sound(struct adoption *a, map_off image)
{
	struct writer *w = a->w;

	a->blocks.head = a->blocks.n = 0;
	if (w->walk(&a->view, image, collect, a) != NS_OK || a->blocks.n == 0)
		return false;
	for (size_t i = 0; i < a->blocks.n; i++)
		if (!alloc_adopt(w->alloc, a->blocks.off[i]))
			return false; /* two claim it: what is marked stays so, nobody gets it */
	return true;
}

static bool
note_broken(struct writer *w, map_off image, const uint8_t *name, size_t len)
{
	if (w->nbroken == BROKEN_MAX)
		return false;
	if (w->broken == NULL)
		w->broken = xcalloc(BROKEN_MAX, sizeof w->broken[0]);
	w->broken[w->nbroken++] =
	    (struct broken_zone){ .image = image, .name = xmemdup(name, len) };
	return true;
}

/* False: not even its name is there. */
static bool
adopt_zone(struct adoption *a, const struct map_slot *slot)
{
	const uint8_t *key = a->w->map.header->hash_key, *apex;
	unsigned labels;
	size_t len;

	apex = map_image_apex(&a->view, slot->image, &len);
	if (apex == NULL || !name_sound(apex, len, &labels) ||
	    zone_hash(key, apex, len) != slot->hash)
		return false;
	a->zones++;
	a->w->labels.of[labels]++;
	return image_sound(a, slot->image) || note_broken(a->w, slot->image, apex, len);
}

/* The page that entries first … first + n - 1 of the directory lead to. */
static bool
adopt_page(struct adoption *a, uint32_t first, uint32_t n)
{
	unsigned root_depth = a->view.root->depth, used = 0;
	uint32_t page = a->view.root->dir[first];
	map_off off = (map_off)page * MAP_PAGE + sizeof(struct map_block);
	const struct map_slots *s;
	size_t len;

	if (page == 0)
		return root_depth == 0;
	s = map_block_at(&a->view, off, &len);
	if (s == NULL || len != sizeof *s || s->magic != MAP_SLOTPAGE_MAGIC ||
	    s->depth > root_depth || n != 1u << (root_depth - s->depth) || first % n != 0 ||
	    !map_block_sound(&a->view, off) || !alloc_adopt(a->w->alloc, off))
		return false;
	for (unsigned i = 0; i < MAP_SLOTS; i++) {
		const struct map_slot *slot = &s->slot[i];

		if (slot->image == 0)
			continue;
		used++;
		if ((uint32_t)((slot->hash >> 1) >> (63 - root_depth)) / n != first / n ||
		    !adopt_zone(a, slot))
			return false;
	}
	return used == s->count;
}

static bool
adopt_root(struct adoption *a, map_off off)
{
	const struct map_root *r;
	uint32_t first, n;
	size_t len;

	r = map_block_at(&a->view, off, &len);
	if (r == NULL || len < sizeof *r || r->magic != MAP_ROOT_MAGIC || r->format != MAP_FORMAT ||
	    r->depth > MAP_DEPTH_MAX || len != sizeof *r + (sizeof r->dir[0] << r->depth) ||
	    !map_block_sound(&a->view, off) || !alloc_adopt(a->w->alloc, off))
		return false;
	a->view.root = r;
	for (first = 0; first < 1u << r->depth; first += n) {
		n = 1;
		while (first + n < 1u << r->depth && r->dir[first + n] == r->dir[first])
			n++;
		if (!adopt_page(a, first, n))
			return false;
	}
	return a->zones == r->zones;
}

/* As if the map were empty, but everything that is there stays until a new root has taken over. */
static void
adopt_nothing(struct writer *w, uint64_t size)
{
	alloc_destroy(&w->alloc);
	w->alloc = alloc_new(&w->map, w->fd, size, w->limit);
	for (size_t i = 0; i < w->nbroken; i++)
		free(w->broken[i].name);
	w->nbroken = 0;
	memset(&w->labels, 0, sizeof w->labels);
	w->adopted.whole = true;
	w->withheld_epoch = UINT64_MAX;
}

void
writer_adopt(struct writer *w, uint64_t size)
{
	struct map_header *h = w->map.header;
	struct adoption a = { .w = w };
	struct alloc_stats stats;
	map_off root;

	w->alloc = alloc_new(&w->map, w->fd, size, w->limit);
	/* A predecessor may have died between the swap and the epoch: a new epoch tells who came
	 * after this from who might still be in whatever there was. */
	w->withheld = true;
	w->withheld_epoch = atomic_load(&h->epoch);
	atomic_store(&h->epoch, w->withheld_epoch + 1);

	root = atomic_load(&h->root);
	a.view = (struct map_view){ .map = &w->map, .base = w->map.base, .size = size };
	if (root != 0 && adopt_root(&a, root)) {
		w->root = root;
		w->adopted.revision = a.view.root->revision;
		w->adopted.zones = a.zones;
		w->adopted.broken = w->nbroken;
		if (w->nbroken > 0)
			w->withheld_epoch = UINT64_MAX;
	} else if (root != 0) {
		adopt_nothing(w, size);
	}
	alloc_stats(w->alloc, &stats);
	w->adopted.blocks = stats.blocks;
	if (w->poison)
		alloc_set_poison(w->alloc, true);
	free(a.blocks.off);
}
