/* zone.c - the zones' rows and tombstones.  Counters in the row belong to content.c. */
#include <assert.h>
#include <string.h>

#include "appliance/store/mention.h"
#include "appliance/store/state.h"

enum ns_err
zone_row(struct store *s, sqlite3_stmt *st, struct store_zone *z)
{
	const uint8_t *key;
	size_t key_len;
	uint64_t serial, account, external, deleted, changed;

	memset(z, 0, sizeof *z);
	if (!db_col_u64(st, 0, INT64_MAX, &z->id) ||
	    !db_col_blob(st, 1, 0, NAME_MAX_KEY, &key, &key_len) ||
	    !db_col_u64(st, 2, INT64_MAX, &z->version) || !db_col_u64(st, 3, UINT32_MAX, &serial) ||
	    !db_col_u64(st, 4, INT64_MAX, &z->records) ||
	    !db_col_u64(st, 5, INT64_MAX, &z->rrsets) || !db_col_u64(st, 6, INT64_MAX, &z->bytes) ||
	    !db_col_u64(st, 7, UINT32_MAX, &account) || !db_col_u64(st, 8, 1, &external) ||
	    !db_col_u64(st, 9, INT64_MAX, &changed) || !db_col_u64(st, 10, 1, &deleted))
		return db_corrupt(s, "a zone's row has a value that no zone can have");
	z->name_len =
	    (uint8_t)name_from_key(key_len > 0 ? key : (const uint8_t *)"", key_len, z->name);
	if (z->name_len == 0)
		return db_corrupt(s, "a zone's row has no name");
	z->serial = (uint32_t)serial;
	z->account = (uint32_t)account;
	z->external = external != 0;
	z->changed_ms = (int64_t)changed;
	z->deleted = deleted != 0;
	return NS_OK;
}

enum ns_err
store_zone_find(struct store *s, const uint8_t *name, struct store_zone *out)
{
	uint8_t key[NAME_MAX_KEY];
	sqlite3_stmt *st = db_stmt(s, ST_ZONE_FIND);
	enum ns_err err;

	if (st == NULL)
		return s->why.err;
	db_bind_blob(st, 1, key, name_sort_key(name, key));
	if ((err = db_row(s, st)) != NS_OK)
		return err;
	err = zone_row(s, st, out);
	db_reset(st);
	return err;
}

/* ---- writing ---- */

static void
bind_zone(sqlite3_stmt *st, const struct store_zone *z, const uint8_t *key, size_t key_len)
{
	db_bind_blob(st, 2, key, key_len);
	db_bind_u64(st, 3, z->version);
	db_bind_u64(st, 4, z->serial);
	db_bind_u64(st, 5, z->account);
	db_bind_u64(st, 6, z->external);
	db_bind_u64(st, 7, (uint64_t)z->changed_ms);
}

static enum ns_err
zone_update(struct store *s, struct store_zone *z, const uint8_t *key, size_t key_len)
{
	sqlite3_stmt *st = db_writer(s, ST_ZONE_UPDATE);
	enum ns_err err;

	if (st == NULL)
		return s->why.err;
	db_bind_u64(st, 1, z->id);
	bind_zone(st, z, key, key_len);
	if ((err = db_row(s, st)) != NS_OK)
		return err;
	if (!db_col_u64(st, 0, INT64_MAX, &z->records) ||
	    !db_col_u64(st, 1, INT64_MAX, &z->rrsets) || !db_col_u64(st, 2, INT64_MAX, &z->bytes)) {
		db_reset(st);
		return db_corrupt(s, "a zone's counters are no numbers");
	}
	return db_run(s, st);
}

/* Ids are never given twice, not by a message from elsewhere either. */
static enum ns_err
refuse_buried(struct store *s, uint64_t id)
{
	sqlite3_stmt *st = db_stmt(s, ST_TOMB_FIND);
	enum ns_err err;

	if (st == NULL)
		return s->why.err;
	db_bind_u64(st, 1, id);
	if ((err = db_row(s, st)) != NS_OK)
		return err == NS_NOTFOUND ? NS_OK : err;
	db_reset(st);
	return db_refuse(
	    s, NS_CONFLICT, STORE_E_ZONE, "zone id %llu was deleted", (unsigned long long)id);
}

static enum ns_err
zone_insert(struct store *s, struct store_zone *z, const uint8_t *key, size_t key_len)
{
	sqlite3_stmt *st = db_writer(s, ST_ZONE_INSERT);
	enum ns_err err;

	if (st == NULL)
		return s->why.err;
	if (z->id != 0)
		db_bind_u64(st, 1, z->id);
	bind_zone(st, z, key, key_len);
	err = db_run(s, st);
	if (err != NS_OK && (sqlite3_errcode(s->db) & 0xff) == SQLITE_CONSTRAINT)
		return db_refuse(s, NS_CONFLICT, STORE_E_ZONE, "a zone of that name or id exists");
	if (err != NS_OK)
		return err;
	z->id = (uint64_t)sqlite3_last_insert_rowid(s->db);
	z->records = z->rrsets = z->bytes = 0;
	return NS_OK;
}

enum ns_err
store_zone_put(struct store *s, struct store_zone *z, struct ns_why *why)
{
	uint8_t key[NAME_MAX_KEY];
	size_t key_len = name_sort_key(z->name, key);
	enum ns_err err = db_need_txn(s);

	if (err == NS_OK && z->id != 0) {
		err = zone_update(s, z, key, key_len);
		if (err != NS_NOTFOUND)
			return db_tell(s, err, why);
		err = refuse_buried(s, z->id);
	}
	if (err == NS_OK)
		err = zone_insert(s, z, key, key_len);
	return db_tell(s, err, why);
}

