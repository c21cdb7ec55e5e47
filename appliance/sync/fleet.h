/* fleet - this appliance among others: the fleet port, whom it follows, who follows it.  Loop only.
 *
 * The sockets are the loop's, not a thread's of their own: what fleet messages touch (head, receipts,
 * waiting requests) is the loop's, and the cryptography is done in libzmq's second I/O thread.  The store
 * is reached through the log reader (fleetlog.h) and the writer (adopt.h).
 *   fleet.c      sockets, allow-list, who said what      fleetpub.c    the primary's side
 *   fleetrep.h   the replica's side, in three files      forward.c     edits at a replica
 *   fleetcmd.c   invite, list, remove                    fleetlog.c    the log and zones, read for others
 *   fleetdoor.c  strangers at the port                   votes.c       votes on checks, carried
 *   fleetdrain.c drain, undrain                          fleetroll.c   roll-key, our own keys
 *   memberjob.c  what the primary changes of a member    fleetserved.c who serves a change
 *   fleetzones.c zones that differ                       fleetthings.c settings and objects that differ */
#ifndef NS_SYNC_FLEET_H
#define NS_SYNC_FLEET_H

#include "appliance/fleet/follow.h"
#include "appliance/fleet/publish.h"
#include "appliance/fleet/roll.h"
#include "appliance/fleet/standby.h"
#include "appliance/fleet/token.h"
#include "appliance/store/store.h"
#include "appliance/sync/members.h"
#include "appliance/sync/request.h"
#include "appliance/sync/sync.h"
#include "appliance/sync/things.h"
#include "ipc/base/log.h"

struct writer_opened;
struct batch;
struct repair_job;
struct fleet_door;

#define FLEET_TICK_MS	 250
#define FLEET_LOST_NS	 2000000000ull	/* no word of the primary for so long: not reachable */
#define FLEET_REDIAL_NS 5000000000ull	/* libzmq does not try again after a refused handshake */
#define FLEET_QUIET_NS	2000000000ull	/* so long a new connection waits for requests under way */
#define FLEET_REFUSED_NS 30000000000ull	/* after a refusal that asking again does not mend */
/* Before hello or enrolment is said again on a link that is up; twice as long each time, up to 16 s: each makes a
 * primary that is too busy to answer begin anew. */
#define FLEET_AGAIN_NS	 1000000000ull
#define FLEET_AGAIN_MOST 4u

/* ---- the primary's side ---- */
struct pub {
	struct follower	 followers[FLEET_MEMBERS];
	size_t		 count;
	struct ring	 ring;
	struct cursor	 tail;		/* newest piece that is or was in the ring ends here */
	bool		 reading;	/* the tail */
};

/* ---- the replica's side ---- */
enum rep_state { REP_OFF, REP_ENROL, REP_HELLO, REP_FOLLOW, REP_REWIND, REP_SNAPSHOT, REP_REFUSED };
/* A snapshot on its way here (snaprep.c). */
enum snap_step { SNAP_NONE, SNAP_MADE, SNAP_OPENS, SNAP_COMES, SNAP_ADOPTS };
struct snap_coming {
	enum snap_step	 step;
	uint8_t		 digest[32];	/* of the file; and … */
	char		 path[320];
	uint64_t	 octets, revision;
	uint64_t	 asked, taken, stored;	/* up to there; stored: in the file */
	uint64_t	 heard_ns;	/* the last piece of it */
	uint64_t	 count;		/* files begun: jobs of another one are of no use */
	unsigned	 refused;	/* so many in a row */
	bool		 wanted;	/* replaying does not do */
	bool		 surplus;	/* what is here after `common` is not of the primary's history */
	uint64_t	 common;
};
struct rep {
	enum rep_state	 state;
	struct token	 token;		/* while it enrols */
	struct follow	 follow;
	uint8_t		 hash[STORE_HASH];	/* of change follow.taken */
	uint8_t		 stored_hash[STORE_HASH];
	uint64_t	 log_term;	/* of that change */
	bool		 candidate;	/* fetches from whoever has more, to be promoted */
	bool		 misled;	/* whom we follow says that it is a replica, too */
	struct followed	*queue, **queue_end;
	bool		 applying;
	uint64_t	 octets, messages;	/* taken since hello */
	uint64_t	 acked_octets, acked_messages;
	uint64_t	 adopting_octets, adopting_messages, adopting_hello;	/* of what is being applied */
	uint64_t	 hellos;	/* counts begun */
	bool		 up;		/* the link */
	uint64_t	 dialed_ns;
	uint8_t		 dialed_own[FLEET_KEY], dialed_server[FLEET_KEY];	/* with these public keys */
	uint8_t		 best_own[FLEET_KEY], best_server[FLEET_KEY];	/* the likeliest to be right, */
	bool		 best_tried;	/* since it is, or since the link broke */
	uint64_t	 best_ns;	/* when it became that */
	unsigned	 dials;		/* since the link broke */
	uint64_t	 paused_ns;	/* since when requests wait for the link to be made anew; 0: they do not */
	uint64_t	 said_ns;	/* hello or enrolment; */
	unsigned	 unheard;	/* so often without an answer */
	uint64_t	 heard_ns;	/* the primary's last word */
	bool		 heard;
	uint64_t	 head;		/* the primary's, in its last beat */
	uint64_t	 behind_ns;	/* since when ours is less */
	int64_t		 stored_at_ms, served_at_ms;	/* of our newest; also at the primary */
	uint64_t	 receipt_ns;
	Ns__FleetBeat	*beat;		/* the last one */
	uint64_t	 beat_ns, beat_term;
	struct repair_job *zone;	/* being put together */
	uint64_t	 repaired;	/* zones, settings and objects, since the start; */
	char		 repaired_last[300];	/* the last one */
	/* The digest exchange: where it is, and what waits for an answer. */
	uint8_t		 digest_after[255];
	bool		 digest_begun, digest_out;
	struct thing_key things_after;
	bool		 things_due;	/* the zones are done, in this round */
	uint64_t	 digest_ns, rounds, digest_differ;
	bool		 digest_rest;	/* the last round found nothing */
	bool		 digest_again;	/* what this round has seen may be older than what is known to differ */
	struct snap_coming snap;
	char		 trouble[256];	/* why nothing goes on, for status */
	uint64_t	 gaps;
};

