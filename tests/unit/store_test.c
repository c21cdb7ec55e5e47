/* store_test - opening, zones, transactions, migrations.  The log, settings and keys are in store_log_test, content
 * in store_content_test, damage in store_damage_test, power cuts in store_crash_test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/store/db.h"
#include "ipc/base/clock.h"
#include "ipc/base/xalloc.h"
#include "tests/lib/store_kit.h"
#include "tests/lib/vfs_slow.h"

/* ---- opening ---- */

static void
test_open(void **state)
{
	struct kit_store *f = *state;
	struct store *r = NULL;
	struct ns_why why = { 0 };
	uint64_t revision, term;
	uint8_t hash[STORE_HASH];

	OK(store_open(f->dir, STORE_READ, NULL, &r, &why));
	OK(store_head(r, &revision, &term, hash));
	assert_int_equal(revision, 0);
	assert_int_equal(store_zone_count(r), 0);
	store_close(&r);
	store_close(&r);
	kit_reopen(f);
	kit_assert_sound(f->s);

	assert_int_equal(
	    store_open("/nonexistent/dir", STORE_WRITE, NULL, &r, &why), NS_UNAVAILABLE);
	assert_null(r);
	assert_non_null(strstr(why.text, "/nonexistent/dir"));
	assert_int_equal(
	    store_open("/nonexistent/dir", STORE_READ, NULL, &r, &why), NS_UNAVAILABLE);
}

static void
test_second_writer(void **state)
{
	struct kit_store *f = *state;
	struct store *second = NULL;
	struct ns_why why = { 0 };
	char pid[32];

	snprintf(pid, sizeof pid, "process %ld", (long)getpid());
	assert_int_equal(store_open(f->dir, STORE_WRITE, NULL, &second, &why), NS_UNAVAILABLE);
	assert_null(second);
	assert_non_null(strstr(why.text, pid));
	store_close(&f->s);
	OK(store_open(f->dir, STORE_WRITE, NULL, &second, &why));
	f->s = second;
}

static void
test_newer_version(void **state)
{
	struct kit_store *f = *state;
	struct ns_why why = { 0 };
	struct store *s;
	char knows[32];

	snprintf(knows, sizeof knows, "knows %d", STORE_SCHEMA);
	store_close(&f->s);
	kit_raw(f, "PRAGMA user_version = 42");
	assert_int_equal(store_open(f->dir, STORE_WRITE, NULL, &s, &why), NS_VERSION);
	assert_non_null(strstr(why.text, "42"));
	assert_non_null(strstr(why.text, knows));
	assert_int_equal(store_open(f->dir, STORE_READ, NULL, &s, &why), NS_VERSION);
	kit_raw(f, "PRAGMA user_version = 2; PRAGMA application_id = 77");
	assert_int_equal(store_open(f->dir, STORE_WRITE, NULL, &s, &why), NS_CORRUPT);
	assert_non_null(strstr(why.text, "not a store"));
}

static void
test_foreign_file(void **state)
{
	struct kit_store *f = *state;
	struct ns_why why = { 0 };
	struct store *s;
	char *path = xasprintf("%s/store.db", f->dir);
	FILE *fp;

	store_close(&f->s);
	fp = fopen(path, "w");
	assert_non_null(fp);
	for (int i = 0; i < 1000; i++)
		fputs("this is no database\n", fp);
	fclose(fp);
	free(path);
	assert_int_equal(store_open(f->dir, STORE_WRITE, NULL, &s, &why), NS_CORRUPT);
	assert_int_equal(store_open(f->dir, STORE_READ, NULL, &s, &why), NS_CORRUPT);
}

/* A backup that reads while the writer starts does not keep it from starting. */
static void
test_open_beside_reader(void **state)
{
	struct kit_store *f = *state;
	struct store *r;
	struct store_zone z;

	OK(store_open(f->dir, STORE_READ, NULL, &r, NULL));
	OK(store_begin(f->s, NULL));
	kit_new_zone(f, "a.", 1);
	OK(store_commit(f->s, NULL));
	OK(store_begin(r, NULL));
	OK(store_zone_find(r, kit_name("a.").wire, &z));
	kit_reopen(f);
	OK(store_begin(f->s, NULL));
	kit_new_zone(f, "b.", 1);
	OK(store_commit(f->s, NULL));
	assert_int_equal(store_zone_count(r), 1);
	store_close(&r);
}

