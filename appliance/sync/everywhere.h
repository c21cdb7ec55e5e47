/* everywhere - one question to all appliances of the fleet, and one reply made of their answers.  Loop only.
 *
 * Here it is asked as a request of its own, of the others by relay.h.  Who does not answer within EVERYWHERE_NS,
 * or cannot be reached, is named in what is made of it. */
#ifndef NS_SYNC_EVERYWHERE_H
#define NS_SYNC_EVERYWHERE_H

#include "appliance/fleet/roster.h"
#include "appliance/sync/request.h"
#include "appliance/sync/sync.h"

#define EVERYWHERE_NS	1500000000ull
#define EVERYWHERE_MAX	128u /* under way */

struct everywhere_part {
	char name[FLEET_NAME];
	Ns__Envelope *reply; /* NULL: none came */
	uint64_t id; /* of what it was asked; 0: it has answered, or cannot */
};
/* Makes r->reply of them; the parts stay whose they are. */
typedef void everywhere_fn(struct request *, const struct everywhere_part *, size_t n);

struct everywhere;
struct everywhere *everywhere_new(void);
void everywhere_destroy(struct everywhere **);
void everywhere_tick(struct sync *, uint64_t now_ns);

/* each: what every one of them is asked.  r is everywhere's from now on. */
void everywhere_begin(
    struct sync *, struct request *, const Ns__Envelope *each, everywhere_fn *);
/* An answer, which is taken over. */
void everywhere_take(struct sync *, uint64_t id, const char *from, Ns__Envelope *);

#endif
