/* window - changes that are taken back unless they are confirmed in time (commit --confirm-within).
 *
 * A window opens with its change and ends with another one: confirmed, reverted by hand, or expired, when
 * the primary commits the inverse of that change's RRsets.  Meanwhile nobody else changes those RRsets.
 * All of it is in changes, so every appliance has the same windows (apply.c); each counts the remaining time
 * on its own monotonic clock, saves it every few seconds, and goes on from there after a restart; whoever is
 * primary when it ends acts (windows.h).  Writer and reader threads. */
#ifndef NS_SYNC_WINDOW_H
#define NS_SYNC_WINDOW_H

#include "appliance/sync/batch.h"
#include "appliance/sync/diff.h"
#include "appliance/sync/request.h"

#define WINDOWS_MAX	 64u			/* open at once */
#define WINDOW_MIN_MS	 1000u
#define WINDOW_MAX_MS	 (24u * 3600u * 1000u)

/* NS_CONFLICT when the difference (NULL: all of the zone) touches an RRset of an open window but that of
 * `except`.  `r` (may be NULL) gets the change's number in its conflict. */
enum ns_err	 window_check(struct store *, const struct store_zone *, const struct diff *,
		    uint64_t except, struct request *, struct ns_why *)
		    __attribute__((warn_unused_result));
/* May one of so many milliseconds be opened? */
enum ns_err	 window_may_open(struct store *, uint64_t ms, struct ns_why *)
		    __attribute__((warn_unused_result));
/* All that are open, as they are in the store. */
enum ns_err	 window_list(struct store *, struct window_list *);

/* Handlers: of the table in control.c, and of the loop's own requests (windows.c). */
enum ns_err	 confirm_write(struct request *, struct batch *);
enum ns_err	 window_save_write(struct request *, struct batch *);

#endif
