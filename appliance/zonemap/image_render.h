/* image_render - the RRsets of an owner as a node (image_format.h), for the builders.
 *
 * Runs in the signer and in tests.  Pure: from zwire sets to octets in a wbuf. */
#ifndef NS_ZONEMAP_IMAGE_RENDER_H
#define NS_ZONEMAP_IMAGE_RENDER_H

#include "appliance/dns/zwire.h"

/* The number of the node (from 0) that gives a lower-case name its addresses, or -1. */
typedef int render_target_fn(void *arg, const uint8_t *lname, bool is_ns);

struct render {
	const uint8_t		*apex;
	size_t			 apex_len;
	render_target_fn	*target;	/* NULL: adds are looked up when they are served */
	void			*arg;
};
/* An owner: its sets are those of sets[0..n), in zwire order. */
struct render_owner {
	const uint8_t		*key;
	size_t			 keylen;
	uint8_t			 flags;		/* enum node_flag */
	const struct rrset	*sets;
	unsigned		 n;
};

/* Append the node, padded to 4 octets; 4-aligned when out was.  NS_INVALID: it cannot be served. */
enum ns_err	 render_node(const struct render *, const struct render_owner *, struct wbuf *out,
		    struct ns_why *) __attribute__((warn_unused_result));

#endif
