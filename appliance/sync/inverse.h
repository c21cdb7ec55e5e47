/* inverse - changes made of the log: the opposite of a change, a zone at an earlier serial, a deleted zone
 * back from the trash.  Each is a new change, or operations for a draft of one; serials only move forward.
 * Writer and reader threads. */
#ifndef NS_SYNC_INVERSE_H
#define NS_SYNC_INVERSE_H

#include "appliance/store/store.h"
#include "appliance/sync/request.h"

/* How long a deleted zone can be brought back.  Its content is that of the log; nothing has to be purged. */
#define TRASH_MS (30ll * 24 * 3600 * 1000)

/* Handlers of the table in control.c. */
enum ns_err	 revert_write(struct request *, struct batch *);
enum ns_err	 rewind_write(struct request *, struct batch *);
enum ns_err	 zone_restore_write(struct request *, struct batch *);
enum ns_err	 trash_list_read(struct request *, struct store *);
/* Of the loop's own request: a window that has ended (windows.c). */
enum ns_err	 expire_write(struct request *, struct batch *);

/* The newest deletion of that name that can be taken back at this time; NS_NOTFOUND. */
enum ns_err	 trash_find(struct store *, const uint8_t *name, int64_t now_ms, struct store_zone *);

#endif
