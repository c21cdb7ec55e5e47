/* store_crash_test - the power is cut at every write of a scripted history.
 *
 * After each cut: what store_commit() acknowledged is there, the change that was being committed is
 * there whole or not at all, verify is clean, and (every eighth time, for the clock's sake) the rest of
 * the history can be done and ends where it ends without a cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/store/db.h"
#include "ipc/base/hash.h"
#include "ipc/base/xalloc.h"
#include "tests/lib/store_kit.h"
#include "tests/lib/vfs_crash.h"

#define STEPS 30
#define NOW   1000000

/* ---- what a store holds, as one number ---- */

static void
mix(uint64_t *sum, const void *data, size_t len)
{
	uint8_t key[16] = { 0 };

	memcpy(key, sum, sizeof *sum);
	*sum = hash_sip24(key, data, len);
}

struct digest {
	struct store *s;
	uint64_t sum;
};

static bool
mix_zone(void *arg, const struct store_zone *z)
{
	struct digest *d = arg;
	struct wbuf w = wbuf_grow(1u << 26);
	uint8_t last[255];

	mix(&d->sum, z, sizeof *z);
	if (!z->deleted && z->bytes > 0) {
		OK(store_content_get(d->s, z->id, NULL, 1u << 26, &w, last));
		mix(&d->sum, w.base, w.len);
	}
	wbuf_free(&w);
	return true;
}

static bool
mix_change(void *arg, const struct store_change *c)
{
	struct digest *d = arg;
	struct store_change got;
	struct wbuf w = wbuf_grow(1u << 20);

	mix(&d->sum, c, sizeof *c);
	OK(store_change_get(d->s, c->revision, &got, &w));
	mix(&d->sum, w.base, w.len);
	wbuf_free(&w);
	return true;
}

static bool
mix_setting(void *arg, const char *name, const char *value)
{
	struct digest *d = arg;

	mix(&d->sum, name, strlen(name));
	mix(&d->sum, value, strlen(value));
	return true;
}

static uint64_t
digest_of(struct store *s)
{
	struct digest d = { .s = s };

	OK(store_zones_since(s, 0, mix_zone, &d));
	OK(store_change_each(s, 0, 0, mix_change, &d));
	OK(store_setting_each(s, mix_setting, &d));
	for (unsigned i = 0; i < STEPS; i++) {
		static const uint8_t digest[STORE_HASH];
		struct wbuf w = wbuf_grow(100);
		char key[16];
		enum ns_err err;

		snprintf(key, sizeof key, "k%u", i);
		err = store_idem_get(s, "anna", key, digest, NOW, &w, NULL);
		assert_true(err == NS_OK || err == NS_NOTFOUND);
		mix(&d.sum, &err, sizeof err);
		wbuf_free(&w);
	}
	return d.sum;
}

static void
tell_fault(void *arg, const char *what, const char *zone, const char *text)
{
	print_error("fault: %s %s: %s\n", what, zone, text);
	++*(unsigned *)arg;
}

static void
assert_sound(struct store *s)
{
	unsigned faults = 0;
	uint64_t cursor = 0;

	do
		OK(store_verify_step(s, &cursor, 1000, tell_fault, &faults));
	while (cursor != 0);
	assert_int_equal(faults, 0);
}

/* ---- the history ---- */

static struct store_zone
zone_named(struct store *s, unsigned n)
{
	struct store_zone z = { .serial = 7, .changed_ms = 5 };
	char text[32];
	struct kit_name name;

	snprintf(text, sizeof text, "zone%u.example.", n);
	name = kit_name(text);
	if (store_zone_find(s, name.wire, &z) != NS_OK) {
		memcpy(z.name, name.wire, name.len);
		z.name_len = (uint8_t)name.len;
	}
	return z;
}

static enum ns_err
do_create(struct store *s, unsigned k, uint64_t revision, uint64_t *zone)
{
	struct store_zone z = zone_named(s, k);
	struct wbuf w = wbuf_grow(1u << 24);
	enum ns_err err;

	z.version = revision;
	kit_zone(&w, z.name, z.serial, k % 4 == 0 ? 500 : 8);
	if ((err = store_zone_put(s, &z, NULL)) == NS_OK)
		err = store_content_put(s, z.id, true, w.base, w.len, NULL);
	*zone = z.id;
	wbuf_free(&w);
	return err;
}

