/* sync_vfs - which disk a test build of nameserve-sync stands on; NULL: the real one.  And how long its log is. */
#ifndef NS_TESTS_SYNC_VFS_H
#define NS_TESTS_SYNC_VFS_H

struct store_retention;
const char	*sync_test_vfs(void);
/* How much of the log is kept; NULL: as much as ever. */
const struct store_retention	*sync_test_retention(void);

#endif
