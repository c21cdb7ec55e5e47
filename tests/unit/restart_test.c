/* When a dead child starts again: at once, later, and never hot. */
// link: appliance/supervisor/restart.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "appliance/supervisor/restart.h"

static void
test_lived_well(void **state)
{
	struct restart r;
	uint64_t now = 5000;
	int i;

	(void)state;
	restart_init(&r, false, now);
	for (i = 0; i < 100; i++) {
		restart_ready(&r, now);
		now += 1500;
		assert_int_equal(restart_wait(&r, now, 0), 0);
	}
}

/* Never ready: 0, 20, 40 … and 30 seconds at most, also after a thousand deaths. */
static void
test_early_death(void **state)
{
	struct restart r;
	uint32_t wait, last = 0;
	uint64_t now = 0;
	int i;

	(void)state;
	restart_init(&r, true, now);
	assert_int_equal(restart_wait(&r, now, 0), 0);
	assert_int_equal(restart_wait(&r, now, 0), 20);
	assert_int_equal(restart_wait(&r, now, 0), 40);
	for (i = 0; i < 1000; i++) {
		wait = restart_wait(&r, now, 0);
		assert_true(wait >= last && wait <= 30000);
		last = wait;
		now += wait + 1;
	}
	assert_int_equal(last, 30000);
}

/* A killer at work: 32 workers' deaths cost no wait; a lasting one is held to the refill. */
static void
test_stock(void **state)
{
	struct restart r;
	uint64_t now = 1000;
	int i, starts = 0;

	(void)state;
	restart_init(&r, true, now);
	for (i = 0; i < 32; i++) {
		restart_ready(&r, now);
		now += 3;
		assert_int_equal(restart_wait(&r, now, 0), 0);
	}
	for (now = 2000; now < 62000; starts++) {
		restart_ready(&r, now);
		now += 3;
		now += restart_wait(&r, now, 0);
	}
	assert_in_range(starts, 20, 150);
	now += 20000;
	for (i = 0; i < 32; i++) {
		restart_ready(&r, now);
		assert_int_equal(restart_wait(&r, ++now, 0), 0);
	}
}

/* Those who serve nobody directly have no stock. */
static void
test_no_stock(void **state)
{
	struct restart r;

	(void)state;
	restart_init(&r, false, 0);
	restart_ready(&r, 10);
	assert_int_equal(restart_wait(&r, 20, 0), 0);
	restart_ready(&r, 30);
	assert_int_equal(restart_wait(&r, 40, 0), 20);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lived_well),
		cmocka_unit_test(test_early_death),
		cmocka_unit_test(test_stock),
		cmocka_unit_test(test_no_stock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
