/* When the console draws: frames of data and of keys on links that are quick, slow, mute or gone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "console/core/pace.h"

#define START   1000000u
#define RUN_MS  60000u
#define LOOK_MS 4u /* between two looks at the time */

/* A minute of data that is always new, on a terminal that says after so long what it has shown: frames drawn, and how many
 * were ever under way. */
struct seen {
	unsigned frames, under_way;
};

static struct seen
minute(unsigned answers_after_ms, bool answers)
{
	struct pace p = { 0 };
	struct seen seen = { 0 };
	unsigned under_way = 0;
	uint64_t asked = 0;

	for (uint64_t now = START; now < START + RUN_MS; now += LOOK_MS) {
		if (answers && asked != 0 && now >= asked + answers_after_ms) {
			asked = 0;
			under_way = 0;
			if (pace_shown(&p, now)) {
				pace_asked(&p, now, true);
				asked = now;
			}
		}
		if (pace_data(&p, now, true) > 0)
			continue;
		seen.frames++;
		if (++under_way > seen.under_way)
			seen.under_way = under_way;
		if (pace_drawn(&p, now, true, true)) {
			pace_asked(&p, now, true);
			asked = now;
		}
	}
	return seen;
}

static void
test_data(void **state)
{
	static const struct {
		unsigned answers_after_ms;
		bool answers;
		unsigned least, most; /* frames in a minute */
	} rows[] = {
		{ 1, true, 230, 240 }, /* four a second */
		{ 240, true, 220, 240 }, { 400, true, 110, 150 }, /* as many as the link shows */
		{ 1500, true, 35, 41 }, { 5000, true, 12, 20 },
		{ 0, false, 58, 60 }, /* one a second to who says nothing */
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct seen seen = minute(rows[i].answers_after_ms, rows[i].answers);

		if (seen.frames < rows[i].least || seen.frames > rows[i].most)
			print_error("answers after %u ms: %u frames\n", rows[i].answers_after_ms,
			    seen.frames);
		assert_in_range(seen.frames, rows[i].least, rows[i].most);
		if (rows[i].answers && rows[i].answers_after_ms < 2000)
			assert_int_equal(seen.under_way, 1);
	}
}

/* What was asked before another program had the terminal may be answered to it, or to us later. */
static void
test_forgotten(void **state)
{
	struct pace p = { 0 };

	(void)state;
	assert_true(pace_drawn(&p, START, true, true));
	pace_asked(&p, START, true);
	pace_forget(&p);
	assert_true(pace_drawn(&p, START + 60000, true, true)); /* nothing is waited for */
	assert_false(pace_shown(&p, START + 60001));
	assert_false(pace_slow(&p, START + 60001));
	pace_asked(&p, START + 60002, true);
	assert_false(pace_shown(&p, START + 60012));
	assert_int_equal(p.round_trip_ms, 10);
}

static void
test_a_full_terminal_is_waited_for(void **state)
{
	struct pace p = { 0 };

	(void)state;
	assert_int_not_equal(pace_data(&p, START, false), 0);
	assert_int_equal(pace_data(&p, START, true), 0);
	assert_false(pace_drawn(&p, START, true, false)); /* no probe into a full queue */
	assert_false(p.unshown);
	assert_true(pace_drawn(&p, START + 300, true, true));
	pace_asked(&p, START + 300, false); /* it has no such thing */
	assert_int_equal(p.probing, PROBE_MUTE);
	assert_false(pace_drawn(&p, START + 1300, true, true));
}

/* Keys are drawn at once, and on a slow link every 100 ms, three frames ahead of what was shown. */
static void
test_keys(void **state)
{
	struct pace p = { 0 };
	uint64_t now = START;

	(void)state;
	assert_true(pace_drawn(&p, now, true, true));
	pace_asked(&p, now, true);
	assert_int_equal(pace_key(&p, now + 1), 0); /* nobody knows yet how slow it is */
	assert_false(pace_shown(&p, now + 900));
	assert_true(pace_slow(&p, now + 900));
	now += 1000;
	assert_int_equal(pace_key(&p, now), 0);
	assert_true(pace_drawn(&p, now, false, true));
	pace_asked(&p, now, true);
	for (unsigned ahead = 0; ahead < 3; ahead++) {
		assert_int_not_equal(pace_key(&p, now + 50), 0);
		now += 100;
		assert_int_equal(pace_key(&p, now), 0);
		assert_false(pace_drawn(&p, now, false, true));
	}
	assert_int_not_equal(pace_key(&p, now + 500), 0); /* three are enough */
	assert_int_equal(
	    pace_key(&p, now + 10000), 0); /* that terminal is gone: it is another one */
	assert_true(pace_shown(&p, now + 600)); /* and those behind it are asked about anew */
	assert_int_equal(pace_key(&p, now + 601), 0);
}

static void
test_an_answer_that_does_not_come(void **state)
{
	struct pace p = { 0 };

	(void)state;
	assert_true(pace_drawn(&p, START, true, true));
	pace_asked(&p, START, true);
	assert_false(pace_shown(&p, START + 10));
	assert_false(pace_slow(&p, START + 10));
	assert_true(pace_drawn(&p, START + 250, true, true));
	pace_asked(&p, START + 250, true);
	assert_true(pace_slow(&p, START + 600)); /* it is late already */
	assert_int_not_equal(pace_data(&p, START + 5000, true), 0);
	assert_int_equal(pace_data(&p, START + 10250, true), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_data),
		cmocka_unit_test(test_forgotten),
		cmocka_unit_test(test_a_full_terminal_is_waited_for),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_an_answer_that_does_not_come),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