/* The disk's sync is in every commit, and in a commit only. */
static void
test_slow_sync(void **state)
{
	struct kit_store *f = *state;
	uint64_t t;

	store_close(&f->s);
	assert_int_equal(vfs_slow_register(30), SQLITE_OK);
	OK(store_open(f->dir, STORE_WRITE, "slow", &f->s, NULL));
	t = clock_mono_ms();
	OK(store_begin(f->s, NULL));
	kit_new_zone(f, "a.", 1);
	OK(store_commit(f->s, NULL));
	assert_true(clock_mono_ms() - t >= 30);
	assert_int_equal(vfs_slow_register(0), SQLITE_OK);
}

/* ---- zones ---- */

struct listing {
	unsigned n, stop_at;
	struct store_zone got[16];
};

static bool
list_zone(void *arg, const struct store_zone *z)
{
	struct listing *l = arg;

	assert_true(l->n < 16);
	l->got[l->n++] = *z;
	return l->n != l->stop_at;
}

static void
test_zones(void **state)
{
	struct kit_store *f = *state;
	/* Canonical order; the root is a zone too. */
	static const char *const names[] = { ".", "example.", "a.example.", "yljkjljk.a.example.",
		"z.a.example.", "z.example.", "test." };
	static const unsigned put_order[] = { 3, 1, 6, 0, 5, 2, 4 };
	struct listing l = { 0 };
	struct store_zone z, again;
	struct kit_name n;

	OK(store_begin(f->s, NULL));
	for (unsigned i = 0; i < 7; i++)
		kit_new_zone(f, names[put_order[i]], i + 1);
	OK(store_commit(f->s, NULL));
	kit_reopen(f);
	assert_int_equal(store_zone_count(f->s), 7);
	OK(store_zone_each(f->s, NULL, list_zone, &l));
	assert_int_equal(l.n, 7);
	for (unsigned i = 0; i < 7; i++) {
		n = kit_name(names[i]);
		assert_int_equal(l.got[i].name_len, n.len);
		assert_memory_equal(l.got[i].name, n.wire, n.len);
	}
	l = (struct listing){ .stop_at = 2 };
	OK(store_zone_each(f->s, kit_name("a.example.").wire, list_zone, &l));
	assert_int_equal(l.n, 2);
	assert_memory_equal(l.got[0].name, kit_name(names[3]).wire, 10);
	/* After a name that is not there. */
	l = (struct listing){ 0 };
	OK(store_zone_each(f->s, kit_name("m.example.").wire, list_zone, &l));
	assert_int_equal(l.n, 2);

	n = kit_name("Z.A.Example.");
	OK(store_zone_find(f->s, n.wire, &z));
	assert_int_equal(z.version, 7);
	assert_int_equal(store_zone_find(f->s, kit_name("nope.").wire, &z), NS_NOTFOUND);

	OK(store_zone_find(f->s, n.wire, &z));
	z.version = 99;
	z.serial = UINT32_MAX;
	z.account = 12;
	z.external = true;
	z.changed_ms = 123456789;
	OK(store_begin(f->s, NULL));
	OK(store_zone_put(f->s, &z, NULL));
	OK(store_commit(f->s, NULL));
	OK(store_zone_find(f->s, n.wire, &again));
	assert_memory_equal(&z, &again, sizeof z);
}

