/* open.c - opening and closing: the lock, SQLite's settings, the schema.
 *
 * Start-up of sync's writer thread and of each reader thread.  A handle is never shared. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "appliance/store/db.h"
#include "appliance/store/replace.h"
#include "ipc/base/xalloc.h"

/* Readers wait this long at most, for the one moment when the log is recovered after a crash. */
#define BUSY_MS 5000

static void
library_once(void)
{
	/* The statistics cost a lock at every allocation of every thread.  Refused, without harm,
	 * when the library runs already. */
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	sqlite3_initialize();
}

/* ---- the lock: one writer per data directory ---- */

static enum ns_err
lock_held(struct store *s, int fd)
{
	char text[32] = "";
	ssize_t n = pread(fd, text, sizeof text - 1, 0);
	long pid = n > 0 ? strtol(text, NULL, 10) : 0;

	if (pid > 0)
		return db_refuse(s, NS_UNAVAILABLE, STORE_E_HELD,
		    "%s is in use by process %ld: one appliance per data directory", s->dir, pid);
	return db_refuse(s, NS_UNAVAILABLE, STORE_E_HELD,
	    "%s is in use by another process: one appliance per data directory", s->dir);
}

static enum ns_err
lock_take(struct store *s)
{
	char *path = xasprintf("%s/store.lock", s->dir);
	char text[32];
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	enum ns_err err = NS_OK;
	bool told;
	int n;

	/* flock, not fcntl: it also tells two handles of one process apart.  The file stays: to remove it
	 * would let two holders lock two files of one name. */
	if (fd < 0)
		err = db_refuse(
		    s, NS_UNAVAILABLE, STORE_E_OPEN, "cannot open %s: %s", path, strerror(errno));
	else if (flock(fd, LOCK_EX | LOCK_NB) != 0)
		err = lock_held(s, fd);
	free(path);
	if (err != NS_OK) {
		if (fd >= 0)
			close(fd);
		return err;
	}
	s->lock_fd = fd;
	/* The pid is for people: when it cannot be written (full disk) the lock still holds. */
	n = snprintf(text, sizeof text, "%ld\n", (long)getpid());
	told = ftruncate(fd, 0) == 0 && pwrite(fd, text, (size_t)n, 0) == n;
	(void)told;
	return NS_OK;
}

static void
lock_drop(struct store *s)
{
	if (s->lock_fd < 0)
		return;
	/* The pid stays in it: in an unlocked file it misleads nobody. */
	close(s->lock_fd);
	s->lock_fd = -1;
}

/* ---- settings of the library ---- */

static int
wal_grew(void *arg, sqlite3 *db, const char *name, int pages)
{
	struct store *s = arg;

	(void)db;
	(void)name;
	s->wal_pages = pages;
	return SQLITE_OK;
}

static enum ns_err
db_open(struct store *s, const char *vfs)
{
	char *path = xasprintf("%s/store.db", s->dir);
	int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_NOFOLLOW;
	int rc;

	flags |= s->mode == STORE_WRITE ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
					: SQLITE_OPEN_READONLY;
	rc = sqlite3_open_v2(path, &s->db, flags, vfs);
	free(path);
	if (rc != SQLITE_OK)
		return db_fail(s, rc, "open the store");
	sqlite3_busy_timeout(s->db, BUSY_MS);
	/* SQL comes from sql.c alone; a crafted file must not bring its own (triggers, views). */
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
	return NS_OK;
}

/* The memory budget of the appliance has 8 MB for the writer and 4 MB for each reader here. */
#define COMMON_PRAGMAS \
	"PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY; PRAGMA cell_size_check = ON;"
static const char reader_pragmas[] = COMMON_PRAGMAS "PRAGMA cache_size = -4096;";
/* page_size counts for a new file only.  The log is kept below 64 MB, on disk too. */
static const char writer_pragmas[] =
    COMMON_PRAGMAS "PRAGMA cache_size = -8192; PRAGMA page_size = 4096;"
		   "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
		   "PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = 67108864;";

