/* alloc - blocks in spans (alloc.h).
 *
 * A span's blocks all have its class's size; one bit says that a block is live, another that it is
 * fresh.  That is all the bookkeeping there is: two bits a block and about 80 octets a span. */
#include "appliance/zonemap/alloc.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/zonemap/huge.h"
#include "appliance/zonemap/span.h"
#include "ipc/base/xalloc.h"

#define GRAIN       16u /* of sizes and addresses */
#define SMALL_MIN   64u
#define SMALL_MAX   32768u /* above: a span of its own */
#define CLASSES     224u
#define CLASS_LARGE 255u
#define FULLNESS    4u /* lists per class; list FULLNESS: full, in none */
#define LARGE_MAX   (1u << 30) /* more is no image: our own bug */
#define POISON      0xdb

struct alloc {
	struct pool pool;
	bool poison;
	unsigned nclasses;
	uint32_t class_size[CLASSES];
	uint16_t class_pages[CLASSES];
	uint8_t class_by_grain[SMALL_MAX / GRAIN + 1];
	struct span *partial[CLASSES][FULLNESS];
	struct span *fresh; /* spans with fresh blocks */
	uint32_t reserve; /* pages, for vital blocks */
	uint32_t adopted_pages; /* pages below are withheld where no span has them; 0: none */
	struct alloc_stats stats;
};

/* The fewest pages, from 32 KiB, that waste at most 1/128 behind the last block. */
static uint16_t
span_pages(uint32_t size)
{
	uint32_t best = 8, best_tail = UINT32_MAX;

	for (uint32_t n = size <= 1024 ? 8 : 16; n <= 32; n++) {
		uint32_t tail = n * MAP_PAGE % size;

		if (tail * 128 <= n * MAP_PAGE)
			return (uint16_t)n;
		if (tail * 32 / n < best_tail) {
			best_tail = tail * 32 / n;
			best = n;
		}
	}
	return (uint16_t)best;
}

static void
make_classes(struct alloc *a)
{
	uint32_t size, step, grain = 0;

	for (size = SMALL_MIN; size <= SMALL_MAX; size += step) {
		step = (1u << (31 - __builtin_clz(size))) / 32;
		if (step < GRAIN)
			step = GRAIN;
		assert(a->nclasses < CLASSES);
		a->class_size[a->nclasses] = size;
		a->class_pages[a->nclasses] = span_pages(size);
		for (; grain <= size / GRAIN; grain++)
			a->class_by_grain[grain] = (uint8_t)a->nclasses;
		a->nclasses++;
	}
}

struct alloc *
alloc_new(struct map *map, int fd, uint64_t size, uint64_t limit)
{
	struct alloc *a = xcalloc(1, sizeof *a);

	pool_init(&a->pool, map, fd, size, limit);
	a->adopted_pages = a->pool.npages;
	a->reserve = ALLOC_RESERVE / MAP_PAGE;
	if (a->reserve > a->pool.limit / 16)
		a->reserve = a->pool.limit / 16;
	make_classes(a);
#if defined(NS_MAP_POISON) || defined(__SANITIZE_ADDRESS__)
	a->poison = true;
#endif
	return a;
}

void
alloc_destroy(struct alloc **ap)
{
	if (*ap == NULL)
		return;
	pool_fini(&(*ap)->pool);
	free(*ap);
	*ap = NULL;
}

void
alloc_set_poison(struct alloc *a, bool poison)
{
	a->poison = poison;
}

/* ---- spans ---- */

static uint64_t *
fresh_bits(struct span *s)
{
	return s->bits + (s->nblocks + 63) / 64;
}

static bool
bit_get(const uint64_t *bits, uint32_t i)
{
	return (bits[i / 64] >> (i % 64) & 1) != 0;
}

static uint32_t
block_size(const struct alloc *a, const struct span *s)
{
	return s->class == CLASS_LARGE ? s->npages * MAP_PAGE : a->class_size[s->class];
}

