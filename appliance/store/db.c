/* db.c - statements, values and errors; see db.h. */
#include "appliance/store/db.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ipc/base/xalloc.h"

/* ---- errors ---- */

enum ns_err
db_refuse(struct store *s, enum ns_err err, enum store_code code, const char *fmt, ...)
{
	char text[sizeof s->why.text];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	memset(&s->why, 0, sizeof s->why);
	return ns_fail(&s->why, err, (uint16_t)code, "%s", text);
}

enum ns_err
db_corrupt(struct store *s, const char *what)
{
	return db_refuse(s, NS_CORRUPT, STORE_E_CORRUPT,
	    "%s/store.db is damaged: %s; run `nameserve verify`, restore a backup or resync",
	    s->dir, what);
}

static enum ns_err
fail_io(struct store *s, int rc, const char *doing)
{
	int sys = sqlite3_system_errno(s->db);

	if ((rc & 0xff) == SQLITE_FULL || sys == ENOSPC || sys == EDQUOT)
		return db_refuse(s, NS_UNAVAILABLE, STORE_E_FULL,
		    "the disk of %s is full: nothing was changed; make room and try again", s->dir);
	return db_refuse(s, NS_UNAVAILABLE, STORE_E_IO, "cannot %s in %s/store.db: %s (%s)", doing,
	    s->dir, sqlite3_errstr(rc), sys != 0 ? strerror(sys) : "no system error");
}

enum ns_err
db_fail(struct store *s, int rc, const char *doing)
{
	int ext = s->db != NULL ? sqlite3_extended_errcode(s->db) : rc;

	if ((ext & 0xff) == (rc & 0xff))
		rc = ext;
	switch (rc & 0xff) {
	case SQLITE_FULL:
	case SQLITE_IOERR:
		return fail_io(s, rc, doing);
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return db_corrupt(s, sqlite3_errmsg(s->db));
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return db_refuse(s, NS_UNAVAILABLE, STORE_E_BUSY,
		    "%s/store.db is busy: another program uses it", s->dir);
	case SQLITE_NOMEM:
		return db_refuse(
		    s, NS_UNAVAILABLE, STORE_E_MEMORY, "out of memory, cannot %s", doing);
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
	case SQLITE_READONLY:
		return db_refuse(s, NS_UNAVAILABLE, STORE_E_OPEN, "cannot %s in %s/store.db: %s",
		    doing, s->dir, sqlite3_errstr(rc));
	case SQLITE_TOOBIG:
		return db_refuse(s, NS_INVALID, STORE_E_LIMIT, "cannot %s: too big", doing);
	default:
		return db_refuse(s, NS_FAILED, STORE_E_SQL, "cannot %s in %s/store.db: %s (%d)",
		    doing, s->dir, sqlite3_errmsg(s->db), rc);
	}
}

enum ns_err
db_tell(const struct store *s, enum ns_err err, struct ns_why *why)
{
	if (err != NS_OK && why != NULL) {
		if (s->why.err == err)
			*why = s->why;
		else
			ns_fail(why, err, 0, "%s", ns_err_text(err));
	}
	return err;
}

/* ---- statements ---- */

