/* resign - an edit of a large zone that is signed here: only what it touches is signed, and the neighbours in the chain
 * whose next name is another; by NSEC3 the empty non-terminals above come and go with it (RFC 5155 7.1).
 *
 * For images that are trees (image.h): the work goes with the edit, not with the zone.  What it gives goes into
 * image_edit(); resign_check() then looks at the new image with other eyes.  Some edits are the whole zone's business
 * and are left to it: another negative TTL, a delegation or DNAME that appears above names or goes. */
#ifndef NS_SIGNER_RESIGN_H
#define NS_SIGNER_RESIGN_H

#include "appliance/signer/content.h"
#include "appliance/signer/polbook.h"
#include "appliance/signer/signed.h"

enum resigned {
	RESIGNED,
	RESIGN_WHOLE,			/* sign all of the zone instead */
	RESIGN_REFUSED,			/* the edit has what cannot be signed: so says the whole zone, in words */
};

/* `out` gets whole owners with their signatures and `gone` the names that are emptied, the edit's and those that leave
 * the chain: to be edited in.  The image's owners with policies or ALIASes are the caller's to know. */
enum resigned	 resign_edit(const struct zonesign *, struct signed_image *old, const struct pol_owners *,
		    const struct content_edit *, struct wbuf *out, struct wbuf *gone,
		    struct zonesign_done *);
/* The content of these owners, for resign_edit() when health is another.  False: broken. */
bool		 resign_policies(const struct image_ref *, const struct pol_owners *,
		    struct wbuf *content);
/* Does the chain lead to each owner of `zwire` that belongs to it, and on from there, past those that are `gone`? */
bool		 resign_check(const struct image_ref *, const void *zwire, size_t len, const void *gone,
		    size_t gone_len);

#endif