static enum ns_err
bury(struct store *s, uint64_t id, uint64_t revision, int64_t now_ms)
{
	sqlite3_stmt *st;
	uint8_t key[NAME_MAX_KEY];
	const uint8_t *name;
	size_t len;
	enum ns_err err = mention_clear(s, id);

	if (err != NS_OK || (st = db_writer(s, ST_PART_CLEAR)) == NULL)
		return s->why.err;
	db_bind_u64(st, 1, id);
	if ((err = db_run(s, st)) != NS_OK || (st = db_writer(s, ST_ZONE_DROP)) == NULL)
		return s->why.err;
	db_bind_u64(st, 1, id);
	if ((err = db_row(s, st)) != NS_OK)
		return err;
	if (!db_col_blob(st, 0, 0, sizeof key, &name, &len)) {
		db_reset(st);
		return db_corrupt(s, "a zone's row has no name");
	}
	if (len > 0)
		memcpy(key, name, len);
	if ((err = db_run(s, st)) != NS_OK || (st = db_writer(s, ST_TOMB_PUT)) == NULL)
		return s->why.err;
	db_bind_u64(st, 1, id);
	db_bind_blob(st, 2, key, len);
	db_bind_u64(st, 3, revision);
	db_bind_u64(st, 4, (uint64_t)now_ms);
	return db_run(s, st);
}

enum ns_err
store_zone_drop(struct store *s, uint64_t id, uint64_t revision, int64_t now_ms, struct ns_why *why)
{
	enum ns_err err = db_need_txn(s);

	if (err != NS_OK)
		return db_tell(s, err, why);
	err = bury(s, id, revision, now_ms);
	if (err == NS_NOTFOUND)
		return db_tell(s, db_refuse(s, err, STORE_E_ZONE, "no zone has this id"), why);
	if (err != NS_OK)
		s->broken = true;
	return db_tell(s, err, why);
}

enum ns_err
store_zone_unbury(struct store *s, uint64_t id, struct ns_why *why)
{
	sqlite3_stmt *st = db_writer(s, ST_TOMB_DROP);
	enum ns_err err;

	if (st == NULL)
		return db_tell(s, s->why.err, why);
	db_bind_u64(st, 1, id);
	err = db_row(s, st);
	if (err == NS_NOTFOUND)
		return db_tell(
		    s, db_refuse(s, err, STORE_E_ZONE, "no deleted zone has this id"), why);
	return db_tell(s, err == NS_OK ? db_run(s, st) : err, why);
}

enum ns_err
store_tomb_put(struct store *s, const struct store_zone *z, struct ns_why *why)
{
	sqlite3_stmt *st = db_writer(s, ST_TOMB_PUT);
	uint8_t key[NAME_MAX_KEY];

	if (st == NULL)
		return db_tell(s, s->why.err, why);
	db_bind_u64(st, 1, z->id);
	db_bind_blob(st, 2, key, name_sort_key(z->name, key));
	db_bind_u64(st, 3, z->version);
	db_bind_u64(st, 4, (uint64_t)z->changed_ms);
	return db_tell(s, db_run(s, st), why);
}

/* ---- listing ---- */

uint64_t
store_zone_count(struct store *s)
{
	sqlite3_stmt *st = db_stmt(s, ST_ZONE_COUNT);
	uint64_t count = 0;

	if (st == NULL || db_row(s, st) != NS_OK)
		return 0;
	db_col_u64(st, 0, INT64_MAX, &count);
	db_reset(st);
	return count;
}

static enum ns_err
each(struct store *s, sqlite3_stmt *st, store_zone_fn *fn, void *arg)
{
	struct store_zone z;
	enum ns_err err;

	while ((err = db_row(s, st)) == NS_OK) {
		if ((err = zone_row(s, st, &z)) != NS_OK || !fn(arg, &z)) {
			db_reset(st);
			return err;
		}
	}
	return err == NS_NOTFOUND ? NS_OK : err;
}

enum ns_err
store_zone_each(struct store *s, const uint8_t *after, store_zone_fn *fn, void *arg)
{
	uint8_t key[NAME_MAX_KEY];
	sqlite3_stmt *st = db_stmt(s, ST_ZONE_EACH);

	if (st == NULL)
		return s->why.err;
	if (after != NULL)
		db_bind_blob(st, 1, key, name_sort_key(after, key));
	else
		db_bind_start(st, 1);
	return each(s, st, fn, arg);
}

enum ns_err
store_zones_since(struct store *s, uint64_t revision, store_zone_fn *fn, void *arg)
{
	sqlite3_stmt *st = db_stmt(s, ST_ZONES_SINCE);

	if (st == NULL)
		return s->why.err;
	db_bind_u64(st, 1, revision);
	return each(s, st, fn, arg);
}

enum ns_err
store_tombs(struct store *s, int64_t after_ms, store_zone_fn *fn, void *arg)
{
	sqlite3_stmt *st = db_stmt(s, ST_TOMB_EACH);

	if (st == NULL)
		return s->why.err;
	db_bind_u64(st, 1, after_ms > 0 ? (uint64_t)after_ms : 0);
	return each(s, st, fn, arg);
}
