/* rows.c - one part as one database row; see rows.h. */
#include "appliance/store/rows.h"

#include <stdio.h>
#include <string.h>

#include "appliance/dns/zwire.h"

const struct skey *
skey_of(const uint8_t *name, struct skey *key)
{
	key->len = name_sort_key(name, key->octets);
	return key;
}

enum ns_err
row_damaged(struct store *s, uint64_t zone, const char *how)
{
	char text[96];

	snprintf(text, sizeof text, "a part of zone id %llu %s", (unsigned long long)zone, how);
	return db_corrupt(s, text);
}

enum ns_err
row_check(struct store *s, sqlite3_stmt *st, uint64_t zone, const uint8_t **body, size_t *len)
{
	struct skey key;
	const uint8_t *stored;
	size_t stored_len;

	if (!db_col_blob(st, 1, 0, PART_KEY_MAX, &stored, &stored_len) ||
	    sqlite3_column_type(st, 2) != SQLITE_INTEGER ||
	    !db_col_blob(st, 3, 1, OWNER_MAX_WIRE, body, len))
		return row_damaged(s, zone, "has values that no part can have");
	if ((uint64_t)sqlite3_column_int64(st, 2) != part_sum(zone, *body, *len))
		return row_damaged(s, zone, "does not match its checksum");
	if (!part_first_key(*body, *len, key.octets, &key.len) || key.len != stored_len ||
	    (key.len > 0 && memcmp(key.octets, stored, key.len) != 0))
		return row_damaged(s, zone, "is not where its first owner belongs");
	return NS_OK;
}

enum ns_err
row_take(struct store *s, sqlite3_stmt *st, uint64_t zone, struct part *out)
{
	enum ns_err err = row_check(s, st, zone, &out->body, &out->len);

	if (err == NS_OK && !db_col_u64(st, 0, INT64_MAX, &out->id))
		err = row_damaged(s, zone, "has no id");
	if (err != NS_OK)
		db_reset(st);
	out->st = st;
	return err;
}

enum ns_err
row_load(
    struct store *s, enum db_stmt_id id, uint64_t zone, const struct skey *key, struct part *out)
{
	sqlite3_stmt *st = db_stmt(s, id);
	enum ns_err err;

	if (st == NULL)
		return s->why.err;
	db_bind_u64(st, 1, zone);
	if (key != NULL)
		db_bind_blob(st, 2, key->octets, key->len);
	if ((err = db_row(s, st)) != NS_OK)
		return err;
	return row_take(s, st, zone, out);
}

enum ns_err
row_insert(struct store *s, uint64_t zone, const uint8_t *body, size_t len)
{
	struct skey key;
	sqlite3_stmt *st = db_writer(s, ST_PART_INSERT);

	if (st == NULL)
		return s->why.err;
	if (!part_first_key(body, len, key.octets, &key.len))
		return row_damaged(s, zone, "cannot be read");
	db_bind_u64(st, 1, zone);
	db_bind_blob(st, 2, key.octets, key.len);
	sqlite3_bind_int64(st, 3, (sqlite3_int64)part_sum(zone, body, len));
	db_bind_blob(st, 4, body, len);
	return db_run(s, st);
}

enum ns_err
row_update(struct store *s, uint64_t zone, const struct part *row, const uint8_t *body, size_t len,
    bool moved)
{
	struct skey key;
	sqlite3_stmt *st = db_writer(s, moved ? ST_PART_MOVE : ST_PART_BODY);

	if (st == NULL)
		return s->why.err;
	db_bind_u64(st, 1, row->id);
	sqlite3_bind_int64(st, 2, (sqlite3_int64)part_sum(zone, body, len));
	db_bind_blob(st, 3, body, len);
	if (moved) {
		if (!part_first_key(body, len, key.octets, &key.len))
			return row_damaged(s, zone, "cannot be read");
		db_bind_blob(st, 4, key.octets, key.len);
	}
	return db_run(s, st);
}

enum ns_err
row_drop(struct store *s, uint64_t id)
{
	sqlite3_stmt *st = db_writer(s, ST_PART_DROP);

	if (st == NULL)
		return s->why.err;
	db_bind_u64(st, 1, id);
	return db_run(s, st);
}
