/* The orders of a list of zones: words, sorting, and which of those that are kept is whose. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "appliance/sync/zoneorder.h"
#include "ipc/base/xalloc.h"

// link: appliance/sync/zoneorder.c

static void
words(void **state)
{
	static const struct {
		const char *text;
		enum zone_sort sort;
		bool reverse;
	} good[] = { { "", ZSORT_NAME, false }, { "name", ZSORT_NAME, false },
		{ "-name", ZSORT_NAME, true }, { "-qps", ZSORT_QPS, true },
		{ "rrsets", ZSORT_RRSETS, false }, { "changed", ZSORT_CHANGED, false },
		{ "dnssec", ZSORT_DNSSEC, false }, { "-health", ZSORT_HEALTH, true } };
	static const char *const bad[] = { "-", "--qps", "QPS", "qps ", "size", "nam" };
	struct ns_why why = { 0 };
	enum zone_sort sort;
	bool reverse;

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		assert_int_equal(zone_sort_read(good[i].text, &sort, &reverse, &why), NS_OK);
		assert_int_equal(sort, good[i].sort);
		assert_int_equal(reverse, good[i].reverse);
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(zone_sort_read(bad[i], &sort, &reverse, &why), NS_USAGE);
}

/* Equal keys stand by name, whichever way round. */
static void
sorting(void **state)
{
	static const struct {
		enum zone_sort sort;
		bool reverse;
		uint64_t want[4];
	} rows[] = { { ZSORT_QPS, false, { 4, 1, 3, 2 } }, { ZSORT_QPS, true, { 2, 1, 3, 4 } },
		{ ZSORT_NAME, false, { 1, 2, 3, 4 } }, { ZSORT_NAME, true, { 4, 3, 2, 1 } } };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct zone_key keys[] = { { 1, 5, 0 }, { 2, 9, 1 }, { 3, 5, 2 }, { 4, -1, 3 } };

		zone_keys_sort(keys, 4, rows[i].sort, rows[i].reverse);
		for (size_t k = 0; k < 4; k++)
			assert_int_equal(keys[k].id, rows[i].want[k]);
	}
}

static uint64_t
keep(const char *what, uint64_t revision, bool moves, size_t n, uint64_t now_ms)
{
	struct zone_order *o = xcalloc(1, sizeof *o);
	uint64_t snapshot;

	o->what = xstrdup(what);
	o->revision = revision;
	o->moves = moves;
	o->n = n;
	o->ids = xcalloc(n, sizeof *o->ids);
	o = zone_order_keep(o, now_ms);
	snapshot = o->snapshot;
	zone_order_release(&o);
	assert_null(o);
	return snapshot;
}

static bool
found(uint64_t snapshot, const char *what, uint64_t revision, uint64_t now_ms)
{
	struct zone_order *o = zone_order_find(snapshot, what, revision, now_ms);
	bool is = o != NULL;

	zone_order_release(&o);
	return is;
}

static void
whose_it_is(void **state)
{
	uint64_t still, moving;

	(void)state;
	still = keep("name\nsh", 7, false, 3, 1000);
	moving = keep("qps\n", 7, true, 3, 1000);
	assert_int_not_equal(still, moving);
	assert_true(found(0, "name\nsh", 7, 9000));
	assert_false(found(0, "name\nsh", 8, 9000)); /* something was edited: another one, */
	assert_true(found(still, "name\nsh", 8, 9000)); /* unless it is this one that is wanted */
	assert_false(found(still, "name\nsho", 7, 9000));
	assert_true(found(0, "qps\n", 7, 1999));
	assert_false(found(0, "qps\n", 7, 2000));
	assert_true(found(moving, "qps\n", 9, 30000));
	zone_orders_free();
	assert_false(found(still, "name\nsh", 7, 9000));
}

static void
those_that_go(void **state)
{
	uint64_t first, last = 0, huge;
	struct zone_order *held;

	(void)state;
	first = keep("a", 1, false, 1, 1000);
	held = zone_order_find(first, "a", 1, 1000);
	for (unsigned i = 0; i < 8; i++)
		last = keep("b", 1, false, 1, 1001 + i);
	assert_false(
	    found(first, "a", 1, 1009)); /* the oldest made room; who holds it has it still */
	assert_int_equal(held->n, 1);
	zone_order_release(&held);
	assert_true(found(last, "b", 1, 1009));
	huge = keep("c", 1, false, 1u << 22, 1010); /* alone it may be as large as it is */
	assert_false(found(last, "b", 1, 1010));
	assert_true(found(huge, "c", 1, 1010));
	(void)keep("d", 1, false, 1, 1010 + 60001);
	assert_false(found(huge, "c", 1, 1010 + 60001)); /* nobody looked */
	zone_orders_free();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words),
		cmocka_unit_test(sorting),
		cmocka_unit_test(whose_it_is),
		cmocka_unit_test(those_that_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
