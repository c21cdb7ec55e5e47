/* fleetrep - what the files of the replica's side share.  Loop only.
 *
 *   fleetrep.c   where we are: hello, links, terms, a history that lost; what the primary says, by kind
 *   fleetjoin.c  enrolment             fleettake.c   changes and receipts
 *   fleetzones.c zones that differ     fleetthings.c settings and objects that differ */
#ifndef NS_SYNC_FLEETREP_H
#define NS_SYNC_FLEETREP_H

#include "appliance/sync/fleet.h"

/* Why nothing goes on, for status; "": it does. */
void	 rep_trouble(struct sync *, const char *text);
void	 rep_dial(struct sync *);
/* Where we are, and that we want what follows. */
void	 rep_say_hello(struct sync *);
/* Back to what is stored, and ask from there. */
void	 rep_start_over(struct sync *);

/* ---- fleetjoin.c ---- */
void	 rep_say_enrol(struct sync *);
void	 rep_enrolled(struct sync *, uint64_t term, const Ns__FleetEnrolled *);

/* ---- fleettake.c ---- */
void	 rep_change(struct sync *, const struct fleet_from *, const Ns__FleetChange *);
void	 rep_say_receipt(struct sync *);
void	 rep_queue_drop(struct rep *);	/* what came and is not being adopted yet */
/* So many zones went that may not be here: a signer that comes gets all anew. */
void	 rep_withheld(struct sync *, unsigned zones);

/* ---- fleetzones.c ---- */
void	 zones_take(struct sync *, const Ns__FleetZone *);
void	 zones_answer(struct sync *, const Ns__FleetDigestReply *);
void	 rep_things_ended(struct rep *, bool last);	/* a run of settings and objects was compared */
void	 rep_compare_tick(struct sync *, uint64_t now_ns);

#endif
