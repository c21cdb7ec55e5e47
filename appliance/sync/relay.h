/* relay - a request that another appliance of the fleet is to answer, and back.  Loop only.
 *
 * It goes over our link to that member (fleetcall.c), of any term, in the caller's name; there he may do what his
 * role and the trust in this appliance both allow.  What an admin does, and what is a stream, is not passed on. */
#ifndef NS_SYNC_RELAY_H
#define NS_SYNC_RELAY_H

#include "appliance/sync/request.h"
#include "appliance/sync/sync.h"

#define RELAY_ASKED_MAX 256u /* of our clients, under way */
#define RELAY_TAKEN_MAX 256u /* of others, here */

struct relay;
struct fleet_from;
struct member;

struct relay *relay_new(void);
void relay_destroy(struct relay **);
void relay_tick(struct sync *, uint64_t now_ns);

/* A client's request with `to`: true when it is on its way, or refused. */
bool relay_request(struct sync *, struct request *);
/* A request of our own for that member, as `caller`; its number, 0: it cannot be reached.  What comes back goes to
 * everywhere_take(). */
uint64_t relay_send(struct sync *, const char *name, const struct caller *, uint32_t deadline_ms,
    const Ns__Envelope *);
/* Another appliance's, for us. */
void relay_take(
    struct sync *, const struct member *, const struct fleet_from *, const Ns__FleetRelay *);
/* What that member answered. */
void relay_came(struct sync *, const char *from, const Ns__FleetRelayed *);

#endif