enum ns_err
db_exec(struct store *s, const char *sql)
{
	int rc = sqlite3_exec(s->db, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? NS_OK : db_fail(s, rc, "work");
}

sqlite3_stmt *
db_stmt(struct store *s, enum db_stmt_id id)
{
	int rc;

	if (s->stmt[id] == NULL) {
		rc = sqlite3_prepare_v3(
		    s->db, db_sql[id], -1, SQLITE_PREPARE_PERSISTENT, &s->stmt[id], NULL);
		if (rc != SQLITE_OK) {
			db_fail(s, rc, "prepare a statement");
			return NULL;
		}
	}
	/* A callback of a listing that starts the same listing would restart it for ever. */
	assert(!sqlite3_stmt_busy(s->stmt[id]));
	return s->stmt[id];
}

enum ns_err
db_need_txn(struct store *s)
{
	assert(s->mode == STORE_WRITE);
	assert(s->in_txn);
	if (s->broken || sqlite3_get_autocommit(s->db))
		return db_refuse(s, NS_UNAVAILABLE, STORE_E_BROKEN,
		    "an earlier write of this transaction failed");
	return NS_OK;
}

sqlite3_stmt *
db_writer(struct store *s, enum db_stmt_id id)
{
	sqlite3_stmt *st;

	assert(s->mode == STORE_WRITE);
	if (s->in_txn && db_need_txn(s) != NS_OK)
		return NULL;
	st = db_stmt(s, id);
	if (st == NULL)
		s->broken = s->in_txn;
	return st;
}

void
db_reset(sqlite3_stmt *st)
{
	sqlite3_reset(st);
	/* Bound memory is the caller's and must not be looked at again. */
	sqlite3_clear_bindings(st);
}

enum ns_err
db_row(struct store *s, sqlite3_stmt *st)
{
	int rc = sqlite3_step(st);
	enum ns_err err = NS_NOTFOUND;

	if (rc == SQLITE_ROW)
		return NS_OK;
	if (rc != SQLITE_DONE)
		err = db_fail(s, rc, sqlite3_stmt_readonly(st) ? "read" : "write");
	if (rc != SQLITE_DONE && !sqlite3_stmt_readonly(st))
		s->broken = s->in_txn;
	db_reset(st);
	return err;
}

enum ns_err
db_run(struct store *s, sqlite3_stmt *st)
{
	enum ns_err err;

	while ((err = db_row(s, st)) == NS_OK)
		;
	return err == NS_NOTFOUND ? NS_OK : err;
}

/* ---- values in ---- */

void
db_bind_start(sqlite3_stmt *st, int at)
{
	sqlite3_bind_int(st, at, -1);
}

void
db_bind_u64(sqlite3_stmt *st, int at, uint64_t v)
{
	/* SQLite's integers are signed; a number of ours that high is a bug, not an input. */
	assert(v <= INT64_MAX);
	sqlite3_bind_int64(st, at, (sqlite3_int64)v);
}

void
db_bind_blob(sqlite3_stmt *st, int at, const void *data, size_t len)
{
	/* A NULL pointer would be an SQL NULL. */
	sqlite3_bind_blob64(st, at, len > 0 ? data : "", len, SQLITE_STATIC);
}

void
db_bind_text(sqlite3_stmt *st, int at, const char *text)
{
	sqlite3_bind_text64(st, at, text, strlen(text), SQLITE_STATIC, SQLITE_UTF8);
}

/* ---- values out ---- */

bool
db_col_u64(sqlite3_stmt *st, int at, uint64_t max, uint64_t *out)
{
	sqlite3_int64 v;

	*out = 0;
	if (sqlite3_column_type(st, at) != SQLITE_INTEGER)
		return false;
	v = sqlite3_column_int64(st, at);
	if (v < 0 || (uint64_t)v > max)
		return false;
	*out = (uint64_t)v;
	return true;
}

bool
db_col_blob(sqlite3_stmt *st, int at, size_t min, size_t max, const uint8_t **out, size_t *len)
{
	if (sqlite3_column_type(st, at) != SQLITE_BLOB)
		return false;
	*out = sqlite3_column_blob(st, at);
	*len = (size_t)sqlite3_column_bytes(st, at);
	/* NULL also when memory ran out while overflow pages were read. */
	return *len >= min && *len <= max && (*out != NULL || *len == 0);
}

/* The text without a NUL inside; NULL when it is not that. */
static const char *
col_text(sqlite3_stmt *st, int at, size_t max, size_t *len)
{
	const char *text;

	if (sqlite3_column_type(st, at) != SQLITE_TEXT)
		return NULL;
	text = (const char *)sqlite3_column_text(st, at);
	*len = (size_t)sqlite3_column_bytes(st, at);
	if (text == NULL || *len > max || memchr(text, 0, *len) != NULL)
		return NULL;
	return text;
}

bool
db_col_text(sqlite3_stmt *st, int at, char *out, size_t size)
{
	size_t len;
	const char *text = col_text(st, at, size - 1, &len);

	out[0] = '\0';
	if (text == NULL)
		return false;
	memcpy(out, text, len);
	out[len] = '\0';
	return true;
}

bool
db_col_strdup(sqlite3_stmt *st, int at, size_t max, char **out)
{
	size_t len;
	const char *text = col_text(st, at, max, &len);

	*out = text != NULL ? xstrdup(text) : NULL;
	return text != NULL;
}
