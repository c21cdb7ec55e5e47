/* backup - a store copied while it is in use, and another one put into its place.
 *
 * Part of store's interface, in a header of its own because only backup and restore-backup need it.
 * What the copy holds is the engine's business; it is one file, which is a store directory's
 * store.db.  Reader threads; none of these calls touches the writer. */
#ifndef NS_STORE_BACKUP_H
#define NS_STORE_BACKUP_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/store/store.h"

struct store_backup;
/* Copies the state that the open transaction of this handle sees into a file that is not there yet.
 * While it runs the log of the store cannot shrink: go on with it.  The file is not synced. */
enum ns_err	 store_backup_begin(struct store *, const char *path, struct store_backup **,
		    struct ns_why *) __attribute__((warn_unused_result));
enum ns_err	 store_backup_step(struct store_backup *, unsigned budget_ms, bool *done,
		    struct ns_why *) __attribute__((warn_unused_result));
void	 store_backup_end(struct store_backup **);	/* before the handle's transaction ends */

/* From the next store_open(STORE_WRITE) of `dir` on, the store that lies in `from` (closed, complete,
 * on the same file system) is the one in `dir`; what was there is gone.  One rename decides, so that
 * a crash leaves the old or the new.  Nobody may have `dir` open for writing. */
enum ns_err	 store_replace(const char *dir, const char *from, struct ns_why *)
		    __attribute__((warn_unused_result));
/* Remove what a store directory holds, and the directory.  Silent when there is none. */
void	 store_remove(const char *dir);

#endif
