/* secret - when the cookie secret rolls, whatever the clock does; how it is kept, fed, and not shown. */
// link: appliance/sync/keyfeed.c appliance/sync/asof.c appliance/sync/past.c
// link: appliance/sync/checkdelta.c appliance/sync/secret.c appliance/sync/change.c appliance/sync/diff.c appliance/sync/batch.c
// link: appliance/sync/feedblock.c appliance/sync/importzone.c appliance/sync/request.c appliance/sync/people.c
// link: appliance/sync/bodycheck.c appliance/sync/apply.c appliance/sync/patch.c appliance/sync/place.c appliance/sync/settings.c
// link: appliance/sync/storeview.c
// link: tests/lib/fake/sync.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "appliance/sync/apply.h"
#include "appliance/sync/batch.h"
#include "appliance/sync/bodycheck.h"
#include "appliance/sync/secret.h"
#include "tests/lib/store_kit.h"

#define HOUR 3600000
#define DAY  (24 * (int64_t)HOUR)
#define T0   1764000000000

static void
rolls_once_a_day(void **state)
{
	static const struct {
		unsigned count;
		int64_t now;
		uint64_t since;
		bool want;
		const char *why;
	} rows[] = {
		{ 0, T0, UINT64_MAX, true, "there is none" },
		{ 0, T0, 0, true, "there is none, whatever was" },
		{ 1, T0, UINT64_MAX, false, "just made" },
		{ 1, T0 + DAY - 1, UINT64_MAX, false, "not a day old" },
		{ 1, T0 + DAY, UINT64_MAX, true, "a day old" },
		{ 2, T0 + DAY, DAY, true, "a day old, by both clocks" },
		{ 2, T0 + 30 * DAY, UINT64_MAX, true, "it was off for a month" },
		{ 2, T0 + 3650 * DAY, HOUR - 1, false, "the clock jumped on, right after a roll" },
		{ 2, T0 + 3650 * DAY, HOUR, true, "it stays there" },
		{ 2, T0 - HOUR, UINT64_MAX, false, "set back a little" },
		{ 2, T0 - HOUR - 1, UINT64_MAX, true,
		    "set back by much: or there were no roll for long" },
		{ 2, T0 - 3650 * DAY, 1, false, "and forth and back again" },
		{ 2, 0, UINT64_MAX, true, "no battery: 1970" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct secret s = { .count = rows[i].count, .rolled_ms = T0 };

		if (secret_due(&s, rows[i].now, rows[i].since) != rows[i].want)
			fail_msg("%s", rows[i].why);
	}
}

/* A clock that jumps to anywhere every minute, for a week: no more than a roll an hour, and none is
 * missed for more than a day and an hour. */
static void
keeps_its_pace_under_any_clock(void **state)
{
	uint64_t seed = 11, mono = 0, rolled = 0, longest = 0;
	struct secret s = { .count = 1, .rolled_ms = T0 };
	uint8_t fresh[SECRET_SIZE] = { 1 };
	unsigned rolls = 0;

	(void)state;
	for (unsigned i = 0; i < 7 * 24 * 60; i++) {
		int64_t now = (int64_t)(kit_random(&seed) % (uint64_t)(4 * T0));

		mono += 60000;
		if (!secret_due(&s, now, rolls > 0 ? mono - rolled : UINT64_MAX))
			continue;
		assert_true(rolls == 0 || mono - rolled >= HOUR);
		longest = mono - rolled > longest ? mono - rolled : longest;
		secret_roll(&s, fresh, now);
		rolled = mono;
		rolls++;
	}
	assert_true(rolls >= 7 && longest <= (uint64_t)DAY + HOUR);
}

static void
is_read_as_it_was_written(void **state)
{
	static const char *const broken[] = { "", "x", "12", "-5 00112233445566778899aabbccddeeff",
		"5 00112233445566778899aabbccddee", "5 00112233445566778899AABBCCDDEEFF",
		"5 00112233445566778899aabbccddeeff ",
		"5 00112233445566778899aabbccddeeff 00112233445566778899aabbccddeeff "
		"00112233445566778899aabbccddeeff",
		"99999999999999999999 00112233445566778899aabbccddeeff",
		"9223372036854775807 00112233445566778899aabbccddeeff" };
	struct secret s = { 0 }, back;
	uint8_t fresh[SECRET_SIZE];
	char text[SECRET_TEXT];

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		memset(fresh, (int)(0xf0 + i), sizeof fresh);
		secret_roll(&s, fresh, T0 + i);
		secret_to_text(&s, text);
		assert_true(secret_from_text(text, &back));
		assert_memory_equal(&back, &s, sizeof s);
	}
	assert_int_equal(s.count, 2);
	assert_int_equal(s.value[1][0], 0xf1);
	for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++)
		if (secret_from_text(broken[i], &back))
			fail_msg("taken: %s", broken[i]);
}

