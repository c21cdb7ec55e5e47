/* change.c - the change log: appended to, never altered. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "appliance/store/chain.h"
#include "appliance/store/db.h"
#include "appliance/store/sql.h"

enum ns_err
change_row(struct store *s, sqlite3_stmt *st, struct store_change *c)
{
	const uint8_t *prev, *hash;
	size_t len;
	uint64_t at;

	memset(c, 0, sizeof *c);
	if (!db_col_u64(st, 0, INT64_MAX, &c->revision) ||
	    !db_col_u64(st, 1, INT64_MAX, &c->term) || !db_col_u64(st, 2, INT64_MAX, &at) ||
	    !db_col_text(st, 3, c->author, sizeof c->author) ||
	    !db_col_text(st, 4, c->via, sizeof c->via) ||
	    !db_col_text(st, 5, c->kind, sizeof c->kind) ||
	    !db_col_text(st, 6, c->comment, sizeof c->comment) ||
	    !db_col_u64(st, 7, INT64_MAX, &c->added) ||
	    !db_col_u64(st, 8, INT64_MAX, &c->removed) ||
	    !db_col_u64(st, 9, INT64_MAX, &c->zone_count) ||
	    !db_col_blob(st, 10, STORE_HASH, STORE_HASH, &prev, &len) ||
	    !db_col_blob(st, 11, STORE_HASH, STORE_HASH, &hash, &len) ||
	    !db_col_text(st, 12, c->source, sizeof c->source) ||
	    !db_col_text(st, 13, c->appliance, sizeof c->appliance))
		return db_corrupt(s, "a change in the log has a value that no change can have");
	c->at_ms = (int64_t)at;
	memcpy(c->prev, prev, STORE_HASH);
	memcpy(c->hash, hash, STORE_HASH);
	return NS_OK;
}

enum ns_err
store_head(struct store *s, uint64_t *revision, uint64_t *term, uint8_t hash[STORE_HASH])
{
	sqlite3_stmt *st = db_stmt(s, ST_CHANGE_HEAD);
	const uint8_t *stored;
	size_t len;
	enum ns_err err;

	*revision = *term = 0;
	memset(hash, 0, STORE_HASH);
	if (st == NULL)
		return s->why.err;
	if ((err = db_row(s, st)) != NS_OK)
		return err == NS_NOTFOUND ? NS_OK : err;
	if (!db_col_u64(st, 0, INT64_MAX, revision) || !db_col_u64(st, 1, INT64_MAX, term) ||
	    !db_col_blob(st, 2, STORE_HASH, STORE_HASH, &stored, &len))
		err = db_corrupt(s, "the newest change cannot be read");
	else
		memcpy(hash, stored, STORE_HASH);
	db_reset(st);
	return err;
}

/* ---- appending ---- */

/* Beside the change: its row ends with the body, and behind that nothing is quick to read. */
static enum ns_err
whence_insert(struct store *s, const struct store_change *c)
{
	sqlite3_stmt *st;

	if (c->source[0] == '\0' && c->appliance[0] == '\0')
		return NS_OK;
	if ((st = db_writer(s, ST_WHENCE_PUT)) == NULL)
		return s->why.err;
	db_bind_u64(st, 1, c->revision);
	db_bind_text(st, 2, c->source);
	db_bind_text(st, 3, c->appliance);
	return db_run(s, st);
}

enum ns_err
change_insert(struct store *s, const struct store_change *c, const void *body, size_t body_len)
{
	enum ns_err err = whence_insert(s, c);
	sqlite3_stmt *st;

	if (err != NS_OK)
		return err;
	if ((st = db_writer(s, ST_CHANGE_PUT)) == NULL)
		return s->why.err;
	db_bind_u64(st, 1, c->revision);
	db_bind_u64(st, 2, c->term);
	db_bind_u64(st, 3, (uint64_t)c->at_ms);
	db_bind_text(st, 4, c->author);
	db_bind_text(st, 5, c->via);
	db_bind_text(st, 6, c->kind);
	db_bind_text(st, 7, c->comment);
	db_bind_u64(st, 8, c->added);
	db_bind_u64(st, 9, c->removed);
	db_bind_u64(st, 10, c->zone_count);
	db_bind_blob(st, 11, c->prev, STORE_HASH);
	db_bind_blob(st, 12, c->hash, STORE_HASH);
	db_bind_blob(st, 13, body, body_len);
	return db_run(s, st);
}

