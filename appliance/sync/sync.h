/* sync - the state of nameserve-sync's loop, and the order in which its parts come and go.
 *
 * One loop (libevent) owns everything here: both sockets, all connections, the feed to the signer and
 * what waits for "served".  It never calls the store, never parses zone text, never waits.  Threads
 * do that and see only jobs (queue.h).  README.md draws it. */
#ifndef NS_SYNC_SYNC_H
#define NS_SYNC_SYNC_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/role/role.h"
#include "appliance/sync/authz.h"
#include "appliance/sync/queue.h"
#include "ipc/sock.h"

struct conns;
struct imports;
struct feed;
struct receipts;
struct feeder;
struct bus;
struct status;
struct stats;
struct zonerates;
struct testask;
struct tailask;
struct relay;
struct audit;
struct everywhere;
struct verify;
struct windows;
struct writer_thread;
struct fleet;
struct gate;

#define SYNC_READERS	  2
#define SYNC_QUEUE	  1024		/* FAST jobs per queue: more is "busy" */
#define SYNC_QUEUE_BULK	  65536		/* bounded by windows before it is by this */
#define SYNC_TICK_MS	  100

/* What the store said last.  Written by the loop from results, so status needs no thread. */
struct sync_head {
	uint64_t	revision, term, zones;
	char		role[16];
	int64_t		backup_ms;	/* when the newest backup was made; 0: never */
	bool		map_foreign;	/* the map may hold zones of the store that was replaced */
	uint8_t		hash[32];		/* of the newest change, when the store was opened */
	bool		used;			/* somebody's change is in it, not only our own secrets */
	uint64_t	log_term;		/* of the newest change */
	uint64_t	released;		/* when the store was opened: the newest that may be told */
	uint64_t	begins;			/* the log here; 1: nothing was pruned */
};

struct sync {
	struct role	*role;
	const Ns__ChildStart *start;
	const char	*name;			/* of the appliance */
	char		*store_dir;
	struct authz	 authz;
	struct sync_head head;

	struct ns_sock	*control, *bus_sock;
	struct event	*tick, *retry, *pump;
	struct wake	*wake;
	struct queue	*reads, *texts, *writes;
	struct pool	*readers, *text_fast, *text_all;
	struct writer_thread *writer;

	struct conns	*conns;
	struct imports	*imports;
	struct feed	*feed;
	struct feeder	*feeder;
	struct receipts	*receipts;
	struct bus	*bus;
	struct status	*status;
	struct stats	*stats;
	struct zonerates *zonerates;
	struct testask	*testask;
	struct tailask	*tailask;
	struct relay	*relay;
	struct audit	*audit;
	struct everywhere *everywhere;
	struct fleet	*fleet;
	struct gate	*gate;
	struct windows	*windows;
	struct {
		bool	 busy;		/* a job of the writer */
		uint64_t again_ns, look_ns, need_ns;
	} prune;		/* retention.c */
};

/* What others may see of a batch: the signer, those who wait (gate.c says when). */
struct batch;
void	 sync_release(struct sync *, struct batch **);

/* The VFS that SQLite shall use: tests simulate disks (tests/lib). */
const char	*sync_vfs(void);

#endif