static struct span *
span_new(struct alloc *a, uint32_t page, uint32_t npages, uint8_t class)
{
	uint32_t n = class == CLASS_LARGE ? 1 : npages * MAP_PAGE / a->class_size[class];
	struct span *s = xcalloc(1, sizeof *s + (n + 63) / 64 * 2 * sizeof s->bits[0]);

	s->page = page;
	s->npages = npages;
	s->nblocks = n;
	s->class = class;
	s->list = FULLNESS;
	pool_own(&a->pool, s);
	a->stats.private_bytes += sizeof *s + (n + 63) / 64 * 2 * sizeof s->bits[0];
	return s;
}

static void
list_move(struct alloc *a, struct span *s, uint8_t list)
{
	struct span **head;

	if (s->list == list)
		return;
	if (s->list < FULLNESS) {
		head = &a->partial[s->class][s->list];
		if (s->prev != NULL)
			s->prev->next = s->next;
		else
			*head = s->next;
		if (s->next != NULL)
			s->next->prev = s->prev;
	}
	s->list = list;
	if (list < FULLNESS) {
		head = &a->partial[s->class][list];
		s->prev = NULL;
		s->next = *head;
		if (*head != NULL)
			(*head)->prev = s;
		*head = s;
	}
}

/* After a change of nlive: into the right list, or back to the pool. */
static void
span_sort(struct alloc *a, struct span *s)
{
	if (s->withheld)
		return;
	if (s->nlive == 0 && !s->on_fresh) {
		list_move(a, s, FULLNESS);
		a->stats.private_bytes -=
		    sizeof *s + (s->nblocks + 63) / 64 * 2 * sizeof s->bits[0];
		pool_give(&a->pool, s->page, s->npages);
		free(s);
		return;
	}
	if (s->class != CLASS_LARGE)
		list_move(a, s, (uint8_t)(s->nlive * FULLNESS / s->nblocks));
}

/* ---- blocks ---- */

static struct map_block *
block_at(const struct alloc *a, const struct span *s, uint32_t index)
{
	return (struct map_block *)(void *)(a->pool.map->base + (uint64_t)s->page * MAP_PAGE +
					    (uint64_t)index * block_size(a, s));
}

/* The span of a block of ours and its place in it; the writer never asks for another. */
static struct span *
span_of(const struct alloc *a, map_off off, uint32_t *index)
{
	uint64_t at = off - sizeof(struct map_block);
	struct span *s;

	assert(off > MAP_PAGE && at / MAP_PAGE < a->pool.npages);
	s = a->pool.of[at / MAP_PAGE];
	assert(s != NULL && !s->free);
	at -= (uint64_t)s->page * MAP_PAGE;
	*index = (uint32_t)(at / block_size(a, s));
	assert(at % block_size(a, s) == 0 && *index < s->nblocks);
	return s;
}

static uint32_t
first_free(const struct span *s)
{
	for (uint32_t w = 0;; w++)
		if (~s->bits[w] != 0)
			return w * 64 + (uint32_t)__builtin_ctzll(~s->bits[w]);
}

static void
set_live(struct alloc *a, struct span *s, uint32_t index, uint32_t len)
{
	s->bits[index / 64] |= 1ull << (index % 64);
	s->nlive++;
	a->stats.blocks++;
	a->stats.live += block_size(a, s);
	a->stats.asked += len;
}

static void
set_fresh(struct alloc *a, struct span *s, uint32_t index)
{
	fresh_bits(s)[index / 64] |= 1ull << (index % 64);
	if (s->on_fresh)
		return;
	s->on_fresh = true;
	s->fresh_next = a->fresh;
	a->fresh = s;
}

static map_off
take_block(struct alloc *a, struct span *s, uint32_t index, uint32_t len)
{
	struct map_block *b = block_at(a, s, index);

	set_live(a, s, index, len);
	set_fresh(a, s, index);
	span_sort(a, s);
	*b = (struct map_block){ .magic = MAP_BLOCK_MAGIC, .index = (uint16_t)index, .len = len };
	return (map_off)((uint8_t *)(b + 1) - a->pool.map->base);
}

