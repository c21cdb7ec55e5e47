/* standby_test - who may acknowledge, who may be promoted, where two histories part. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "appliance/fleet/standby.h"

static void
test_gate(void **state)
{
	static const struct {
		const char *what;
		struct gate_view v;
		enum gate_state want;
	} rows[] = {
		{ "a replica", { .primary = false, .term = 1 }, GATE_REPLICA },
		{ "alone", { .primary = true, .term = 1 }, GATE_OPEN },
		{ "restarted, nobody heard", { .primary = true, .term = 1, .others = true },
		    GATE_UNHEARD },
		{ "somebody heard", { .primary = true, .term = 1, .others = true, .heard = true },
		    GATE_OPEN },
		{ "restarted, the standby not heard, others are",
		    { .primary = true, .term = 1, .others = true, .standby = true, .heard = true },
		    GATE_UNHEARD },
		{ "the standby is there",
		    { .primary = true,
			.term = 1,
			.others = true,
			.standby = true,
			.standby_ever = true,
			.standby_now = true },
		    GATE_OPEN },
		{ "the standby went silent",
		    { .primary = true,
			.term = 1,
			.others = true,
			.standby = true,
			.standby_ever = true,
			.heard = true },
		    GATE_SILENT },
		{ "another standby, and the one before went silent",
		    { .primary = true,
			.term = 1,
			.others = true,
			.standby = true,
			.standby_ever = true,
			.standby_now = true,
			.leaving = true,
			.leaving_ever = true },
		    GATE_SILENT },
		{ "the same, restarted",
		    { .primary = true,
			.term = 1,
			.others = true,
			.standby = true,
			.standby_ever = true,
			.standby_now = true,
			.leaving = true },
		    GATE_UNHEARD },
		{ "both are there",
		    { .primary = true,
			.term = 1,
			.others = true,
			.standby = true,
			.standby_ever = true,
			.standby_now = true,
			.leaving = true,
			.leaving_ever = true,
			.leaving_now = true },
		    GATE_OPEN },
		{ "the one before is there, the new one is not",
		    { .primary = true,
			.term = 1,
			.others = true,
			.standby = true,
			.standby_ever = true,
			.leaving = true,
			.leaving_ever = true,
			.leaving_now = true },
		    GATE_SILENT },
		{ "a newer term, whatever else",
		    { .primary = true,
			.term = 1,
			.newest_term = 2,
			.others = true,
			.standby = true,
			.standby_ever = true,
			.standby_now = true,
			.heard = true },
		    GATE_SUPERSEDED },
		{ "an old term is nothing",
		    { .primary = true, .term = 3, .newest_term = 2, .others = true, .heard = true },
		    GATE_OPEN },
		{ "held",
		    { .primary = true, .term = 1, .held = true, .others = true, .heard = true },
		    GATE_HELD },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (gate_judge(&rows[i].v) != rows[i].want)
			fail_msg("%s: %d", rows[i].what, (int)gate_judge(&rows[i].v));
}

static void
test_passes(void **state)
{
	(void)state;
	assert_true(gate_passes(GATE_OPEN, false, 0, 9));
	assert_true(gate_passes(GATE_OPEN, true, 9, 9));
	assert_false(gate_passes(GATE_OPEN, true, 8, 9));
	for (enum gate_state s = GATE_SILENT; s <= GATE_REPLICA; s++) {
		assert_false(gate_passes(s, true, 9, 9));
		assert_false(gate_passes(s, false, 9, 9));
	}
}

#define AT(t, r)                                 \
	{                                        \
		.log_term = (t), .revision = (r) \
	}
static void
test_promote(void **state)
{
	static const struct {
		const char *what;
		struct position own;
		struct candidate_peer peers[3];
		enum promote_verdict want;
		size_t which; /* 9: says nothing */
	} rows[] = {
		{ "nobody is reachable", AT(2, 10), { { .term = 9, .at = AT(9, 99) } }, PROMOTE_GO,
		    9 },
		{ "the others have less", AT(2, 10),
		    { { true, false, 2, AT(2, 10) }, { true, false, 2, AT(2, 7) },
			{ true, false, 1, AT(1, 30) } },
		    PROMOTE_GO, 9 },
		{ "one has more", AT(2, 10),
		    { { true, false, 2, AT(2, 11) }, { true, false, 2, AT(2, 13) },
			{ true, false, 2, AT(2, 12) } },
		    PROMOTE_FETCH, 1 },
		{ "a newer term beats a greater number", AT(1, 30),
		    { { true, false, 2, AT(2, 12) }, { true, false, 2, AT(1, 40) } }, PROMOTE_FETCH,
		    0 },
		{ "a higher term", AT(2, 10),
		    { { true, false, 2, AT(2, 11) }, { true, false, 3, AT(2, 10) } },
		    PROMOTE_HIGHER_TERM, 1 },
		{ "the standby is there", AT(2, 10), { { true, true, 2, AT(2, 10) } },
		    PROMOTE_NOT_STANDBY, 0 },
		{ "the standby is not", AT(2, 10), { { false, true, 0, AT(0, 0) } }, PROMOTE_GO,
		    9 },
		{ "who has more may know who the standby is", AT(2, 10),
		    { { true, true, 2, AT(2, 9) }, { true, false, 2, AT(2, 11) } }, PROMOTE_FETCH,
		    1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		size_t which = 9;
		enum promote_verdict v = promote_judge(2, rows[i].own, rows[i].peers, 3, &which);

		if (v != rows[i].want || (rows[i].which != 9 && which != rows[i].which))
			fail_msg("%s: %d, %zu", rows[i].what, (int)v, which);
	}
}

static void
test_rewind(void **state)
{
	static const struct {
		const char *what;
		uint64_t term;
		struct position at;
		uint64_t here, older;
		enum rewind_verdict want;
		uint64_t revision;
	} rows[] = {
		{ "nothing there yet", 2, AT(0, 0), 0, 0, REWIND_OURS, 0 },
		{ "ahead of the winner", 2, AT(1, 12), 0, 10, REWIND_BACK, 10 },
		{ "beside the winner", 2, AT(1, 12), 2, 10, REWIND_BACK, 10 },
		{ "a term between", 4, AT(3, 12), 2, 11, REWIND_BACK, 11 },
		{ "ahead in this very term: somebody's disk lies", 2, AT(2, 12), 0, 10,
		    REWIND_REFUSED, 0 },
		{ "of one term, and another change", 3, AT(2, 12), 2, 11, REWIND_REFUSED, 0 },
		{ "of the future", 2, AT(3, 12), 0, 10, REWIND_REFUSED, 0 },
		{ "it does not say", 2, AT(0, 12), 2, 10, REWIND_REFUSED, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		uint64_t to = 0;
		enum rewind_verdict v =
		    rewind_judge(rows[i].term, rows[i].at, rows[i].here, rows[i].older, &to);

		if (v != rows[i].want || to != rows[i].revision)
			fail_msg("%s: %d, %llu", rows[i].what, (int)v, (unsigned long long)to);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gate),
		cmocka_unit_test(test_passes),
		cmocka_unit_test(test_promote),
		cmocka_unit_test(test_rewind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
