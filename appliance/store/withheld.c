/* withheld.c - changes of which this appliance holds a part only, because zones of it may not be here.
 *
 * The log keeps their header and the digest of the whole body, so that the chain can be checked; the
 * body is what is left of it.  See sync/residency.h for who decides. */
#include <string.h>

#include "appliance/store/chain.h"
#include "appliance/store/db.h"
#include "appliance/store/sql.h"

enum ns_err
store_zone_by_id(struct store *s, uint64_t id, struct store_zone *z)
{
	sqlite3_stmt *st = db_stmt(s, ST_ZONE_ID);
	enum ns_err err;

	if (st == NULL)
		return s->why.err;
	db_bind_u64(st, 1, id <= INT64_MAX ? id : 0);
	if ((err = db_row(s, st)) != NS_OK)
		return err;
	err = zone_row(s, st, z);
	db_reset(st);
	return err;
}

enum ns_err
store_change_digest(struct store *s, uint64_t revision, uint8_t digest[STORE_HASH])
{
	sqlite3_stmt *st = db_stmt(s, ST_WITHHELD_GET);
	const uint8_t *data;
	size_t len;
	enum ns_err err;

	if (st == NULL)
		return s->why.err;
	db_bind_u64(st, 1, revision <= INT64_MAX ? revision : 0);
	if ((err = db_row(s, st)) != NS_OK)
		return err;
	if (db_col_blob(st, 0, STORE_HASH, STORE_HASH, &data, &len))
		memcpy(digest, data, STORE_HASH);
	else
		err = db_corrupt(s, "the digest of a change cannot be one");
	db_reset(st);
	return err;
}

enum ns_err
change_digest_put(struct store *s, uint64_t revision, const uint8_t digest[STORE_HASH])
{
	sqlite3_stmt *st = db_writer(s, ST_WITHHELD_PUT);

	if (st == NULL)
		return s->why.err;
	db_bind_u64(st, 1, revision);
	db_bind_blob(st, 2, digest, STORE_HASH);
	return db_run(s, st);
}

enum ns_err
store_change_adopt_part(struct store *s, const struct store_change *c,
    const uint8_t digest[STORE_HASH], const void *body, size_t body_len, const uint64_t *zones,
    size_t nzones, struct ns_why *why)
{
	enum ns_err err = db_need_txn(s);

	if (err != NS_OK)
		return db_tell(s, err, why);
	if ((err = change_adopt(s, c, digest, body, body_len)) == NS_OK &&
	    (err = change_touched(s, c->revision, zones, nzones)) == NS_OK)
		err = change_digest_put(s, c->revision, digest);
	if (err != NS_OK)
		s->broken = true;
	return db_tell(s, err, why);
}

/* ---- afterwards ---- */
static enum ns_err
keep_digest(struct store *s, uint64_t revision)
{
	struct wbuf body = wbuf_grow(STORE_BODY_MAX);
	struct store_change c;
	uint8_t digest[STORE_HASH];
	enum ns_err err = store_change_digest(s, revision, digest);

	if (err == NS_NOTFOUND) {
		err = store_change_get(s, revision, &c, &body);
		if (err == NS_OK && !chain_digest(body.base, body.len, digest))
			err = db_refuse(s, NS_FAILED, STORE_E_SQL, "libcrypto has no SHA-256");
		if (err == NS_OK)
			err = change_digest_put(s, revision, digest);
	}
	wbuf_free(&body);
	return err;
}

static enum ns_err
put_body(struct store *s, uint64_t revision, const void *body, size_t body_len)
{
	sqlite3_stmt *st = db_writer(s, ST_CHANGE_BODY);
	enum ns_err err;

	if (st == NULL)
		return s->why.err;
	db_bind_u64(st, 1, revision);
	db_bind_blob(st, 2, body, body_len);
	if ((err = db_run(s, st)) != NS_OK || (st = db_writer(s, ST_IDEM_FORGET)) == NULL)
		return err != NS_OK ? err : s->why.err;
	db_bind_u64(st, 1, revision);
	return db_run(s, st);
}

enum ns_err
store_change_withhold(
    struct store *s, uint64_t revision, const void *body, size_t body_len, struct ns_why *why)
{
	enum ns_err err = db_need_txn(s);

	if (err != NS_OK)
		return db_tell(s, err, why);
	if ((err = keep_digest(s, revision)) == NS_OK)
		err = put_body(s, revision, body, body_len);
	if (err != NS_OK)
		s->broken = true;
	return db_tell(s, err, why);
}

/* VACUUM puts what is left beside (in memory, PRAGMA temp_store), and over the old pages by way of the
 * WAL; then the WAL is brought home and cut to nothing. */
enum ns_err
store_scrub(struct store *s, struct ns_why *why)
{
	enum ns_err err = s->poisoned || s->in_txn ? NS_UNAVAILABLE : db_exec(s, "VACUUM");
	int rc;

	if (err != NS_OK)
		return db_tell(s, err, why);
	rc = sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	if (rc != SQLITE_OK)
		return db_tell(s, db_fail(s, rc, "bring the log home"), why);
	s->wal_pages = 0;
	return NS_OK;
}
