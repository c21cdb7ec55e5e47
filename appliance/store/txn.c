/* txn.c - transactions, one level of savepoint, and checkpoints.
 *
 * The promise: what store_commit() answered NS_OK for is on the disk; a change of which one write
 * failed is never committed, whatever the caller does (see `broken` in db.h). */
#include <assert.h>

#include "appliance/store/db.h"

/* SQLite takes the word outside a transaction only. */
static enum ns_err
set_light(struct store *s, bool light)
{
	enum ns_err err = NS_OK;

	if (s->light != light && s->mode == STORE_WRITE)
		err =
		    db_exec(s, light ? "PRAGMA synchronous = NORMAL" : "PRAGMA synchronous = FULL");
	if (err == NS_OK)
		s->light = light;
	return err;
}

static enum ns_err
begin(struct store *s, bool light, struct ns_why *why)
{
	enum ns_err err;

	assert(!s->in_txn);
	if (s->poisoned)
		return db_tell(s,
		    db_refuse(s, NS_UNAVAILABLE, STORE_E_IO,
			"%s failed to sync: what it holds is uncertain until it is opened anew",
			s->dir),
		    why);
	err = set_light(s, light);
	/* IMMEDIATE: the one writer takes its lock now, not in the middle. */
	if (err == NS_OK)
		err = db_exec(s, s->mode == STORE_WRITE ? "BEGIN IMMEDIATE" : "BEGIN");
	if (err != NS_OK)
		return db_tell(s, err, why);
	s->in_txn = true;
	s->marked = s->broken = false;
	return NS_OK;
}

enum ns_err
store_begin(struct store *s, struct ns_why *why)
{
	return begin(s, false, why);
}

enum ns_err
store_begin_light(struct store *s, struct ns_why *why)
{
	return begin(s, true, why);
}

void
store_rollback(struct store *s)
{
	assert(s->in_txn);
	/* SQLite may have rolled back by itself (full disk); then there is nothing to do. */
	if (!sqlite3_get_autocommit(s->db))
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	s->in_txn = s->marked = s->broken = false;
}

/* A commit that failed while it synced may be on the disk or not, and the kernel forgets dirty pages
 * of a failed fsync: no later sync can be believed (as PostgreSQL learned). */
static enum ns_err
commit_failed(struct store *s, int rc)
{
	enum ns_err err = db_fail(s, rc, "commit");

	rc = sqlite3_extended_errcode(s->db);
	if (rc != SQLITE_IOERR_FSYNC && rc != SQLITE_IOERR_DIR_FSYNC)
		return err;
	s->poisoned = true;
	return db_refuse(s, NS_UNKNOWN, STORE_E_IO,
	    "the disk of %s failed to sync: whether the change is stored is not known", s->dir);
}

enum ns_err
store_commit(struct store *s, struct ns_why *why)
{
	enum ns_err err = NS_OK;
	int rc;

	assert(s->in_txn && !s->marked);
	if (s->mode == STORE_WRITE)
		err = db_need_txn(s);
	if (err == NS_OK && (rc = sqlite3_exec(s->db, "COMMIT", NULL, NULL, NULL)) != SQLITE_OK)
		err = commit_failed(s, rc);
	if (err != NS_OK) {
		db_tell(s, err, why);
		store_rollback(s);
		return err;
	}
	s->in_txn = false;
	/* The change is safe; a checkpoint that fails is tried again at the next commit. */
	if (s->wal_pages >= WAL_FORCED_PAGES)
		txn_checkpoint(s);
	return NS_OK;
}

enum ns_err
store_mark(struct store *s, struct ns_why *why)
{
	enum ns_err err = db_need_txn(s);

	assert(!s->marked);
	if (err == NS_OK)
		err = db_exec(s, "SAVEPOINT mark");
	if (err == NS_OK)
		s->marked = true;
	return db_tell(s, err, why);
}

enum ns_err
store_release(struct store *s, struct ns_why *why)
{
	enum ns_err err = db_need_txn(s);

	assert(s->marked);
	if (err == NS_OK && (err = db_exec(s, "RELEASE mark")) != NS_OK)
		s->broken = true;
	if (err == NS_OK)
		s->marked = false;
	return db_tell(s, err, why);
}

void
store_undo(struct store *s)
{
	assert(s->in_txn && s->marked);
	s->marked = false;
	/* Nothing was written before the mark failed, so undoing to it mends the transaction,
	 * unless SQLite gave up all of it. */
	s->broken =
	    sqlite3_get_autocommit(s->db) ||
	    sqlite3_exec(s->db, "ROLLBACK TO mark; RELEASE mark", NULL, NULL, NULL) != SQLITE_OK;
}

void
txn_checkpoint(struct store *s)
{
	int in_log = 0, home = 0;

	/* Passive: waits for nobody.  What a reader still needs stays for the next time; once all is
	 * home the next commit starts the log again at its front. */
	if (sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_PASSIVE, &in_log, &home) ==
		SQLITE_OK &&
	    in_log == home)
		s->wal_pages = 0;
}

void
store_idle(struct store *s)
{
	if (s->mode == STORE_WRITE && !s->in_txn && s->wal_pages >= WAL_IDLE_PAGES)
		txn_checkpoint(s);
}
