/* idem.c - idempotency keys: what a principal's key was answered with, for 24 h.
 *
 * Written in the transaction of the change itself, so that a key is known exactly when its change is
 * stored. */
#include <stdlib.h>
#include <string.h>

#include "appliance/store/db.h"
#include "appliance/store/state.h"

/* A clock that was set back does not let a key expire early. */
static int64_t
expired_before(int64_t now_ms)
{
	return now_ms - STORE_IDEM_MS;
}

static enum ns_err
answer(struct store *s, sqlite3_stmt *st, const uint8_t digest[STORE_HASH], int64_t now_ms,
    struct wbuf *reply)
{
	const uint8_t *stored, *data;
	size_t len;
	uint64_t at;

	if (!db_col_blob(st, 0, STORE_HASH, STORE_HASH, &stored, &len) ||
	    !db_col_u64(st, 1, INT64_MAX, &at) ||
	    !db_col_blob(st, 2, 0, STORE_REPLY_MAX, &data, &len))
		return db_corrupt(s, "an idempotency key has values that none can have");
	if ((int64_t)at <= expired_before(now_ms))
		return NS_NOTFOUND;
	if (memcmp(stored, digest, STORE_HASH) != 0)
		return db_refuse(s, NS_CONFLICT, STORE_E_IDEM,
		    "this idempotency key was used for another request: take a new one");
	wbuf_put(reply, data, len);
	if (!wbuf_ok(reply))
		return db_refuse(s, NS_UNAVAILABLE, STORE_E_LIMIT,
		    "the kept reply does not fit the room for it");
	return NS_OK;
}

enum ns_err
store_idem_get(struct store *s, const char *principal, const char *key,
    const uint8_t digest[STORE_HASH], int64_t now_ms, struct wbuf *reply, struct ns_why *why)
{
	sqlite3_stmt *st = db_stmt(s, ST_IDEM_GET);
	enum ns_err err;

	if (st == NULL)
		return db_tell(s, s->why.err, why);
	db_bind_text(st, 1, principal);
	db_bind_text(st, 2, key);
	if ((err = db_row(s, st)) == NS_OK) {
		err = answer(s, st, digest, now_ms, reply);
		db_reset(st);
	}
	return err == NS_NOTFOUND ? err : db_tell(s, err, why);
}

static enum ns_err
expire(struct store *s, int64_t now_ms)
{
	sqlite3_stmt *st = db_writer(s, ST_IDEM_EXPIRE);

	if (st == NULL)
		return s->why.err;
	sqlite3_bind_int64(st, 1, expired_before(now_ms));
	sqlite3_bind_int64(st, 2, now_ms + STORE_IDEM_MS);
	return db_run(s, st);
}

static enum ns_err
keep(struct store *s, sqlite3_stmt *st)
{
	enum ns_err err = db_row(s, st);

	if (err == NS_NOTFOUND)
		return db_refuse(
		    s, NS_CONFLICT, STORE_E_IDEM, "this idempotency key was used already");
	return err == NS_OK ? db_run(s, st) : err;
}

enum ns_err
store_idem_put(struct store *s, const char *principal, const char *key,
    const uint8_t digest[STORE_HASH], int64_t now_ms, const void *reply, size_t len,
    struct ns_why *why)
{
	sqlite3_stmt *st;
	enum ns_err err = db_need_txn(s);

	if (err != NS_OK)
		return db_tell(s, err, why);
	if (strlen(principal) > STORE_NAME_MAX || strlen(key) > STORE_NAME_MAX ||
	    len > STORE_REPLY_MAX)
		return db_tell(s,
		    db_refuse(s, NS_INVALID, STORE_E_LIMIT,
			"an idempotency key has at most %u octets", STORE_NAME_MAX),
		    why);
	err = expire(s, now_ms);
	if (err == NS_OK && (st = db_writer(s, ST_IDEM_PUT)) != NULL) {
		db_bind_text(st, 1, principal);
		db_bind_text(st, 2, key);
		db_bind_blob(st, 3, digest, STORE_HASH);
		db_bind_u64(st, 4, (uint64_t)now_ms);
		db_bind_blob(st, 5, reply, len);
		sqlite3_bind_int64(st, 6, expired_before(now_ms));
		err = keep(s, st);
	} else if (err == NS_OK) {
		err = s->why.err;
	}
	if (err != NS_OK)
		s->broken = true;
	return db_tell(s, err, why);
}

