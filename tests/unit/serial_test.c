/* serial - RFC 1982 comparison, and YYYYMMDDnn that never goes backwards. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "appliance/dns/serial.h"

#define NOV22 1795305600000 /* 2026-11-22T00:00:00Z */

static void
compares(void **state)
{
	static const struct {
		uint32_t a, b;
		bool newer;
	} rows[] = {
		{ 1, 0, true },
		{ 0, 1, false },
		{ 5, 5, false },
		{ 0, UINT32_MAX, true },
		{ UINT32_MAX, 0, false },
		{ 0x7fffffff, 0, true },
		{ 0x80000000, 0, false },
		{ 0, 0x80000000, false },
		{ 0x80000001, 0, false },
		{ 44, 4294967196u, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_int_equal(serial_newer(rows[i].a, rows[i].b), rows[i].newer);
}

static void
counts_on(void **state)
{
	static const struct {
		uint32_t old;
		int64_t now;
		uint32_t next;
	} rows[] = {
		{ 1, NOV22, 2026112200 }, { 2026112199, NOV22, 2026112200 },
		{ 2026112200, NOV22, 2026112201 },
		{ 2026112299, NOV22, 2026112300 }, /* the hundredth edit of a day */
		{ 2026112305, NOV22, 2026112306 }, /* a clock behind */
		{ 2026112305, NOV22 + 86400000, 2026112306 },
		{ 2026112305, NOV22 + 2 * 86400000LL, 2026112400 },
		{ 4294967295u, NOV22, 2026112200 }, /* newer by RFC 1982 */
		{ 4200000000u, NOV22, 2026112200 },
		{ 2100000000u, NOV22, 2100000001u }, /* a counter beyond our dates */
		{ 2026112200 - 0x80000000u, NOV22, 4173595849u }, /* undefined: not newer */
		{ 5, -1, 1970010100 },
		{ 4294967295u, INT64_MAX, 1 }, /* no such year; 0 is skipped */
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		uint32_t next = serial_next(rows[i].old, rows[i].now);

		assert_int_equal(next, rows[i].next);
		assert_true(serial_newer(next, rows[i].old));
		assert_int_not_equal(next, 0);
	}
}

static void
never_goes_back(void **state)
{
	uint32_t serial = 4294960000u;

	(void)state;
	for (int i = 0; i < 100000; i++) {
		uint32_t next = serial_next(serial, INT64_MAX); /* no such year: count only */

		assert_true(serial_newer(next, serial));
		assert_int_not_equal(next, 0);
		serial = next;
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compares),
		cmocka_unit_test(counts_on),
		cmocka_unit_test(never_goes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
