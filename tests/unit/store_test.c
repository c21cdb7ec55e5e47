/* store_test - opening, zones, transactions, the log, settings and keys.  Content is in
 * store_content_test, damage in store_damage_test, power cuts in store_crash_test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/dns/zwire.h"
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

/* ---- the log ---- */

struct log {
	unsigned n, stop_at;
	uint64_t got[64];
};

static bool
list_change(void *arg, const struct store_change *c)
{
	struct log *l = arg;

	l->got[l->n++] = c->revision;
	return l->n != l->stop_at;
}

static void
test_log(void **state)
{
	struct kit_store *f = *state;
	struct store_change c, prev;
	struct wbuf body = wbuf_grow(1u << 20);
	struct log l = { 0 };
	uint64_t revision, term;
	uint8_t hash[STORE_HASH], zero[STORE_HASH] = { 0 };

	OK(store_begin(f->s, NULL));
	for (uint64_t i = 1; i <= 20; i++)
		assert_int_equal(kit_append(f, "some body", i % 3 == 0 ? 9 : i), i);
	OK(store_commit(f->s, NULL));
	kit_reopen(f);
	OK(store_head(f->s, &revision, &term, hash));
	assert_int_equal(revision, 20);
	assert_int_equal(term, 1);
	OK(store_change_get(f->s, 1, &prev, NULL));
	assert_memory_equal(prev.prev, zero, STORE_HASH);
	OK(store_change_get(f->s, 2, &c, &body));
	assert_memory_equal(c.prev, prev.hash, STORE_HASH);
	assert_int_equal(body.len, 9);
	assert_memory_equal(body.base, "some body", 9);
	assert_string_equal(c.author, "anna");
	assert_string_equal(c.via, "cli");
	assert_string_equal(c.kind, "edit");
	assert_string_equal(c.comment, "because");
	assert_int_equal(c.added, 2);
	assert_int_equal(c.at_ms, 5);
	OK(store_change_get(f->s, 20, &c, NULL));
	assert_memory_equal(c.hash, hash, STORE_HASH);
	assert_int_equal(store_change_get(f->s, 21, &c, NULL), NS_NOTFOUND);
	assert_int_equal(store_change_get(f->s, UINT64_MAX, &c, NULL), NS_NOTFOUND);

	OK(store_change_each(f->s, 0, 0, list_change, &l));
	assert_int_equal(l.n, 20);
	assert_int_equal(l.got[0], 20);
	assert_int_equal(l.got[19], 1);
	l = (struct log){ .stop_at = 3 };
	OK(store_change_each(f->s, 0, 10, list_change, &l));
	assert_int_equal(l.n, 3);
	assert_int_equal(l.got[0], 9);
	l = (struct log){ 0 };
	OK(store_change_each(f->s, 9, 0, list_change, &l));
	assert_int_equal(l.n, 6);
	assert_int_equal(l.got[0], 18);
	l = (struct log){ 0 };
	OK(store_change_each(f->s, 9, 10, list_change, &l));
	assert_int_equal(l.n, 3);
	kit_assert_sound(f->s);
	wbuf_free(&body);
}

static void
test_chain_is_fixed(void **state)
{
	struct kit_store *f = *state;
	struct store_change c;
	/* SHA-256(0^32 || header || SHA-256("body")), made with Python's hashlib. */
	static const uint8_t want[STORE_HASH] = {
		0x84,
		0xba,
		0xef,
		0xdd,
		0xf8,
		0x79,
		0x62,
		0x44,
		0x0c,
		0xf7,
		0x28,
		0x6f,
		0x49,
		0x3f,
		0x73,
		0x17,
		0x48,
		0xd4,
		0xec,
		0xd2,
		0x7f,
		0x7b,
		0xd2,
		0xf8,
		0x35,
		0xe5,
		0xe1,
		0x9a,
		0x84,
		0x97,
		0x05,
		0x88,
	};

	OK(store_begin(f->s, NULL));
	kit_append(f, "body", 0);
	OK(store_commit(f->s, NULL));
	OK(store_change_get(f->s, 1, &c, NULL));
	assert_memory_equal(c.hash, want, STORE_HASH);
}

/* ---- settings, facts, keys ---- */

static bool
list_setting(void *arg, const char *name, const char *value)
{
	char *text = arg;
	size_t len = strlen(text);

	snprintf(text + len, 256 - len, "%s=%s;", name, value);
	return strcmp(name, "stop") != 0;
}

static void
test_settings(void **state)
{
	struct kit_store *f = *state;
	char text[256] = "", *value, *big = xmalloc(70000);
	struct ns_why why = { 0 };

	assert_int_equal(store_setting_get(f->s, "hostmaster", &value), NS_NOTFOUND);
	assert_null(value);
	OK(store_setting_put(f->s, "hostmaster", "a.b.", NULL));
	OK(store_setting_put(f->s, "hostmaster", "c.d.", NULL));
	OK(store_setting_put(f->s, "zz", "1", NULL));
	OK(store_setting_put(f->s, "stop", "", NULL));
	OK(store_setting_put(f->s, "gone", "1", NULL));
	OK(store_setting_put(f->s, "gone", NULL, NULL));
	OK(store_setting_get(f->s, "hostmaster", &value));
	assert_string_equal(value, "c.d.");
	free(value);
	OK(store_setting_each(f->s, list_setting, text));
	assert_string_equal(text, "hostmaster=c.d.;stop=;");
	assert_int_equal(store_fact_get(f->s, "hostmaster", &value), NS_NOTFOUND);
	OK(store_fact_put(f->s, "role", "primary", NULL));
	kit_reopen(f);
	OK(store_fact_get(f->s, "role", &value));
	assert_string_equal(value, "primary");
	free(value);
	memset(big, 'x', 70000);
	big[69999] = '\0';
	assert_int_equal(store_setting_put(f->s, "big", big, &why), NS_INVALID);
	free(big);
}

