/* follow - a replica's view of the numbered changes: what comes is the next one, or a piece of it, or
 * old, or there is a gap.
 *
 * Pure.  Whole changes go to the writer, which checks the hash chain over the stored bytes before it
 * applies them (store_change_adopt).  Memory: one change is put together at a time, of the size that
 * its first piece announces and the store allows. */
#ifndef NS_FLEET_FOLLOW_H
#define NS_FLEET_FOLLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/nameserve.pb-c.h"

#define FOLLOW_BODY_MAX (512u << 20) /* as the store's STORE_BODY_MAX */

enum follow_verdict {
	FOLLOW_PIECE,  /* taken, more of it must come */
	FOLLOW_CHANGE, /* taken, and whole: follow_take() */
	FOLLOW_OLD,    /* known already */
	FOLLOW_GAP,    /* something before it is missing: ask again from where we are */
	FOLLOW_BAD,    /* no message that the primary sends */
};

/* A change as it came: the header of the message that had the last piece, and the whole body. */
struct followed {
	struct followed *next;
	Ns__FleetChange *head; /* its `body` is empty */
	uint8_t *body;
	size_t body_len;
};
void followed_free(struct followed **);

struct follow {
	uint64_t taken;	       /* newest change that is whole */
	struct followed *open; /* being put together: change taken + 1 */
	size_t have;	       /* octets of its body */
};
/* Begin at a position: what was open is dropped. */
void follow_start(struct follow *, uint64_t revision);
enum follow_verdict follow_put(struct follow *, const Ns__FleetChange *, struct followed **whole);

#endif
