/* store_damage_test - what a hand in the file, a flipped bit or a full disk does: found, never served,
 * never half-applied. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/dns/zwire.h"
#include "appliance/store/db.h"
#include "ipc/base/clock.h"
#include "ipc/base/xalloc.h"
#include "tests/lib/store_kit.h"

/* ---- damage is found ---- */

struct cell {
	sqlite3 *db;
	const char *table, *column;
	sqlite3_int64 row;
	bool text;
};

static struct wbuf
cell_get(const struct cell *c)
{
	struct wbuf out = wbuf_grow(1u << 20);
	sqlite3_blob *b;

	assert_int_equal(
	    sqlite3_blob_open(c->db, "main", c->table, c->column, c->row, 0, &b), SQLITE_OK);
	uint8_t *p = wbuf_room(&out, (size_t)sqlite3_blob_bytes(b));

	if (out.len > 0)
		assert_int_equal(sqlite3_blob_read(b, p, (int)out.len, 0), SQLITE_OK);
	sqlite3_blob_close(b);
	return out;
}

static void
cell_set(const struct cell *c, size_t at, uint8_t octet)
{
	sqlite3_blob *b;

	assert_int_equal(
	    sqlite3_blob_open(c->db, "main", c->table, c->column, c->row, 1, &b), SQLITE_OK);
	assert_int_equal(sqlite3_blob_write(b, &octet, 1, (int)at), SQLITE_OK);
	assert_int_equal(sqlite3_blob_close(b), SQLITE_OK);
}

/* Every octet of a text or blob, one after the other, with one bit turned over. */
static void
tamper_octets(struct kit_store *f, const struct cell *c)
{
	struct wbuf was = cell_get(c);

	for (size_t i = 0; i < was.len; i++) {
		cell_set(c, i, (uint8_t)(was.base[i] ^ (1u << (i % 8))));
		if (kit_verify(f->s) == 0)
			fail_msg(
			    "%s.%s octet %zu changed and nobody saw it", c->table, c->column, i);
		cell_set(c, i, was.base[i]);
	}
	wbuf_free(&was);
}

static void
tamper_number(struct kit_store *f, const struct cell *c, const char *key)
{
	char *sql;

	for (int by = -1; by <= 1; by += 2) {
		sql = xasprintf("UPDATE %s SET %s = %s + %d WHERE %s = %lld", c->table, c->column,
		    c->column, by, key, (long long)c->row);
		assert_int_equal(sqlite3_exec(c->db, sql, NULL, NULL, NULL), SQLITE_OK);
		free(sql);
		if (kit_verify(f->s) == 0)
			fail_msg("%s.%s changed and nobody saw it", c->table, c->column);
		sql = xasprintf("UPDATE %s SET %s = %s - %d WHERE %s = %lld", c->table, c->column,
		    c->column, by, key, (long long)(c->row + (strcmp(key, c->column) ? 0 : by)));
		assert_int_equal(sqlite3_exec(c->db, sql, NULL, NULL, NULL), SQLITE_OK);
		free(sql);
	}
}

static uint64_t
filled(struct kit_store *f)
{
	struct store_zone z;
	struct wbuf w = wbuf_grow(1u << 20);

	OK(store_begin(f->s, NULL));
	z = kit_new_zone(f, "example.", 2);
	kit_zone(&w, z.name, z.serial, 4);
	OK(store_content_put(f->s, z.id, true, w.base, w.len, NULL));
	kit_append(f, "first body", 0);
	kit_append(f, "second body", z.id);
	kit_append(f, "third body", 0);
	OK(store_commit(f->s, NULL));
	kit_assert_sound(f->s);
	wbuf_free(&w);
	return z.id;
}

static sqlite3 *
raw_open(struct kit_store *f)
{
	char *path = xasprintf("%s/store.db", f->dir);
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	/* A hand in the file keeps no rules, and needs no sync. */
	sqlite3_exec(db, "PRAGMA synchronous = OFF", NULL, NULL, NULL);
	free(path);
	return db;
}

