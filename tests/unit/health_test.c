/* health_test - how a check is in one word, in which order checks are shown, and the last looks. */
// link: appliance/probe/health.c appliance/probe/looks.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "appliance/probe/health.h"
#include "appliance/probe/looks.h"

static void
test_levels(void **state)
{
	static const struct {
		enum board_state is;
		unsigned flags;
		bool disputed;
		enum health_level level;
		const char *note;
	} rows[] = {
		{ BOARD_UP, 0, false, HEALTH_OK, "" },
		{ BOARD_UP, 0, true, HEALTH_WARN, "" },
		{ BOARD_DOWN, 0, false, HEALTH_CRIT, "" },
		{ BOARD_DOWN, 0, true, HEALTH_CRIT, "" },
		{ BOARD_DOWN, BOARD_STALE, false, HEALTH_CRIT, "stale" },
		{ BOARD_UP, BOARD_STALE, false, HEALTH_WARN, "stale" },
		{ BOARD_UP, BOARD_FROZEN | BOARD_STALE, false, HEALTH_WARN, "frozen" },
		{ BOARD_UP, BOARD_INITIAL, false, HEALTH_NONE, "" },
		{ BOARD_UNKNOWN, 0, false, HEALTH_NONE, "" },
		/* What a person forced is no alarm, and not all well. */
		{ BOARD_DOWN, BOARD_OVERRIDDEN, false, HEALTH_WARN, "forced down" },
		{ BOARD_UP, BOARD_OVERRIDDEN, true, HEALTH_WARN, "forced up" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_int_equal(
		    health_level(rows[i].is, rows[i].flags, rows[i].disputed), rows[i].level);
		assert_string_equal(health_note(rows[i].is, rows[i].flags), rows[i].note);
	}
}

static void
test_the_worst_comes_first(void **state)
{
	(void)state;
	assert_true(health_cmp(HEALTH_CRIT, "z", HEALTH_WARN, "a") < 0);
	assert_true(health_cmp(HEALTH_WARN, "z", HEALTH_NONE, "a") < 0);
	assert_true(health_cmp(HEALTH_NONE, "z", HEALTH_OK, "a") < 0);
	assert_true(health_cmp(HEALTH_OK, "a", HEALTH_OK, "b") < 0);
	assert_int_equal(health_cmp(HEALTH_OK, "a", HEALTH_OK, "a"), 0);
}

static void
test_cursors(void **state)
{
	static const char *const bad[] = { "", "0", "4x", "-x", "x", "9", " 0x" };
	enum health_level level;
	const char *name;

	(void)state;
	assert_true(health_cursor("1web-1", &level, &name));
	assert_int_equal(level, HEALTH_WARN);
	assert_string_equal(name, "web-1");
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(health_cursor(bad[i], &level, &name));
}

static void
test_the_middle(void **state)
{
	uint32_t list[] = { 9, 1, 5, 70 };

	(void)state;
	assert_int_equal(health_median(list, 0), 0);
	assert_int_equal(health_median(list, 1), 9);
	assert_int_equal(health_median(list, 3), 5);
	assert_int_equal(health_median(list, 4), 5);
}

static void
test_looks(void **state)
{
	struct looks l = { { 0 }, 0, 0 };
	uint32_t out[LOOKS_KEPT];

	(void)state;
	assert_int_equal(looks_last(&l, LOOKS_KEPT, out), 0);
	for (uint32_t i = 1; i <= LOOKS_KEPT + 7; i++)
		looks_add(&l, i);
	assert_int_equal(looks_last(&l, 3, out), 3);
	assert_int_equal(out[0], LOOKS_KEPT + 5);
	assert_int_equal(out[2], LOOKS_KEPT + 7);
	assert_int_equal(looks_last(&l, 1000, out), LOOKS_KEPT);
	assert_int_equal(out[0], 8);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_the_worst_comes_first),
		cmocka_unit_test(test_cursors),
		cmocka_unit_test(test_the_middle),
		cmocka_unit_test(test_looks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