static map_off
get_large(struct alloc *a, uint32_t total, uint32_t reserve)
{
	uint32_t npages = (total + MAP_PAGE - 1) / MAP_PAGE;
	uint32_t page = pool_take(&a->pool, npages, reserve);

	if (page == 0)
		return 0;
	return take_block(a, span_new(a, page, npages, CLASS_LARGE), 0,
	    total - (uint32_t)sizeof(struct map_block));
}

map_off
alloc_get(struct alloc *a, size_t n, bool vital)
{
	uint32_t total = (uint32_t)(n + sizeof(struct map_block)), page;
	uint32_t reserve = vital ? 0 : a->reserve;
	struct span *s = NULL;
	uint8_t class;

	assert(n <= LARGE_MAX);
	if (total > SMALL_MAX)
		return get_large(a, total, reserve);
	class = a->class_by_grain[(total + GRAIN - 1) / GRAIN];
	for (unsigned f = FULLNESS; f-- > 0 && s == NULL;)
		s = a->partial[class][f];
	if (s == NULL) {
		page = pool_take(&a->pool, a->class_pages[class], reserve);
		if (page == 0)
			return 0;
		s = span_new(a, page, a->class_pages[class], class);
	}
	return take_block(a, s, first_free(s), (uint32_t)n);
}

static void
drop_block(struct alloc *a, struct span *s, uint32_t index)
{
	struct map_block *b = block_at(a, s, index);
	uint64_t bit = 1ull << (index % 64);

	assert(bit_get(s->bits, index));
	a->stats.blocks--;
	a->stats.live -= block_size(a, s);
	a->stats.asked -= b->len;
	s->bits[index / 64] &= ~bit;
	fresh_bits(s)[index / 64] &= ~bit;
	s->nlive--;
	if (a->poison)
		memset(b, POISON, block_size(a, s));
}

void
alloc_put(struct alloc *a, map_off off)
{
	uint32_t index;
	struct span *s = span_of(a, off, &index);

	drop_block(a, s, index);
	span_sort(a, s);
}

bool
alloc_is_live(const struct alloc *a, map_off off)
{
	uint32_t index;
	struct span *s = span_of(a, off, &index);

	return bit_get(s->bits, index);
}

bool
alloc_is_fresh(const struct alloc *a, map_off off)
{
	uint32_t index;
	struct span *s = span_of(a, off, &index);

	return bit_get(fresh_bits(s), index);
}

/* Ends the freshness of all; `keep` says what becomes of the blocks. */
static void
end_fresh(struct alloc *a, bool keep)
{
	struct span *s, *next;

	for (s = a->fresh, a->fresh = NULL; s != NULL; s = next) {
		next = s->fresh_next;
		s->on_fresh = false;
		for (uint32_t i = 0; !keep && i < s->nblocks; i++)
			if (bit_get(fresh_bits(s), i))
				drop_block(a, s, i);
		memset(fresh_bits(s), 0, (s->nblocks + 63) / 64 * sizeof s->bits[0]);
		span_sort(a, s);
	}
}

void
alloc_settle(struct alloc *a)
{
	end_fresh(a, true);
}

void
alloc_forget(struct alloc *a)
{
	end_fresh(a, false);
}

void
alloc_keep(struct alloc *a, map_off off)
{
	uint32_t index;
	struct span *s = span_of(a, off, &index);

	assert(bit_get(s->bits, index));
	fresh_bits(s)[index / 64] &= ~(1ull << (index % 64));
}

void
alloc_refresh(struct alloc *a, map_off off)
{
	uint32_t index;
	struct span *s = span_of(a, off, &index);

	assert(bit_get(s->bits, index));
	set_fresh(a, s, index);
}

/* ---- adoption ---- */

