/* trash - zones that go and come back as a whole, as part of a change.
 *
 * A deleted zone leaves a tombstone; its content is in the log, in the change that deleted it.  For TRASH_MS it
 * can be brought back, with the id it had (so its history goes on) and a new serial.  Writer thread; the list is
 * a reader's. */
#ifndef NS_SYNC_TRASH_H
#define NS_SYNC_TRASH_H

#include "appliance/sync/batch.h"
#include "appliance/sync/change.h"
#include "appliance/sync/inverse.h"

/* Content of zones that come back: the change borrows it. */
struct trash_zone {
	struct trash_zone *next;
	struct wbuf	 zwire;
};
void	 trash_free(struct trash_zone **);

/* The zone goes, as a part of the change; one that cannot be read goes too, without a way back. */
enum ns_err	 trash_put(struct store *, struct change *, const struct store_zone *, struct ns_why *);
/* The zone that was deleted so, in that change, comes back as a part of this one. */
enum ns_err	 trash_take(struct batch *, struct change *, struct trash_zone **,
		    const Ns__ChangeBody__Zone *deleted, const struct store_change *row,
		    struct ns_why *);

#endif
