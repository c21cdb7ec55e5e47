/* restore - a backup file becomes the store.
 *
 * It is received into <data>/restore, a store directory of its own, by a reader thread; there it is
 * opened, migrated, and verified to the last octet, gets a change of its own with a risen term, and is
 * closed.  Then the loop ends: the threads commit what they have begun and go, one rename puts the new
 * store in the old one's place, the client hears of it, and the supervisor starts sync anew.  Until
 * that rename nothing is lost; a crash at any moment leaves the one or the other. */
#ifndef NS_SYNC_RESTORE_H
#define NS_SYNC_RESTORE_H

#include "appliance/sync/request.h"
#include "appliance/sync/sync.h"

void	 restore_request(struct sync *, struct request *);
void	 restore_tick(struct sync *, uint64_t now_ns);
/* Before the sandbox: what an earlier process left below data. */
void	 restore_sweep(const char *data);
/* The loop was left for it: the sockets must stay until restore_finish(). */
bool	 restore_decided(void);
/* All threads are gone; `used`: there is somebody's change in the store. */
void	 restore_finish(struct sync *, bool used);

/* Was the map in shared memory filled from the store that was here before?  The fact `restored` holds
 * the start of the supervisor under which it happened: the map lives as long as that. */
#define RESTORED_FACT "restored"

#endif