/* The span that a header says its block is in: made at the first block of it that is seen. */
static struct span *
adopt_span(struct alloc *a, map_off off, const struct map_block *b)
{
	uint64_t at = off - sizeof *b, total = (uint64_t)b->len + sizeof *b;
	uint8_t class = CLASS_LARGE;
	uint32_t npages, page;
	struct span *s;

	if (total <= SMALL_MAX) {
		class = a->class_by_grain[(total + GRAIN - 1) / GRAIN];
		npages = a->class_pages[class];
		if ((uint64_t)b->index * a->class_size[class] > at)
			return NULL;
		at -= (uint64_t)b->index * a->class_size[class];
	} else {
		npages = (uint32_t)((total + MAP_PAGE - 1) / MAP_PAGE);
	}
	page = (uint32_t)(at / MAP_PAGE);
	if (at % MAP_PAGE != 0 || page == 0 || npages > a->adopted_pages - page)
		return NULL;
	s = a->pool.of[page];
	if (s != NULL)
		return !s->free && s->page == page && s->class == class ? s : NULL;
	for (uint32_t i = 0; i < npages; i++)
		if (a->pool.of[page + i] != NULL)
			return NULL;
	s = span_new(a, page, npages, class);
	s->withheld = true;
	return s;
}

bool
alloc_adopt(struct alloc *a, map_off off)
{
	const struct map_block *b =
	    (const struct map_block *)(const void *)(a->pool.map->base + off - sizeof *b);
	struct span *s;

	if (off / MAP_PAGE >= a->adopted_pages)
		return false;
	s = adopt_span(a, off, b);
	if (s == NULL || b->index >= s->nblocks || bit_get(s->bits, b->index))
		return false;
	set_live(a, s, b->index, b->len);
	return true;
}

static void
release_span(struct alloc *a, struct span *s)
{
	s->withheld = false;
	for (uint32_t i = 0; a->poison && i < s->nblocks; i++)
		if (!bit_get(s->bits, i))
			memset(block_at(a, s, i), POISON, block_size(a, s));
	span_sort(a, s);
}

void
alloc_release(struct alloc *a)
{
	uint32_t page = 1, end = a->adopted_pages, n;

	a->adopted_pages = 0;
	for (; page < end; page += n) {
		struct span *s = a->pool.of[page];

		n = s != NULL ? s->npages : 1;
		if (s != NULL && !s->free && s->withheld)
			release_span(a, s);
		if (s != NULL)
			continue;
		while (page + n < end && a->pool.of[page + n] == NULL)
			n++;
		if (a->poison)
			memset(a->pool.map->base + (uint64_t)page * MAP_PAGE, POISON,
			    (size_t)n * MAP_PAGE);
		pool_give(&a->pool, page, n);
	}
}

void
alloc_trim(struct alloc *a)
{
	pool_trim(&a->pool);
}

bool
alloc_huge(struct alloc *a)
{
	return huge_step(&a->pool);
}

/* ---- what it holds ---- */

void
alloc_stats(const struct alloc *a, struct alloc_stats *stats)
{
	*stats = a->stats;
	stats->size = (uint64_t)a->pool.npages * MAP_PAGE;
	stats->free_pages = a->pool.free_pages;
	stats->private_bytes += a->pool.of_cap * sizeof(struct span *) + sizeof *a;
}

void
alloc_check(const struct alloc *a)
{
	uint64_t live = 0, blocks = 0, free_pages = 0;
	uint32_t n;

	for (uint32_t page = 1; page < a->pool.npages; page += n) {
		const struct span *s = a->pool.of[page];

		n = s != NULL ? s->npages : 1;
		if (s == NULL) {
			assert(page < a->adopted_pages);
			continue;
		}
		assert(s->page == page && a->pool.of[page + n - 1] == s);
		if (s->free) {
			free_pages += n;
			continue;
		}
		uint32_t bits = 0;
		for (uint32_t w = 0; w < (s->nblocks + 63) / 64; w++)
			bits += (uint32_t)__builtin_popcountll(s->bits[w]);
		assert(bits == s->nlive && bits <= s->nblocks);
		assert(bits > 0 || s->withheld || s->on_fresh);
		blocks += bits;
		live += (uint64_t)bits * block_size(a, s);
	}
	assert(live == a->stats.live && blocks == a->stats.blocks);
	assert(free_pages == a->pool.free_pages);
}
