/* quorum_test - who looks at a check, and what votes make of it. */
// link: appliance/probe/quorum.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "appliance/probe/quorum.h"

#define FLEET 32u

static char names[FLEET][8], sites[FLEET][8];
static struct quorum_member fleet[FLEET];

/* "abbc": a member each, at that site; capital: out; a digit after it: silent so many times 10 s. */
static size_t
fleet_of(const char *text)
{
	size_t n = 0;

	for (; *text != '\0'; text++) {
		if (*text >= '0' && *text <= '9') {
			fleet[n - 1].silent_ms = (uint64_t)(*text - '0') * 10000 + 1;
			continue;
		}
		snprintf(names[n], sizeof names[n], "app-%zu", n);
		snprintf(sites[n], sizeof sites[n], "%c", *text | 0x20);
		fleet[n] = (struct quorum_member){ names[n], sites[n], !(*text & 0x20), 0 };
		n++;
	}
	return n;
}

/* u, d: fresh; U, D: old; -: none or abstains.  All of the fleet are assigned. */
static void
test_judge(void **state)
{
	static const struct {
		const char *fleet, *votes;
		char before, after;
		bool stale;
	} rows[] = {
		/* one or two decide on what they have */
		{ "a", "u", 'n', 'u', false },
		{ "a", "d", 'u', 'd', false },
		{ "a", "-", 'u', 'u', true },
		{ "a", "D", 'u', 'u', true },
		{ "ab", "dd", 'u', 'd', false },
		{ "ab", "d-", 'u', 'd', false },
		{ "ab", "du", 'u', 'u', false },
		{ "ab", "ud", 'd', 'd', false },
		{ "ab", "du", 'n', 'n', true },
		{ "aaB", "d-u", 'u', 'u', false },
		/* majority of the assigned, fresh */
		{ "abc", "ddu", 'u', 'd', false },
		{ "abc", "duu", 'u', 'u', false },
		{ "abc", "dD-", 'u', 'u', true },
		{ "abc", "d--", 'u', 'u', true },
		{ "abc", "uuu", 'n', 'u', false },
		{ "abc", "du-", 'u', 'u', false },
		/* from two sites where two are assigned */
		{ "aab", "ddu", 'u', 'u', false },
		{ "aab", "dd-", 'u', 'u', false },
		{ "aab", "dud", 'u', 'd', false },
		{ "aaa", "ddu", 'u', 'd', false },
		{ "aaaab", "ddddu", 'u', 'u', false },
		{ "aaaab", "dduud", 'u', 'd', false },
		{ "abcd", "dduu", 'u', 'u', false },
		{ "abcd", "dddu", 'u', 'd', false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		size_t n = fleet_of(rows[i].fleet);
		struct quorum_vote votes[FLEET] = { { VOTE_NONE, 0 } };
		uint16_t all[FLEET];
		struct quorum_verdict v;

		for (size_t j = 0; j < n; j++) {
			char c = rows[i].votes[j];

			all[j] = (uint16_t)j;
			votes[j].state = (c | 0x20) == 'u'   ? VOTE_UP
					 : (c | 0x20) == 'd' ? VOTE_DOWN
							     : VOTE_NONE;
			votes[j].age_ms = c & 0x20 ? QUORUM_FRESH_MS : QUORUM_FRESH_MS + 1;
		}
		v = quorum_judge(fleet, n, all, n, votes,
		    rows[i].before == 'u'   ? VOTE_UP
		    : rows[i].before == 'd' ? VOTE_DOWN
					    : VOTE_NONE);
		if ("nud"[v.state] != rows[i].after || v.stale != rows[i].stale)
			fail_msg("%s %s: %c%s", rows[i].fleet, rows[i].votes, "nud"[v.state],
			    v.stale ? " stale" : "");
	}
}

static void
test_frozen(void **state)
{
	static const struct {
		const char *fleet;
		bool frozen;
	} rows[] = { { "a", false }, { "ab", false }, { "ab9", false }, { "ab9c9", true },
		{ "abc9", false }, { "abc9d9", false }, { "aab9c9", true }, { "ab9b", false },
		{ "aB9C9", false }, { "ab2c2", false }, { "ab3c3", true } };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_int_equal(quorum_frozen(fleet, fleet_of(rows[i].fleet)), rows[i].frozen);
}

static void
test_assignment(void **state)
{
	size_t n = fleet_of("abcdefghij"), share[FLEET] = { 0 }, moved = 0;
	uint16_t one[QUORUM_MEMBERS], two[QUORUM_MEMBERS];

	(void)state;
	for (uint64_t id = 1; id <= 10000; id++) {
		bool mine = false;

		assert_int_equal(quorum_assign(fleet, n, id, 3, one), 3);
		assert_true(one[0] != one[1] && one[1] != one[2] && one[0] != one[2]);
		for (size_t i = 0; i < 3; i++)
			share[one[i]]++;
		/* One falls silent: only its share moves. */
		fleet[4].silent_ms = QUORUM_SILENT_MS + 1;
		assert_int_equal(quorum_assign(fleet, n, id, 3, two), 3);
		fleet[4].silent_ms = 0;
		for (size_t i = 0; i < 3; i++)
			mine = mine || one[i] == 4;
		for (size_t i = 0; i < 3; i++)
			assert_true(two[i] != 4);
		moved += memcmp(one, two, 3 * sizeof *one) != 0;
		assert_int_equal(mine, memcmp(one, two, 3 * sizeof *one) != 0);
	}
	assert_int_equal(moved, share[4]);
	for (size_t i = 0; i < n; i++)
		assert_in_range(share[i], 2700, 3300);
	assert_int_equal(quorum_assign(fleet, n, 1, 0, one), n);
	n = fleet_of("aB");
	assert_int_equal(quorum_assign(fleet, n, 1, 3, one), 1);
	assert_int_equal(one[0], 0);
}

/* 100,000 checks of a fleet of 32 at as many sites: each member's share is 9,375 but for chance. */
static void
test_shares(void **state)
{
	size_t n = fleet_of("abcdefghijklmnopqrstuvwxyz"), share[FLEET] = { 0 };
	uint16_t one[QUORUM_MEMBERS];

	(void)state;
	for (; n < FLEET; n++) {
		snprintf(names[n], sizeof names[n], "app-%zu", n);
		snprintf(sites[n], sizeof sites[n], "s%zu", n);
		fleet[n] = (struct quorum_member){ names[n], sites[n], false, 0 };
	}
	for (uint64_t id = 1; id <= 100000; id++) {
		size_t k = quorum_assign(fleet, n, id, 3, one);

		while (k > 0)
			share[one[--k]]++;
	}
	for (size_t i = 0; i < n; i++)
		assert_in_range(share[i], 9375 - 400, 9375 + 400); /* four sigma */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_judge),
		cmocka_unit_test(test_frozen),
		cmocka_unit_test(test_assignment),
		cmocka_unit_test(test_shares),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
