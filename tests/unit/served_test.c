/* served: when "every living worker answers from revision N" may be said. */
// link: appliance/answer/served.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "appliance/answer/served.h"

static struct served s;

static int
setup(void **state)
{
	(void)state;
	served_init(&s, 3);
	return 0;
}

static void
see(uint64_t revision, uint64_t epoch, uint64_t a, uint64_t b, uint64_t c)
{
	const uint64_t slots[3] = { a, b, c };

	served_see(&s, revision, epoch, slots);
}

static void
expect(uint64_t id, uint64_t revision)
{
	struct served_ask ask;

	assert_true(served_next(&s, &ask));
	assert_int_equal(ask.id, id);
	assert_int_equal(ask.revision, revision);
}

static void
expect_none(void)
{
	struct served_ask ask;

	assert_false(served_next(&s, &ask));
}

static void
test_idle(void **state)
{
	(void)state;
	assert_true(served_ask(&s, 1, 7, 11));
	see(6, 10, 0, 0, 0);
	expect_none(); /* the root is not there yet */
	see(7, 11, 0, 0, 0);
	expect(1, 7);
	expect_none();
}

static void
test_older_root_suffices_not(void **state)
{
	(void)state;
	see(9, 4, 0, 0, 0);
	assert_true(served_ask(&s, 1, 8, 4));
	expect(1, 8); /* proven by what was seen before */
	assert_true(served_ask(&s, 2, 10, 5));
	expect_none();
}

/* A stopped worker keeps its old slot: nothing is said, however often we look. */
static void
test_stopped(void **state)
{
	int i;

	(void)state;
	assert_true(served_ask(&s, 1, 7, 10));
	for (i = 0; i < 1000; i++)
		see(7, 10, 0, 10, 0);
	expect_none();
	see(7, 10, 0, 9, 0);
	expect_none();
	see(7, 10, 0, 0, 0); /* killed: the supervisor cleared it */
	expect(1, 7);
}

/* Busy workers are never all idle in one look: each is ticked off once. */
static void
test_one_by_one(void **state)
{
	(void)state;
	assert_true(served_ask(&s, 1, 7, 10));
	see(7, 10, 10, 10, 10);
	expect_none();
	see(7, 11, 0, 10, 10);
	expect_none();
	see(7, 11, 10, 11, 10); /* a new batch: its slot is past 10 */
	expect_none();
	see(7, 11, 11, 11, 11);
	expect(1, 7);
}

/* The slot equals the epoch that was read after the root: it may have entered the root before. */
static void
test_same_epoch_is_not_past(void **state)
{
	(void)state;
	assert_true(served_ask(&s, 1, 7, 10));
	see(7, 10, 0, 0, 10);
	expect_none();
	see(7, 10, 0, 0, 11);
	expect(1, 7);
}

/* Newer roots do not restart a proof that is being made, or it would never end. */
static void
test_stream_of_edits(void **state)
{
	uint64_t r;

	(void)state;
	assert_true(served_ask(&s, 1, 100, 100));
	see(100, 100, 100, 0, 0);
	for (r = 101; r < 110; r++)
		see(r, r, 100, r, r);
	expect_none();
	see(110, 110, 0, 110, 110);
	expect(1, 100);
	/* The next proof, about 110, began with the same look: two workers hold slot 110. */
	assert_true(served_ask(&s, 2, 110, 110));
	expect_none();
	see(110, 110, 110, 0, 111);
	expect(2, 110);
}

static void
test_many(void **state)
{
	(void)state;
	assert_true(served_ask(&s, 1, 9, 2));
	assert_true(served_ask(&s, 2, 7, 1));
	assert_true(served_ask(&s, 3, 8, 1));
	see(8, 1, 0, 0, 0);
	expect(2, 7);
	expect(3, 8);
	expect_none();
	see(9, 2, 0, 0, 0);
	expect(1, 9);
	expect_none();
}

static void
test_full(void **state)
{
	uint64_t i;

	(void)state;
	for (i = 0; i < SERVED_PENDING; i++)
		assert_true(served_ask(&s, i, 5, 1));
	assert_false(served_ask(&s, i, 5, 1));
	see(5, 1, 0, 0, 0);
	for (i = 0; i < SERVED_PENDING; i++)
		expect(i, 5);
	assert_true(served_ask(&s, 1, 6, 2));
}

static void
test_forget(void **state)
{
	(void)state;
	assert_true(served_ask(&s, 1, 7, 1));
	served_forget(&s);
	see(7, 1, 0, 0, 0);
	expect_none();
	assert_true(served_ask(&s, 2, 7, 1));
	expect(2, 7);
}

/* A large zone is signed at last, or the map starts over: the revision says nothing, the epoch does. */
static void
test_once_more(void **state)
{
	(void)state;
	see(50, 10, 0, 0, 0);
	assert_true(served_ask(&s, 1, 50, 11));
	expect_none();
	see(50, 11, 0, 11, 0);
	expect_none();
	see(50, 11, 0, 0, 0);
	expect(1, 50);
}

#define T(f) cmocka_unit_test_setup(f, setup)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_idle),
		T(test_older_root_suffices_not),
		T(test_stopped),
		T(test_one_by_one),
		T(test_same_epoch_is_not_past),
		T(test_stream_of_edits),
		T(test_many),
		T(test_full),
		T(test_forget),
		T(test_once_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
