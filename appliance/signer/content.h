/* content - what was committed of a zone that is signed here: out of its image, and with an edit in it. */
#ifndef NS_SIGNER_CONTENT_H
#define NS_SIGNER_CONTENT_H

#include "appliance/zonemap/image_read.h"

/* The image's owners without what signing made, appended.  False: the image is broken. */
bool	 content_of_image(const struct image_ref *, struct wbuf *out);
/* The same with an edit: `zwire` holds every set of each touched owner, `gone` the names of emptied ones.
 * NS_CORRUPT: one of them breaks its form. */
enum ns_err	 content_change(const void *content, size_t len, const void *zwire, size_t zwire_len,
		    const void *gone, size_t gone_len, struct wbuf *out, struct ns_why *)
		    __attribute__((warn_unused_result));

#endif
