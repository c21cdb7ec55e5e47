/* vfs_slow - a SQLite VFS named "slow" whose every sync takes that long and is otherwise real. */
#ifndef NS_TESTS_VFS_SLOW_H
#define NS_TESTS_VFS_SLOW_H

/* Again: another time from now on, for open files too.  SQLITE_OK or its error. */
int	 vfs_slow_register(unsigned ms);

#endif