struct fleet {
	bool		 on;		/* there is a fleet port, or a primary */
	int		 listen_fd;
	struct fleet_keys keys;
	struct {
		bool		 has_next, busy;	/* busy: the files are being written */
		struct fleet_keys next;
		enum roll_step	 step;		/* of our own, last, */
		uint64_t	 said_ns, ended_ns;	/* and when it was tried */
		uint64_t	 rebind_ns, rebind_revision;	/* the port has yet to change; 0: no */
		uint64_t	 paused_ns;	/* replicas were told to pass nothing on until then */
	} roll;
	struct fleet_facts facts;
	struct roster	*roster;
	zsock_t		*zap_z, *router_z, *dealer_z;
	struct ns_sock	*zap, *router, *dealer;
	struct fleet_door *door;
	struct event	*tick;
	struct queue	*log;		/* jobs of the log reader */
	struct pool	*log_reader;
	struct pub	 pub;
	struct rep	 rep;
	struct request_list forwarded;	/* at a replica: waiting for the primary's answer, */
	struct request_list parked;	/* or for the link, which is being made anew */
	size_t		 relaying;	/* at the primary: of others' clients, under way */
	uint64_t	 forward_id;
	struct away	*imports;	/* importaway.c */
	double		 qps, p50_us, p99_us, error_percent;	/* of this appliance */
	struct vitals	 vitals;	/* likewise; its clock the primary tells */
	struct loadpast	 loads;		/* of all of them */
	uint64_t	 started_ns;
	uint64_t	 strangers, malformed, admitted, refused;
	struct calls	*calls;		/* fleetcall.c */
	struct voters	*voters;	/* votes.c */
	struct snaps	*snaps;		/* snappub.c */
	uint64_t	 votes_dropped;
	struct promotion *promotion;	/* promote.c; NULL: none under way */
	uint64_t	 newest_term;	/* that a member told */
	uint64_t	 held_until_ns;	/* another one is being promoted */
	bool		 anyone;	/* another was heard, as the primary, since the start */
	bool		 heard;		/* ... and all others, or they had their time; or we were promoted */
	char		 rival[FLEET_NAME];	/* says that it is the primary of our term, too */
	struct handover	 handover;	/* from one standby to another */
	char		 lost[512];	/* what was dropped, and where it is kept; for status */
	char		 lost_file[256];
	struct log_limit limit;
};

/* Before the sandbox: the listening socket. */
void	 fleet_open(struct sync *);
/* Once a second: what each is asked, for the last ten minutes in the list. */
void	 fleet_remember(struct sync *, uint64_t now_ns);
/* When the store is open. */
void	 fleet_start(struct sync *, struct writer_opened *);
void	 fleet_stop(struct sync *);
void	 fleet_tick(struct sync *, uint64_t now_ns);

/* A replica's link to the primary. */
void	 fleet_dial(struct sync *, const struct fleet_keys *own, const char *endpoint,
	    const uint8_t *key);

bool	 fleet_is_replica(const struct sync *);
/* The name of our own endpoint for others; "" when there is none. */
const char *fleet_advertise(const struct sync *);

