/* span - runs of whole pages of the zone map: the pool that alloc.c takes its spans from.
 *
 * Every page belongs to one span: a free one (joined with its free neighbours, kept in bins by
 * length) or one that alloc.c fills; or to none, when it is withheld since adoption.  The file grows
 * in steps when no free run is long enough.  Private to the writer; nothing of this is in the map. */
#ifndef NS_ZONEMAP_SPAN_H
#define NS_ZONEMAP_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/zonemap/map.h"

struct span {
	struct span	*prev, *next;		/* of a bin, or of alloc.c's lists */
	struct span	*fresh_next;
	uint32_t	 page, npages;
	uint32_t	 nblocks, nlive;
	uint8_t		 list;			/* which one of alloc.c's */
	uint8_t		 class;
	bool		 free, on_fresh, withheld;
	bool		 trimmed;		/* free, and its memory is the system's */
	uint64_t	 bits[];		/* one of each block: live; then as many: fresh */
};

#define POOL_EXACT	64u			/* bins of one length; above: one per doubling */
#define POOL_BINS	(POOL_EXACT + 26u)

struct pool {
	struct map	*map;
	int		 fd;
	struct span	**of;			/* by page */
	size_t		 of_cap;
	uint32_t	 npages, limit;		/* of the file, now and at most */
	uint64_t	 free_pages, nspans;
	bool		*huge;			/* by region of MAP_HUGE: huge.c made it so */
	uint32_t	 huge_at;
	bool		 no_huge;		/* the kernel cannot */
	struct span	*bins[POOL_BINS];
};

void	 pool_init(struct pool *, struct map *, int fd, uint64_t size, uint64_t limit);
void	 pool_fini(struct pool *);
/* A run of pages that the caller fills with a span of its own (pool_own); 0: the limit, of which
 * `reserve` pages must be left afterwards. */
uint32_t pool_take(struct pool *, uint32_t npages, uint32_t reserve);
void	 pool_own(struct pool *, struct span *);
void	 pool_give(struct pool *, uint32_t page, uint32_t npages);
/* Memory of long free runs back to the system; the file keeps its size. */
void	 pool_trim(struct pool *);

#endif
