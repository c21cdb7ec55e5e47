/* retention - the log's old end goes, step by step (SNAPSHOT.md).  Loop, with jobs for the writer. */
#ifndef NS_SYNC_RETENTION_H
#define NS_SYNC_RETENTION_H

#include <stdint.h>

#include "appliance/store/state.h"

struct sync;

#define PRUNE_STEP     500u		/* changes in one transaction: some milliseconds */
#define PRUNE_PACE_NS  100000000ull	/* between two steps */
#define PRUNE_LOOK_NS  60000000000ull	/* between two looks, when there is nothing to do */

void	 retention_tick(struct sync *, uint64_t now_ns);
/* How much is kept: of a test build, what the test says. */
const struct store_retention *sync_retention(void);

#endif
