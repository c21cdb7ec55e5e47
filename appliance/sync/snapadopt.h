/* snapadopt - a snapshot becomes the state of this replica, all of it or nothing.  Writer thread.
 *
 * The file's digest first; then, in one transaction, what replicates goes, what the records say comes, and each
 * zone's digest is taken again from what was stored.  What is refused undoes all of it. */
#ifndef NS_SYNC_SNAPADOPT_H
#define NS_SYNC_SNAPADOPT_H

#include "appliance/sync/batch.h"
#include "appliance/sync/snapfile.h"

struct snap_job {
	struct write_job w;
	char		 path[320];		/* of the file */
	uint8_t		 digest[SNAP_DIGEST];
	bool		 surplus;		/* the history here lost: what follows `common` is kept for `draft take` */
	uint64_t	 common;
	char		 dir[192], primary[64];
	/* What it became. */
	uint64_t	 revision, log_term, begins;
	uint8_t		 hash[STORE_HASH];
	char		 text[512], file[256];	/* of what was kept; empty: nothing */
};
struct snap_job	*snap_job_new(const char *path, const uint8_t digest[SNAP_DIGEST],
		    void (*done)(struct job *, struct sync *));

/* The state of a file into an empty or old store, within a transaction: what a job does, without the loop's part. */
struct snap_adopted {
	uint64_t	 revision, log_term, begins;
	uint8_t		 hash[STORE_HASH];
};
enum ns_err	 snap_adopt(struct batch *, const char *path, const uint8_t digest[SNAP_DIGEST],
		    struct snap_adopted *, struct ns_why *) __attribute__((warn_unused_result));

#endif
