/* apply - what a change does to the store, from its stored header and body alone.
 *
 * The one step that the primary (edits, inverses, zones from the trash) and a replica (changes that
 * arrive) share, so that both have the same rows afterwards: content, zone rows, tombstones, settings,
 * windows for confirmation.  The log entry itself is store_change_append()'s.  Imports and new zones have
 * their own way into the store on the primary, with the same result (tests/unit/apply_test).
 * Writer thread, within a transaction. */
#ifndef NS_SYNC_APPLY_H
#define NS_SYNC_APPLY_H

#include "appliance/sync/batch.h"
#include "ipc/nameserve.pb-c.h"

/* Uses revision and at_ms of the header; touches the zones in the batch.  NS_CONFLICT: the store is not
 * what the change was made on (a replica has diverged): nothing is to be committed. */
enum ns_err	 change_apply(struct batch *, const struct store_change *, const Ns__ChangeBody *,
		    struct ns_why *) __attribute__((warn_unused_result));

#endif
