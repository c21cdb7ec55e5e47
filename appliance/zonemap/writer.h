/* writer - the signer's side of the zone map: allocate, publish, reclaim, adopt.
 *
 * One writer process at a time.  Blocks are written beside what is served and are unreachable until
 * writer_publish() swaps the root.  A block that is replaced is retired and reused only when every
 * worker page has moved past the epoch of that swap.  The writer keeps allocator state in its own
 * memory only; writer_open() on a map that is already in use marks what the root reaches, checks
 * block checksums, and treats the rest as free, but reuses it only after every slot has moved past
 * its start.  At the limit nothing is published and the old stays (NS_UNAVAILABLE).
 * Test builds (-DNS_MAP_POISON, and all under ASan) fill reclaimed blocks with 0xDB. */
#ifndef NS_ZONEMAP_WRITER_H
#define NS_ZONEMAP_WRITER_H

#include "appliance/zonemap/map.h"

struct writer;

/* `pages` are all worker pages (read-only), for reclamation. */
enum ns_err	 writer_open(int map_fd, uint64_t limit, uint64_t generation,
		    struct worker_page *const *pages, size_t npages, struct writer **,
		    struct ns_why *) __attribute__((warn_unused_result));
void	 writer_close(struct writer **);

/* The same with every choice open: for tests, and for images that are not image.h's. */
typedef void	 writer_block_fn(void *arg, map_off block);
typedef enum ns_err writer_walk_fn(const struct map_view *, map_off image, writer_block_fn *,
		    void *arg);
struct writer_conf {
	int			 fd;
	uint64_t		 limit, generation;
	struct worker_page *const *pages;
	size_t			 npages;
	writer_walk_fn		*walk;		/* image_each_block */
	bool			 poison;	/* fill what is reclaimed with 0xDB */
};
enum ns_err	 writer_open_conf(const struct writer_conf *, struct writer **, struct ns_why *)
		    __attribute__((warn_unused_result));

/* What adoption found.  A broken zone stays served as it is until it is put or dropped, and is not
 * found by writer_zone_find(); ask for it anew.  Where the directory itself was broken, or the name of a
 * broken zone, `whole` says that nothing was adopted: revision 0, all zones must come anew, and
 * workers keep the old root until then. */
struct writer_adopted {
	uint64_t	zones, blocks, revision;
	size_t		broken;
	bool		whole;
};
const struct writer_adopted	*writer_adopted(const struct writer *);
typedef void	 writer_name_fn(void *arg, const uint8_t *name);
void		 writer_each_broken(const struct writer *, writer_name_fn *, void *arg);

struct map	*writer_map(struct writer *);
uint64_t	 writer_revision(const struct writer *);	/* what is published; 0: nothing */
bool		 writer_loaded(const struct writer *);
uint64_t	 writer_bytes(const struct writer *);		/* in use, retired blocks included */
uint64_t	 writer_epoch(const struct writer *);		/* map_published()'s */
/* What is published, for reading by the writer's own thread; never freed under it between two calls
 * of publish and reclaim.  False: nothing. */
bool		 writer_view(struct writer *, struct map_view *);

/* The same of what is staged: good until the next put or drop. */
void		 writer_staged(struct writer *, struct map_view *);

/* A block of at least n octets, 16-aligned; NULL at the limit.  Its content is undefined.  Filled by
 * the caller, then sealed (checksum); it must not be written after that.  All blocks made since the
 * last publish are freed by writer_abort(), retired ones among them no earlier than then. */
void	*writer_alloc(struct writer *, size_t n, map_off *);
void	 writer_seal(struct writer *, map_off);
void	 writer_retire(struct writer *, map_off);	/* free once no reader can hold it */
/* A block of what is made over several publishes: kept through them and through aborts, until it is given
 * back, as if it had been made now. */
void	 writer_keep(struct writer *, map_off);
void	 writer_unkeep(struct writer *, map_off);

/* Staging a new root: every put/drop is against the staged state; publish makes all of it appear at
 * once, abort forgets it. */
enum ns_err	 writer_zone_put(struct writer *, const uint8_t *name, map_off image);
enum ns_err	 writer_zone_drop(struct writer *, const uint8_t *name);	/* NS_NOTFOUND */
map_off		 writer_zone_find(struct writer *, const uint8_t *name);	/* staged; 0: none */
enum ns_err	 writer_publish(struct writer *, uint64_t revision, struct ns_why *);
void		 writer_abort(struct writer *);
/* From the next publish on, and until another is set; kept by abort, start_over and adoption. */
void		 writer_cookie(struct writer *, const struct map_cookie *);
/* Stage "no zones at all"; `retire` is called for every image that leaves (image_retire). */
typedef void	 writer_retire_fn(struct writer *, map_off image);
void		 writer_start_over(struct writer *, writer_retire_fn *retire);

/* Give back what readers have left; called from a timer and before growing. */
void		 writer_reclaim(struct writer *);
void		 writer_trim(struct writer *);	/* now and then: free memory to the system */
bool		 writer_huge(struct writer *);	/* in idle moments, until false: alloc.h */
bool		 writer_has_retired(const struct writer *);	/* is there anything to wait for? */
struct alloc_stats;
void		 writer_stats(const struct writer *, struct alloc_stats *);	/* alloc.h */
void		 writer_check(const struct writer *);		/* asserts that it adds up */

#endif