#define HOUR 3600000LL

static void
idem_put(struct kit_store *f, const char *who, const char *key, uint8_t digest, int64_t now)
{
	uint8_t d[STORE_HASH] = { digest };

	OK(store_begin(f->s, NULL));
	OK(store_idem_put(f->s, who, key, d, now, "reply", 5, NULL));
	OK(store_commit(f->s, NULL));
}

static enum ns_err
idem_get(struct kit_store *f, const char *who, const char *key, uint8_t digest, int64_t now)
{
	uint8_t d[STORE_HASH] = { digest };
	struct wbuf w = wbuf_grow(1000);
	enum ns_err err = store_idem_get(f->s, who, key, d, now, &w, NULL);

	if (err == NS_OK) {
		assert_int_equal(w.len, 5);
		assert_memory_equal(w.base, "reply", 5);
	}
	wbuf_free(&w);
	return err;
}

static void
test_idem(void **state)
{
	struct kit_store *f = *state;
	int64_t now = 1000 * HOUR;
	uint8_t d[STORE_HASH] = { 1 };

	assert_int_equal(idem_get(f, "anna", "k1", 1, now), NS_NOTFOUND);
	idem_put(f, "anna", "k1", 1, now);
	OK(idem_get(f, "anna", "k1", 1, now));
	kit_reopen(f);
	OK(idem_get(f, "anna", "k1", 1, now + 24 * HOUR - 1));
	assert_int_equal(idem_get(f, "anna", "k1", 2, now), NS_CONFLICT);
	assert_int_equal(idem_get(f, "ben", "k1", 1, now), NS_NOTFOUND);
	assert_int_equal(idem_get(f, "anna", "k1", 1, now + 24 * HOUR), NS_NOTFOUND);
	OK(idem_get(f, "anna", "k1", 1, now - 100 * HOUR));
	/* Used twice within its time is refused, after it is new. */
	OK(store_begin(f->s, NULL));
	assert_int_equal(
	    store_idem_put(f->s, "anna", "k1", d, now + HOUR, "x", 1, NULL), NS_CONFLICT);
	store_rollback(f->s);
	idem_put(f, "anna", "k1", 2, now + 25 * HOUR);
	OK(idem_get(f, "anna", "k1", 2, now + 26 * HOUR));
	/* Expired ones go away as new ones come. */
	for (int i = 0; i < 100; i++) {
		char key[16];

		snprintf(key, sizeof key, "x%d", i);
		idem_put(f, "anna", key, 1, now + (i < 60 ? 0 : 100 * HOUR));
	}
	assert_int_equal(idem_get(f, "anna", "x1", 1, now), NS_NOTFOUND);
	OK(idem_get(f, "anna", "x99", 1, now + 100 * HOUR));
}

/* The clock was a year ahead for a while: those keys do not stand in the way of all later ones' expiry. */
static void
test_idem_from_the_future(void **state)
{
	struct kit_store *f = *state;
	int64_t now = 10000 * HOUR, year = 365 * 24 * HOUR;
	char key[16];

	for (int i = 0; i < 4; i++) {
		snprintf(key, sizeof key, "f%d", i);
		idem_put(f, "anna", key, 1, now + year);
	}
	OK(idem_get(f, "anna", "f3", 1, now)); /* a clock set back lets no key expire early */
	for (int i = 0; i < 10; i++) {
		snprintf(key, sizeof key, "n%d", i);
		idem_put(f, "anna", key, 1, now);
	}
	assert_int_equal(idem_get(f, "anna", "f3", 1, now), NS_NOTFOUND);
	for (int i = 0; i < 10; i++) {
		snprintf(key, sizeof key, "m%d", i);
		idem_put(f, "anna", key, 1, now + 25 * HOUR);
	}
	assert_int_equal(idem_get(f, "anna", "n0", 1, now), NS_NOTFOUND);
	OK(idem_get(f, "anna", "m0", 1, now + 25 * HOUR));
}

#define T(name) cmocka_unit_test_setup_teardown(name, kit_set_up, kit_tear_down)

static bool
take_window(void *arg, const struct store_window *w)
{
	struct store_window *out = arg;

	out[w->revision % 4] = *w;
	return true;
}

static void
test_windows(void **state)
{
	struct kit_store *f = *state;
	struct store_window a = { 1, 60000, 60000 }, b = { 2, 5000, 5000 }, got[4] = { { 0 } };

	OK(store_begin(f->s, NULL));
	OK(store_window_put(f->s, &a, NULL));
	OK(store_window_put(f->s, &b, NULL));
	a.remaining_ms = 1234;
	OK(store_window_put(f->s, &a, NULL));
	OK(store_window_del(f->s, 2, NULL));
	OK(store_window_del(f->s, 3, NULL)); /* none: no matter */
	OK(store_commit(f->s, NULL));
	kit_reopen(f);
	OK(store_window_each(f->s, take_window, got));
	assert_int_equal(got[1].remaining_ms, 1234);
	assert_int_equal(got[1].total_ms, 60000);
	assert_int_equal(got[2].revision, 0);
	kit_assert_sound(f->s);
}

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
	kit_raw(f, "DROP TABLE mention; DROP TABLE withheld; DROP TABLE unconfirmed; DROP TABLE "
		   "object; DROP INDEX "
		   "idem_revision;"
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
		T(test_log),
		T(test_chain_is_fixed),
		T(test_settings),
		T(test_idem),
		T(test_idem_from_the_future),
		T(test_windows),
		T(test_migration_from_the_first),
		T(test_tombs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
