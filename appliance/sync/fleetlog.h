/* fleetlog - the log and zones, read for other appliances by a thread with a handle of its own, in pieces
 * that are ready to be sent.  Reads are short: nothing is held open, no edit waits. */
#ifndef NS_SYNC_FLEETLOG_H
#define NS_SYNC_FLEETLOG_H

#include "appliance/fleet/publish.h"
#include "appliance/store/store.h"
#include "appliance/sync/queue.h"
#include "appliance/sync/snapchoose.h"

#define LOG_PIECES 256u		/* of one job */
#define LOG_OCTETS (1u << 20)

/* Pieces of the log from a place on. */
struct log_job {
	struct job	 job;
	char		 name[FLEET_NAME];	/* of the follower; empty: the tail */
	char		 site[FLEET_NAME];	/* of the follower, as the roster has it */
	uint64_t	 session, term;
	bool		 whole;		/* stop at a change of which zones were withheld from us */
	struct cursor	 from;
	uint64_t	 until;		/* no change after this one; 0: as many as there is room for */
	enum ns_err	 err;
	size_t		 count;
	struct piece	 pieces[LOG_PIECES];
};
struct log_job	*log_job_new(struct cursor from, uint64_t term, void (*done)(struct job *, struct sync *));
void	 log_job_destroy(struct log_job **);
/* Its pieces, in the transaction that is open. */
struct residency;
enum ns_err	 log_read(struct log_job *, struct store *, struct residency *);

/* Is that the hash of that change here? */
struct place_job {
	struct job	 job;
	char		 name[FLEET_NAME];
	uint64_t	 session, revision;
	uint8_t		 hash[STORE_HASH];
	uint64_t	 log_term;	/* that the change has where it comes from */
	bool		 ours;
	bool		 wanted, candidate;	/* what the hello said */
	enum snap_choice choice;	/* when it is ours */
	uint64_t	 begins;	/* the log here */
	uint64_t	 here, older;	/* when it is not: fleet/standby.h's rewind_judge() */
};
struct place_job *place_job_new(uint64_t revision, const uint8_t hash[STORE_HASH],
		    void (*done)(struct job *, struct sync *));

/* A change of our own log: where to say hello from, when the newest is not of the winner's history. */
struct point_job {
	struct job	 job;
	uint64_t	 revision, log_term;
	uint8_t		 hash[STORE_HASH];
	enum ns_err	 err;
};
struct point_job *point_job_new(uint64_t revision, void (*done)(struct job *, struct sync *));

/* The digest exchange: a run of zones as this store has them; on the primary compared to what a replica
 * said. */
#define DIGEST_ZONES  256u
#define DIGEST_OCTETS (8u << 20)	/* content read for one message */
#define DIGEST_SENT   (4u << 20)	/* content of zones sent for one message */
struct digest_job {
	struct job	 job;
	char		 name[FLEET_NAME];
	char		 site[FLEET_NAME];	/* of the replica, as the roster has it */
	uint64_t	 session, term;
	Ns__FleetDigest	*said;		/* by the replica; NULL: say what is here */
	uint8_t		 after[255];	/* with said == NULL */
	bool		 from_start, detail;
	uint8_t		 last[255];	/* detail: up to this one, when has_last */
	bool		 has_last;
	bool		 full;		/* there was more than one message may hold */
	Ns__FleetDigest	*found;		/* what is here */
	Ns__FleetDigestReply *reply;	/* of the primary */
	size_t		 nzones;	/* packets of zones that differ */
	struct packet	**zones;
	enum ns_err	 err;
};
struct digest_job *digest_job_new(uint64_t term, void (*done)(struct job *, struct sync *));
void	 digest_job_destroy(struct digest_job **);

#endif
