/* snappub - the primary's side of snapshots: which files there are, who is offered one, and its pieces.  Loop, with a
 * thread of its own that writes them. */
#ifndef NS_SYNC_SNAPPUB_H
#define NS_SYNC_SNAPPUB_H

#include "appliance/sync/fleet.h"
#include "appliance/sync/snapchoose.h"
#include "appliance/sync/snapfile.h"

#define SNAP_FILES   4u			/* one for each view that somebody asks for */
#define SNAP_ASKED   16u		/* pieces on their way to one replica: the 4 MiB of the window */
#define SNAP_IDLE_NS 600000000000ull	/* nobody asked for so long: it goes */
/* So long after it was asked for, whoever has it needs the log from there; after that there is more than enough of
 * it (KEEP_CHANGES), or another snapshot. */
#define SNAP_NEED_NS 2000000000ull
#define SNAP_AGAIN_NS 10000000000ull	/* after one that could not be made */

/* Before the sandbox: what earlier processes left, as either side. */
void	 snap_sweep(const char *data);
void	 snaps_start(struct sync *);
void	 snaps_stop(struct sync *);
void	 snaps_tick(struct sync *, uint64_t now_ns);
/* Instead of a welcome. */
void	 snaps_due(struct sync *, struct follower *);
void	 snaps_ask(struct sync *, struct follower *, const Ns__FleetSnapshotAsk *);
/* What replicas need that have taken one; how many were filled in: at most SNAP_FILES. */
size_t	 snaps_needs(const struct sync *, uint64_t now_ns, struct snap_need *);

/* ---- the replica's side: snaprep.c ---- */
void	 snaprep_offer(struct sync *, const Ns__FleetSnapshot *);
void	 snaprep_piece(struct sync *, const Ns__FleetSnapshotPiece *);
void	 snaprep_link(struct sync *);		/* it broke: what was asked for does not come */
void	 snaprep_tick(struct sync *, uint64_t now_ns);
/* For status; NULL: there is none. */
Ns__SnapshotState *snaprep_status(const struct sync *);
/* The directory of both; the name of a file that is not whole yet. */
#define SNAP_DIR  "snapshots"
#define SNAP_PART ".part"

#endif
