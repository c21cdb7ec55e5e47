/* things_test - settings and objects that are compared between two stores: the order, and what must be fetched
 * again where the two are at different places of the history. */
// link: appliance/sync/things.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "appliance/sync/things.h"

#define NONE 99u

/* Who may have what is residency_test's. */
enum ns_err
residency_load(struct store *s, struct residency **r)
{
	(void)s;
	*r = NULL;
	return NS_OK;
}

void
residency_free(struct residency **r)
{
	*r = NULL;
}

enum ns_err
redact_object(struct store *s, const struct residency *r, const char *site, const char *kind,
    const char *name, bool *allowed)
{
	(void)s;
	(void)r;
	(void)site;
	(void)kind;
	(void)name;
	*allowed = true;
	return NS_OK;
}

static Ns__FleetThings__Entry
entry(uint64_t version, uint8_t *sum)
{
	Ns__FleetThings__Entry e = NS__FLEET_THINGS__ENTRY__INIT;

	e.version = version;
	e.sha256 = (ProtobufCBinaryData){ 1, sum };
	return e;
}

static void
test_differs(void **state)
{
	/* version and sum of the primary's and the replica's; where each of them is */
	static const struct {
		uint64_t a;
		uint8_t a_sum;
		uint64_t at_a, b;
		uint8_t b_sum;
		uint64_t at_b;
		bool differs;
	} rows[] = {
		/* objects */
		{ 5, 1, 9, 5, 1, 9, false },
		{ 5, 1, 9, 5, 2, 9, true },
		{ 5, 1, 9, 5, 2, 7, true }, /* the same change made both */
		{ 8, 1, 9, 5, 2, 7, false }, /* changed since */
		{ 6, 1, 9, 5, 2, 7, true }, /* a change that it has, and that is not to be seen */
		{ 5, 1, 9, 500, 2, 9, true },
		{ 5, 1, 9, NONE, 0, 9, true },
		{ 5, 1, 9, NONE, 0, 5, true },
		{ 8, 1, 9, NONE, 0, 7, false }, /* made since */
		{ NONE, 0, 9, 5, 1, 9, true },
		{ NONE, 0, 9, 5, 1, 7, false }, /* dropped since */
		/* settings */
		{ 0, 1, 9, 0, 1, 9, false },
		{ 0, 1, 9, 0, 2, 9, true },
		{ 0, 1, 9, 0, 2, 7, false },
		{ 0, 1, 9, NONE, 0, 9, true },
		{ 0, 1, 9, NONE, 0, 7, false },
		{ NONE, 0, 9, 0, 1, 7, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		uint8_t sums[2] = { rows[i].a_sum, rows[i].b_sum };
		Ns__FleetThings__Entry a = entry(rows[i].a, &sums[0]),
				       b = entry(rows[i].b, &sums[1]);

		if (thing_differs(rows[i].a != NONE ? &a : NULL, rows[i].at_a,
			rows[i].b != NONE ? &b : NULL, rows[i].at_b) != rows[i].differs)
			fail_msg("row %zu", i);
	}
}

static void
test_keys(void **state)
{
	static const char *const order[][2] = { { "", "" }, { "", "hostmaster" },
		{ "", "nameservers" }, { "account", "" }, { "account", "b" }, { "check", "a" },
		{ "user", "A" }, { "user", "a" } };
	struct thing_key a, b;
	char longer[400];

	(void)state;
	for (size_t i = 1; i < sizeof order / sizeof order[0]; i++) {
		assert_true(thing_key_read(&a, order[i - 1][0], order[i - 1][1]));
		assert_true(thing_key_read(&b, order[i][0], order[i][1]));
		assert_true(thing_key_cmp(&a, &b) < 0 && thing_key_cmp(&b, &a) > 0);
		assert_int_equal(thing_key_cmp(&a, &a), 0);
	}
	memset(longer, 'x', sizeof longer - 1);
	longer[sizeof longer - 1] = '\0';
	assert_false(thing_key_read(&a, longer, "a"));
	assert_false(thing_key_read(&a, "user", longer));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_differs),
		cmocka_unit_test(test_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
