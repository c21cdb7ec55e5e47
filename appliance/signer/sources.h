/* sources - where signatures that exist come from while a zone is signed: the image that is served, at the start the
 * file; and where those that are made go. */
#ifndef NS_SIGNER_SOURCES_H
#define NS_SIGNER_SOURCES_H

#include "appliance/signer/compiler.h"
#include "appliance/signer/signed.h"

struct sources {
	struct compiler		*compiler;
	const struct compile_zone *how;
	struct map_view		 view;
	struct signed_image	 image;
	bool			 cold;		/* no image that was signed here, or it does not count */
	struct sigzone		*zone;		/* NULL: there is no file */
};

void	 sources_open(struct sources *, struct compiler *, const struct compile_zone *);
void	 sources_close(struct sources *);
/* how->old is another image, of the same content. */
void	 sources_moved(struct sources *);
/* How a zone is signed with them, good while they and the zone stay where they are. */
struct zonesign	 sources_how(struct sources *, const struct compile_zone *);
/* What was made is part of what will be served. */
void	 sources_keep(struct sources *);

#endif
