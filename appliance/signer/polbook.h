/* polbook - which owners of large zones that are signed here have policies or ALIASes.
 *
 * A flip signs these anew, and by NSEC3 an edit signs those whose denial it changes: the NSEC3 of such an owner stands
 * in its own tables too, and no hash leads back to a name.  Finding them takes a walk over the image, so what a walk
 * found is kept, and edits are noted in it.  It holds for one image of the zone: who makes one by other means than
 * image_edit() has it forgotten. */
#ifndef NS_SIGNER_POLBOOK_H
#define NS_SIGNER_POLBOOK_H

#include "appliance/zonemap/image_read.h"
#include "appliance/zonemap/nsec3_chain.h"

#define POLBOOK_ZONES 64u		/* that are known at a time; others are walked over again */

struct polbook;
struct pol_owner {
	uint8_t		*key;		/* image_key.h */
	size_t		 keylen;
	uint8_t		 label[NSEC3_LABEL];	/* of its NSEC3 */
};
struct pol_owners {
	struct pol_owner *owner;	/* in order of keys */
	size_t		 n, cap;
};

struct polbook	*polbook_new(void);
void	 polbook_destroy(struct polbook **);
/* Those of the zone whose image is at that place; good until the next call.  NULL: the image is broken. */
const struct pol_owners	*polbook_owners(struct polbook *, const struct map_view *, map_off image);
/* image_edit() made `to` of `from` with these whole owners and emptied names. */
void	 polbook_edited(struct polbook *, const uint8_t *apex, map_off from, map_off to, const void *zwire,
	    size_t len, const void *gone, size_t gone_len);
void	 polbook_forget(struct polbook *, const uint8_t *apex);

#endif