static enum ns_err
do_edit(struct store *s, unsigned k, uint64_t revision, uint64_t *zone)
{
	struct store_zone z = zone_named(s, k / 3 * 3 % 12);
	struct wbuf w = wbuf_grow(1u << 20);
	char text[48];
	struct kit_name owner;
	enum ns_err err;

	snprintf(text, sizeof text, "e%u.zone%u.example.", k, k / 3 * 3 % 12);
	owner = kit_name(text);
	kit_owner(&w, owner.wire, 2, 30 + k * 120, k);
	z.version = revision;
	if ((err = store_owner_put(s, z.id, owner.wire, w.base, w.len, NULL)) == NS_OK)
		err = store_zone_put(s, &z, NULL);
	*zone = z.id;
	wbuf_free(&w);
	return err;
}

static enum ns_err
do_drop(struct store *s, unsigned k, uint64_t revision, uint64_t *zone)
{
	struct store_zone z = zone_named(s, (k - 2) / 3 * 3 % 12);

	*zone = z.id;
	return store_zone_drop(s, z.id, revision, 9, NULL);
}

/* One change as sync makes it: marked, with its log entry and its key. */
static enum ns_err
do_change(struct store *s, unsigned k)
{
	static const uint8_t digest[STORE_HASH];
	struct store_change c = { .term = 1, .at_ms = 5, .kind = "edit", .zone_count = 1 };
	uint64_t revision, term, zone = 0;
	uint8_t hash[STORE_HASH];
	char key[16];
	enum ns_err err;

	snprintf(key, sizeof key, "k%u", k);
	if ((err = store_mark(s, NULL)) != NS_OK ||
	    (err = store_head(s, &revision, &term, hash)) != NS_OK)
		return err;
	if (k % 3 == 0)
		err = do_create(s, k % 12, revision + 1, &zone);
	else if (k % 11 == 5)
		err = do_drop(s, k, revision + 1, &zone);
	else
		err = do_edit(s, k, revision + 1, &zone);
	if (err != NS_OK ||
	    (err = store_setting_put(s, k % 2 ? "odd" : "even", key, NULL)) != NS_OK ||
	    (err = store_change_append(s, &c, key, strlen(key), &zone, 1, NULL)) != NS_OK ||
	    (err = store_idem_put(s, "anna", key, digest, NOW, "ok", 2, NULL)) != NS_OK)
		return err;
	return store_release(s, NULL);
}

/* A group commit of step k, beside a change that is undone.  *tried: the commit was asked for. */
static enum ns_err
do_step(struct store *s, unsigned k, bool *tried)
{
	enum ns_err err = store_begin(s, NULL);
	uint64_t zone;

	*tried = false;
	if (err != NS_OK)
		return err;
	if (k % 4 == 1 && (err = store_mark(s, NULL)) == NS_OK) {
		err = do_create(s, 900 + k, 1, &zone);
		store_undo(s);
	}
	if (err == NS_OK)
		err = do_change(s, k);
	if (err != NS_OK) {
		store_rollback(s);
		return err;
	}
	*tried = true;
	return store_commit(s, NULL);
}

struct run {
	char *dir;
	struct store *s;
	unsigned done; /* acknowledged */
	bool tried; /* one more was asked for */
};

/* From step r->done to the end, as far as the power lasts. */
static enum ns_err
go_on(struct run *r)
{
	enum ns_err err = NS_OK;

	r->tried = false;
	if (r->s == NULL)
		err = store_open(r->dir, STORE_WRITE, "crash", &r->s, NULL);
	while (err == NS_OK && r->done < STEPS) {
		err = do_step(r->s, r->done, &r->tried);
		if (err != NS_OK)
			return err;
		r->done++;
		r->tried = false;
		if (r->done % 7 == 3)
			txn_checkpoint(r->s);
		if (r->done % 10 == 6) {
			store_close(&r->s);
			err = store_open(r->dir, STORE_WRITE, "crash", &r->s, NULL);
		}
	}
	return err;
}

/* ---- the tests ---- */

