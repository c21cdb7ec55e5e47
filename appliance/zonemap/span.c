/* span - the pool of pages (span.h). */
#include "appliance/zonemap/span.h"

#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "appliance/zonemap/huge.h"
#include "ipc/base/xalloc.h"

/* The file grows by at least this, and by a sixteenth: few system calls and little that is unused. */
#define GROW_PAGES 1024u
/* A free run from 1 MiB is worth a system call. */
#define TRIM_PAGES 256u

static unsigned
bin_of(uint32_t npages)
{
	if (npages < POOL_EXACT)
		return npages;
	return POOL_EXACT + (unsigned)(31 - __builtin_clz(npages)) - 6;
}

static void
bin_add(struct pool *pool, struct span *s)
{
	struct span **head = &pool->bins[bin_of(s->npages)];

	s->prev = NULL;
	s->next = *head;
	if (*head != NULL)
		(*head)->prev = s;
	*head = s;
	pool->free_pages += s->npages;
}

static void
bin_remove(struct pool *pool, struct span *s)
{
	if (s->prev != NULL)
		s->prev->next = s->next;
	else
		pool->bins[bin_of(s->npages)] = s->next;
	if (s->next != NULL)
		s->next->prev = s->prev;
	pool->free_pages -= s->npages;
}

static void
reserve(struct pool *pool, uint32_t npages)
{
	size_t cap = pool->of_cap, was, now;

	if (npages <= cap)
		return;
	cap = cap == 0 ? npages : cap + cap / 2;
	if (cap < npages)
		cap = npages;
	pool->of = xreallocarray(pool->of, cap, sizeof(struct span *));
	for (size_t i = pool->of_cap; i < cap; i++)
		pool->of[i] = NULL;
	was = pool->of_cap / (MAP_HUGE / MAP_PAGE) + 1;
	now = cap / (MAP_HUGE / MAP_PAGE) + 1;
	pool->huge = xreallocarray(pool->huge, now, sizeof pool->huge[0]);
	for (size_t i = pool->of_cap == 0 ? 0 : was; i < now; i++)
		pool->huge[i] = false;
	pool->of_cap = cap;
}

void
pool_init(struct pool *pool, struct map *map, int fd, uint64_t size, uint64_t limit)
{
	if (limit > MAP_SPAN)
		limit = MAP_SPAN;
	*pool = (struct pool){ .map = map, .fd = fd };
	pool->npages = (uint32_t)(size / MAP_PAGE);
	pool->limit = (uint32_t)(limit / MAP_PAGE);
	reserve(pool, pool->npages);
}

void
pool_fini(struct pool *pool)
{
	for (uint32_t page = 0, n; page < pool->npages; page += n) {
		struct span *s = pool->of[page];

		n = s != NULL ? s->npages : 1;
		free(s);
	}
	free(pool->of);
	free(pool->huge);
	pool->of = NULL;
	pool->huge = NULL;
}

/* Only the ends of a free run are looked at, by the neighbours. */
static void
free_span(struct pool *pool, uint32_t page, uint32_t npages)
{
	struct span *s = xcalloc(1, sizeof *s);

	s->page = page;
	s->npages = npages;
	s->free = true;
	pool->of[page] = s;
	pool->of[page + npages - 1] = s;
	bin_add(pool, s);
}

void
pool_give(struct pool *pool, uint32_t page, uint32_t npages)
{
	struct span *before = page > 0 ? pool->of[page - 1] : NULL;
	struct span *after = page + npages < pool->npages ? pool->of[page + npages] : NULL;

	assert(npages > 0 && page + npages <= pool->npages);
	for (uint32_t i = 0; i < npages; i++)
		pool->of[page + i] = NULL;
	if (before != NULL && before->free) {
		bin_remove(pool, before);
		pool->of[page - 1] = NULL;
		page = before->page;
		npages += before->npages;
		free(before);
	}
	if (after != NULL && after->free) {
		bin_remove(pool, after);
		pool->of[after->page] = NULL;
		npages += after->npages;
		free(after);
	}
	free_span(pool, page, npages);
}

static struct span *
best_fit(const struct pool *pool, uint32_t npages)
{
	for (unsigned b = bin_of(npages); b < POOL_BINS; b++) {
		struct span *best = NULL;

		for (struct span *s = pool->bins[b]; s != NULL; s = s->next) {
			if (s->npages < npages || (best != NULL && s->npages >= best->npages))
				continue;
			best = s;
			if (b < POOL_EXACT)
				break;
		}
		if (best != NULL)
			return best;
	}
	return NULL;
}

static bool
grow(struct pool *pool, uint32_t npages)
{
	struct span *last = pool->of[pool->npages - 1];
	uint32_t need = npages, step, room = 0;

	if (last != NULL && last->free)
		need -= last->npages; /* shorter than npages, or it had been taken */
	if (pool->limit > pool->npages)
		room = pool->limit - pool->npages;
	if (need > room)
		return false;
	step = pool->npages / 16 > GROW_PAGES ? pool->npages / 16 : GROW_PAGES;
	if (step < need)
		step = need;
	if (step > room)
		step = room;
	if (ftruncate(pool->fd, (off_t)(pool->npages + step) * MAP_PAGE) != 0)
		return false;
	reserve(pool, pool->npages + step);
	pool->npages += step;
	atomic_store_explicit(
	    &pool->map->header->size, (uint64_t)pool->npages * MAP_PAGE, memory_order_release);
	pool_give(pool, pool->npages - step, step);
	return true;
}

uint32_t
pool_take(struct pool *pool, uint32_t npages, uint32_t reserve)
{
	uint64_t left = pool->free_pages;
	uint32_t page, rest;
	struct span *s;

	if (pool->limit > pool->npages)
		left += pool->limit - pool->npages;
	if (left < (uint64_t)npages + reserve)
		return 0;
	s = best_fit(pool, npages);
	if (s == NULL) {
		if (!grow(pool, npages))
			return 0;
		s = best_fit(pool, npages);
	}
	assert(s != NULL);
	bin_remove(pool, s);
	page = s->page;
	rest = s->npages - npages;
	pool->of[page] = NULL;
	pool->of[page + s->npages - 1] = NULL;
	free(s);
	if (rest > 0)
		free_span(pool, page + npages, rest);
	return page;
}

void
pool_own(struct pool *pool, struct span *s)
{
	for (uint32_t i = 0; i < s->npages; i++) {
		assert(pool->of[s->page + i] == NULL);
		pool->of[s->page + i] = s;
	}
}

void
pool_trim(struct pool *pool)
{
	for (unsigned b = bin_of(TRIM_PAGES); b < POOL_BINS; b++)
		for (struct span *s = pool->bins[b]; s != NULL; s = s->next) {
			if (s->trimmed)
				continue;
			/* Where it does not work nothing is lost but the memory. */
			(void)fallocate(pool->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			    (off_t)s->page * MAP_PAGE, (off_t)s->npages * MAP_PAGE);
			huge_forget(pool, s->page, s->npages);
			s->trimmed = true;
		}
}
