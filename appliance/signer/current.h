/* current - is an image what these keys would make of its content? */
#ifndef NS_SIGNER_CURRENT_H
#define NS_SIGNER_CURRENT_H

#include "appliance/signer/signed.h"

/* Made with these keys (NULL: with none), nothing of it due at `now`, and no policy in it. */
bool	 current_is(struct signed_image *, const struct zone_keys *, uint32_t now);
/* Made with these keys, at whatever time. */
bool	 current_is_by(struct signed_image *, const struct zone_keys *);
/* A tree made with these keys: an edit may sign a part of it (resign.h). */
bool	 current_may_resign(struct signed_image *, const struct zone_keys *);
/* A signature of it is. */
bool	 current_is_due(const struct signed_image *, uint32_t now);

#endif
