/* verify.c - is all of it what we wrote?  Piece by piece, in a reader's thread.
 *
 * Four phases: SQLite's own checks table by table; each zone with its parts; tombstones; the log from
 * its first change to its head.  What is wrong is told and the walk goes on, so that one torn page
 * does not hide the next.  Nothing is held between pieces: a zone that was edited in between is
 * begun again, and the log only grows. */
#include "appliance/store/verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/store/chain.h"
#include "appliance/store/sql.h"
#include "appliance/store/state.h"
#include "ipc/base/clock.h"
#include "ipc/base/xalloc.h"

/* A big zone that is edited all the time is then finished in one piece, however long. */
#define RESTARTS_MAX 3

void
verify_fault(struct verify *v, const char *what, const char *zone, const char *text)
{
	v->fault(v->arg, what, zone, text);
}

/* ---- SQLite's own checks ---- */

/* The rows of a check, handed to `tell` unless they say ok.  A check that cannot run is a fault. */
static enum ns_err
run_check(struct store *s, struct verify *v, const char *sql,
    void (*tell)(struct verify *, sqlite3_stmt *))
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(s->db, sql, -1, &st, NULL);

	while (rc == SQLITE_OK && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		tell(v, st);
		rc = SQLITE_OK;
	}
	sqlite3_finalize(st);
	return rc == SQLITE_OK || rc == SQLITE_DONE ? NS_OK : db_fail(s, rc, "check");
}

static void
tell_quick(struct verify *v, sqlite3_stmt *st)
{
	const char *text = (const char *)sqlite3_column_text(st, 0);

	if (text == NULL || strcmp(text, "ok") != 0)
		verify_fault(v, "store", "", text != NULL ? text : "quick_check says nothing");
}

static void
tell_foreign(struct verify *v, sqlite3_stmt *st)
{
	char text[128];
	const char *table = (const char *)sqlite3_column_text(st, 0);

	snprintf(text, sizeof text, "row %lld of table %s belongs to nothing",
	    (long long)sqlite3_column_int64(st, 1), table != NULL ? table : "?");
	verify_fault(v, "store", "", text);
}

static enum ns_err
step_table(struct store *s, struct verify *v)
{
	char sql[96];
	enum ns_err err;

	if (v->at == store_ntables) {
		v->at = 0;
		v->phase = VERIFY_ZONES;
		return NS_OK;
	}
	snprintf(sql, sizeof sql, "PRAGMA quick_check('%s')", store_tables[v->at].name);
	err = run_check(s, v, sql, tell_quick);
	if (err == NS_OK) {
		snprintf(
		    sql, sizeof sql, "PRAGMA foreign_key_check('%s')", store_tables[v->at].name);
		err = run_check(s, v, sql, tell_foreign);
	}
	v->at++;
	return err;
}

/* ---- tombstones ---- */

static enum ns_err
step_tombs(struct store *s, struct verify *v)
{
	sqlite3_stmt *st = db_stmt(s, ST_VERIFY_TOMB);
	char text[96];
	enum ns_err err;

	v->phase = VERIFY_LOG;
	v->at = 0;
	if (st == NULL)
		return s->why.err;
	while ((err = db_row(s, st)) == NS_OK) {
		snprintf(text, sizeof text, "zone id %lld is there and has a tombstone",
		    (long long)sqlite3_column_int64(st, 0));
		verify_fault(v, "store", "", text);
	}
	return err == NS_NOTFOUND ? NS_OK : err;
}

/* ---- the log ---- */

static void
log_fault(struct verify *v, uint64_t revision, const char *how)
{
	char text[128];

	snprintf(text, sizeof text, "change %llu %s", (unsigned long long)revision, how);
	verify_fault(v, "change", "", text);
}

/* Where zones were taken out of the body, its digest stands for it. */
static bool
hash_of(struct store *s, const struct store_change *c, const uint8_t *body, size_t len,
    uint8_t hash[STORE_HASH])
{
	uint8_t digest[STORE_HASH];

	if (store_change_digest(s, c->revision, digest) == NS_OK)
		return chain_hash_digest(c, digest, hash);
	return chain_hash(c, body, len, hash);
}