static uint64_t expected[STEPS + 1], total_ops;

/* Without a cut: what each step leaves behind, and how many operations there are to cut at. */
static int
rehearse(void **state)
{
	struct run r = { .dir = kit_dir() };
	bool tried;

	(void)state;
	vfs_crash_register();
	OK(store_open(r.dir, STORE_WRITE, "crash", &r.s, NULL));
	expected[0] = digest_of(r.s);
	for (unsigned k = 0; k < STEPS; k++) {
		OK(do_step(r.s, k, &tried));
		expected[k + 1] = digest_of(r.s);
		assert_int_not_equal(expected[k + 1], expected[k]);
	}
	assert_sound(r.s);
	store_close(&r.s);
	vfs_crash_reboot();
	kit_remove(&r.dir);

	r = (struct run){ .dir = kit_dir() };
	vfs_crash_arm(1, 0);
	OK(go_on(&r));
	store_close(&r.s);
	total_ops = vfs_crash_ops();
	vfs_crash_reboot();
	kit_remove(&r.dir);
	return 0;
}

static void
cut_at(uint64_t at, uint64_t seed)
{
	struct run r = { .dir = kit_dir() };
	uint64_t sum;

	vfs_crash_arm(seed, at);
	if (go_on(&r) == NS_OK)
		store_close(&r.s);
	assert_true(vfs_crash_happened());
	store_close(&r.s);
	vfs_crash_reboot();
	if (at % 3 == 0) { /* and once more, while it recovers */
		vfs_crash_arm(seed + 1, 1 + at / 3 % 40);
		if (store_open(r.dir, STORE_WRITE, "crash", &r.s, NULL) == NS_OK)
			store_close(&r.s);
		vfs_crash_reboot();
	}
	OK(store_open(r.dir, STORE_WRITE, "crash", &r.s, NULL));
	sum = digest_of(r.s);
	if (r.tried && sum == expected[r.done + 1])
		r.done++;
	if (sum != expected[r.done])
		fail_msg("cut at %llu, seed %llu: after %u acknowledged changes the store is not "
			 "what it was",
		    (unsigned long long)at, (unsigned long long)seed, r.done);
	assert_sound(r.s);
	if (at % 8 == 0) {
		OK(go_on(&r));
		assert_true(digest_of(r.s) == expected[STEPS]);
	}
	store_close(&r.s);
	vfs_crash_reboot();
	kit_remove(&r.dir);
}

static void
test_cut_at_every_operation(void **state)
{
	const char *seed = getenv("NS_TEST_SEED");
	uint64_t base = seed != NULL ? strtoull(seed, NULL, 10) : 1;

	(void)state;
	print_message("%llu operations, seed %llu\n", (unsigned long long)total_ops,
	    (unsigned long long)base);
	assert_true(total_ops > 200);
	for (uint64_t at = 1; at <= total_ops; at++)
		cut_at(at, base * 1000003 + at);
}

static enum ns_err
put_number(struct store *s, const char *name, unsigned n, bool light)
{
	char text[16];
	enum ns_err err = light ? store_begin_light(s, NULL) : store_begin(s, NULL);

	if (err != NS_OK)
		return err;
	snprintf(text, sizeof text, "%u", n);
	err = store_fact_put(s, name, text, NULL);
	if (err == NS_OK)
		return store_commit(s, NULL);
	store_rollback(s);
	return err;
}

static unsigned
get_number(struct store *s, const char *name)
{
	char *text = NULL;
	unsigned n = store_fact_get(s, name, &text) == NS_OK ? (unsigned)atoi(text) : 0;

	free(text);
	return n;
}

