/* sketch - the zone map as it would be with some zones edited, for one look.
 *
 * A mapping of its own: what is served read-only, and behind it private memory for the edited images, the
 * pages of slots that name them, and a root.  Offsets are the map's, so whoever reads a view reads this one
 * as any other.  Nothing of it is seen by anybody else, and nothing waits: what is served may be reused
 * while it is read, so what is found counts only when map_published() says the same before and after.
 * One thread; the answer process. */
#ifndef NS_ZONEMAP_SKETCH_H
#define NS_ZONEMAP_SKETCH_H

#include "appliance/zonemap/map.h"

#define SKETCH_MAX	(256ull << 20)		/* octets of everything that is new: a limit */

struct sketch;

/* Reserves address space.  `map_fd` is read anew each time, and not taken. */
enum ns_err	 sketch_open(int map_fd, uint64_t limit, struct sketch **, struct ns_why *)
		    __attribute__((warn_unused_result));
void	 sketch_close(struct sketch **);

/* From what is published now; NS_UNAVAILABLE: nothing is. */
enum ns_err	 sketch_begin(struct sketch *, struct ns_why *) __attribute__((warn_unused_result));
struct sketch_edit {
	const uint8_t	*apex;
	uint64_t	 base_version;		/* that it was made on */
	const void	*zwire, *gone;		/* as image_edit() takes them */
	size_t		 len, gone_len;
};
/* The zone with the edit, unsigned.  NS_NOTFOUND: not served here.  NS_CONFLICT: another version of it is.
 * NS_UNAVAILABLE: too much for a sketch. */
enum ns_err	 sketch_zone(struct sketch *, const struct sketch_edit *, struct ns_why *)
		    __attribute__((warn_unused_result));
const struct map_view	*sketch_view(const struct sketch *);
/* Gives all memory back. */
void	 sketch_end(struct sketch *);

#endif