static enum ns_err
check_change(struct store *s, struct verify *v, sqlite3_stmt *st)
{
	struct store_change c;
	const uint8_t *body;
	uint8_t hash[STORE_HASH];
	size_t len;
	uint64_t before = v->at;

	/* The number alone lets the walk go on when the rest cannot be read. */
	if (!db_col_u64(st, 0, INT64_MAX, &v->at))
		return db_corrupt(s, "a change in the log has no number");
	if (change_row(s, st, &c) != NS_OK ||
	    !db_col_blob(st, CHANGE_NCOLUMNS, 0, STORE_BODY_MAX, &body, &len)) {
		log_fault(v, v->at, "has values that no change can have");
		memset(v->prev, 0, STORE_HASH);
		return NS_OK;
	}
	/* Kept before the beginning: each for itself.  The first one follows from what is not here. */
	if (c.revision > v->begins) {
		if (c.revision != before + 1)
			log_fault(v, before + 1, "is missing");
		if (memcmp(c.prev, v->prev, STORE_HASH) != 0)
			log_fault(v, c.revision, "does not follow from the one before it");
	} else if (v->begins == 1 && memcmp(c.prev, v->prev, STORE_HASH) != 0) {
		log_fault(v, c.revision, "does not follow from the one before it");
	}
	if (!hash_of(s, &c, body, len, hash))
		return db_refuse(s, NS_FAILED, STORE_E_SQL, "libcrypto has no SHA-256");
	if (memcmp(c.hash, hash, STORE_HASH) != 0)
		log_fault(v, c.revision, "is not what its hash was made of");
	memcpy(v->prev, c.hash, STORE_HASH);
	return NS_OK;
}

static enum ns_err
step_change(struct store *s, struct verify *v)
{
	sqlite3_stmt *st = db_stmt(s, ST_VERIFY_CHANGE);
	enum ns_err err;

	if (st == NULL)
		return s->why.err;
	db_bind_u64(st, 1, v->at);
	err = db_row(s, st);
	if (err == NS_NOTFOUND)
		v->phase = VERIFY_END;
	if (err != NS_OK)
		return err == NS_NOTFOUND ? NS_OK : err;
	err = check_change(s, v, st);
	db_reset(st);
	return err;
}

/* ---- the walk ---- */

typedef enum ns_err step_fn(struct store *, struct verify *);
static step_fn *const steps[VERIFY_END] = {
	[VERIFY_TABLES] = step_table,
	[VERIFY_ZONES] = verify_step_zone,
	[VERIFY_TOMBS] = step_tombs,
	[VERIFY_LOG] = step_change,
};

/* One small step.  Damage is told; a row that cannot be reached ends its phase, because the walk
 * would stand still. */
static enum ns_err
step(struct store *s, struct verify *v)
{
	enum verify_phase phase = v->phase;
	uint64_t at = v->at;
	enum ns_err err = steps[phase](s, v);

	if (err != NS_CORRUPT)
		return err;
	verify_fault(v, "store", "", s->why.text);
	if (v->phase == phase && v->at == at) {
		v->phase = phase + 1;
		v->at = 0;
	}
	return NS_OK;
}

static enum ns_err
piece(struct store *s, struct verify *v, unsigned budget_ms)
{
	uint64_t until = clock_mono_ms() + budget_ms;
	enum ns_err err;

	do {
		err = step(s, v);
	} while (err == NS_OK && v->phase != VERIFY_END &&
		 (clock_mono_ms() < until || (v->in_zone && v->restarts >= RESTARTS_MAX)));
	return err;
}

enum ns_err
store_verify_step(
    struct store *s, uint64_t *cursor, unsigned budget_ms, store_fault_fn *fn, void *arg)
{
	bool own = !s->in_txn;
	struct verify *v;
	enum ns_err err;

	if (*cursor == 0) {
		verify_free(&s->verify);
		s->verify = xcalloc(1, sizeof *s->verify);
		s->verify->begins = 1;
	}
	v = s->verify;
	if (v == NULL || v->pieces != *cursor)
		return db_refuse(s, NS_USAGE, STORE_E_SQL, "no verify stands at this cursor");
	v->fresh_piece = true;
	v->fault = fn;
	v->arg = arg;
	/* One snapshot per piece, so that a zone's row and its parts belong together. */
	if (own && (err = db_exec(s, "BEGIN")) != NS_OK)
		return err;
	/* It may be pruned while we go: what goes is behind us or was not looked at yet. */
	err = store_history(s, &v->begins);
	if (err == NS_OK || err == NS_CORRUPT)
		err = piece(s, v, budget_ms);
	if (own)
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	*cursor = ++v->pieces;
	if (err != NS_OK || v->phase == VERIFY_END) {
		*cursor = 0;
		verify_free(&s->verify);
	}
	return err;
}

void
verify_free(struct verify **vp)
{
	free(*vp);
	*vp = NULL;
}