enum ns_err
change_touched(struct store *s, uint64_t revision, const uint64_t *zones, size_t nzones)
{
	enum ns_err err = NS_OK;

	for (size_t i = 0; i < nzones && err == NS_OK; i++) {
		sqlite3_stmt *st = db_writer(s, ST_CHANGE_ZONE_PUT);

		if (st == NULL)
			return s->why.err;
		db_bind_u64(st, 1, zones[i]);
		db_bind_u64(st, 2, revision);
		err = db_run(s, st);
	}
	return err;
}

static bool
ended(const char *text, size_t size)
{
	return memchr(text, 0, size) != NULL;
}

static enum ns_err
append(struct store *s, struct store_change *c, const void *body, size_t body_len)
{
	uint64_t head, term;
	enum ns_err err = store_head(s, &head, &term, c->prev);

	assert(ended(c->author, sizeof c->author) && ended(c->via, sizeof c->via));
	assert(ended(c->kind, sizeof c->kind) && ended(c->comment, sizeof c->comment));
	assert(ended(c->source, sizeof c->source) && ended(c->appliance, sizeof c->appliance));
	if (err != NS_OK)
		return err;
	if (body_len > STORE_BODY_MAX)
		return db_refuse(s, NS_INVALID, STORE_E_LIMIT,
		    "a change of %zu octets: at most %u, make several of it", body_len,
		    STORE_BODY_MAX);
	c->revision = head + 1;
	if (!chain_hash(c, body, body_len, c->hash))
		return db_refuse(s, NS_FAILED, STORE_E_SQL, "libcrypto has no SHA-256");
	return change_insert(s, c, body, body_len);
}

enum ns_err
store_change_append(struct store *s, struct store_change *c, const void *body, size_t body_len,
    const uint64_t *zones, size_t nzones, struct ns_why *why)
{
	enum ns_err err = db_need_txn(s);

	if (err != NS_OK)
		return db_tell(s, err, why);
	if ((err = append(s, c, body, body_len)) == NS_OK)
		err = change_touched(s, c->revision, zones, nzones);
	if (err != NS_OK)
		s->broken = true;
	return db_tell(s, err, why);
}

/* Of another appliance: everything is given, and must be what we would have written. */
enum ns_err
change_adopt(struct store *s, const struct store_change *c, const uint8_t *digest, const void *body,
    size_t body_len)
{
	uint8_t head_hash[STORE_HASH], hash[STORE_HASH];
	uint64_t head, term;
	enum ns_err err = store_head(s, &head, &term, head_hash);

	if (err != NS_OK)
		return err;
	if (body_len > STORE_BODY_MAX)
		return db_refuse(s, NS_INVALID, STORE_E_LIMIT, "a change of %zu octets", body_len);
	if (c->revision != head + 1 || c->term < term ||
	    memcmp(c->prev, head_hash, STORE_HASH) != 0)
		return db_refuse(s, NS_CONFLICT, STORE_E_CHAIN,
		    "change %llu of term %llu does not follow change %llu of term %llu here",
		    (unsigned long long)c->revision, (unsigned long long)c->term,
		    (unsigned long long)head, (unsigned long long)term);
	if (!(digest != NULL ? chain_hash_digest(c, digest, hash)
			     : chain_hash(c, body, body_len, hash)))
		return db_refuse(s, NS_FAILED, STORE_E_SQL, "libcrypto has no SHA-256");
	if (memcmp(hash, c->hash, STORE_HASH) != 0)
		return db_refuse(s, NS_CORRUPT, STORE_E_CHAIN,
		    "the hash of change %llu is not that of what it holds",
		    (unsigned long long)c->revision);
	return change_insert(s, c, body, body_len);
}

enum ns_err
store_change_adopt(struct store *s, const struct store_change *c, const void *body, size_t body_len,
    const uint64_t *zones, size_t nzones, struct ns_why *why)
{
	enum ns_err err = db_need_txn(s);

	if (err != NS_OK)
		return db_tell(s, err, why);
	if ((err = change_adopt(s, c, NULL, body, body_len)) == NS_OK)
		err = change_touched(s, c->revision, zones, nzones);
	if (err != NS_OK)
		s->broken = true;
	return db_tell(s, err, why);
}

