/* gate - between COMMIT and everybody who is told of it.  Loop only.
 *
 * With a standby a batch waits here until the standby has stored it; then the signer gets it, other
 * appliances get it, and whoever asked for it hears so.  Batches wait in order and any number of
 * them are on their way at once, so a standby costs a round trip, not throughput.  When nothing may be
 * acknowledged (fleet/standby.h says why) edits are refused before they are committed; what was committed
 * already is answered "outcome unknown", and told to all when the standby is back.  The store remembers how far
 * changes were let through (released.h): after a restart what is beyond waits on, and zones are served as they
 * were before it (asof.h); so does a primary that has become a replica, until the new one's history goes on from it
 * or takes it back. */
#ifndef NS_SYNC_GATE_H
#define NS_SYNC_GATE_H

#include "appliance/fleet/standby.h"
#include "appliance/sync/request.h"
#include "appliance/sync/sync.h"

struct batch;

#define GATE_HOLD_NS 10000000000ull /* how long another appliance may take to be promoted */
#define GATE_HEAR_NS 2000000000ull  /* a primary that restarts: so long for others to say that it is none any more */

struct gate *gate_new(void);
void gate_stop(struct sync *); /* nobody is told */

/* Takes the batch; ends in sync_release(), now or later. */
void gate_batch(struct sync *, struct batch *);
/* The standby, or who it is, or what is known of others has changed. */
void gate_pump(struct sync *);
void gate_tick(struct sync *, uint64_t now_ns);
/* The store is open: what it has beyond what was released waits, and nobody is there to be answered. */
void gate_begin(struct sync *);
/* The map holds that change: it was released, whatever the store says. */
void gate_served(struct sync *, uint64_t revision);

/* Another one was heard that takes us for the primary.  The first one may not know yet of a promotion that happened
 * while we were away: edits wait for the others too, GATE_HEAR_NS at most.  `enough`: no need to. */
void gate_heard(struct sync *, bool enough);

/* There are other appliances in the fleet. */
bool gate_others(const struct sync *);
/* Newest change that all may know of. */
uint64_t gate_released(const struct sync *);
/* What the signer may be told from the store; UINT64_MAX: all that is there. */
uint64_t gate_fed(const struct sync *);
enum gate_state gate_state(const struct sync *);
/* NS_UNAVAILABLE with the reason: a new edit could not be acknowledged. */
enum ns_err gate_refuses(const struct sync *, struct ns_why *);

#endif
