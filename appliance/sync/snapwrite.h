/* snapwrite - the state of the store as a file for replicas of a site (SNAPSHOT.md).  The snapshot thread of the primary. */
#ifndef NS_SYNC_SNAPWRITE_H
#define NS_SYNC_SNAPWRITE_H

#include <stdatomic.h>

#include "appliance/fleet/roster.h"
#include "appliance/store/store.h"
#include "appliance/sync/residency.h"
#include "appliance/sync/snapfile.h"

#define SNAP_TAIL	1000u		/* of the newest changes, so that there is something to go back to */
#define SNAP_KEYS_MS	(24 * 3600 * 1000LL)	/* idempotency keys that still hold */
#define SNAP_MAKING	"making"	/* the file while it is written */
#define SNAP_NAME	(2 * SNAP_DIGEST + 1)	/* of the file: its digest in hexadecimal */

struct snap_made {
	char		 name[SNAP_NAME];
	uint8_t		 digest[SNAP_DIGEST], view[SNAP_DIGEST];
	uint8_t		 hash[STORE_HASH];	/* of change `revision` */
	char		 site[FLEET_NAME];
	uint64_t	 octets, revision, zones;
	int64_t		 made_ms;
};

/* What may not be held at that site, as a digest: a file is right for a site while this is the same. */
enum ns_err	 snap_view(struct store *, const struct residency *, const char *site,
		    uint8_t out[SNAP_DIGEST]);
/* Into `dir`, under its name when it is whole.  In a read transaction of its own; *stop ends it early. */
enum ns_err	 snap_write(struct store *, const char *dir, const char *site, uint64_t term,
		    const atomic_bool *stop, struct snap_made *, struct ns_why *)
		    __attribute__((warn_unused_result));
/* What the head of that file says; NS_CORRUPT.  Its digest is not looked at: whoever gets it does. */
enum ns_err	 snap_made_read(const char *dir, const char *name, struct snap_made *);
void	 snap_hex(const uint8_t digest[SNAP_DIGEST], char out[SNAP_NAME]);

#endif
