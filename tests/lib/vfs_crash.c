/* vfs_crash.c - see vfs_crash.h.  Any thread: one lock around everything. */
#include "tests/lib/vfs_crash.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/lib/crash_disk.h"
#include "tests/lib/vfs_shim.h"

struct crash_file {
	struct shim_file shim;
	struct node *node;
	bool names; /* its next sync syncs the directory too */
};

static sqlite3_vfs crash_vfs;
static sqlite3_io_methods crash_methods;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t ops, cut_at, fail_at;
static int fail_rc;
static bool dead, process_ends;

/* ---- the cut ---- */

static void
cut(void)
{
	unsigned mode = (unsigned)crash_chance(5);

	for (struct node *n = crash_nodes; n != NULL; n = n->next)
		node_lose(n, mode);
	dead = true;
	/* Not kill(): a sandbox may forbid that, and exit handlers must not run. */
	if (process_ends)
		_exit(137);
}

/* One operation is about to happen; false: the power is gone.  `half`: at the cut, is it still to be
 * taken as begun? */
static bool
tick(bool *half)
{
	*half = false;
	if (dead)
		return false;
	if (++ops != cut_at)
		return true;
	*half = crash_chance(2) != 0;
	return false;
}

static bool
disk_fails(bool is_sync)
{
	return fail_at != 0 && ops >= fail_at && is_sync == (fail_rc != SQLITE_FULL);
}

/* ---- the file ---- */

static struct node *
node_of(sqlite3_file *f)
{
	return ((struct crash_file *)f)->node;
}

static int
crash_close(sqlite3_file *f)
{
	struct node *n = node_of(f);
	bool dirty = n->ghost || n->fresh || n->size != n->floor;

	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < n->sectors; i++)
		dirty |= n->sector[i] != NULL;
	if (--n->handles == 0 && !dirty && !dead)
		node_remove(n);
	pthread_mutex_unlock(&lock);
	return shim_methods.xClose(f);
}

static int
crash_read(sqlite3_file *f, void *to, int len, sqlite3_int64 at)
{
	struct node *n = node_of(f);
	int rc = SQLITE_OK;

	pthread_mutex_lock(&lock);
	if (dead)
		rc = SQLITE_IOERR_READ;
	else
		node_read(n, shim_real(f), to, (size_t)len, (uint64_t)at);
	if (rc == SQLITE_OK && (uint64_t)at + (uint64_t)len > n->size)
		rc = SQLITE_IOERR_SHORT_READ;
	pthread_mutex_unlock(&lock);
	return rc;
}

static int
crash_write(sqlite3_file *f, const void *data, int len, sqlite3_int64 at)
{
	bool half, alive;
	int rc = SQLITE_OK;

	pthread_mutex_lock(&lock);
	alive = tick(&half);
	if (alive && disk_fails(false))
		rc = SQLITE_FULL;
	else if (alive || half)
		node_write(node_of(f), shim_real(f), data, (size_t)len, (uint64_t)at);
	if (!alive) {
		if (!dead)
			cut();
		rc = SQLITE_IOERR_WRITE;
	}
	pthread_mutex_unlock(&lock);
	return rc;
}

static int
crash_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	bool half, alive;

	pthread_mutex_lock(&lock);
	alive = tick(&half);
	if (alive || half)
		node_truncate(node_of(f), (uint64_t)size);
	if (!alive && !dead)
		cut();
	pthread_mutex_unlock(&lock);
	return alive ? SQLITE_OK : SQLITE_IOERR_TRUNCATE;
}

static int
crash_sync(sqlite3_file *f, int flags)
{
	struct crash_file *c = (struct crash_file *)f;
	bool half, alive;
	int rc = SQLITE_IOERR_FSYNC;

	(void)flags;
	pthread_mutex_lock(&lock);
	alive = tick(&half);
	if (alive && disk_fails(true)) {
		rc = fail_rc;
	} else if (alive || half) {
		rc = node_sync(c->node, shim_real(f));
		if (c->names)
			node_names_sync();
		c->names = false;
	}
	if (!alive) {
		if (!dead)
			cut();
		rc = SQLITE_IOERR_FSYNC;
	}
	pthread_mutex_unlock(&lock);
	return rc;
}

static int
crash_size(sqlite3_file *f, sqlite3_int64 *size)
{
	int rc;

	pthread_mutex_lock(&lock);
	*size = (sqlite3_int64)node_of(f)->size;
	rc = dead ? SQLITE_IOERR_FSTAT : SQLITE_OK;
	pthread_mutex_unlock(&lock);
	return rc;
}

/* What would touch the real file's octets or length (size hints, chunks) is declined. */
static int
crash_control(sqlite3_file *f, int op, void *arg)
{
	switch (op) {
	case SQLITE_FCNTL_LOCKSTATE:
	case SQLITE_FCNTL_LAST_ERRNO:
	case SQLITE_FCNTL_PERSIST_WAL:
	case SQLITE_FCNTL_HAS_MOVED:
	case SQLITE_FCNTL_LOCK_TIMEOUT:
		return shim_methods.xFileControl(f, op, arg);
	default:
		return SQLITE_NOTFOUND;
	}
}

