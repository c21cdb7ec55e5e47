/* vfs_slow.c - see vfs_slow.h.  Any thread. */
#include "tests/lib/vfs_slow.h"

#include <errno.h>
#include <stdatomic.h>
#include <time.h>

#include "tests/lib/vfs_shim.h"

static sqlite3_vfs slow_vfs;
static sqlite3_io_methods slow_methods;
static atomic_uint slow_ms;

static int
slow_sync(sqlite3_file *f, int flags)
{
	unsigned ms = atomic_load(&slow_ms);
	struct timespec left = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };
	int rc = shim_methods.xSync(f, flags);

	while (nanosleep(&left, &left) != 0 && errno == EINTR)
		;
	return rc;
}

static int
slow_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *f, int flags, int *out)
{
	return shim_open(vfs, name, f, flags, out, &slow_methods);
}

int
vfs_slow_register(unsigned ms)
{
	atomic_store(&slow_ms, ms);
	if (slow_methods.iVersion == 0) {
		slow_methods = shim_methods;
		slow_methods.xSync = slow_sync;
	}
	return shim_register(&slow_vfs, "slow", sizeof(struct shim_file), slow_open);
}
