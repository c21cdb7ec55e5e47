/* image - one zone, compiled to be served: immutable, position-independent, rendered.
 *
 * A zone up to IMAGE_FLAT is one block; a larger one is a root block and a copy-on-write B-tree of
 * leaf blocks (about IMAGE_LEAF, more for one fat owner) under inner blocks.  How it works: IMAGE.md;
 * the octets: image_format.h; reading: image_read.h.
 *
 * An RRset is rendered: whole records with names compressed against the apex, the owner and the set
 * itself; the places that hold compression pointers are listed, so that emitting it is one copy and a
 * few additions.  Its RRSIGs stand behind it, to be sent with DO.
 *
 * Read by serve/ and by the signer (digest, edits).  Every offset is bounds-checked against its
 * block: a broken image gives SERVFAIL, never a fault. */
#ifndef NS_ZONEMAP_IMAGE_H
#define NS_ZONEMAP_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/zonemap/map.h"

#define IMAGE_FLAT	65536u		/* zwire octets up to which a zone is one block */
#define IMAGE_LEAF	16384u

struct writer;

/* ---- compiling (signer, tests, bench) ----
 * A builder takes a zone as zwire in canonical order, in pieces of whole RRsets, and makes an image in
 * the writer's map.  The caller puts it under the zone's name (writer_zone_put) and retires the one
 * that it replaces with image_retire(). */
struct image_meta {
	uint64_t	version;
	uint32_t	account;
	bool		here;		/* signed by this appliance, not by whoever made the content */
	uint32_t	expires;	/* here: when the first signature ends, UNIX seconds */
};
struct image_builder;
struct image_builder	*image_builder_new(struct writer *, const uint8_t *apex,
			    const struct image_meta *);
enum ns_err	 image_builder_add(struct image_builder *, const void *zwire, size_t len,
		    struct ns_why *) __attribute__((warn_unused_result));
/* The finished image, or NS_UNAVAILABLE (map full) / NS_CORRUPT.  Destroys the builder either way. */
enum ns_err	 image_builder_end(struct image_builder **, map_off *, struct ns_why *)
		    __attribute__((warn_unused_result));
void		 image_builder_destroy(struct image_builder **);
/* Between two pieces: others may publish and abort before the next one. */
void		 image_builder_pause(struct image_builder *);

/* A new image from an old one: `zwire` holds every RRset of each touched owner, `gone` the names of
 * emptied owners.  In a tree only the blocks on the way are copied; a flat image is built anew.  What
 * is no longer used of the old one is retired here (it stays readable until readers have left), so
 * the caller must not image_retire() it.  On an error the old one stays as it was. */
enum ns_err	 image_edit(struct writer *, map_off old, const struct image_meta *,
		    const void *zwire, size_t len, const void *gone, size_t gone_len, map_off *,
		    struct ns_why *) __attribute__((warn_unused_result));
void		 image_retire(struct writer *, map_off);
/* Every block of it, for adoption: NS_CORRUPT when a checksum or an offset is wrong. */
typedef void image_block_fn(void *arg, map_off block);
enum ns_err	 image_each_block(const struct map_view *, map_off, image_block_fn *, void *arg);

/* SHA-256 over the canonical RRs without RRSIG, NSEC, NSEC3, NSEC3PARAM; of a zone that is
 * signed here without DNSKEY, CDS and CDNSKEY of its apex as well: these are not in its content. */
enum ns_err	 image_digest(const struct map_view *, map_off, uint8_t sha256[32],
		    uint64_t *version) __attribute__((warn_unused_result));
/* The same over a zwire, for the store's side of verify. Feed whole owners in order. */
struct zone_digest;
struct zone_digest	*zone_digest_new(void);
void		 zone_digest_add(struct zone_digest *, const void *zwire, size_t len);
void		 zone_digest_end(struct zone_digest **, uint8_t sha256[32]);

#endif
