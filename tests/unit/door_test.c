/* door_test - who has to go when too many wait at the fleet port. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "appliance/fleet/door.h"
#include "tests/lib/address.h"

static int
come(struct door *d, int fd, const char *from)
{
	struct sockaddr_storage remote = sockaddr_of(from), out;
	int gone = door_came(d, fd, &remote, &out);

	if (gone >= 0)
		assert_int_equal(out.ss_family, remote.ss_family);
	return gone;
}

static void
test_one_address(void **state)
{
	struct door d = { 0 };
	(void)state;

	for (int i = 0; i < (int)DOOR_PER_ADDRESS; i++)
		assert_int_equal(come(&d, 10 + i, "192.0.2.1"), -1);
	/* The oldest goes; others are not touched; who has proved himself does not count. */
	assert_int_equal(come(&d, 500, "192.0.2.1"), 10);
	assert_int_equal(come(&d, 501, "192.0.2.2"), -1);
	assert_int_equal(come(&d, 502, "192.0.2.1"), 11);
	door_forget(&d, 12);
	assert_int_equal(come(&d, 503, "192.0.2.1"), -1);
	assert_int_equal(come(&d, 504, "192.0.2.1"), 13);
	assert_int_equal(d.thrown_out, 3);
	assert_int_equal(d.waiting, DOOR_PER_ADDRESS + 1);
	door_free(&d);
}

static void
test_places(void **state)
{
	static const struct {
		const char *many, *one;
		bool same;
	} rows[] = {
		{ "2001:db8::1", "2001:db8::ffff:1", true }, /* one network */
		{ "2001:db8::1", "2001:db8:0:1::1", false },
		{ "::ffff:192.0.2.1", "::ffff:192.0.2.1", true },
		{ "::ffff:192.0.2.1", "::ffff:192.0.2.2", false },
		{ "192.0.2.1", "::ffff:192.0.2.1", false }, /* never on one socket */
	};
	(void)state;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct door d = { 0 };

		for (int n = 0; n < (int)DOOR_PER_ADDRESS; n++)
			assert_int_equal(come(&d, n, rows[i].many), -1);
		assert_int_equal(come(&d, 900, rows[i].one), rows[i].same ? 0 : -1);
		door_free(&d);
	}
}

static void
test_all_addresses(void **state)
{
	struct door d = { 0 };
	char text[32];
	(void)state;

	for (int i = 0; i < (int)DOOR_WAITING; i++) {
		snprintf(text, sizeof text, "10.0.%d.%d", i / 250, i % 250);
		assert_int_equal(come(&d, i, text), -1);
	}
	assert_int_equal(come(&d, 5000, "192.0.2.1"), 0);
	assert_int_equal(come(&d, 5001, "192.0.2.2"), 1);
	assert_int_equal(d.waiting, DOOR_WAITING);
	door_free(&d);
}

/* The kernel gives a descriptor again; what we heard of the one before may be late or missing. */
static void
test_descriptors(void **state)
{
	struct door d = { 0 };
	(void)state;

	for (int i = 0; i < 1000; i++)
		assert_int_equal(come(&d, 7, "192.0.2.1"), -1);
	assert_int_equal(d.waiting, 1);
	door_forget(&d, 7);
	door_forget(&d, 7);
	door_forget(&d, -1);
	door_forget(&d, 1 << 30);
	assert_int_equal(d.waiting, 0);
	assert_int_equal(come(&d, -1, "192.0.2.1"), -1);
	assert_int_equal(come(&d, DOOR_FDS, "192.0.2.1"), -1);
	assert_int_equal(d.waiting, 0);
	door_free(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_address),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_all_addresses),
		cmocka_unit_test(test_descriptors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
