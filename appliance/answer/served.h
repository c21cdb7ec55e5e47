/* served - when may we say that every living worker answers from the root of that epoch, or a newer one?
 *
 * Epochs only rise; the revision of a root says less: one that a large zone is still missing from is published again with
 * the same, and a restored store goes back.
 * Pure: fed with what was seen in shared memory, asked what can be told.  One proof at a time: the
 * epoch of the newest root is taken down, then every worker must be seen idle (slot
 * 0) or in a batch that began after that epoch (slot > epoch), each once, in any order.  A worker
 * seen so loads that root or a newer one for ever after, because it stores its slot before it loads
 * the root (map.h).  A stopped worker that holds an older slot keeps the proof open; a dead one's
 * slot is cleared by the supervisor.  Pins do not count: a transfer is no answer. */
#ifndef NS_ANSWER_SERVED_H
#define NS_ANSWER_SERVED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/role/role.h"

#define SERVED_PENDING 4096 /* confirmations open at one time; sync has fewer commits in flight */

struct served_ask {
	uint64_t id; /* of the request, for the reply */
	uint64_t revision; /* what it is asked for, in the asker's words */
	uint64_t epoch;
};

struct served {
	size_t workers;
	uint64_t proven; /* epoch: every worker answers from its root or a newer one; 0: nothing yet */
	uint64_t revision; /* of that root */
	bool open; /* a proof is being made */
	uint64_t open_epoch, open_revision; /* what it is about */
	bool past[ROLE_MAX_WORKERS];
	size_t n;
	struct served_ask pending[SERVED_PENDING]; /* in order of arrival */
};

void served_init(struct served *, size_t workers);
bool served_ask(struct served *, uint64_t id, uint64_t revision, uint64_t epoch); /* false: too many */
void served_forget(struct served *); /* who asked is gone; what is proven stays */
/* What was seen: first revision and epoch of the root, and only after them each worker's slot. */
void served_see(struct served *, uint64_t revision, uint64_t epoch, const uint64_t *slots);
/* Takes out the next one that is proven. */
bool served_next(struct served *, struct served_ask *);

#endif
