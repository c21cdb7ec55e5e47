/* receipts - replies that wait until their change is served on this appliance.  Loop only.
 *
 * The change is durable when a request comes here.  Its reply leaves when the answer process has seen
 * every living worker on the revision, or shortly before the client's deadline, naming this
 * appliance as missing: an acknowledgement is late, never lost. */
#ifndef NS_SYNC_RECEIPTS_H
#define NS_SYNC_RECEIPTS_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/sync/request.h"
#include "appliance/sync/sync.h"
#include "ipc/base/ranges.h"

struct receipts	*receipts_new(void);
void	 receipts_destroy(struct receipts **);
void	 receipts_wait(struct sync *, struct request *);	/* takes it; r->revision is set */
/* Another appliance said something: those that wait for all of them. */
bool	 receipts_wants_all(const struct request *);	/* --wait served */
void	 receipts_fleet(struct sync *);
/* Workers are past that epoch, which was that revision's. */
void	 receipts_served(struct sync *, uint64_t revision, uint64_t epoch);
/* That revision was published with that epoch, but for changes of which a large zone is still being signed. */
void	 receipts_late(struct sync *, uint64_t revision, const struct ranges *, uint64_t epoch);
const struct ranges	*receipts_lacks(const struct receipts *);
/* The head went back. */
void	 receipts_rewound(struct sync *, uint64_t revision);
/* Another primary: of what waits, only what is no newer than `kept` is known to be in its history.  The rest is
 * answered "outcome unknown": a number above it is soon that of another change. */
void	 receipts_term(struct sync *, uint64_t kept);
/* Nothing up to this revision will be served soon (map full): answer now. */
void	 receipts_give_up(struct sync *, uint64_t revision);
void	 receipts_tick(struct sync *, uint64_t now_ns);
uint64_t receipts_revision(const struct receipts *);

#endif