static enum ns_err
sync_path(struct store *s, const char *path, int flags)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | flags);
	enum ns_err err = NS_OK;

	if (fd < 0 || fsync(fd) != 0)
		err = db_refuse(
		    s, NS_UNAVAILABLE, STORE_E_IO, "cannot sync %s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return err;
}

/* After a kill the log may hold commits that nobody has synced; from here on they are answered as done
 * (store_idem_get), so they must be on disk first. */
static enum ns_err
bring_home(struct store *s)
{
	char *path;
	enum ns_err err;
	int rc;

	sqlite3_busy_timeout(s->db, 0);
	rc = sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	sqlite3_busy_timeout(s->db, BUSY_MS);
	if (rc == SQLITE_OK)
		return NS_OK;
	if ((rc & 0xff) != SQLITE_BUSY)
		return db_fail(s, rc, "bring the log home");
	/* Somebody reads (a backup): the log stays, but on the disk. */
	path = xasprintf("%s/store.db-wal", s->dir);
	err = sync_path(s, path, 0);
	free(path);
	return err;
}

static enum ns_err
start_writer(struct store *s)
{
	int version = 0;
	enum ns_err err;

	/* Version first: a newer store is left as it is, to the byte. */
	if ((err = schema_check(s, &version)) != NS_OK ||
	    (err = db_exec(s, writer_pragmas)) != NS_OK ||
	    (err = schema_migrate(s, version)) != NS_OK)
		return err;
	/* A new file's name must survive a power cut as its content does. */
	if (version == 0 && (err = sync_path(s, s->dir, O_DIRECTORY)) != NS_OK)
		return err;
	if ((err = bring_home(s)) != NS_OK)
		return err;
	sqlite3_wal_hook(s->db, wal_grew, s);
	return NS_OK;
}

static enum ns_err
start_reader(struct store *s)
{
	int version = 0;
	enum ns_err err = schema_check(s, &version);

	if (err != NS_OK)
		return err;
	if (version < STORE_SCHEMA)
		return db_refuse(s, NS_VERSION, STORE_E_VERSION,
		    "%s/store.db has version %d, this software (%s) reads %d: the writer must open "
		    "and migrate it first",
		    s->dir, version, NS_RELEASE, STORE_SCHEMA);
	return db_exec(s, reader_pragmas);
}

enum ns_err
store_open(
    const char *dir, enum store_mode mode, const char *vfs, struct store **out, struct ns_why *why)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct store *s = xcalloc(1, sizeof *s);
	enum ns_err err = NS_OK;

	pthread_once(&once, library_once);
	*out = NULL;
	s->mode = mode;
	s->dir = xstrdup(dir);
	s->lock_fd = -1;
	s->scratch = wbuf_grow(CONTENT_MAX);
	if (mode == STORE_WRITE)
		err = lock_take(s);
	if (err == NS_OK && mode == STORE_WRITE)
		err = replace_finish(dir, &s->why);
	if (err == NS_OK)
		err = db_open(s, vfs);
	if (err == NS_OK)
		err = mode == STORE_WRITE ? start_writer(s) : start_reader(s);
	if (err != NS_OK) {
		db_tell(s, err, why);
		store_close(&s);
		return err;
	}
	*out = s;
	return NS_OK;
}

void
store_shrink(struct store *s)
{
	(void)sqlite3_db_release_memory(s->db);
}

void
store_close(struct store **sp)
{
	struct store *s = *sp;

	if (s == NULL)
		return;
	*sp = NULL;
	if (s->in_txn)
		store_rollback(s);
	for (size_t i = 0; i < ST_MAX; i++)
		sqlite3_finalize(s->stmt[i]);
	verify_free(&s->verify);
	sqlite3_close(s->db);
	/* After the database: whoever gets the lock next must find it closed. */
	lock_drop(s);
	wbuf_free(&s->scratch);
	free(s->dir);
	free(s);
}