/* ---- with the change, to those who follow ---- */

static bool
read_key(sqlite3_stmt *st, struct store_idem *out, char **principal, char **key)
{
	const uint8_t *digest, *reply;
	size_t len;
	uint64_t at;

	if (!db_col_strdup(st, 0, STORE_NAME_MAX, principal) ||
	    !db_col_strdup(st, 1, STORE_NAME_MAX, key) ||
	    !db_col_blob(st, 2, STORE_HASH, STORE_HASH, &digest, &len) ||
	    !db_col_u64(st, 3, INT64_MAX, &at) ||
	    !db_col_blob(st, 4, 0, STORE_REPLY_MAX, &reply, &len))
		return false;
	memcpy(out->digest, digest, STORE_HASH);
	out->principal = *principal;
	out->key = *key;
	out->at_ms = (int64_t)at;
	out->reply = reply;
	out->reply_len = len;
	return true;
}

/* The key of the row, and its change where the row has one; false from fn stops. */
static enum ns_err
each_key(struct store *s, sqlite3_stmt *st, store_idem_fn *one, store_keyed_fn *keyed, void *arg)
{
	bool more = true;
	enum ns_err err = NS_OK;

	while (more && (err = db_row(s, st)) == NS_OK) {
		struct store_idem k = { 0 };
		char *principal = NULL, *key = NULL;
		uint64_t revision = 0;
		bool ok = read_key(st, &k, &principal, &key) &&
			  (keyed == NULL || db_col_u64(st, 5, INT64_MAX, &revision));

		if (ok && keyed != NULL)
			more = keyed(arg, revision, &k);
		else if (ok)
			one(arg, &k);
		free(principal);
		free(key);
		if (!ok || !more)
			db_reset(st);
		if (!ok)
			return db_corrupt(s, "an idempotency key has values that none can have");
	}
	return err == NS_NOTFOUND ? NS_OK : err;
}

enum ns_err
store_idem_each(struct store *s, uint64_t revision, store_idem_fn *fn, void *arg)
{
	sqlite3_stmt *st = db_stmt(s, ST_IDEM_EACH);

	if (st == NULL)
		return s->why.err;
	db_bind_u64(st, 1, revision);
	return each_key(s, st, fn, NULL, arg);
}

enum ns_err
store_idem_after(struct store *s, int64_t at_ms, store_keyed_fn *fn, void *arg)
{
	sqlite3_stmt *st = db_stmt(s, ST_IDEM_AFTER);

	if (st == NULL)
		return s->why.err;
	db_bind_u64(st, 1, at_ms > 0 ? (uint64_t)at_ms : 0);
	return each_key(s, st, NULL, fn, arg);
}

enum ns_err
store_idem_adopt(struct store *s, uint64_t revision, const struct store_idem *k, struct ns_why *why)
{
	sqlite3_stmt *st;
	enum ns_err err = db_need_txn(s);

	if (err == NS_OK && (strlen(k->principal) > STORE_NAME_MAX ||
				strlen(k->key) > STORE_NAME_MAX || k->reply_len > STORE_REPLY_MAX))
		err = db_refuse(s, NS_INVALID, STORE_E_LIMIT, "not an idempotency key");
	if (err == NS_OK)
		err = expire(s, k->at_ms);
	if (err != NS_OK)
		return db_tell(s, err, why);
	if ((st = db_writer(s, ST_IDEM_ADOPT)) == NULL)
		return db_tell(s, s->why.err, why);
	db_bind_text(st, 1, k->principal);
	db_bind_text(st, 2, k->key);
	db_bind_blob(st, 3, k->digest, STORE_HASH);
	db_bind_u64(st, 4, (uint64_t)k->at_ms);
	db_bind_blob(st, 5, k->reply, k->reply_len);
	db_bind_u64(st, 6, revision);
	if ((err = db_run(s, st)) != NS_OK)
		s->broken = true;
	return db_tell(s, err, why);
}