/* After a batch of our own: new members, new changes. */
void	 fleet_batch(struct sync *, struct batch *);
/* This appliance serves that revision. */
void	 fleet_served(struct sync *, uint64_t revision);
bool	 fleet_reachable(const struct sync *);	/* the primary */
double	 fleet_lag_s(const struct sync *);
void	 fleet_status(struct sync *, Ns__StatusReply *);
void	 fleet_history(struct sync *, Ns__HistoryShowReply *);

/* ---- fleetpub.c ---- */
void	 pub_message(struct sync *, const struct member *, struct fleet_from *, const Ns__Envelope *);
void	 pub_enrol(struct sync *, const struct member *, struct fleet_from *, const Ns__FleetEnrol *);
void	 pub_committed(struct sync *);
void	 pub_tick(struct sync *, uint64_t now_ns);
void	 pub_beat(struct sync *, uint64_t now_ns);	/* now, not when it is due */
void	 pub_members(struct sync *);		/* the roster changed: who is out is cut off */
struct follower *pub_follower(struct fleet *, const char *name);
/* What we know of another; free() it.  Borrows strings. */
Ns__FleetBeat__Peer *pub_peer(const struct sync *, const struct member *, uint64_t now_ns);
/* The newest change that it may hear of. */
uint64_t pub_limit(const struct sync *, const struct follower *);
void	 pub_send(struct sync *, const struct fleet_from *, Ns__Envelope *);
void	 pub_refuse(struct sync *, const struct fleet_from *, struct ns_why *);

/* ---- fleetserved.c ---- */
/* receipts.c asks: does every living appliance serve it?  `m` gets those that do and are not in it yet;
 * at the `end` also those that are not living, and those that are and do not serve it. */
bool	 fleet_all_served(struct sync *, const struct request *, Ns__CommitReply *m, bool end);

/* ---- fleetzones.c: the primary's half; the replica's: fleetrep.h ---- */
void	 zones_compare(struct sync *, struct follower *, const Ns__FleetDigest *);

/* ---- memberjob.c ---- */
/* Changes the member as it is stored by what was told (`given`, of which the edit takes its part), and says
 * what it did; NULL: nothing is to be done any more.  Writer thread. */
typedef const char *member_edit_fn(struct member *, const struct member *given, int64_t now_ms, uint64_t revision);
member_edit_fn	 member_enrols, member_moves;
/* from: who is told of a refusal; NULL: nobody. */
void	 member_push(struct sync *, member_edit_fn *, const struct member *given, const struct fleet_from *);
/* When it is one. */
void	 member_take_endpoint(struct member *, const char *endpoint);

/* ---- fleetthings.c ---- */
void	 things_compare(struct sync *, struct follower *, const Ns__FleetThings *);
void	 things_say(struct sync *, const Ns__FleetThingsReply *detail);
bool	 things_answer(struct sync *, const Ns__FleetThingsReply *);	/* that was the last run */
void	 things_take(struct sync *, const Ns__FleetThing *);

/* ---- fleetroll.c ---- */
void	 fleet_roll_request(struct sync *, struct request *);
enum ns_err fleet_roll_write(struct request *, struct batch *);
void	 roll_start(struct sync *);	/* keys are read, the port is not bound yet */
void	 roll_tick(struct sync *, uint64_t now_ns);
void	 roll_announced(struct sync *, const struct member *, const struct fleet_from *,
	    const Ns__FleetKey *);
enum roll_step roll_now(const struct sync *);
/* With what to try the primary's port. */
size_t	 roll_dial(const struct sync *, struct roll_choice[ROLL_CHOICES]);
/* For people; NULL: it has one key. */
Ns__KeyRoll *roll_message(const struct member *);
void	 roll_status(struct sync *, Ns__StatusReply *);

/* ---- the replica's side: fleetrep.c, fleettake.c ---- */
void	 rep_start(struct sync *);
void	 rep_link(void *sync, bool up);
void	 rep_message(struct sync *, const struct fleet_from *, const Ns__Envelope *);
void	 rep_served(struct sync *);
void	 rep_tick(struct sync *, uint64_t now_ns);
void	 rep_stop(struct sync *);
enum ns_err rep_send(struct sync *, Ns__Envelope *);
void	 rep_follow(struct sync *, const char *endpoint, const uint8_t *key);
void	 rep_leave(struct sync *);
bool	 rep_busy(const struct sync *);	/* changes wait or are being applied */

/* ---- fleetcall.c: a link of our own to each of the others ---- */
void	 calls_start(struct sync *);
void	 calls_stop(struct sync *);
void	 calls_tick(struct sync *, uint64_t now_ns);
void	 calls_now(struct sync *, uint64_t now_ns);	/* there is news: whatever was said a moment ago */
/* What comes on a link that the other made: of any term, and of no conversation with the primary.  False: it is
 * something else. */
