/* vfs_shim.c - see vfs_shim.h.  No state but the default VFS. */
#include "tests/lib/vfs_shim.h"

#include <stddef.h>
#include <string.h>

static int
shim_close(sqlite3_file *f)
{
	return shim_real(f)->pMethods->xClose(shim_real(f));
}

static int
shim_read(sqlite3_file *f, void *to, int n, sqlite3_int64 at)
{
	return shim_real(f)->pMethods->xRead(shim_real(f), to, n, at);
}

static int
shim_write(sqlite3_file *f, const void *from, int n, sqlite3_int64 at)
{
	return shim_real(f)->pMethods->xWrite(shim_real(f), from, n, at);
}

static int
shim_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	return shim_real(f)->pMethods->xTruncate(shim_real(f), size);
}

static int
shim_sync(sqlite3_file *f, int flags)
{
	return shim_real(f)->pMethods->xSync(shim_real(f), flags);
}

static int
shim_size(sqlite3_file *f, sqlite3_int64 *size)
{
	return shim_real(f)->pMethods->xFileSize(shim_real(f), size);
}

static int
shim_lock(sqlite3_file *f, int level)
{
	return shim_real(f)->pMethods->xLock(shim_real(f), level);
}

static int
shim_unlock(sqlite3_file *f, int level)
{
	return shim_real(f)->pMethods->xUnlock(shim_real(f), level);
}

static int
shim_reserved(sqlite3_file *f, int *out)
{
	return shim_real(f)->pMethods->xCheckReservedLock(shim_real(f), out);
}

static int
shim_control(sqlite3_file *f, int op, void *arg)
{
	return shim_real(f)->pMethods->xFileControl(shim_real(f), op, arg);
}

static int
shim_sector(sqlite3_file *f)
{
	return shim_real(f)->pMethods->xSectorSize(shim_real(f));
}

static int
shim_device(sqlite3_file *f)
{
	return shim_real(f)->pMethods->xDeviceCharacteristics(shim_real(f));
}

static int
shim_shm_map(sqlite3_file *f, int region, int size, int extend, void volatile **out)
{
	return shim_real(f)->pMethods->xShmMap(shim_real(f), region, size, extend, out);
}

static int
shim_shm_lock(sqlite3_file *f, int offset, int n, int flags)
{
	return shim_real(f)->pMethods->xShmLock(shim_real(f), offset, n, flags);
}

static void
shim_shm_barrier(sqlite3_file *f)
{
	shim_real(f)->pMethods->xShmBarrier(shim_real(f));
}

static int
shim_shm_unmap(sqlite3_file *f, int erase)
{
	return shim_real(f)->pMethods->xShmUnmap(shim_real(f), erase);
}

/* Version 2: SQLite does not map files whose reads it could not see. */
const sqlite3_io_methods shim_methods = {
	.iVersion = 2,
	.xClose = shim_close,
	.xRead = shim_read,
	.xWrite = shim_write,
	.xTruncate = shim_truncate,
	.xSync = shim_sync,
	.xFileSize = shim_size,
	.xLock = shim_lock,
	.xUnlock = shim_unlock,
	.xCheckReservedLock = shim_reserved,
	.xFileControl = shim_control,
	.xSectorSize = shim_sector,
	.xDeviceCharacteristics = shim_device,
	.xShmMap = shim_shm_map,
	.xShmLock = shim_shm_lock,
	.xShmBarrier = shim_shm_barrier,
	.xShmUnmap = shim_shm_unmap,
};

sqlite3_vfs *
shim_default(void)
{
	return sqlite3_vfs_find(NULL);
}

int
shim_register(sqlite3_vfs *vfs, const char *name, int file_size,
    int (*open)(sqlite3_vfs *, sqlite3_filename, sqlite3_file *, int, int *))
{
	sqlite3_vfs *real;

	if (vfs->zName != NULL)
		return SQLITE_OK;
	if ((real = shim_default()) == NULL)
		return SQLITE_ERROR;
	/* A copy: the default's other functions use nothing but what is copied with them. */
	*vfs = *real;
	vfs->pNext = NULL;
	vfs->zName = name;
	vfs->szOsFile = file_size + real->szOsFile;
	vfs->xOpen = open;
	return sqlite3_vfs_register(vfs, 0);
}

int
shim_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *f, int flags, int *out,
    const sqlite3_io_methods *methods)
{
	sqlite3_vfs *real = shim_default();
	struct shim_file *s = (struct shim_file *)f;
	int rc;

	s->base.pMethods = NULL;
	s->real = (sqlite3_file *)((char *)f + (vfs->szOsFile - real->szOsFile));
	rc = real->xOpen(real, name, s->real, flags, out);
	/* A real file with methods must be closed even when its open failed. */
	if (rc == SQLITE_OK)
		s->base.pMethods = methods;
	else if (s->real->pMethods != NULL)
		s->real->pMethods->xClose(s->real);
	return rc;
}
