/* alloc - which octets of the zone map are whose.
 *
 * Used by the writer alone; all state is in the signer's own memory and is thrown away with it.
 * The file is cut into spans of whole pages.  A span is free, or holds blocks of one size class
 * (32 classes per doubling, so at most 1/32 of a block is unused), or one large block.
 * A span whose last block is freed goes back to the pool and joins its free neighbours, so blocks of
 * changing sizes do not pin the file.  The fullest spans are filled first, which lets others run dry.
 *
 * A block is *fresh* from alloc_get() until alloc_settle() (publish) or alloc_forget() (abort).
 * After alloc_adopt_*() everything that was not marked is *withheld*: not free, until
 * alloc_release() says that no reader can hold it. */
#ifndef NS_ZONEMAP_ALLOC_H
#define NS_ZONEMAP_ALLOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/zonemap/map.h"

struct alloc;

/* fd may be -1: then the file cannot grow (never used).  size: octets the file has now; of them,
 * those above the header page are withheld. */
struct alloc	*alloc_new(struct map *, int fd, uint64_t size, uint64_t limit);
void		 alloc_destroy(struct alloc **);
void		 alloc_set_poison(struct alloc *, bool);

/* A block for n octets behind its header (which is filled but for the sum); 0 at the limit.  The
 * last ALLOC_RESERVE of the limit (a sixteenth where that is less) are for what `vital` names: the
 * directory, so that zones can be deleted from a full map. */
#define ALLOC_RESERVE	(4u << 20)
map_off		 alloc_get(struct alloc *, size_t n, bool vital);
/* Ours to give again at once; the caller knows that nobody reads it. */
void		 alloc_put(struct alloc *, map_off);
bool		 alloc_is_live(const struct alloc *, map_off);
bool		 alloc_is_fresh(const struct alloc *, map_off);
void		 alloc_settle(struct alloc *);
/* Out of the reach of both, and back: what is made over several publishes. */
void		 alloc_keep(struct alloc *, map_off);
void		 alloc_refresh(struct alloc *, map_off);
void		 alloc_forget(struct alloc *);

/* Adoption: mark a block whose header is within bounds as live.  False when its place contradicts
 * what was marked before, or when it is marked already. */
bool		 alloc_adopt(struct alloc *, map_off);
void		 alloc_release(struct alloc *);

/* Now and then: memory of long free runs back to the system. */
void		 alloc_trim(struct alloc *);
/* In idle moments: huge pages for what is in use (huge.h), a region per call; false: no more now. */
bool		 alloc_huge(struct alloc *);

struct alloc_stats {
	uint64_t	size;			/* octets of the file */
	uint64_t	live;			/* in blocks, their headers and roundings included */
	uint64_t	asked;			/* what callers asked for */
	uint64_t	blocks;
	uint64_t	free_pages;
	uint64_t	private_bytes;		/* of bookkeeping, about */
};
void		 alloc_stats(const struct alloc *, struct alloc_stats *);
/* Walks everything and asserts that it adds up: for tests. */
void		 alloc_check(const struct alloc *);

#endif
