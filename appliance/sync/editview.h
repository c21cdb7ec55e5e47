/* editview - a zone as operations leave it, before anything is written: what they touched, over what was
 * there.  Pure; any thread.  The edit and the view below stay where they are while it is used. */
#ifndef NS_SYNC_EDITVIEW_H
#define NS_SYNC_EDITVIEW_H

#include "appliance/sync/edit.h"

struct edit_view {
	struct zone_view zone;
	const struct edit *e;
	const struct zone_view *below;
	uint8_t		 cursor[255];
};
void	 edit_view_init(struct edit_view *, const struct edit *, const struct zone_view *below);

#endif
