/* released - how far changes were let through, as the store remembers it.
 *
 * With a standby a change is committed before anybody may be told of it (gate.h).  The fact `released` is the
 * newest one that may be told: it is written before the first one hears, so who starts again knows what to
 * serve and what waits on.  Without a standby it is absent: then all that is committed is released.  Writer
 * thread; a mark alone is a light transaction (store.h): it need not wait for the disk, as a fact that is found
 * too old holds back what the standby will let through again. */
#ifndef NS_SYNC_RELEASED_H
#define NS_SYNC_RELEASED_H

#include "appliance/sync/batch.h"
#include "appliance/sync/writer.h"

#define RELEASED_FACT "released" /* a revision; empty: all */

/* At the start: also head.released. */
void	 released_open(struct writer_thread *);

/* In the transaction of a batch, before its COMMIT: the fact as it is to be then. */
enum ns_err	 released_settle(struct writer_thread *, const struct batch *, struct ns_why *);
/* After the COMMIT, whatever came of it. */
void	 released_settled(struct writer_thread *, bool committed);

/* The loop's order: changes up to `revision` are let through.  One at a time; done() when it is written. */
struct mark_job {
	struct job	 job;
	uint64_t	 revision;
};
struct mark_job	*mark_job_new(uint64_t revision, void (*done)(struct job *, struct sync *));
/* True: it was one, and is done: there was no batch to go with. */
bool	 released_mark(struct writer_thread *, struct job *);

#endif