bool	 call_asks(struct sync *, const struct member *, const struct fleet_from *, const Ns__Envelope *);
/* What that member said since `since_ns`; NULL: nothing. */
struct call_said {
	uint64_t	 heard_ns, term;
	struct position	 at;
	char		 role[16];
};
const struct call_said *call_said(const struct sync *, const char *name, uint64_t since_ns);
/* To that one, or all ("") whose link is up. */
void	 calls_send(struct sync *, const char *to, struct packet *);
bool	 calls_linked(const struct sync *, const char *name);	/* our link to that one is up */
/* A member told its term. */
void	 fleet_newer(struct sync *, const char *name, uint64_t term);

/* ---- votes.c: what probes say to each other, unread ---- */
void	 votes_linked(struct sync *, const char *name);	/* our link to that one came up */
void	 votes_take(struct sync *, const char *from, const Ns__FleetVotes *);
/* The same, from one that calls us. */
void	 votes_called(struct sync *, const struct member *, const struct fleet_from *,
	    const Ns__FleetVotes *);
void	 votes_out(struct sync *, const Ns__Envelope *);	/* from the probe */
void	 votes_fleet(struct sync *);	/* to the probe: who there is */

/* ---- promote.c ---- */
void	 fleet_promote_request(struct sync *, struct request *);
void	 promote_tick(struct sync *, uint64_t now_ns);
void	 promote_stop(struct sync *);
bool	 promote_asks(const struct sync *, bool *hold);	/* the others are to be called */
void	 promote_refused(struct sync *);		/* who has what is lacking here does not give it */
/* That member is the primary of that term: follow it. */
void	 fleet_obey(struct sync *, const struct member *, uint64_t term);

/* ---- standbycmd.c ---- */
void	 fleet_standby_request(struct sync *, struct request *);
enum ns_err fleet_standby_write(struct request *, struct batch *);
/* Changes were dropped: what, and where they are kept. */
void	 fleet_lost(struct sync *, const char *text, const char *file);
void	 standby_status(struct sync *, Ns__StatusReply *);

/* ---- forward.c ---- */
/* True: it is the primary's to do, and on its way (or refused). */
bool	 forward_request(struct sync *, struct request *);
void	 forward_take(struct sync *, const struct follower *, const struct member *,
	    const Ns__FleetForward *);
/* It was meant for the primary of a term that is over: nothing is done. */
void	 forward_refuse(struct sync *, const struct follower *, const Ns__FleetForward *, uint64_t term);
void	 forward_reply(struct sync *, const Ns__FleetForwardReply *);
/* That request of that caller, to the primary; its reply carries the id. */
enum ns_err	 forward_say(struct sync *, const struct caller *, const Ns__Envelope *, uint64_t id,
		    uint32_t deadline_ms);
void	 forward_lost(struct sync *);		/* the link is down: outcomes are unknown */
void	 forward_pause(struct sync *, uint64_t now_ns);	/* it is about to be made anew: what comes waits */
void	 forward_resume(struct sync *);
void	 forward_stop(struct sync *);		/* nobody is told */
void	 forward_tick(struct sync *, uint64_t now_ns);

/* ---- fleetdoor.c ---- */
/* Before the router is bound; false: libzmq has nothing left. */
bool	 fleet_door_open(struct sync *);
void	 fleet_door_close(struct sync *);
/* Who sent this is a member: its connection waits for nothing any more. */
void	 fleet_door_known(struct sync *, const struct fleet_from *);
/* For status; NULL: nothing.  free() it. */
char	*fleet_door_trouble(const struct sync *);

/* ---- fleetcmd.c ---- */
void	 fleet_list_request(struct sync *, struct request *);
Ns__FleetListReply *fleet_list_reply(const struct sync *);
/* As the primary sees the others, in its last beat; NULL: it says nothing of that one. */
const Ns__FleetBeat__Peer *peer_find(const Ns__FleetBeat *, const char *name);

/* ---- fleetshow.c ---- */
void	 fleet_show_request(struct sync *, struct request *);
void	 fleet_invite_request(struct sync *, struct request *);
enum ns_err fleet_invite_write(struct request *, struct batch *);
enum ns_err fleet_remove_text(struct request *);
enum ns_err fleet_remove_write(struct request *, struct batch *);

/* ---- fleetdrain.c ---- */
void	 fleet_drain_request(struct sync *, struct request *);
enum ns_err fleet_drain_write(struct request *, struct batch *);
/* What people are told of it; NULL: it is not drained. */
Ns__Drained *drained_message(const struct member *);

#endif