static void
test_tampered(void **state)
{
	struct kit_store *f = *state;
	static const struct {
		const char *table, *column, *key;
	} cells[] = {
		{ "part", "body", NULL },
		{ "part", "zone_id", "id" },
		{ "part", "sum", "id" },
		{ "change", "body", NULL },
		{ "change", "prev", NULL },
		{ "change", "hash", NULL },
		{ "change", "author", NULL },
		{ "change", "via", NULL },
		{ "change", "kind", NULL },
		{ "change", "comment", NULL },
		{ "change", "term", "revision" },
		{ "change", "at_ms", "revision" },
		{ "change", "added", "revision" },
		{ "change", "removed", "revision" },
		{ "change", "zone_count", "revision" },
		{ "zone", "records", "id" },
		{ "zone", "rrsets", "id" },
		{ "zone", "bytes", "id" },
		{ "zone", "serial", "id" },
		{ "zone", "version", "id" },
		{ "zone", "id", "id" },
	};
	struct cell c = { .db = raw_open(f) };

	filled(f);
	for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++) {
		c.table = cells[i].table;
		c.column = cells[i].column;
		c.row = strcmp(c.table, "change") == 0 ? 2 : 1;
		if (cells[i].key == NULL)
			tamper_octets(f, &c);
		else
			tamper_number(f, &c, cells[i].key);
	}
	kit_assert_sound(f->s);
	sqlite3_close(c.db);
}

static void
test_tampered_rows(void **state)
{
	struct kit_store *f = *state;
	static const char *const acts[] = {
		"DELETE FROM change WHERE revision = 2",
		"DELETE FROM change WHERE revision = 1",
		"DELETE FROM part",
		"UPDATE part SET first_key = x'0102'",
		"UPDATE zone SET key = x'6100'",
		"UPDATE change SET body = x'' WHERE revision = 3",
		"UPDATE change SET author = 'x' || char(0) || 'y' WHERE revision = 3",
		"UPDATE change SET hash = x'00' WHERE revision = 3",
		"INSERT INTO tombstone VALUES (1, x'6100', 3, 5)",
		"INSERT INTO whence VALUES (3, 'local', 'a')",
		"DELETE FROM zone",
	};
	sqlite3 *db = raw_open(f);

	filled(f);
	for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++) {
		/* Within a transaction of the tamperer nobody sees it; so: do, look, put back. */
		assert_int_equal(sqlite3_exec(db,
				     "CREATE TEMP TABLE c AS SELECT * FROM change;"
				     "CREATE TEMP TABLE p AS SELECT * FROM part;"
				     "CREATE TEMP TABLE z AS SELECT * FROM zone",
				     NULL, NULL, NULL),
		    SQLITE_OK);
		assert_int_equal(sqlite3_exec(db, acts[i], NULL, NULL, NULL), SQLITE_OK);
		if (kit_verify(f->s) == 0)
			fail_msg("%s: nobody saw it", acts[i]);
		assert_int_equal(
		    sqlite3_exec(db,
			"DELETE FROM change; DELETE FROM part; DELETE FROM zone;"
			"DELETE FROM tombstone; DELETE FROM whence;"
			"INSERT INTO change SELECT * FROM c; INSERT INTO zone SELECT * FROM z;"
			"INSERT INTO part SELECT * FROM p;"
			"DROP TABLE c; DROP TABLE p; DROP TABLE z",
			NULL, NULL, NULL),
		    SQLITE_OK);
		kit_assert_sound(f->s);
	}
	sqlite3_close(db);
}

/* A flipped bit in a part is never served. */
static void
test_damage_is_not_served(void **state)
{
	struct kit_store *f = *state;
	struct cell c = { .db = raw_open(f), .table = "part", .column = "body", .row = 1 };
	struct kit_name apex = kit_name("example.");
	struct wbuf w = wbuf_grow(1u << 20);
	uint64_t zone = filled(f);
	uint8_t last[255];

	cell_set(&c, 60, 0x77);
	assert_int_equal(store_owner_get(f->s, zone, apex.wire, &w), NS_CORRUPT);
	assert_int_equal(store_owner_after(f->s, zone, NULL, &w), NS_CORRUPT);
	assert_int_equal(store_content_get(f->s, zone, NULL, 100, &w, last), NS_CORRUPT);
	OK(store_begin(f->s, NULL));
	assert_int_equal(store_owner_put(f->s, zone, apex.wire, NULL, 0, NULL), NS_CORRUPT);
	store_rollback(f->s);
	assert_int_equal(w.len, 0);
	wbuf_free(&w);
	sqlite3_close(c.db);
}

