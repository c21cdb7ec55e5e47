/* image_build - what the builder's files share: an image in the making.
 *
 * A builder collects the zone's zwire while it may still become a flat image; past that it turns
 * the owners into leaves as they come.  Not part of the API (image.h is). */
#ifndef NS_ZONEMAP_IMAGE_BUILD_H
#define NS_ZONEMAP_IMAGE_BUILD_H

#include "appliance/dns/zwire.h"
#include "appliance/zonemap/image.h"
#include "appliance/zonemap/image_format.h"
#include "appliance/zonemap/image_key.h"
#include "appliance/zonemap/image_render.h"
#include "appliance/zonemap/nsec3_chain.h"

#define CODE_IMAGE_ZONE	3202
#define CODE_IMAGE_FULL	3203
#define CODE_IMAGE_EDIT	3204
#define CODE_IMAGE_BROKEN 3205

/* A growing list of blocks that were made, or that are to be retired. */
struct block_list {
	map_off	*off;
	size_t	 n, cap;
};
void	 block_list_add(struct block_list *, map_off);
void	 block_list_retire(struct block_list *, struct writer *);	/* and frees the list */
void	 block_list_free(struct block_list *);

/* What is known of a zone while its nodes pass by. */
struct zone_facts {
	uint32_t	neg_ttl;
	uint32_t	ends;		/* when the first signature does; 0: there is none */
	uint32_t	begins;		/* when the last one does */
	bool		has_dnskey;
	bool		has_soa, has_nsec, is_signed, has_policy, has_alias;
	struct nsec3_chain chain;	/* used: NSEC3 goes before NSEC (RFC 5155 10.4, 10.5) */
};
/* Flags of an owner by its own sets; notes SOA, NSEC and NSEC3PARAM of the apex, and when signatures end. */
uint8_t	 owner_flags(const struct render_owner *, struct zone_facts *);
/* Does it belong into the NSEC list?  Once the apex has been noted. */
bool	 owner_proves(const struct render_owner *, const struct zone_facts *);

/* ---- tree_writer: nodes in order into leaves, leaves into inner blocks (image_tree.c) ---- */
struct tree_entry {
	uint8_t	*key;			/* owned */
	uint16_t keylen;
	map_off	 off;			/* with INNER_NSEC */
};
struct tree_level {
	struct tree_entry	*entry;
	size_t			 n, cap;
};
struct tree_writer {
	struct writer		*w;
	struct block_list	 made;
	struct tree_level	 leaves;	/* finished */
	struct wbuf		 nodes;		/* of the leaf in the making */
	uint32_t		*start;		/* its nodes' offsets in `nodes` */
	bool			*nsec;
	size_t			 count, cap;
	bool			 full;		/* the map is */
};
void	 tree_writer_begin(struct tree_writer *, struct writer *);
void	 tree_writer_free(struct tree_writer *);
/* Append one rendered node (as render_node() wrote it); order is the caller's. */
void	 tree_writer_node(struct tree_writer *, const uint8_t *node, size_t len, bool nsec);
size_t	 tree_writer_pending(const struct tree_writer *);
void	 tree_writer_flush(struct tree_writer *);
/* One level of inner blocks over `in`; takes the entries. */
void	 tree_level_up(struct tree_writer *, struct tree_level *in, unsigned level,
	    struct tree_level *out);
void	 tree_level_add(struct tree_level *, const uint8_t *key, size_t keylen, map_off);
void	 tree_level_free(struct tree_level *);
/* Root block over one tree. */
map_off	 tree_root(struct tree_writer *, const uint8_t *apex, const struct image_meta *,
	    const struct zone_facts *, map_off tree, unsigned height);

/* ---- flat (image_flat.c): NS_UNAVAILABLE when the map is full; *off stays 0 and NS_OK when the
 * zone does not fit the form and must become a tree. ---- */
enum ns_err	 flat_build(struct writer *, const uint8_t *apex, const struct image_meta *,
		    const uint8_t *zwire, size_t len, map_off *off, struct ns_why *);

/* Fill the head of an image; returns the octets up to the end of the apex. */
size_t	 image_head_fill(struct image *, const uint8_t *apex, const struct image_meta *,
	    const struct zone_facts *);

#endif
