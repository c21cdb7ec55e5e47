/* signed - the signatures that an image holds, found by what they sign: for zonesign's `have`. */
#ifndef NS_SIGNER_SIGNED_H
#define NS_SIGNER_SIGNED_H

#include "appliance/signer/zonesign.h"
#include "appliance/zonemap/image_read.h"

struct signed_image {
	struct image_ref ref;
	struct wbuf	 owner;		/* zwire of the one that was asked for last */
	uint8_t		 name[NAME_MAX_WIRE];
};

/* False: there is no such image, or it is broken; signed_find() then finds nothing. */
bool	 signed_open(struct signed_image *, const struct map_view *, map_off);
void	 signed_close(struct signed_image *);
/* A zonesign_have_fn over a struct signed_image. */
size_t	 signed_find(void *, const struct rrset *, const struct zone_key *, uint8_t out[RRSIG_MAX]);

/* A zonesign_had_fn. */
void	 signed_emissions(void *, const uint8_t *owner, uint16_t covers, struct rrset *);

/* The records of that owner's sets as zwire; empty when it is not there.  Good until the next call. */
const struct wbuf *signed_owner(struct signed_image *, const uint8_t *name);

#endif
