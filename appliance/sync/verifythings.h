/* verifythings - are users, accounts, checks, appliances, keys and residencies what the log says they are?
 *
 * The log is read from its newest change back: the first word on an object is the one that counts.  Then the
 * objects themselves: each must be of a change that put it.  Reader thread, in slices (verify.c). */
#ifndef NS_SYNC_VERIFYTHINGS_H
#define NS_SYNC_VERIFYTHINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/store/store.h"

struct things_check {
	uint64_t	 head;		/* it is about the store as of that change; 0: not begun */
	uint64_t	 seen;		/* what came since was looked at up to here */
	uint64_t	 before;	/* the log is read down to here */
	char		 kind[16], name[256];	/* objects up to this one are done */
	uint64_t	*gone;		/* digests of those whose newest word is that they went */
	size_t		 ngone, room;	/* of a table of them, 0: free */
	uint64_t	 count;		/* objects that were looked at */
};

/* *done: there is nothing left.  Faults go to fn. */
enum ns_err	 things_check_step(struct things_check *, struct store *, unsigned ms, store_fault_fn *,
		    void *arg, bool *done) __attribute__((warn_unused_result));
void	 things_check_free(struct things_check *);

#endif
