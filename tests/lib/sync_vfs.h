/* sync_vfs - which disk a test build of nameserve-sync stands on; NULL: the real one. */
#ifndef NS_TESTS_SYNC_VFS_H
#define NS_TESTS_SYNC_VFS_H

const char	*sync_test_vfs(void);

#endif
