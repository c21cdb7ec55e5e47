/* ranges - sets of numbers against a table of them: never one too few, and none too many while they fit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ipc/base/ranges.h"
#include "tests/lib/mapbox.h"

#define NUMBERS 400u

static void
check_form(const struct ranges *r)
{
	assert_true(r->n <= RANGES_MAX);
	for (unsigned i = 0; i < r->n; i++) {
		assert_true(r->of[i].from <= r->of[i].to);
		assert_true(i == 0 || r->of[i].from - r->of[i - 1].to > 1);
	}
}

static void
random_sets(unsigned adds, unsigned longest, bool exact)
{
	uint64_t seed = adds, pairs[RANGES_MAX * 2];

	for (unsigned round = 0; round < 200; round++) {
		struct ranges r = { 0 }, again = { 0 };
		bool has[NUMBERS] = { false };

		for (unsigned i = 0; i < adds; i++) {
			uint64_t from = mapbox_random(&seed) % NUMBERS;
			uint64_t to = from + mapbox_random(&seed) % longest;

			to = to < NUMBERS ? to : NUMBERS - 1;
			ranges_add(&r, from, to);
			for (uint64_t k = from; k <= to; k++)
				has[k] = true;
			check_form(&r);
		}
		for (unsigned k = 0; k < NUMBERS; k++) {
			assert_true(ranges_has(&r, k) || !has[k]);
			assert_true(!exact || ranges_has(&r, k) == has[k]);
		}
		ranges_read(&again, pairs, ranges_put(&r, pairs));
		assert_int_equal(again.n, r.n);
		assert_memory_equal(again.of, r.of, r.n * sizeof r.of[0]);
	}
}

static void
test_random(void **state)
{
	(void)state;
	random_sets(20, 9, true);
	random_sets(90, 2, false);
}

static void
test_ends(void **state)
{
	struct ranges r = { 0 };
	const uint64_t odd[] = { 5, 9, 3 };

	(void)state;
	ranges_add(&r, 7, 6);
	assert_int_equal(r.n, 0);
	ranges_add(&r, UINT64_MAX, UINT64_MAX);
	ranges_add(&r, 0, 0);
	ranges_add(&r, 1, UINT64_MAX - 1);
	assert_int_equal(r.n, 1);
	assert_true(ranges_has(&r, 0) && ranges_has(&r, UINT64_MAX));
	ranges_read(&r, odd, 3);
	assert_int_equal(r.n, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
