/* huge - see huge.h.
 *
 * Runs in the signer's loop, one region per call, between feeds.  A call takes about half a millisecond
 * on a quiet machine; more where all CPUs are busy, because the kernel lets each of them empty its
 * lists of pages first, so the caller paces itself by what the last one took. */
#include "appliance/zonemap/huge.h"

#include <errno.h>
#include <sys/mman.h>

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25 /* Linux 6.1; glibc 2.37 */
#endif

#define REGION_PAGES (MAP_HUGE / MAP_PAGE)
/* A huge page is whole: what is not used of it would be memory for nothing. */
#define UNUSED_MAX (REGION_PAGES / 32)

static bool
is_used(const struct pool *pool, uint32_t region)
{
	uint32_t page = region * REGION_PAGES, end = page + REGION_PAGES, unused = 0;

	while (page < end && unused <= UNUSED_MAX) {
		const struct span *s = pool->of[page];

		/* The middle of a free run is nobody's. */
		if (s == NULL || s->free) {
			unused++;
			page++;
		} else {
			page = s->page + s->npages;
		}
	}
	return unused <= UNUSED_MAX;
}

bool
huge_step(struct pool *pool)
{
	uint32_t regions = pool->npages / REGION_PAGES;

	for (uint32_t i = 0; i < regions && !pool->no_huge; i++) {
		uint32_t at = pool->huge_at < regions ? pool->huge_at : 0;

		pool->huge_at = at + 1;
		if (pool->huge[at] || !is_used(pool, at))
			continue;
		if (madvise(pool->map->base + (uint64_t)at * MAP_HUGE, MAP_HUGE, MADV_COLLAPSE) ==
		    0) {
			pool->huge[at] = true;
			return true;
		}
		/* Too old, or built without; all else may work later. */
		if (errno == EINVAL || errno == ENOSYS || errno == EPERM)
			pool->no_huge = true;
		return false;
	}
	return false;
}

void
huge_forget(struct pool *pool, uint32_t page, uint32_t npages)
{
	for (uint32_t at = page / REGION_PAGES; at <= (page + npages - 1) / REGION_PAGES; at++)
		pool->huge[at] = false;
}
