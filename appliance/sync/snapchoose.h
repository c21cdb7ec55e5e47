/* snapchoose - replay or snapshot, and how far the log may go.  Pure. */
#ifndef NS_SYNC_SNAPCHOOSE_H
#define NS_SYNC_SNAPCHOOSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/store/state.h"

/* Measured, on both sides together. */
#define SNAP_CHANGE_NS	40000u		/* a change replayed */
#define SNAP_ZONE_NS	50000u		/* a zone in a snapshot */
#define SNAP_OCTET_NS	20u		/* an octet of content in it */
#define SNAP_FACTOR	2u		/* a replay that costs so many times more is not made, */
#define SNAP_LEAST	20000u		/* but for so few changes always */

enum snap_choice { SNAP_REPLAY, SNAP_TAKE, SNAP_CANNOT };
struct snap_place {
	uint64_t	 from, head, begins;	/* what the replica has; the log's end and beginning */
	uint64_t	 zones, octets;		/* of the state */
	bool		 wanted;		/* it says that it cannot go on from there */
	bool		 candidate;		/* about to be promoted: it must have the changes themselves */
};
/* SNAP_CANNOT: a candidate lacks what is not in the log any more. */
enum snap_choice snap_choose(const struct snap_place *);

/* ---- pruning ---- */
/* How much of the log is kept: 90 days or 100,000 changes, whichever is more, at most ten million of
 * them; the last 25 hours in any case, as keys hold 24. */
#define KEEP_CHANGES  100000u
#define KEEP_MOST     10000000u
#define KEEP_MS	      (90ll * 24 * 3600 * 1000)
#define KEEP_FLOOR_MS (25ll * 3600 * 1000)
extern const struct store_retention snap_retention;

/* Somebody who needs the log from `need` on. */
struct snap_need {
	uint64_t need;
	bool	 reachable;
};
/* The lowest of what those need who would replay it, and of `released` + 1. */
uint64_t snap_prune_limit(const struct snap_need *, size_t n, uint64_t head, uint64_t released);

#endif
