/* writer - the one thread with the STORE_WRITE handle.
 *
 * Takes what is queued (FAST: requests; BULK: imported zones), applies it in one transaction, commits
 * with one sync of the disk, posts the batch to the loop, and begins again: while one COMMIT syncs,
 * the next batch gathers.  When the last batch held several requests, their senders are about to
 * come again: the next one waits a fraction of a sync for them, or one early bird would cost everybody
 * else a sync.  Requests go first; between two requests' arrivals an import works in units
 * of one zone, so an edit waits for one zone and one COMMIT at most.
 * A COMMIT that fails for want of space applied nothing and says so.  After any other failure nobody
 * knows what the disk holds: the process stops and reads it anew. */
#ifndef NS_SYNC_WRITER_H
#define NS_SYNC_WRITER_H

#include "appliance/sync/batch.h"
#include "appliance/sync/change.h"
#include "appliance/sync/members.h"
#include "appliance/sync/sync.h"

/* The first result of a writer: the store is open, or why not. */
struct writer_opened {
	struct job	job;
	enum ns_err	err;
	struct ns_why	why;
	struct sync_head head;
	struct window_list windows;
	struct people	*people;
	struct fleet_facts facts;
	struct roster	*roster;	/* malloc'ed */
	struct handover	 handover;
	char		 lost_text[512], lost_file[256];	/* rewind.h */
};

struct writer_conf {
	struct queue	*queue;
	struct wake	*wake;
	const char	*dir;
	const char	*appliance;
	const char	*config_role;
	uint64_t	 started_ms;		/* of the supervisor */
	bool		joins;		/* it has an invitation: counts when the store is new */
	void		(*opened)(struct job *, struct sync *);
	void		(*batch)(struct job *, struct sync *);
};
struct writer_thread	*writer_start(const struct writer_conf *);
/* After queue_close(); commits what is under way.  Whether there is more in the store than our own secrets. */
bool	 writer_join(struct writer_thread **);

/* ---- within the writer thread ---- */
struct writer_thread {
	struct writer_conf conf;
	pthread_t	 thread;
	struct store	*store;
	struct sync_head head;
	struct batch	*batch;
	size_t		 last_edits;		/* of the batch before */
	uint64_t	 last_sync_ns;		/* how long its COMMIT took */
	struct secret	 secret;		/* as it is committed */
	struct job	 secret_job;
	bool		 scrub;		/* the file holds remains of zones that may not be here */
	uint64_t	 scrub_tried_ns;
	bool		 look_lost;	/* what is kept of a lost history may hold some, too */
	/* What may be told (released.h): the fact, as it is and as the COMMIT makes it. */
	bool		 gated, gated_next;
	uint64_t	 released, fact, fact_next;
	struct mark_job	*told;		/* goes with this batch */
	uint64_t	 secret_rolled_ns, secret_tried_ns;	/* monotonic; 0: not by us */
	/* The change that imported zones go into, open across jobs; session NULL: none. */
	struct import_session *open;
	struct change	 change;
	struct batch_mark mark;
	struct import_zone_list opened;		/* its zones */
	uint64_t	 opened_ns;
};
/* Set until scrub is done: numbers of the zones that went. */
#define SCRUB_FACT "scrub"
/* Append the open change and release its savepoint. */
void	 import_change_close(struct writer_thread *);
void	 request_work(struct job *, void *writer_thread);
/* What waits in the queue may have come before this appliance became a replica. */
enum ns_err	 writer_is_primary(const struct writer_thread *, struct ns_why *);

/* Handlers of the table in control.c. */
enum ns_err	 commit_text(struct request *);
enum ns_err	 commit_write(struct request *, struct batch *);
enum ns_err	 zone_create_write(struct request *, struct batch *);
enum ns_err	 zone_delete_write(struct request *, struct batch *);
enum ns_err	 settings_text(struct request *);
enum ns_err	 settings_write(struct request *, struct batch *);

/* What handlers share. */
/* The row after its content: counters are the store's, version and serial are ours. */
enum ns_err	 zone_row_update(struct batch *, struct store_zone *, uint32_t serial,
		    struct ns_why *);
Ns__CommitReply	*commit_reply_new(struct request *);
/* One change of all zones of a plan: appended, applied, in the reply. */
struct plan;
enum ns_err	 plan_commit(struct request *, struct batch *, struct plan *, struct change *);
/* One zone more in the reply; `room` zones will come at most. */
void	 commit_reply_zone(Ns__CommitReply *, const struct store_zone *, size_t room);

/* facts.c: role and term, given by the configuration at the first start, by the store ever after. */
enum ns_err	 facts_load(struct store *, const struct writer_conf *, struct sync_head *,
		    struct ns_why *);

#endif
