/* change - one committed transaction as the log keeps it: header, body, the ids it touched.
 *
 * Filled by the writer thread while it works on a request or a run of imported zones; change_end()
 * packs the body and appends it.  It takes over the diffs it is given. */
#ifndef NS_SYNC_CHANGE_H
#define NS_SYNC_CHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/store/store.h"
#include "appliance/sync/authz.h"
#include "appliance/sync/diff.h"
#include "ipc/nameserve.pb-c.h"

struct batch;

struct change_zone {
	Ns__ChangeBody__Zone msg;
	struct diff	 diff;		/* freed with the change */
	uint8_t		 name[255];
};

struct change {
	struct store_change row;
	struct change_zone **zones;
	size_t		 count, room;
	size_t		 bytes;		/* of data in the body so far */
	Ns__ChangeBody	 body;		/* settings and the like: borrowed by their setter; zones come at the end */
};

/* Who made it, and by which way he came. */
void	 change_by(struct store_change *, const struct caller *);
void	 change_begin(struct change *, const struct caller *, const char *kind, const char *comment,
	    int64_t now_ms, uint64_t term);
/* A zone that it touches. The diff is taken over (its buffers are the change's from now on). */
struct change_zone	*change_zone(struct change *, Ns__ChangeBody__Zone__Kind,
			    const struct store_zone *before, struct diff *);
/* Whole content that somebody else owns until change_end(). */
void	 change_zone_added(struct change *, struct change_zone *, const void *zwire, size_t len,
	    uint64_t records);
/* Append it; what it did to the store is done already. */
enum ns_err	 change_end(struct change *, struct store *, struct ns_why *);
/* Append it and do what it says (apply.h). */
enum ns_err	 change_commit(struct change *, struct batch *, struct ns_why *);
void	 change_free(struct change *);
/* May its body name objects, or the cookie secret?  Only keys and sites of a zone are set together with a zone, so that
 * who looks for an object's earlier word reads no zone's edits and imports, which may be megabytes. */
bool	 change_may_name_objects(const struct store_change *);
/* Header and body of a change in the log; NULL: there is none, or it cannot be read. */
Ns__ChangeBody	*change_body_load(struct store *, uint64_t revision, struct store_change *row);
/* Why there is none: it was pruned, or never was. */
enum ns_err	 change_missing(struct store *, uint64_t revision, struct ns_why *);

#endif
