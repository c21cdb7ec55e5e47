/* zoneplan - what a change would make of one zone: read from the store, checked by all rules, written
 * nowhere.  `plan` shows it, `commit` writes it (apply.h).
 *
 * begin, then operations on `edit` over `below.zone` (edit_apply, edit_put), then end.  Does not move in
 * memory between begin and free.  Writer or reader thread. */
#ifndef NS_SYNC_ZONEPLAN_H
#define NS_SYNC_ZONEPLAN_H

#include "appliance/sync/edit.h"
#include "appliance/sync/editop.h"
#include "appliance/sync/storeview.h"

struct zoneplan {
	struct store_zone z;		/* as it is now */
	struct store_view below;
	struct edit	 edit;
	struct diff	 diff;		/* empty: nothing changes */
	uint64_t	 touched;	/* records of today that go or change; a mere new serial is none */
};

/* NS_NOTFOUND; NS_INVALID for a zone that is served untouched. */
enum ns_err	 zoneplan_begin(struct zoneplan *, struct store *, const uint8_t *apex,
		    struct ns_why *) __attribute__((warn_unused_result));
/* Serial, rules, difference. */
enum ns_err	 zoneplan_end(struct zoneplan *, int64_t now_ms, zonecheck_warn_fn *, void *warn_arg,
		    struct ns_why *) __attribute__((warn_unused_result));
void	 zoneplan_free(struct zoneplan *);

/* Is the edit's base the zone's version? */
bool	 zoneplan_stale(const struct zoneplan *, const struct edit_zone *);
enum ns_err	 zoneplan_ops(struct zoneplan *, const struct edit_zone *, struct ns_why *)
		    __attribute__((warn_unused_result));

#endif
