/* check_test - the pure parts of health checks: what may be said, when one flips, what is due. */
// link: appliance/probe/control.c appliance/probe/hyst.c appliance/probe/rtt.c appliance/probe/schedule.c
// link: appliance/sync/checkrule.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "appliance/probe/control.h"
#include "appliance/probe/hyst.h"
#include "appliance/probe/rtt.h"
#include "appliance/probe/schedule.h"
#include "appliance/sync/checks.h"

/* + good, - bad; after each result: n no verdict, u up, d down; capitals: the next one decides. */
static void
test_hysteresis(void **state)
{
	static const struct {
		unsigned fall, rise;
		const char *results, *states;
	} rows[] = {
		{ 3, 2, "+", "u" },
		{ 3, 2, "-", "N" },
		{ 3, 2, "--", "Nd" },
		{ 3, 2, "-+", "Nu" },
		{ 3, 2, "+---", "uuuU" },
		{ 3, 2, "+----", "uuuUd" },
		{ 3, 2, "+---+", "uuuUu" },
		{ 3, 2, "+---+---", "uuuUuuuU" },
		{ 3, 2, "+--+----", "uuuuuuUd" },
		{ 1, 1, "+-", "uU" },
		{ 1, 1, "+--+", "uUdD" },
		{ 1, 1, "+--++", "uUdDu" },
		{ 1, 1, "+-+-+-+-", "uUuUuUuU" },
		{ 3, 2, "--+++", "NddDu" },
		{ 3, 2, "--++-++", "NddDddD" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct hyst h = { .state = VOTE_NONE };

		for (size_t j = 0; rows[i].results[j] != '\0'; j++) {
			enum vote_state before = h.state;
			bool flip =
			    hyst_result(&h, rows[i].results[j] == '+', rows[i].fall, rows[i].rise);
			char now = "nud"[h.state];

			assert_int_equal(flip, before != h.state);
			assert_int_equal(h.recheck ? now - 'a' + 'A' : now, rows[i].states[j]);
		}
	}
}

/* A look at each control target: + good, - bad, at 10 times the digit; . never.  f fine, c cut off, o open. */
static void
test_control(void **state)
{
	static const struct {
		const char *looks;
		uint64_t since;
		char is;
	} rows[] = {
		{ "", 0, 'f' },
		{ "+5", 0, 'f' },
		{ "-5", 0, 'c' },
		{ ".0", 0, 'o' },
		{ "-5-6", 0, 'c' },
		{ "-5+6", 0, 'f' },
		{ "-5.0", 0, 'o' },
		{ "+5.0", 0, 'f' },
		{ "+5", 50, 'f' },
		{ "+5", 51, 'o' }, /* that was before */
		{ "-5", 51, 'o' },
		{ "-6+5", 51, 'o' },
		{ "+6-5", 51, 'f' },
		{ "-6-7", 51, 'c' },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct control_look looks[4];
		size_t n = strlen(rows[i].looks) / 2;

		for (size_t j = 0; j < n; j++) {
			looks[j].good = rows[i].looks[2 * j] == '+';
			looks[j].at_ms = (uint64_t)(rows[i].looks[2 * j + 1] - '0') * 10;
		}
		if ("fco"[control_judge(looks, n, rows[i].since)] != rows[i].is)
			fail_msg("%s since %d", rows[i].looks, (int)rows[i].since);
	}
}

static void
test_jitter(void **state)
{
	struct hyst h = { .state = VOTE_UP };
	uint64_t least = UINT64_MAX, most = 0;

	(void)state;
	for (uint32_t r = 0; r < 20000; r++) {
		uint64_t ms = hyst_next_ms(&h, 30000, r);

		least = ms < least ? ms : least;
		most = ms > most ? ms : most;
	}
	assert_int_equal(least, 27000);
	assert_int_equal(most, 33000);
	h.recheck = true;
	assert_int_equal(hyst_next_ms(&h, 30000, 77), HYST_RECHECK_MS);
	assert_int_equal(hyst_next_ms(&h, 1000, 77), 1000);
}

static void
test_schedule(void **state)
{
	enum { N = 500 };
	static struct due due[N];
	struct schedule s = { 0 };
	uint64_t now = 0;
	size_t taken = 0;
	struct due *d;

	(void)state;
	assert_true(schedule_take(&s, UINT64_MAX) == NULL);
	assert_true(schedule_next(&s) == UINT64_MAX);
	srandom(1);
	for (size_t i = 0; i < N; i++)
		schedule_put(&s, &due[i], (uint64_t)random() % 1000);
	for (size_t i = 0; i < N; i += 3) /* moved */
		schedule_put(&s, &due[i], (uint64_t)random() % 1000);
	for (size_t i = 0; i < N; i += 5)
		schedule_drop(&s, &due[i]);
	schedule_drop(&s, &due[0]); /* twice is nothing */
	while (schedule_next(&s) != UINT64_MAX) {
		assert_true(schedule_next(&s) >= now);
		now = schedule_next(&s);
		assert_true(now == 0 || schedule_take(&s, now - 1) == NULL);
		d = schedule_take(&s, now);
		assert_true(d != NULL && (size_t)(d - due) % 5 != 0 && d->place == 0);
		taken++;
	}
	assert_int_equal(taken, N - N / 5);
	schedule_free(&s);
}

/* ---- RTT ---- */
static void
test_rtt(void **state)
{
	static const struct {
		uint32_t before; /* of an earlier life */
		uint32_t took[8], shown[8];
	} rows[] = {
		{ 0, { 20000, 20000, 20000 }, { 20000, 20000, 20000 } },
		/* one that took long says nothing, not even the first one */
		{ 0, { 20000, 20000, 900000, 20000 }, { 20000, 20000, 20000, 20000 } },
		{ 0, { 900000, 20000, 20000 }, { 900000, 20000, 20000 } },
		/* two in a row do: (20000 · 3 + 100000) / 4, … */
		{ 0, { 20000, 20000, 100000, 100000, 100000 },
		    { 20000, 20000, 20000, 40000, 55000 } },
		/* within the band nothing moves */
		{ 0, { 20000, 20000, 22900, 22900, 22900, 22900 },
		    { 20000, 20000, 20000, 20000, 20000, 20000 } },
		{ 0, { 300, 300, 700, 700, 700, 700 }, { 300, 300, 300, 300, 300, 300 } },
		/* what failed has no time */
		{ 0, { 20000, 0, 20000 }, { 20000, 20000, 20000 } },
		{ 30000, { 0, 900000, 30000 }, { 30000, 30000, 30000 } },
		{ 30000, { 10000, 10000, 10000 }, { 30000, 25000, 25000 } },
		{ 0, { UINT32_MAX, UINT32_MAX }, { RTT_MAX_US, RTT_MAX_US } },
		{ UINT32_MAX, { 0 }, { RTT_MAX_US } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct rtt r = { 0 };

		rtt_resume(&r, rows[i].before);
		for (size_t j = 0; rows[i].shown[j] != 0; j++)
			assert_int_equal(rtt_take(&r, rows[i].took[j]), rows[i].shown[j]);
		rtt_resume(&r, 77);
		assert_int_not_equal(r.shown, 77);
	}
}

/* 20 and 21 ms, each a tenth more or less: their order changes twice at most, whatever chance says; a
 * step to twice as much is followed within ten probes. */
static void
test_rtt_keeps_the_order(void **state)
{
	struct rtt a = { 0 }, b = { 0 };
	unsigned raw = 0, shown = 0, steps = 0;
	bool was = true, was_raw = true;

	(void)state;
	srandom(7);
	for (unsigned i = 0; i < 20000; i++) {
		uint32_t x = 18000 + (uint32_t)random() % 4000,
			 y = 18900 + (uint32_t)random() % 4200;
		bool first = rtt_take(&a, x) <= rtt_take(&b, y);

		shown += i > 0 && first != was;
		raw += i > 0 && (x <= y) != was_raw;
		was = first;
		was_raw = x <= y;
	}
	assert_true(raw > 5000 && shown <= 2);
	while (rtt_take(&a, 40000) < 34000)
		assert_true(++steps < 10);
}

/* ---- definitions ---- */
#define S(x) ((char *)(uintptr_t)(x))

static Ns__Check
check_of(const char *type, const char *target, unsigned port)
{
	Ns__Check c = NS__CHECK__INIT;

	c.type = S(type);
	c.target = S(target);
	c.port = port;
	c.verify_tls = true;
	return c;
}

static const char *
refused_field(Ns__Check c, struct ns_why *why)
{
	*why = (struct ns_why){ 0 };
	return check_rule(&c, why) == NS_OK ? NULL : why->field;
}

static void
test_defaults(void **state)
{
	Ns__Check c = check_of("https", "192.0.2.20", 0);
	struct ns_why why = { 0 };

	(void)state;
	c.host = S("www.example.com");
	assert_int_equal(check_rule(&c, &why), NS_OK);
	assert_int_equal(c.port, 443);
	assert_string_equal(c.path, "/");
	assert_string_equal(c.expect, "200-299");
	assert_true(c.interval == 30 && c.timeout == 3);
	assert_int_equal(c.fall, 3);
	assert_int_equal(c.rise, 2);
	assert_string_equal(c.initial, "down");
	assert_string_equal(c.probers, "3");
	assert_true(c.verify_tls);
	c = check_of("dns", "2001:db8::1", 0);
	c.query = S("example.com.");
	assert_int_equal(check_rule(&c, &why), NS_OK);
	assert_int_equal(c.port, 53);
	assert_string_equal(c.query_type, "SOA");
	assert_false(c.verify_tls);
}

static void
test_refusals(void **state)
{
	static char *of_two[] = { S("a"), S("b") }, *of_same[] = { S("a"), S("a") },
		    *headers[] = { S("no colon") };
	struct ns_why why;
	Ns__Check c;

	(void)state;
#define REFUSED(wanted, type, target, port, change)                        \
	do {                                                               \
		c = check_of(type, target, port);                          \
		change;                                                    \
		assert_non_null(refused_field(c, &why));                   \
		assert_string_equal(refused_field(c, &why), wanted);       \
		assert_true(why.text[0] != '\0' && why.err == NS_INVALID); \
	} while (0)
	REFUSED("type", "smtp", "192.0.2.1", 25, (void)0);
	REFUSED("target", "tcp", "www.example.com", 80, (void)0);
	REFUSED("target", "tcp", "", 80, (void)0);
	REFUSED("port", "tcp", "192.0.2.1", 0, (void)0);
	REFUSED("port", "tcp", "192.0.2.1", 65536, (void)0);
	REFUSED("port", "icmp", "192.0.2.1", 7, (void)0);
	REFUSED("host", "https", "192.0.2.1", 0, (void)0);
	REFUSED("host", "http", "192.0.2.1", 0, c.host = S("a b"));
	REFUSED("path", "http", "192.0.2.1", 0, c.path = S("hz"));
	REFUSED("expect", "http", "192.0.2.1", 0, c.expect = S("200,"));
	REFUSED("expect", "http", "192.0.2.1", 0, c.expect = S("299-200"));
	REFUSED("expect", "http", "192.0.2.1", 0, c.expect = S("20"));
	REFUSED("expect", "http", "192.0.2.1", 0, c.expect = S("ok"));
	REFUSED("send", "tcp", "192.0.2.1", 1, c.send = S("\\q"));
	REFUSED("send", "tcp", "192.0.2.1", 1, c.expect = S("\\x4"));
	REFUSED("interval", "tcp", "192.0.2.1", 1, c.interval = 0.5);
	REFUSED("interval", "tcp", "192.0.2.1", 1, c.interval = 1e300 * 1e300);
	REFUSED("timeout", "tcp", "192.0.2.1", 1, c.timeout = 61);
	REFUSED("fall", "tcp", "192.0.2.1", 1, c.fall = 11);
	REFUSED("rise", "tcp", "192.0.2.1", 1, c.rise = 11);
	REFUSED("initial", "push", "", 0, c.initial = S("maybe"));
	REFUSED("interval", "push", "", 0, c.interval = 3);
	REFUSED("probers", "tcp", "192.0.2.1", 1, c.probers = S("0"));
	REFUSED("probers", "tcp", "192.0.2.1", 1, (c.control = true, c.probers = S("2")));
	REFUSED("control", "push", "", 0, c.control = true);
	REFUSED("query", "dns", "192.0.2.1", 0, (void)0);
	REFUSED("query_type", "dns", "192.0.2.1", 0, (c.query = S("a"), c.query_type = S("SRV")));
	REFUSED("of", "calculated", "", 0, (void)0);
	REFUSED("of", "calculated", "", 0, (c.of = of_same, c.n_of = 2));
	REFUSED("at_least", "calculated", "", 0, (c.of = of_two, c.n_of = 2, c.at_least = 3));
	REFUSED("of", "tcp", "192.0.2.1", 1, (c.of = of_two, c.n_of = 2));
	REFUSED("body", "tcp", "192.0.2.1", 1, c.body = S("x"));
	REFUSED("headers", "http", "192.0.2.1", 0, (c.headers = headers, c.n_headers = 1));
	REFUSED("redirects", "http", "192.0.2.1", 0, c.redirects = 6);
	REFUSED("cert_days_left", "http", "192.0.2.1", 0, c.cert_days_left = 3);
#undef REFUSED
	c = check_of("calculated", "", 0);
	c.of = of_two;
	c.n_of = 2;
	assert_null(refused_field(c, &why));
	c = check_of("http", "192.0.2.1", 0);
	c.expect = S("200-299,301,404");
	assert_null(refused_field(c, &why));
}

static void
test_names(void **state)
{
	static const struct {
		const char *name;
		bool good;
	} rows[] = { { "us-1", true }, { "A.b_c-9", true }, { "", false }, { "-x", false },
		{ "a b", false }, { "a/b", false },
		{ "0123456789012345678901234567890123456789012345678901234567890123", true },
		{ "01234567890123456789012345678901234567890123456789012345678901234", false } };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_int_equal(check_name_ok(rows[i].name), rows[i].good);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hysteresis),
		cmocka_unit_test(test_control),
		cmocka_unit_test(test_jitter),
		cmocka_unit_test(test_schedule),
		cmocka_unit_test(test_rtt),
		cmocka_unit_test(test_rtt_keeps_the_order),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
