/* roll - an appliance's key that is being rolled: what it does next, and which keys may be the right ones.
 *
 * Pure.  asked (a change) → made, on its disk → told → announced (a change: both are good) → shown (it connects
 * with it) → ended (a change: the old one is refused) → taken (the file, and the port).  Each step follows from
 * the roster and from the files alone, so that it goes on where a crash left it. */
#ifndef NS_FLEET_ROLL_H
#define NS_FLEET_ROLL_H

#include "appliance/fleet/key.h"
#include "appliance/fleet/roster.h"

enum roll_step {
	ROLL_NONE,
	ROLL_MAKE,	/* a new key is asked for */
	ROLL_TELL,	/* it is on the disk: the primary must hear of it */
	ROLL_SHOW,	/* announced: connect with it */
	ROLL_TAKE,	/* it is the key */
	ROLL_LOST,	/* another one than ours is announced, or is the key: somebody has to roll again */
};
/* own: this appliance in the roster, or NULL; next: or NULL. */
enum roll_step roll_step(
    const struct member *own, const struct fleet_keys *now, const struct fleet_keys *next);

/* Who connects to a server tries these pairs in turn: its own roster may be as old as its last contact. */
#define ROLL_CHOICES 6u
struct roll_choice {
	const struct fleet_keys *own;
	const uint8_t *server;
};
struct roll_known {
	const struct member *own; /* or NULL */
	const struct fleet_keys *now, *next; /* next: or NULL */
	const struct member *server; /* or NULL */
	const uint8_t *told; /* the server's key as it was told when we joined or were promoted */
};
/* The likeliest first; at least one. */
size_t roll_choices(const struct roll_known *, struct roll_choice out[ROLL_CHOICES]);

#endif
