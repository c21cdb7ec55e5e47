/* Who is about to change a zone: leases that end, and who is told of whom. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "appliance/sync/presence.h"

// link: appliance/sync/presence.c

#define S          1000000000ull
#define ZONE(text) (const uint8_t *)(text), sizeof(text) - 1

static struct presence p;

static int
setup(void **state)
{
	(void)state;
	memset(&p, 0, sizeof p);
	return 0;
}

static void
others(void **state)
{
	const struct presence_lease *out[4];

	(void)state;
	presence_put(&p, ZONE("a"), "alice", "fra1", 1 * S);
	presence_put(&p, ZONE("a"), "bob", "fra1", 2 * S);
	presence_put(&p, ZONE("a"), "bob", "ams1", 3 * S);
	presence_put(&p, ZONE("b"), "carol", "fra1", 3 * S);
	assert_int_equal(presence_others(&p, ZONE("a"), "alice", 4 * S, out, 4), 2);
	assert_string_equal(out[0]->appliance, "ams1"); /* began last */
	assert_string_equal(out[1]->name, "bob");
	assert_int_equal(presence_others(&p, ZONE("a"), "bob", 4 * S, out, 4), 1);
	assert_string_equal(out[0]->name, "alice");
	assert_int_equal(presence_others(&p, ZONE("a"), "carol", 4 * S, out, 2), 2);
	assert_string_equal(out[0]->appliance, "ams1");
	assert_string_equal(out[1]->appliance, "fra1");
	assert_string_equal(out[1]->name, "bob");
	presence_drop(&p, ZONE("a"), "bob", "ams1");
	presence_drop(&p, ZONE("a"), "bob", "sin1");
	assert_int_equal(presence_others(&p, ZONE("a"), "alice", 4 * S, out, 4), 1);
}

static void
leases_end(void **state)
{
	const struct presence_lease *out[4];

	(void)state;
	presence_put(&p, ZONE("a"), "bob", "fra1", 1 * S);
	presence_put(&p, ZONE("a"), "bob", "fra1", 41 * S); /* goes on */
	assert_int_equal(presence_others(&p, ZONE("a"), "alice", 100 * S, out, 4), 1);
	assert_int_equal(out[0]->since_ns, 1 * S);
	assert_int_equal(presence_others(&p, ZONE("a"), "alice", 101 * S, out, 4), 0);
	presence_put(&p, ZONE("a"), "bob", "fra1", 200 * S); /* begins anew */
	assert_int_equal(presence_others(&p, ZONE("a"), "alice", 201 * S, out, 4), 1);
	assert_int_equal(out[0]->since_ns, 200 * S);
}

static void
room_is_made(void **state)
{
	const struct presence_lease *out[4];
	uint8_t zone[2];

	(void)state;
	presence_put(&p, ZONE("a"), "bob", "fra1", 1 * S);
	for (unsigned i = 0; i < PRESENCE_MAX; i++) {
		zone[0] = (uint8_t)(i >> 8);
		zone[1] = (uint8_t)i;
		presence_put(&p, zone, 2, "bob", "fra1", 2 * S + i);
	}
	assert_int_equal(presence_others(&p, ZONE("a"), "alice", 3 * S, out, 4), 0);
	assert_int_equal(presence_others(&p, zone, 2, "alice", 3 * S, out, 4), 1);
	assert_int_equal(
	    presence_others(&p, (const uint8_t *)"\0\0", 2, "alice", 3 * S, out, 4), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(others, setup),
		cmocka_unit_test_setup(leases_end, setup),
		cmocka_unit_test_setup(room_is_made, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
