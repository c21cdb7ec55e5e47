/* fleetkey_test - a key that is being rolled: the files, what comes next wherever a crash left it, who is
 * admitted when, and with what a server is tried. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/fleet/key.h"
#include "appliance/fleet/roll.h"
#include "appliance/fleet/roster.h"

#define UNTIL 5000

/* ---- the files ---- */
static char dir[64];

static int
make_dir(void **state)
{
	(void)state;
	snprintf(dir, sizeof dir, "/tmp/fleetkey.XXXXXX");
	return mkdtemp(dir) != NULL ? 0 : -1;
}

static void
put_file(const char *name, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static int
remove_dir(void **state)
{
	static const char *const names[] = { "fleet.key", "fleet.key.next", "fleet.key.new" };
	char path[128];

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		snprintf(path, sizeof path, "%s/%s", dir, names[i]);
		unlink(path);
	}
	return rmdir(dir);
}

static void
test_files(void **state)
{
	struct fleet_keys first, next, again;
	char path[128];
	struct stat st;

	(void)state;
	assert_int_equal(fleet_keys_load(dir, &first, NULL), NS_OK);
	assert_int_equal(fleet_keys_next(dir, &next, NULL), NS_NOTFOUND);
	assert_int_not_equal(fleet_keys_next_take(dir, NULL), NS_OK);
	/* Made once, however often it is asked for. */
	assert_int_equal(fleet_keys_next_make(dir, &next, NULL), NS_OK);
	assert_int_equal(fleet_keys_next_make(dir, &again, NULL), NS_OK);
	assert_memory_equal(&next, &again, sizeof next);
	assert_memory_not_equal(next.public_key, first.public_key, FLEET_KEY);
	assert_int_equal(fleet_keys_load(dir, &again, NULL), NS_OK);
	assert_memory_equal(&first, &again, sizeof first);
	snprintf(path, sizeof path, "%s/fleet.key.next", dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(fleet_keys_next_take(dir, NULL), NS_OK);
	assert_int_equal(fleet_keys_load(dir, &again, NULL), NS_OK);
	assert_memory_equal(&next, &again, sizeof next);
	assert_int_equal(fleet_keys_next(dir, &again, NULL), NS_NOTFOUND);
	/* What a crash left of a write is no key. */
	put_file("fleet.key.new", "nameserve fl");
	assert_int_equal(fleet_keys_next_make(dir, &next, NULL), NS_OK);
	put_file("fleet.key.next", "nameserve fleet key 1\nnot a key");
	assert_int_equal(fleet_keys_next(dir, &next, NULL), NS_CORRUPT);
}

/* ---- steps ---- */
static struct fleet_keys
keys(uint8_t octet)
{
	struct fleet_keys k;

	memset(&k, octet, sizeof k);
	return k;
}

/* Keys by one octet; 0: none. */
static struct member
member(const char *name, uint8_t key, bool asked, uint8_t announced)
{
	struct member m = { .enrolled = true };

	snprintf(m.name, sizeof m.name, "%s", name);
	snprintf(m.trust, sizeof m.trust, "operator");
	memset(m.key, key, FLEET_KEY);
	m.roll.asked = asked || announced != 0;
	m.roll.announced = announced != 0;
	m.roll.overlap_s = 3600;
	m.roll.until_ms = announced != 0 ? UNTIL : 0;
	memset(m.roll.key, announced, FLEET_KEY);
	return m;
}

static void
test_steps(void **state)
{
	static const struct {
		uint8_t key;
		bool asked;
		uint8_t announced, now, next;
		enum roll_step step;
	} rows[] = {
		{ 1, false, 0, 1, 0, ROLL_NONE },
		{ 1, false, 0, 1, 2, ROLL_NONE }, /* not heard yet that it was asked */
		{ 1, true, 0, 1, 0, ROLL_MAKE },
		{ 1, true, 0, 1, 2, ROLL_TELL },
		{ 1, true, 2, 1, 2, ROLL_SHOW },
		{ 2, false, 0, 1, 2, ROLL_TAKE },
		{ 2, true, 0, 1, 2, ROLL_TAKE }, /* asked again, before the file was renamed */
		{ 2, false, 0, 2, 0, ROLL_NONE },
		{ 1, true, 3, 1, 2, ROLL_LOST },
		{ 1, true, 2, 1, 0, ROLL_LOST },
		{ 3, false, 0, 1, 2, ROLL_LOST },
		{ 3, true, 0, 1, 0, ROLL_LOST },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct member own = member("a", rows[i].key, rows[i].asked, rows[i].announced);
		struct fleet_keys now = keys(rows[i].now), next = keys(rows[i].next);
		const struct fleet_keys *n = rows[i].next != 0 ? &next : NULL;

		if (roll_step(&own, &now, n) != rows[i].step)
			fail_msg("row %zu: %d", i, (int)roll_step(&own, &now, n));
		own.removed = true;
		assert_int_equal(roll_step(&own, &now, n), ROLL_NONE);
		assert_int_equal(roll_step(NULL, &now, n), ROLL_NONE);
	}
}

/* Own and server's keys, in the order in which they are tried. */
static void
test_choices(void **state)
{
	static const struct {
		uint8_t own_announced, next, server, server_announced, told;
		const char *tried;
	} rows[] = {
		{ 0, 0, 7, 0, 7, "17" },
		{ 0, 0, 0, 0, 7, "17" }, /* not in the roster yet */
		{ 0, 0, 8, 0, 7, "18 17" }, /* rolled since we joined */
		{ 0, 0, 7, 8, 7, "17 18" },
		{ 0, 0, 8, 9, 7, "18 19 17" },
		{ 0, 2, 7, 0, 7, "17 27" }, /* perhaps announced, and we were away */
		{ 2, 2, 7, 0, 7, "27 17" },
		{ 2, 2, 8, 9, 7, "28 29 27 18 19 17" },
		{ 3, 2, 7, 0, 7, "17 27" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct member own = member("a", 1, false, rows[i].own_announced);
		struct member server = member("p", rows[i].server, false, rows[i].server_announced);
		struct fleet_keys now = keys(1), next = keys(rows[i].next),
				  told = keys(rows[i].told);
		struct roll_known k = { &own, &now, rows[i].next != 0 ? &next : NULL,
			rows[i].server != 0 ? &server : NULL, told.public_key };
		struct roll_choice c[ROLL_CHOICES];
		char tried[64] = "";
		size_t n = roll_choices(&k, c);

		for (size_t j = 0; j < n; j++)
			snprintf(tried + strlen(tried), sizeof tried - strlen(tried), "%s%d%d",
			    j > 0 ? " " : "", c[j].own->public_key[0], c[j].server[0]);
		assert_string_equal(tried, rows[i].tried);
	}
}

/* ---- who is admitted ---- */
static bool
admits(const struct roster *r, uint8_t octet, int64_t now_ms)
{
	char user[FLEET_USER];
	uint8_t key[FLEET_KEY];
	bool invite;

	memset(key, octet, sizeof key);
	if (!roster_admit(r, key, now_ms, user))
		return false;
	assert_non_null(roster_user(r, user, now_ms, &invite));
	return true;
}

static void
test_overlap(void **state)
{
	struct roster r = { 0 };
	struct member m = member("a", 1, false, 2), other = member("b", 4, true, 0);
	char before[FLEET_USER];
	struct fleet_keys one = keys(1);
	bool invite;

	(void)state;
	assert_true(roster_put(&r, &m) && roster_put(&r, &other));
	assert_true(roster_admit(&r, one.public_key, UNTIL - 1, before));
	assert_true(admits(&r, 1, UNTIL - 1) && admits(&r, 2, UNTIL - 1));
	/* Even when nobody is there to end it; and connections of before are nobody's. */
	assert_false(admits(&r, 1, UNTIL));
	assert_true(admits(&r, 2, UNTIL));
	assert_null(roster_user(&r, before, UNTIL, &invite));
	assert_non_null(roster_user(&r, before, UNTIL - 1, &invite));
	/* Asked for is not announced. */
	assert_true(admits(&r, 4, UNTIL) && !admits(&r, 0, UNTIL));
	/* Ended. */
	memset(m.key, 2, FLEET_KEY);
	m.roll = (struct member_roll){ 0 };
	assert_true(roster_put(&r, &m));
	assert_true(!admits(&r, 1, 0) && admits(&r, 2, UNTIL));
	roster_free(&r);
}

static void
test_known_keys(void **state)
{
	struct roster r = { 0 };
	struct member m = member("a", 1, false, 2), guest = member("g", 0, false, 0);
	struct fleet_keys k;

	(void)state;
	guest.enrolled = false;
	guest.invited = true;
	memset(guest.invite_key, 3, FLEET_KEY);
	assert_true(roster_put(&r, &m) && roster_put(&r, &guest));
	for (uint8_t octet = 1; octet < 5; octet++) {
		k = keys(octet);
		assert_int_equal(roster_has_key(&r, k.public_key), octet < 4);
	}
	roster_free(&r);
}

static void
test_message(void **state)
{
	struct member m = member("a", 1, true, 0), back;
	struct member_message to;

	(void)state;
	for (uint8_t announced = 0; announced < 3; announced += 2) {
		m = member("a", 1, true, announced);
		member_to_message(&m, &to);
		assert_true(member_from_message(&back, &to.message));
		assert_memory_equal(&m, &back, sizeof m);
	}
	to.roll.key.len = 31;
	assert_false(member_from_message(&back, &to.message));
	to.roll.key.len = FLEET_KEY;
	to.roll.overlap_s = FLEET_OVERLAP_MAX_S + 1;
	assert_false(member_from_message(&back, &to.message));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_files, make_dir, remove_dir),
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_choices),
		cmocka_unit_test(test_overlap),
		cmocka_unit_test(test_known_keys),
		cmocka_unit_test(test_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
