/* vfs_crash - a SQLite VFS named "crash" that forgets like a disk does.
 *
 * The real file holds what was synced; what was written since is kept in memory, sector by sector.
 * A power cut decides for each unsynced sector (512 octets), by a seed, whether it got to the disk,
 * did not, or is torn; the same for file sizes, for files whose directory entry was never synced, and
 * for deletions.  From the cut on every call fails, until the reboot.  The database, its journal and
 * its WAL are treated so; the WAL index is memory, and a lock is a lock. */
#ifndef NS_TESTS_VFS_CRASH_H
#define NS_TESTS_VFS_CRASH_H

#include <stdbool.h>
#include <stdint.h>

/* In a whole process NS_CRASH_AT and NS_CRASH_SEED arm it, and the cut ends the process with status
 * 137.  Without a cut, the end of the process loses whatever was not synced. */
int	 vfs_crash_register(void);

/* Count operations (write, truncate, sync, delete, create) from 0 again; number `at` is the cut.
 * 0: never. */
void	 vfs_crash_arm(uint64_t seed, uint64_t at);
uint64_t vfs_crash_ops(void);
bool	 vfs_crash_happened(void);
/* Cut now, if it did not happen, and come up again: the disk is what it is.  All handles must be
 * closed. */
void	 vfs_crash_reboot(void);

/* No cut, but a failing disk: from operation `at` (counted from arm) on, writes fail with SQLITE_FULL
 * when rc is that, syncs with any other rc.  at 0 heals it. */
void	 vfs_crash_fail(uint64_t at, int rc);

#endif