static void
test_zone_conflicts(void **state)
{
	struct kit_store *f = *state;
	struct store_zone a, b;
	struct ns_why why = { 0 };

	OK(store_begin(f->s, NULL));
	a = kit_new_zone(f, "a.example.", 1);
	OK(store_mark(f->s, NULL));
	b = a;
	b.id = 0;
	assert_int_equal(store_zone_put(f->s, &b, &why), NS_CONFLICT);
	store_undo(f->s);
	OK(store_zone_drop(f->s, a.id, 2, 5, NULL));
	assert_int_equal(store_zone_drop(f->s, a.id, 2, 5, &why), NS_NOTFOUND);
	/* A deleted id stays dead, a given one is taken. */
	assert_int_equal(store_zone_put(f->s, &a, &why), NS_CONFLICT);
	b = a;
	b.id = 500;
	OK(store_zone_put(f->s, &b, NULL));
	OK(store_commit(f->s, NULL));
	OK(store_zone_find(f->s, a.name, &b));
	assert_int_equal(b.id, 500);
	OK(store_begin(f->s, NULL));
	assert_true(kit_new_zone(f, "b.example.", 3).id > 500);
	store_rollback(f->s);
}

static void
test_zones_since(void **state)
{
	struct kit_store *f = *state;
	struct listing l = { 0 };
	struct store_zone z[3];

	OK(store_begin(f->s, NULL));
	z[0] = kit_new_zone(f, "one.", 1);
	z[1] = kit_new_zone(f, "two.", 2);
	z[2] = kit_new_zone(f, "three.", 3);
	OK(store_zone_drop(f->s, z[0].id, 4, 77, NULL));
	kit_new_zone(f, "one.", 5);
	OK(store_commit(f->s, NULL));
	OK(store_zones_since(f->s, 0, list_zone, &l));
	assert_int_equal(l.n, 4);
	/* By id: the tombstone comes before the zone that has its name now. */
	assert_int_equal(l.got[0].id, z[0].id);
	assert_true(l.got[0].deleted);
	assert_int_equal(l.got[0].version, 4);
	assert_int_equal(l.got[0].changed_ms, 77);
	assert_memory_equal(l.got[0].name, z[0].name, z[0].name_len);
	assert_false(l.got[3].deleted);
	l = (struct listing){ 0 };
	OK(store_zones_since(f->s, 3, list_zone, &l));
	assert_int_equal(l.n, 2);
	assert_int_equal(l.got[0].version, 4);
	assert_int_equal(l.got[1].version, 5);
}

/* ---- transactions ---- */

static void
test_undo(void **state)
{
	struct kit_store *f = *state;
	struct store_zone z;

	OK(store_begin(f->s, NULL));
	kit_new_zone(f, "kept.", 1);
	OK(store_mark(f->s, NULL));
	kit_new_zone(f, "undone.", 1);
	kit_append(f, "body", 0);
	store_undo(f->s);
	OK(store_mark(f->s, NULL));
	kit_new_zone(f, "kept.too.", 1);
	OK(store_release(f->s, NULL));
	OK(store_commit(f->s, NULL));
	OK(store_zone_find(f->s, kit_name("kept.").wire, &z));
	OK(store_zone_find(f->s, kit_name("kept.too.").wire, &z));
	assert_int_equal(store_zone_find(f->s, kit_name("undone.").wire, &z), NS_NOTFOUND);
	OK(store_begin(f->s, NULL));
	assert_int_equal(kit_append(f, "first", 0), 1);
	store_rollback(f->s);
}

static void
test_broken_is_sticky(void **state)
{
	struct kit_store *f = *state;
	struct ns_why why = { 0 };
	struct store_zone z, dup;

	/* A failed write that the caller overlooks: nothing of the transaction is committed. */
	OK(store_begin(f->s, NULL));
	z = kit_new_zone(f, "a.", 1);
	dup = z;
	dup.id = 0;
	assert_int_equal(store_zone_put(f->s, &dup, &why), NS_CONFLICT);
	assert_int_equal(store_setting_put(f->s, "x", "y", &why), NS_UNAVAILABLE);
	assert_int_equal(store_commit(f->s, &why), NS_UNAVAILABLE);
	assert_int_equal(store_zone_count(f->s), 0);
	/* Undone to the mark it is whole again. */
	OK(store_begin(f->s, NULL));
	z = kit_new_zone(f, "a.", 1);
	OK(store_mark(f->s, NULL));
	dup = z;
	dup.id = 0;
	assert_int_equal(store_zone_put(f->s, &dup, &why), NS_CONFLICT);
	assert_int_equal(store_release(f->s, &why), NS_UNAVAILABLE);
	store_undo(f->s);
	OK(store_commit(f->s, NULL));
	assert_int_equal(store_zone_count(f->s), 1);
}

