/* adopt - changes that the primary made, into this replica's log and store; and zones that differed.
 * Writer thread.
 *
 * Each change is appended to the log first, which checks its place, its hash chain and the stored bytes;
 * then it is applied (apply.h); a run of them together (fold.h), and one by one where that fails.  Where the store is not what the change was made on, the log goes on and
 * the zones are named: the caller fetches them whole. */
#ifndef NS_SYNC_ADOPT_H
#define NS_SYNC_ADOPT_H

#include "appliance/fleet/follow.h"
#include "appliance/store/store.h"
#include "appliance/sync/batch.h"

#define ADOPT_DIFFERS 16u	/* zones named by one job */

struct adopt_job {
	struct write_job w;
	struct followed	*first;		/* in order; owned */
	uint64_t	 adopted;	/* newest that went in; 0: none */
	uint8_t		 hash[STORE_HASH];
	unsigned	 withheld;	/* zones that were here and may not be */
	unsigned	 ndiffers;
	uint8_t		 differs[ADOPT_DIFFERS][255];
};
/* done runs in the loop and frees it with adopt_job_destroy(). */
struct adopt_job *adopt_job_new(struct followed *first, void (*done)(struct job *, struct sync *));
void	 adopt_job_destroy(struct adopt_job **);

/* The header of a change as it came; false: it cannot be one. */
bool	 adopt_head(const Ns__FleetChange *, struct store_change *);
/* The zones that it touches, also those that were taken out; malloc'ed. */
uint64_t	*adopt_ids(const Ns__ChangeBody *, size_t *count);
/* An object of that kind is another one now: what the loop keeps of it is read anew. */
void	 adopt_tell(struct batch *, const char *kind);

/* A zone as the primary has it, whole. */
struct repair_job {
	struct write_job w;
	Ns__FleetZone	*zone;		/* owned; its zwire is `content` */
	struct wbuf	 content;
	unsigned	 withheld;	/* it may not be here */
	bool		 repaired;	/* ours was another one */
};
struct repair_job *repair_job_new(void (*done)(struct job *, struct sync *));
void	 repair_job_destroy(struct repair_job **);

#endif