/* One roll at that time, committed; what there is then. */
static struct secret
roll(struct store *s, uint64_t revision, int64_t now)
{
	struct batch *b = batch_new(s, revision - 1, 1, 0);
	struct ns_why why = { 0 };
	struct secret made;

	b->now_ms = now;
	OK(store_begin(s, &why));
	OK(secret_commit(b, &why));
	OK(store_commit(s, &why));
	assert_int_equal(b->revision, revision);
	made = b->secret;
	batch_destroy(&b);
	return made;
}

/* The same to another store, by what is in the log. */
static struct secret
replay(struct store *from, struct store *to, uint64_t revision)
{
	struct batch *b = batch_new(to, revision - 1, 1, 0);
	struct wbuf body = wbuf_grow(4096);
	struct ns_why why = { 0 };
	struct store_change row;
	struct secret made;
	Ns__ChangeBody *m;

	OK(store_change_get(from, revision, &row, &body));
	assert_string_equal(row.kind, "secret");
	assert_string_equal(row.author, "nameserve");
	m = ns__change_body__unpack(NULL, body.len, body.base);
	assert_true(m != NULL && m->n_zones == 0 && m->n_settings == 0);
	OK(change_body_check(m, &why));
	OK(store_begin(to, &why));
	OK(change_apply(b, &row, m, &why));
	OK(store_commit(to, &why));
	made = b->secret;
	m->cookie_secret.len = 15;
	assert_int_equal(change_body_check(m, &why), NS_CORRUPT);
	m->cookie_secret.len = 16;
	ns__change_body__free_unpacked(m, NULL);
	wbuf_free(&body);
	batch_destroy(&b);
	return made;
}

/* Two rolls are two changes; their bodies make the same of another store. */
static void
is_a_change_that_a_replica_can_apply(void **state)
{
	struct kit_store *k = *state, other = { .dir = kit_dir() };
	struct secret first, second, there;
	struct ns_why why = { 0 };

	OK(store_open(other.dir, STORE_WRITE, NULL, &other.s, &why));
	first = roll(k->s, 1, T0);
	second = roll(k->s, 2, T0 + DAY);
	assert_true(first.count == 1 && second.count == 2 && second.rolled_ms == T0 + DAY);
	assert_memory_equal(second.value[1], first.value[0], SECRET_SIZE);
	assert_memory_not_equal(second.value[0], first.value[0], SECRET_SIZE);
	there = replay(k->s, other.s, 1);
	assert_memory_equal(&there, &first, sizeof there);
	replay(k->s, other.s, 2);
	OK(secret_load(other.s, &there, &why));
	assert_memory_equal(&there, &second, sizeof there);
	store_close(&other.s);
	kit_remove(&other.dir);
	kit_assert_sound(k->s);
}

/* What nobody can read is none, so that the primary makes a new one. */
static void
heals_what_is_broken(void **state)
{
	struct kit_store *k = *state;
	struct ns_why why = { 0 };
	struct secret s;

	OK(secret_load(k->s, &s, &why));
	assert_int_equal(s.count, 0);
	OK(store_begin(k->s, &why));
	OK(store_setting_put(k->s, "cookie-secret", "what is this?", &why));
	OK(store_commit(k->s, &why));
	OK(secret_load(k->s, &s, &why));
	assert_int_equal(s.count, 0);
	s = roll(k->s, 1, T0);
	assert_true(s.count == 1 && s.rolled_ms == T0);
}

/* A batch that rolled it says so in its first block, and in no other. */
static void
goes_to_the_signer_with_its_change(void **state)
{
	struct kit_store *k = *state;
	struct ns_why why = { 0 };
	struct secret s = { .count = 1, .rolled_ms = T0 + 999, .value = { "one", "two" } };
	Ns__Feed m;

	OK(store_begin(k->s, &why));
	for (unsigned turn = 0; turn < 3; turn++) {
		struct batch *b = batch_new(k->s, 1, 1, 0);

		s.count = turn;
		b->secret = s;
		OK(batch_build_feed(b, &why));
		feed_block_message(TAILQ_FIRST(&b->blocks), &m);
		assert_int_equal(m.cookie_secret.len, turn > 0 ? SECRET_SIZE : 0);
		assert_int_equal(m.cookie_previous.len, turn > 1 ? SECRET_SIZE : 0);
		assert_int_equal(m.cookie_until, turn > 1 ? T0 / 1000 + 3600 : 0);
		if (turn > 0)
			assert_memory_equal(m.cookie_secret.data, s.value[0], SECRET_SIZE);
		feed_block_message_free(&m);
		batch_destroy(&b);
	}
	store_rollback(k->s);
}

#define IN_A_STORE(t) cmocka_unit_test_setup_teardown(t, kit_set_up, kit_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rolls_once_a_day),
		cmocka_unit_test(keeps_its_pace_under_any_clock),
		cmocka_unit_test(is_read_as_it_was_written),
		IN_A_STORE(is_a_change_that_a_replica_can_apply),
		IN_A_STORE(heals_what_is_broken),
		IN_A_STORE(goes_to_the_signer_with_its_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
