/* vfs_shim - a SQLite VFS that hands every call to the default one; others replace what they want
 * to be different. */
#ifndef NS_TESTS_VFS_SHIM_H
#define NS_TESTS_VFS_SHIM_H

#include <sqlite3.h>

/* Comes first in a shim's file; the real file lies behind it in the same memory. */
struct shim_file {
	sqlite3_file	 base;
	sqlite3_file	*real;
};

extern const sqlite3_io_methods	 shim_methods;		/* all passed on; no memory mapping */

static inline sqlite3_file *
shim_real(sqlite3_file *f)
{
	return ((struct shim_file *)f)->real;
}

/* Registers `vfs` under the name, as the default one with that xOpen; `file_size` is of the shim's file
 * struct.  Again is harmless. */
int	 shim_register(sqlite3_vfs *vfs, const char *name, int file_size,
	    int (*open)(sqlite3_vfs *, sqlite3_filename, sqlite3_file *, int, int *));
/* Opens the real file behind f (of file_size octets); sets the methods only when that went well. */
int	 shim_open(sqlite3_vfs *, sqlite3_filename, sqlite3_file *, int flags, int *out,
	    const sqlite3_io_methods *);
sqlite3_vfs	*shim_default(void);

#endif
