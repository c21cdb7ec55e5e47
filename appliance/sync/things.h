/* things - settings and objects compared between two stores: the digest exchange for what is no zone.
 *
 * A replica says what it holds in a run of them, as one digest; the primary answers with nothing, asks for them
 * one by one (detail), or sends those that differ.  The log reader's thread; the loop's side is fleetthings.c. */
#ifndef NS_SYNC_THINGS_H
#define NS_SYNC_THINGS_H

#include "appliance/fleet/socket.h"
#include "appliance/store/store.h"
#include "appliance/sync/queue.h"
#include "appliance/sync/residency.h"

#define THINGS_RUN	512u		/* in one message; who compares looks at twice as many */
#define THINGS_OCTETS	(4u << 20)	/* bodies read for one message */
#define THINGS_SENT	(2u << 20)	/* bodies sent for one message */

/* Order: settings (kind ""), then objects by kind and name. */
struct thing_key {
	char kind[sizeof((struct store_object *)0)->kind], name[sizeof((struct store_object *)0)->name];
};
/* false: none has such a name. */
bool	 thing_key_read(struct thing_key *, const char *kind, const char *name);
int	 thing_key_cmp(const struct thing_key *, const struct thing_key *);
/* Must the replica get it anew?  a: the primary's at its revision, b: the replica's at its; NULL: there is none.
 * Settings have no versions: they are compared where both are at one revision. */
bool	 thing_differs(const Ns__FleetThings__Entry *a, uint64_t at_a, const Ns__FleetThings__Entry *b,
	    uint64_t at_b);

struct things_job {
	struct job	 job;
	char		 name[FLEET_NAME];	/* of the replica */
	char		 site[FLEET_NAME];	/* of it, as the roster has it */
	struct residency *residency;		/* while the primary compares: what it may have */
	uint64_t	 session, term;
	Ns__FleetThings	*said;		/* by the replica; NULL: say what is here */
	struct thing_key after, last;	/* last: when has_last */
	bool		 detail, has_last;
	bool		 full;		/* there was more than one message may hold */
	Ns__FleetThings	*found;		/* what is here */
	Ns__FleetThingsReply *reply;	/* of the primary */
	size_t		 count;		/* packets of what differs */
	struct packet	**packets;
	enum ns_err	 err;
};
struct things_job *things_job_new(uint64_t term, void (*done)(struct job *, struct sync *));
void	 things_job_destroy(struct things_job **);

#endif
