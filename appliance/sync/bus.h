/* bus - the socket of this appliance's own processes: signer and answer.  Loop only.
 *
 * A peer is believed when the kernel says that it runs as its role's user, and while its generation is
 * the newest seen of its role: a process that the supervisor has given up is a ghost. */
#ifndef NS_SYNC_BUS_H
#define NS_SYNC_BUS_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/sync/sync.h"

ns_recv_fn	bus_recv;		/* arg: struct sync */

struct bus	*bus_new(void);
void	 bus_destroy(struct bus **);
bool	 bus_has(const struct bus *, enum role_id);
/* How often the role said hello: what was asked of it before has no answer. */
unsigned bus_hellos(const struct bus *, enum role_id);
/* NS_UNAVAILABLE when the role is not there. */
enum ns_err	 bus_send(struct sync *, enum role_id, const Ns__Envelope *);
/* Ask answer to tell when this revision is served. */
void	 bus_confirm(struct sync *, uint64_t revision, uint64_t epoch);
/* The supervisor says that a role's process is not running. */
void	 bus_gone(struct sync *, enum role_id);

#endif
