/* fold - edits of small zones that a replica adopts in one transaction: applied in memory, written once.
 *
 * Who was away for an hour has thousands of changes to adopt, many of them of the same zones.  Each is in the log by
 * itself (adopt.c); what they make of a zone is put together here and written when the run of changes ends, or
 * before a change that does more than edit small zones.  The rows are those that apply.c makes of the same changes
 * one by one.  Nothing is repaired here: where a change does not fit, the caller undoes the run and adopts its
 * changes one by one.  Writer thread, within a savepoint. */
#ifndef NS_SYNC_FOLD_H
#define NS_SYNC_FOLD_H

#include "appliance/store/store.h"
#include "appliance/sync/batch.h"
#include "ipc/nameserve.pb-c.h"

#define FOLD_OCTETS (32u << 20) /* of zones in memory; then they are written */

struct fold;
struct fold	*fold_new(struct batch *);
void	 fold_free(struct fold **);	/* what was not written is forgotten */

/* What the change does to the store, from its header and body; the zones in memory are written first where it needs
 * them there.  Errors as of change_apply(). */
enum ns_err	 fold_apply(struct fold *, const struct store_change *, const Ns__ChangeBody *,
		    struct ns_why *) __attribute__((warn_unused_result));
enum ns_err	 fold_flush(struct fold *, struct ns_why *) __attribute__((warn_unused_result));

#endif