static void
test_reader_snapshot(void **state)
{
	struct kit_store *f = *state;
	struct store *r;

	OK(store_open(f->dir, STORE_READ, NULL, &r, NULL));
	OK(store_begin(r, NULL));
	assert_int_equal(store_zone_count(r), 0);
	OK(store_begin(f->s, NULL));
	kit_new_zone(f, "a.", 1);
	OK(store_commit(f->s, NULL));
	assert_int_equal(store_zone_count(r), 0);
	store_rollback(r);
	assert_int_equal(store_zone_count(r), 1);
	store_close(&r);
}

/* ---- migrations, tombs ---- */

/* A store of the first version gets what came since, and keeps what it has. */
static void
test_migration_from_the_first(void **state)
{
	struct kit_store *f = *state;
	struct store_window w = { 1, 2, 3 };
	struct store_zone z;

	OK(store_begin(f->s, NULL));
	(void)kit_new_zone(f, "old.example", 1);
	OK(store_commit(f->s, NULL));
	store_close(&f->s);
	kit_raw(f, "DROP TABLE whence; DROP TABLE mention; DROP TABLE withheld; DROP TABLE "
		   "unconfirmed; DROP TABLE "
		   "object; DROP INDEX "
		   "idem_revision; DROP INDEX change_zone_revision;"
		   "ALTER TABLE idem DROP COLUMN revision;"
		   " DELETE FROM migration WHERE number > 1;"
		   "PRAGMA user_version = 1");
	OK(store_open(f->dir, STORE_WRITE, NULL, &f->s, NULL));
	OK(store_zone_find(f->s, kit_name("old.example").wire, &z));
	OK(store_begin(f->s, NULL));
	OK(store_window_put(f->s, &w, NULL));
	OK(store_commit(f->s, NULL));
}

static bool
count_tomb(void *arg, const struct store_zone *z)
{
	uint64_t *last = arg;

	assert_true(z->deleted && (*last == 0 || z->version <= *last));
	*last = z->version;
	return true;
}

static void
test_tombs(void **state)
{
	struct kit_store *f = *state;
	struct store_zone a, b;
	uint64_t last = 0;

	OK(store_begin(f->s, NULL));
	a = kit_new_zone(f, "a.example", 1);
	b = kit_new_zone(f, "b.example", 1);
	OK(store_zone_drop(f->s, a.id, 2, 1000, NULL));
	OK(store_zone_drop(f->s, b.id, 3, 2000, NULL));
	OK(store_tombs(f->s, 0, count_tomb, &last));
	assert_int_equal(last, 2); /* newest first */
	last = 0;
	OK(store_tombs(f->s, 1000, count_tomb, &last));
	assert_int_equal(last, 3);
	/* An id is given again only to the zone that had it. */
	assert_int_equal(store_zone_put(f->s, &a, NULL), NS_CONFLICT);
	OK(store_zone_unbury(f->s, a.id, NULL));
	OK(store_zone_put(f->s, &a, NULL));
	assert_int_equal(store_zone_unbury(f->s, a.id, NULL), NS_NOTFOUND);
	OK(store_commit(f->s, NULL));
}

#define T(name) cmocka_unit_test_setup_teardown(name, kit_set_up, kit_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_open),
		T(test_second_writer),
		T(test_newer_version),
		T(test_foreign_file),
		T(test_open_beside_reader),
		T(test_slow_sync),
		T(test_zones),
		T(test_zone_conflicts),
		T(test_zones_since),
		T(test_undo),
		T(test_broken_is_sticky),
		T(test_reader_snapshot),
		T(test_migration_from_the_first),
		T(test_tombs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
