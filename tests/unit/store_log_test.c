/* store_log_test - the log of changes and its chain, settings, idempotency keys, windows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ipc/base/xalloc.h"
#include "tests/lib/store_kit.h"

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

/* Of a change that says from where it was made; one that does not is as it always was. */
static void
test_chain_names_the_source(void **state)
{
	static const char *const tampered[] = {
		"UPDATE whence SET source = '192.0.2.1'",
		"UPDATE whence SET source = '2001:db8::7', appliance = 'ams1-a'",
		"DELETE FROM whence",
	};
	struct kit_store *f = *state;
	struct store_change c, kept;
	uint64_t zone = 7;
	char hex[2 * STORE_HASH + 1];

	OK(store_begin(f->s, NULL));
	kit_append(f, "body", 0);
	c = (struct store_change){ .term = 1,
		.at_ms = 6,
		.author = "bob",
		.via = "console",
		.kind = "edit",
		.source = "2001:db8::7",
		.appliance = "fra1-a" };
	OK(store_change_append(f->s, &c, "body", 4, &zone, 1, NULL));
	OK(store_commit(f->s, NULL));
	kit_reopen(f);
	OK(store_change_get(f->s, 2, &kept, NULL));
	assert_memory_equal(&kept, &c, sizeof c);
	for (size_t i = 0; i < STORE_HASH; i++)
		snprintf(hex + 2 * i, 3, "%02x", c.hash[i]);
	/* As above; its header ends with the two. */
	assert_string_equal(
	    hex, "277c88adf52d33434f0ac7867ae24a22d8d782cbf3ee51fe129eb3a859514e2a");
	OK(store_change_get(f->s, 1, &kept, NULL));
	assert_string_equal(kept.source, "");
	kit_assert_sound(f->s);
	for (size_t i = 0; i < sizeof tampered / sizeof tampered[0]; i++) {
		store_close(&f->s);
		kit_raw(f, tampered[i]);
		OK(store_open(f->dir, STORE_WRITE, NULL, &f->s, NULL));
		assert_int_not_equal(kit_verify(f->s), 0);
	}
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

#define T(name) cmocka_unit_test_setup_teardown(name, kit_set_up, kit_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_log),
		T(test_chain_is_fixed),
		T(test_chain_names_the_source),
		T(test_settings),
		T(test_idem),
		T(test_idem_from_the_future),
		T(test_windows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