enum ns_err
store_change_drop(struct store *s, uint64_t after, struct ns_why *why)
{
	static const char *const tables[] = { "change_zone", "idem", "unconfirmed", "tombstone",
		"withheld", "whence", "change" };
	enum ns_err err = db_need_txn(s);

	for (size_t i = 0; i < sizeof tables / sizeof tables[0] && err == NS_OK; i++) {
		char sql[80];

		snprintf(sql, sizeof sql, "DELETE FROM %s WHERE revision > %llu", tables[i],
		    (unsigned long long)after);
		if ((err = db_exec(s, sql)) != NS_OK)
			s->broken = true;
	}
	return db_tell(s, err, why);
}

/* ---- reading ---- */

static enum ns_err
body_piece(struct store *s, uint64_t revision, uint64_t offset, size_t want, uint64_t *size,
    struct wbuf *piece)
{
	sqlite3_blob *blob = NULL;
	int rc =
	    sqlite3_blob_open(s->db, "main", "change", "body", (sqlite3_int64)revision, 0, &blob);
	uint8_t *room;

	if (rc != SQLITE_OK)
		return db_fail(s, rc, "read a change");
	*size = (uint64_t)sqlite3_blob_bytes(blob);
	if (offset > *size)
		offset = *size;
	if (want > *size - offset)
		want = (size_t)(*size - offset);
	room = wbuf_room(piece, want);
	if (room != NULL && want > 0)
		rc = sqlite3_blob_read(blob, room, (int)want, (int)offset);
	sqlite3_blob_close(blob);
	if (room == NULL && want > 0)
		return db_refuse(s, NS_UNAVAILABLE, STORE_E_LIMIT, "no room for a change");
	return rc == SQLITE_OK ? NS_OK : db_fail(s, rc, "read a change");
}

enum ns_err
store_change_piece(struct store *s, uint64_t revision, uint64_t offset, size_t want,
    struct store_change *c, uint64_t *size, struct wbuf *piece)
{
	enum ns_err err = store_change_get(s, revision, c, NULL);

	return err == NS_OK ? body_piece(s, revision, offset, want, size, piece) : err;
}

enum ns_err
store_change_get(struct store *s, uint64_t revision, struct store_change *c, struct wbuf *body)
{
	/* Without its body nothing of that is read: it may be megabytes of overflow pages. */
	sqlite3_stmt *st = db_stmt(s, body != NULL ? ST_CHANGE_GET : ST_CHANGE_ROW);
	const uint8_t *data;
	size_t len;
	enum ns_err err;

	if (st == NULL)
		return s->why.err;
	/* A number that nobody can have is only "not there": it may come from a request. */
	db_bind_u64(st, 1, revision <= INT64_MAX ? revision : 0);
	if ((err = db_row(s, st)) != NS_OK)
		return err;
	err = change_row(s, st, c);
	if (err == NS_OK && body != NULL) {
		if (!db_col_blob(st, CHANGE_NCOLUMNS, 0, STORE_BODY_MAX, &data, &len))
			err = db_corrupt(s, "a change in the log has no body");
		else
			wbuf_put(body, data, len);
		if (err == NS_OK && !wbuf_ok(body))
			err = db_refuse(s, NS_UNAVAILABLE, STORE_E_LIMIT,
			    "the change does not fit the room for it");
	}
	db_reset(st);
	return err;
}

enum ns_err
store_change_each(struct store *s, uint64_t zone, uint64_t before, store_change_fn *fn, void *arg)
{
	sqlite3_stmt *st = db_stmt(s, zone != 0 ? ST_CHANGE_EACH_ZONE : ST_CHANGE_EACH);
	struct store_change c;
	enum ns_err err;

	if (st == NULL)
		return s->why.err;
	db_bind_u64(st, 1, before != 0 && before <= INT64_MAX ? before : INT64_MAX);
	if (zone != 0)
		db_bind_u64(st, 2, zone <= INT64_MAX ? zone : 0);
	while ((err = db_row(s, st)) == NS_OK) {
		if ((err = change_row(s, st, &c)) != NS_OK || !fn(arg, &c)) {
			db_reset(st);
			return err;
		}
	}
	return err == NS_NOTFOUND ? NS_OK : err;
}