/* A light transaction is there with the next ordinary one, and takes nothing from those before it. */
static void
test_cut_between_light_ones(void **state)
{
	bool again = true;

	(void)state;
	for (uint64_t at = 1; again; at++) {
		struct run r = { .dir = kit_dir() };
		unsigned full = 0, light = 0, tried = 0;

		OK(store_open(r.dir, STORE_WRITE, "crash", &r.s, NULL));
		vfs_crash_arm(at, at);
		for (unsigned n = 1; n <= 6 && tried == full; n++) {
			tried = n;
			if (put_number(r.s, "full", n, false) == NS_OK) {
				full = n;
				light = n - 1;
			}
			if (tried == full && put_number(r.s, "light", n, true) != NS_OK)
				break;
		}
		again = vfs_crash_happened();
		store_close(&r.s);
		vfs_crash_reboot();
		OK(store_open(r.dir, STORE_WRITE, "crash", &r.s, NULL));
		assert_in_range(get_number(r.s, "full"), full, tried);
		assert_in_range(get_number(r.s, "light"), light, tried);
		store_close(&r.s);
		vfs_crash_reboot();
		kit_remove(&r.dir);
	}
}

/* The disk is full from some operation on (a sample of them, for the clock's sake): refused, nothing half-applied; with room it goes on. */
static void
test_full_disk(void **state)
{
	(void)state;
	for (uint64_t at = 1; at <= total_ops; at += 11) {
		struct run r = { .dir = kit_dir() };
		enum ns_err err;

		vfs_crash_arm(1, 0);
		vfs_crash_fail(at, SQLITE_FULL);
		err = go_on(&r);
		assert_true(err == NS_OK || err == NS_UNAVAILABLE);
		vfs_crash_fail(0, 0);
		/* With the same handle, as sync does. */
		if (r.s != NULL)
			assert_true(digest_of(r.s) == expected[r.done]);
		OK(go_on(&r));
		assert_true(digest_of(r.s) == expected[STEPS]);
		assert_sound(r.s);
		store_close(&r.s);
		vfs_crash_reboot();
		kit_remove(&r.dir);
	}
}

/* A sync that fails (sampled too): the outcome is unknown and said so, and that handle commits no more. */
static void
test_failed_sync(void **state)
{
	unsigned unknown = 0;

	(void)state;
	for (uint64_t at = 1; at <= total_ops; at += 29) {
		struct run r = { .dir = kit_dir() };
		enum ns_err err;
		bool tried;

		vfs_crash_arm(1, 0);
		vfs_crash_fail(at, SQLITE_IOERR_FSYNC);
		err = go_on(&r);
		vfs_crash_fail(0, 0);
		if (err == NS_UNKNOWN) {
			unknown++;
			assert_int_equal(do_step(r.s, r.done, &tried), NS_UNAVAILABLE);
		} else {
			assert_true(err == NS_OK || err == NS_UNAVAILABLE);
		}
		store_close(&r.s);
		OK(store_open(r.dir, STORE_WRITE, "crash", &r.s, NULL));
		if (digest_of(r.s) != expected[r.done])
			r.done++;
		assert_true(digest_of(r.s) == expected[r.done]);
		OK(go_on(&r));
		assert_true(digest_of(r.s) == expected[STEPS]);
		store_close(&r.s);
		vfs_crash_reboot();
		kit_remove(&r.dir);
	}
	assert_true(unknown > 0);
}

/* The disk of these tests does forget: who does not sync loses what was acknowledged. */
static void
test_vfs_bites(void **state)
{
	unsigned lost = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct run r = { .dir = kit_dir() };
		bool tried;

		OK(store_open(r.dir, STORE_WRITE, "crash", &r.s, NULL));
		sqlite3_exec(r.s->db, "PRAGMA synchronous = OFF", NULL, NULL, NULL);
		vfs_crash_arm(seed, 0);
		for (; r.done < 5; r.done++)
			OK(do_step(r.s, r.done, &tried));
		vfs_crash_arm(seed, 1);
		assert_int_not_equal(do_step(r.s, r.done, &tried), NS_OK);
		store_close(&r.s);
		vfs_crash_reboot();
		if (store_open(r.dir, STORE_WRITE, "crash", &r.s, NULL) != NS_OK ||
		    store_zone_count(r.s) == 0)
			lost++;
		store_close(&r.s);
		vfs_crash_reboot();
		kit_remove(&r.dir);
	}
	assert_true(lost > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vfs_bites),
		cmocka_unit_test(test_cut_at_every_operation),
		cmocka_unit_test(test_cut_between_light_ones),
		cmocka_unit_test(test_full_disk),
		cmocka_unit_test(test_failed_sync),
	};

	return cmocka_run_group_tests(tests, rehearse, NULL);
}
