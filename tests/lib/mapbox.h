/* mapbox - a zone map of one's own for tests, with images whose every octet can be checked.
 *
 * An image of ours is a head, the apex, a stamp and octets that follow from apex and stamp; with
 * `children` it has further blocks of the same kind.  No real image code is involved. */
#ifndef NS_TESTS_LIB_MAPBOX_H
#define NS_TESTS_LIB_MAPBOX_H

#include "appliance/zonemap/map.h"
#include "appliance/zonemap/writer.h"

#define BOX_PAGES 8

/* Times say nothing where every load is instrumented. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MAPBOX_SLOW true
#else
#define MAPBOX_SLOW false
#endif

struct mapbox {
	int			 fd;
	struct worker_page	*page[BOX_PAGES];	/* shared with forked children */
	uint64_t		 limit;
};

void	 mapbox_init(struct mapbox *, uint64_t limit);
void	 mapbox_fini(struct mapbox *);
struct writer	*mapbox_writer(const struct mapbox *, bool poison);	/* asserts that it opens */

/* z0000123.example. and the like; its length. */
size_t	 mapbox_name(uint32_t number, uint8_t out[64]);
/* 0: the map is full. */
map_off	 mapbox_image(struct writer *, const uint8_t *name, uint64_t stamp, size_t size,
	    unsigned children);
bool	 mapbox_sound(const struct map_view *, map_off, const uint8_t *name, uint64_t *stamp);
void	 mapbox_retire(struct writer *, map_off);
enum ns_err	 mapbox_walk(const struct map_view *, map_off, writer_block_fn *, void *arg);
/* Makes and puts, and retires what it replaces.  False: full. */
bool	 mapbox_put(struct writer *, uint32_t number, uint64_t stamp, size_t size,
	    unsigned children);
void	 mapbox_publish(struct writer *, uint64_t revision);
map_off	 mapbox_lookup(const struct map_view *, uint32_t number);

uint64_t mapbox_random(uint64_t *seed);		/* splitmix64 */

#endif
