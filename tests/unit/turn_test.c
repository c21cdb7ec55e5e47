/* Until when a worker has real time, and when again. */
// link: appliance/supervisor/turn.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <cmocka.h>

#include "appliance/supervisor/turn.h"

#define PID_NONE 4194305 /* the kernel gives out less */

static void
test_share(void **state)
{
	static const struct {
		bool urgent;
		uint64_t percent;
		bool then;
	} rows[] = {
		{ true, 0, true },
		{ true, 55, true },
		{ true, 80, true },
		{ true, 81, false },
		{ true, 300, false }, /* threads */
		{ false, 81, false },
		{ false, 51, false }, /* no to and fro */
		{ false, 50, true },
		{ false, 0, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_int_equal(
		    turn_is_urgent(rows[i].urgent, rows[i].percent * 2500000, 250000000),
		    rows[i].then);
}

/* The first look only notes; what cannot be seen or has no span changes nothing. */
static void
test_first_look(void **state)
{
	struct turn_look look = { 0 };

	(void)state;
	assert_false(turn_review(getpid(), &look, 1000));
	assert_int_equal(look.at_ns, 1000);
	assert_true(look.cpu_ns > 0);
	assert_false(turn_review(getpid(), &look, 1000));
	assert_false(look.shares);
	assert_false(turn_review(PID_NONE, &look, 2000));
	assert_int_equal(look.at_ns, 1000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_share),
		cmocka_unit_test(test_first_look),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
