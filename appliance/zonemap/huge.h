/* huge - huge pages for the zone map, so that a look-up costs no page walk.
 *
 * Readers touch a few lines of a few pages at random per query; with pages of 4 KiB nearly each one
 * misses the TLB.  The writer asks the kernel to put regions that are in use into one huge page
 * each (MADV_COLLAPSE, Linux 6.1), which then shows in every process that maps the file aligned
 * (map_open).  Content and offsets stay; a reader that touches the region in that moment waits for
 * the copy.  Where the kernel cannot, nothing is lost but the speed.  Private to the writer. */
#ifndef NS_ZONEMAP_HUGE_H
#define NS_ZONEMAP_HUGE_H

#include <stdbool.h>

#include "appliance/zonemap/span.h"

/* Collapses the next region that is worth it; false: none is for now. */
bool	 huge_step(struct pool *);
/* Pages of a region went back to the system: it is made of small ones again. */
void	 huge_forget(struct pool *, uint32_t page, uint32_t npages);

#endif