/* As SQLite takes every Unix disk: a torn write does not harm the octets beside it. */
static int
crash_device(sqlite3_file *f)
{
	(void)f;
	return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

/* ---- names ---- */

#define CRASH_KINDS (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_WAL)

static int
open_node(struct crash_file *c, const char *path, int flags, bool was_there)
{
	struct node *n = node_find(path);
	sqlite3_int64 size = 0;

	if (n == NULL) {
		c->shim.real->pMethods->xFileSize(c->shim.real, &size);
		n = node_make(path, (uint64_t)size);
		n->fresh = !was_there;
	}
	n->ghost = false;
	n->handles++;
	c->node = n;
	/* As SQLite's own VFS: at the first sync of a journal or WAL that may be new. */
	c->names = (flags & SQLITE_OPEN_MAIN_DB) == 0 && (flags & SQLITE_OPEN_CREATE) != 0;
	return SQLITE_OK;
}

static int
crash_open(sqlite3_vfs *vfs, sqlite3_filename path, sqlite3_file *f, int flags, int *out)
{
	bool was_there, half, alive = true;
	const struct node *n;
	int rc = SQLITE_CANTOPEN;

	if (path == NULL || (flags & CRASH_KINDS) == 0)
		return shim_open(vfs, path, f, flags, out, &shim_methods);
	f->pMethods = NULL;
	pthread_mutex_lock(&lock);
	n = node_find(path);
	was_there = access(path, F_OK) == 0 && !(n != NULL && n->ghost);
	if (!was_there && (flags & SQLITE_OPEN_CREATE) != 0) {
		alive = tick(&half);
		if (!alive && !dead)
			cut();
	}
	if (!dead && alive && (was_there || (flags & SQLITE_OPEN_CREATE) != 0))
		rc = shim_open(vfs, path, f, flags, out, &crash_methods);
	if (rc == SQLITE_OK)
		rc = open_node((struct crash_file *)f, path, flags, was_there);
	pthread_mutex_unlock(&lock);
	return rc;
}

static int
crash_delete(sqlite3_vfs *vfs, const char *path, int sync_dir)
{
	struct node *n;
	bool half, alive;
	int rc = SQLITE_OK;

	(void)vfs;
	pthread_mutex_lock(&lock);
	n = node_find(path);
	alive = tick(&half);
	if (!alive) {
		if (!dead)
			cut();
		rc = SQLITE_IOERR_DELETE;
	} else if ((n != NULL && n->ghost) || access(path, F_OK) != 0) {
		rc = SQLITE_IOERR_DELETE_NOENT;
	} else if (sync_dir) {
		unlink(path);
		if (n != NULL)
			node_remove(n);
	} else {
		if (n == NULL)
			n = node_make(path, 0);
		node_truncate(n, 0);
		n->ghost = true;
	}
	pthread_mutex_unlock(&lock);
	return rc;
}

static int
crash_access(sqlite3_vfs *vfs, const char *path, int flags, int *out)
{
	struct node *n;
	int rc = SQLITE_OK;

	(void)vfs;
	pthread_mutex_lock(&lock);
	n = node_find(path);
	if (dead)
		rc = SQLITE_IOERR_ACCESS;
	else if (n != NULL)
		*out = !n->ghost && (flags != SQLITE_ACCESS_EXISTS || n->size > 0);
	else
		rc = shim_default()->xAccess(shim_default(), path, flags, out);
	pthread_mutex_unlock(&lock);
	return rc;
}

/* ---- for tests ---- */

int
vfs_crash_register(void)
{
	const char *at = getenv("NS_CRASH_AT"), *from = getenv("NS_CRASH_SEED");
	int rc;

	if (crash_methods.iVersion == 0) {
		crash_methods = shim_methods;
		crash_methods.xClose = crash_close;
		crash_methods.xRead = crash_read;
		crash_methods.xWrite = crash_write;
		crash_methods.xTruncate = crash_truncate;
		crash_methods.xSync = crash_sync;
		crash_methods.xFileSize = crash_size;
		crash_methods.xFileControl = crash_control;
		crash_methods.xDeviceCharacteristics = crash_device;
	}
	rc = shim_register(&crash_vfs, "crash", sizeof(struct crash_file), crash_open);
	crash_vfs.xDelete = crash_delete;
	crash_vfs.xAccess = crash_access;
	if (at != NULL) {
		process_ends = true;
		vfs_crash_arm(from != NULL ? strtoull(from, NULL, 10) : 1, strtoull(at, NULL, 10));
	}
	return rc;
}

void
vfs_crash_arm(uint64_t from, uint64_t at)
{
	pthread_mutex_lock(&lock);
	ops = 0;
	crash_seed = from;
	cut_at = at;
	pthread_mutex_unlock(&lock);
}

uint64_t
vfs_crash_ops(void)
{
	uint64_t n;

	pthread_mutex_lock(&lock);
	n = ops;
	pthread_mutex_unlock(&lock);
	return n;
}

bool
vfs_crash_happened(void)
{
	bool b;

	pthread_mutex_lock(&lock);
	b = dead;
	pthread_mutex_unlock(&lock);
	return b;
}

void
vfs_crash_reboot(void)
{
	pthread_mutex_lock(&lock);
	if (!dead)
		cut();
	while (crash_nodes != NULL)
		node_remove(crash_nodes);
	dead = false;
	ops = cut_at = fail_at = 0;
	pthread_mutex_unlock(&lock);
}

void
vfs_crash_fail(uint64_t at, int rc)
{
	pthread_mutex_lock(&lock);
	fail_at = at;
	fail_rc = rc;
	pthread_mutex_unlock(&lock);
}
