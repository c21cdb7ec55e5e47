/* rewind - a replica drops the changes that the winner of a promotion does not have.  Writer thread.
 *
 * They are written down first (lost.h), then undone from newest to oldest by their own
 * bodies, then their log entries go, all in one transaction.  What cannot be undone exactly is found by
 * the digest exchange and fetched whole. */
#ifndef NS_SYNC_REWIND_H
#define NS_SYNC_REWIND_H

#include "appliance/store/store.h"
#include "appliance/sync/batch.h"

#define LOST_FACT "lost" /* the last such file, and what is in it: "FILE\nTEXT" */

struct rewind_job {
	struct write_job w;
	uint64_t to, log_term;	  /* newest change that stays, and its term */
	uint8_t hash[STORE_HASH]; /* of that change */
	char dir[192], primary[64];
	char text[512], file[256];
};
struct rewind_job *rewind_job_new(uint64_t to, const char *dir, const char *primary,
    void (*done)(struct job *, struct sync *));

#endif
