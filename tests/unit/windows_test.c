/* Windows for confirmation as a table of moments: time is an argument, a year of wall clock is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "appliance/sync/windows.h"

// link: appliance/sync/windows.c

#define S 1000000000ull
#define T 500 * S /* some moment of the monotonic clock */

static struct windows *
with(const struct store_window *list, size_t n, uint64_t now)
{
	struct windows *w = windows_new();
	struct window_list in = { (struct store_window *)(uintptr_t)list, n };

	windows_set(w, &in, now);
	return w;
}

static uint64_t
remaining(const struct windows *w, uint64_t revision, uint64_t now)
{
	struct window_list out;
	uint64_t ms = UINT64_MAX;

	windows_remaining(w, now, &out);
	for (size_t i = 0; i < out.count; i++)
		if (out.windows[i].revision == revision)
			ms = out.windows[i].remaining_ms;
	free(out.windows);
	return ms;
}

static const struct store_window two[] = { { 7, 10000, 10000 }, { 9, 60000, 2500 } };

static void
it_counts_and_ends(void **state)
{
	struct windows *w = with(two, 2, T);
	uint64_t total;

	(void)state;
	assert_int_equal(remaining(w, 7, T), 10000);
	assert_int_equal(remaining(w, 9, T + S), 1500); /* it goes on from what was saved */
	assert_int_equal(windows_due(w, T + 2 * S, &total), 0);
	assert_int_equal(windows_due(w, T + 3 * S, &total), 9);
	assert_int_equal(total, 60000);
	assert_int_equal(remaining(w, 9, T + 3 * S), 0);
	windows_destroy(&w);
}

static void
it_is_tried_again_and_stuck_is_said(void **state)
{
	struct windows *w = with(two, 2, T);
	uint64_t total;

	(void)state;
	assert_int_equal(windows_due(w, T + 3 * S, &total), 9);
	assert_int_equal(windows_due(w, T + 3 * S + S / 2, &total), 0);
	assert_int_equal(windows_stuck(w, T + 4 * S), 0);
	assert_int_equal(windows_due(w, T + 4 * S + 1, &total), 9);
	assert_int_equal(windows_stuck(w, T + 9 * S), 9);
	windows_destroy(&w);
}

/* A batch tells of all that are open: known ones are not set back. */
static void
others_come_and_go(void **state)
{
	static const struct store_window later[] = { { 7, 10000, 10000 }, { 12, 5000, 5000 } };
	struct windows *w = with(two, 2, T);
	struct window_list in = { (struct store_window *)(uintptr_t)later, 2 };

	(void)state;
	windows_set(w, &in, T + 4 * S);
	assert_int_equal(remaining(w, 7, T + 4 * S), 6000);
	assert_int_equal(remaining(w, 12, T + 4 * S), 5000);
	assert_int_equal(remaining(w, 9, T + 4 * S), UINT64_MAX);
	windows_destroy(&w);
}

static void
who_counted_further_is_believed(void **state)
{
	struct windows *w = with(two, 2, T);

	(void)state;
	windows_learn(w, 7, 9000, T + 2 * S); /* 8 s are left here */
	assert_int_equal(remaining(w, 7, T + 2 * S), 8000);
	windows_learn(w, 7, 500, T + 2 * S);
	assert_int_equal(remaining(w, 7, T + 2 * S), 500);
	windows_learn(w, 99, 1, T);
	windows_destroy(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_counts_and_ends),
		cmocka_unit_test(it_is_tried_again_and_stuck_is_said),
		cmocka_unit_test(others_come_and_go),
		cmocka_unit_test(who_counted_further_is_believed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
