/* batch - what the writer thread commits with one sync of the disk, and what the loop then learns.
 *
 * Requests and imported zones are applied one after the other, each with its own savepoint, position
 * and reply; then the blocks for the signer are built from what was touched; then COMMIT.  The writer
 * owns a batch until it posts it; the loop frees it. */
#ifndef NS_SYNC_BATCH_H
#define NS_SYNC_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/fleet/roster.h"
#include "appliance/store/store.h"
#include "appliance/sync/feedblock.h"
#include "appliance/sync/import.h"
#include "appliance/sync/members.h"
#include "appliance/sync/request.h"
#include "ipc/base/ranges.h"

#define BATCH_EDITS	  256		/* requests in one transaction */
#define BATCH_EDIT_NS	  20000000ull	/* or this much work: the first one in waits for the last */
#define BATCH_GATHER_NS	  2000000ull	/* wait for those who took part in the batch before, */
#define BATCH_GATHER_PART 4		/* but not longer than this part of a sync */
#define BATCH_BULK_NS	  5000000ull	/* import's share of a batch that somebody waits for */
#define BATCH_BULK_MAX_NS 250000000ull	/* of one that nobody waits for */
#define BATCH_BULK_BYTES  (16u << 20)
#define BATCH_LINGER_NS	  100000000ull	/* how long an import's change is kept open for more */

/* A zone whose image must change when the batch is committed. */
struct touched {
	struct touched	*next_hash;
	uint64_t	 id, base_version, bytes_before;
	uint8_t		 name[255];
	bool		 keys;			/* the signer is told of its keys, or that it has none */
	bool		 whole;			/* too much changed for a delta */
	bool		 joint;			/* one of the changes touched another zone, too */
	struct ranges	 changes;		/* that touched it */
	struct wbuf	 owners;		/* wire names, one after the other, in any order */
	const struct import_zone *fresh;	/* its content at hand; NULL: read it back */
};

/* Work for the writer that nobody asked for on the control socket: work() ends with batch_job(), and
 * done() runs in the loop when the batch is committed, or refused (err). */
struct key_times;
struct write_job {
	struct job	 job;
	struct write_job *next;
	enum ns_err	 err;
	struct ns_why	 why;
	uint64_t	 revision;	/* of the batch, when err is NS_OK */
};

struct window_list {
	struct store_window *windows;
	size_t		 count;
};

#define BATCH_BUCKETS 512
struct batch {
	struct job	 job;
	struct store	*store;
	int64_t		 now_ms;
	uint64_t	 began_ns, first_edit_ns, bulk_ns;
	uint64_t	 revision, term, zones;		/* as they will be after the commit */
	uint64_t	 log_term;		/* of change `revision`; 0: as before */
	bool		 wrote;
	bool		 used;			/* more than a new secret was committed */
	size_t		 edits, bulk_bytes;

	struct touched	**touched;
	size_t		 ntouched, touched_room;
	struct touched	*by_id[BATCH_BUCKETS];
	struct touched	*last;			/* what the change under way touched; NULL: nothing */
	uint64_t	 last_change;

	struct secret	 secret;		/* that it rolled; count 0: it did not */
	struct write_job *jobs;		/* neither requests nor imports: the fleet's */
	bool		 scrub;		/* zones went that may not be here: the file is written anew */
	bool		 residency;	/* where some may be is said anew */
	struct handover	 handover;	/* from the standby; revision 0: it stays */
	bool		 members;	/* the fleet's members changed: */
	struct roster	*roster;	/* as they are after the COMMIT; malloc'ed */
	struct request_list done;
	struct import_zone_list imported;	/* until they are tallied */
	struct import_tally_list tallies;
	struct feed_block_list blocks;
	bool		 windows_changed;	/* then these are all that are open (window.h) */
	struct window_list windows;
	bool		 role_changed;	/* this appliance is, or is no longer, the primary: */
	bool		 replica;	/* it follows another one from here on */
	bool		 withheld;	/* nobody is told of it now: gate.h */
	bool		 rewound;	/* changes were dropped: `revision` is less than it was */
	bool		 users_changed;
	uint64_t mentions;		/* store_mentions() when it began */
	bool		 aliases_changed;	/* zones may mention other ALIAS targets (aliases.h) */
	const char	*appliance;		/* whose keyring matters here; NULL: nobody's */
	bool		 keyring;		/* it changed */
	uint32_t	 ring_epoch;	/* then: of its newest key for ZSKs */
	bool		 ring_apex;	/* and that for KSKs is in it */
	struct key_times *key_times;	/* of zones whose keys changed */
	size_t		 nkey_times;
	struct check_deltas *checks;	/* that changed; NULL: none (checks.h) */
	struct people	*people;		/* read anew after the commit, when users changed */
	struct ns_why	 trouble;		/* the first time the store could not (full disk) */
	struct ns_why	 doomed;		/* half of something is in the transaction: it is rolled back */
	enum ns_err	 err;			/* of the COMMIT */
	struct ns_why	 why;
};

void	 batch_job(struct batch *, struct write_job *);

/* State to go back to when one change is refused. */
struct batch_mark {
	uint64_t revision, zones;
	size_t	 ntouched, nchecks;
};

struct batch	*batch_new(struct store *, uint64_t revision, uint64_t term, uint64_t zones);
void	 batch_destroy(struct batch **);	/* what it still lists goes too */
struct batch_mark	batch_mark(const struct batch *);
void	 batch_undo(struct batch *, const struct batch_mark *);
/* Say that a zone changes: as it was before this batch, and which owner (NULL: all of it). */
struct touched	*batch_touch(struct batch *, const struct store_zone *before, const uint8_t *owner);
/* Fill blocks, from the store as it is at the end of the transaction: edits before what is much work for the signer. */
enum ns_err	 batch_build_feed(struct batch *, struct ns_why *);
/* Free what the loop does not need: it has better things to do. */
void	 batch_shrink(struct batch *);
/* A change was refused: was it the store's fault? */
void	 batch_trouble(struct batch *, const struct ns_why *);
/* COMMIT failed and nothing was applied: every reply becomes that refusal. */
void	 batch_refuse(struct batch *, enum ns_err, const struct ns_why *);

#endif