/* A zone that is edited between the pieces of a verify is no fault, and it ends. */
static void
test_verify_beside_edits(void **state)
{
	struct kit_store *f = *state;
	struct wbuf w = wbuf_grow(1u << 24);
	struct store *r;
	struct store_zone z;
	uint64_t cursor = 0;
	unsigned pieces = 0;

	OK(store_begin(f->s, NULL));
	z = kit_new_zone(f, "example.", 1);
	kit_zone(&w, z.name, z.serial, 3000);
	OK(store_content_put(f->s, z.id, true, w.base, w.len, NULL));
	OK(store_commit(f->s, NULL));
	OK(store_open(f->dir, STORE_READ, NULL, &r, NULL));
	kit_faults = 0;
	do {
		OK(store_verify_step(r, &cursor, 0, kit_count_fault, NULL));
		OK(store_begin(f->s, NULL));
		w.len = 0;
		kit_owner(&w, z.name, 1 + pieces % 2, 40, pieces);
		OK(store_owner_put(f->s, z.id, kit_name("example.").wire, w.base, w.len, NULL));
		z.version++;
		OK(store_zone_put(f->s, &z, NULL));
		OK(store_commit(f->s, NULL));
		assert_true(++pieces < 1000);
	} while (cursor != 0);
	assert_int_equal(kit_faults, 0);
	cursor = 7;
	assert_int_equal(store_verify_step(r, &cursor, 0, kit_count_fault, NULL), NS_USAGE);
	store_close(&r);
	wbuf_free(&w);
}

/* ---- resources ---- */

static void
page_limit(struct kit_store *f, unsigned pages)
{
	char sql[64];

	snprintf(sql, sizeof sql, "PRAGMA max_page_count = %u", pages);
	assert_int_equal(sqlite3_exec(f->s->db, sql, NULL, NULL, NULL), SQLITE_OK);
}

/* A full disk: SQLite's page limit says SQLITE_FULL as the kernel would. */
static void
test_full_disk(void **state)
{
	struct kit_store *f = *state;
	struct ns_why why = { 0 };
	struct wbuf w = wbuf_grow(1u << 24);
	struct store_zone z, got;
	enum ns_err err = NS_OK;
	uint64_t kept = 0;

	page_limit(f, 200);
	OK(store_begin(f->s, NULL));
	z = kit_new_zone(f, "kept.", 1);
	OK(store_commit(f->s, NULL));
	for (unsigned i = 0; i < 100 && err == NS_OK; i++) {
		OK(store_begin(f->s, NULL));
		z.id = 0;
		z.name[1] = (uint8_t)('a' + i % 26);
		z.name[2] = (uint8_t)('a' + i / 26);
		OK(store_zone_put(f->s, &z, NULL));
		w.len = 0;
		kit_owner(&w, z.name, 3, 60000, i);
		err = store_content_put(f->s, z.id, true, w.base, w.len, &why);
		if (err == NS_OK)
			err = store_commit(f->s, &why);
		else
			assert_int_equal(store_commit(f->s, NULL), NS_UNAVAILABLE);
		kept += err == NS_OK;
	}
	assert_int_equal(err, NS_UNAVAILABLE);
	assert_non_null(strstr(why.text, "full"));
	assert_int_equal(store_zone_count(f->s), kept + 1);
	OK(store_zone_find(f->s, kit_name("kept.").wire, &got));
	kit_assert_sound(f->s);
	/* Room again: it goes on. */
	page_limit(f, 100000);
	OK(store_begin(f->s, NULL));
	z = kit_new_zone(f, "more.", 1);
	w.len = 0;
	kit_owner(&w, z.name, 3, 60000, 1);
	OK(store_content_put(f->s, z.id, true, w.base, w.len, NULL));
	OK(store_commit(f->s, NULL));
	kit_assert_sound(f->s);
	wbuf_free(&w);
}

#define T(name) cmocka_unit_test_setup_teardown(name, kit_set_up, kit_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_tampered),
		T(test_tampered_rows),
		T(test_damage_is_not_served),
		T(test_verify_beside_edits),
		T(test_full_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
