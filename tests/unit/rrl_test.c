/* Buckets, response rate limiting and the zones' budgets: rates are kept, networks and kinds of answer do
 * not share, the exempt are exempt, and a table that is too small errs in the asker's favour. */
// link: appliance/worker/bucket.c
// link: appliance/worker/rrl.c
// link: appliance/worker/budget.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "appliance/worker/budget.h"
#include "appliance/worker/rrl.h"
#include "tests/lib/address.h"

#define SECOND 1000000000ull
#define START  (1234567 * SECOND)

static const uint64_t key[2] = { 0x0123456789abcdefu, 0xfedcba9876543210u };
static struct worker_page page;
static struct serve_conf conf;
static uint8_t wire[64], out[SERVE_UDP_MAX];

static struct query
query_from(const char *address, enum serve_class class, uint64_t zone, uint64_t name)
{
	struct query q = { .pkt = wire,
		.len = 32,
		.out = out,
		.out_cap = sizeof out,
		.client = sockaddr_of(address) };

	q.verdict = SERVE_REPLY;
	q.class = class;
	q.zone = 64;
	q.zone_hash = zone;
	q.name_hash = name;
	return q;
}

/* ---- bucket ---- */

static unsigned
passed(struct bucket_table *t, uint64_t hash, const struct bucket_rate *r, uint64_t from,
    uint64_t step, unsigned n)
{
	unsigned ok = 0;

	for (unsigned i = 0; i < n; i++)
		ok += bucket_take(t, hash, r, from + i * step) == BUCKET_PASS;
	return ok;
}

static void
test_bucket_rate(void **state)
{
	static const uint32_t rates[] = { 1, 7, 200, 5000, 1000000 };
	struct bucket_table t;
	uint64_t step;

	(void)state;
	assert_true(bucket_init(&t, 4, key));
	for (unsigned i = 0; i < sizeof rates / sizeof rates[0]; i++) {
		struct bucket_rate r = bucket_rate(rates[i], rates[i]);
		unsigned n = rates[i] * 40u < 400000u ? rates[i] * 40u : 400000u;
		double got, want;

		/* Four times the rate, for so long; the burst once, the rate all the time. */
		step = SECOND / rates[i] / 4;
		got = passed(&t, 99 + i, &r, START, step, n);
		want = n / 4.0 + rates[i];
		if (want > n)
			want = n;
		assert_true(got >= want * 0.95 - 2 && got <= want * 1.08 + 2);
		/* At the rate nothing is refused. */
		assert_int_equal(
		    passed(&t, 99 + i, &r, START + 9000 * SECOND, SECOND / rates[i] + 64, 1000),
		    1000);
	}
	bucket_fini(&t);
}

static void
test_bucket_verdicts_alternate(void **state)
{
	struct bucket_rate r = bucket_rate(1, 1);
	struct bucket_table t;

	(void)state;
	assert_true(bucket_init(&t, 4, key));
	assert_int_equal(bucket_take(&t, 5, &r, START), BUCKET_PASS);
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(
		    bucket_take(&t, 5, &r, START + i), i % 2 ? BUCKET_EVEN : BUCKET_ODD);
	/* Refusals are free: a second later one passes again. */
	assert_int_equal(bucket_take(&t, 5, &r, START + SECOND + 64), BUCKET_PASS);
	bucket_fini(&t);
}

/* The clock of the table wraps after 19 hours; whatever was left in it must not refuse anybody. */
static void
test_bucket_wrap(void **state)
{
	struct bucket_rate r = bucket_rate(10, 10);
	struct bucket_table t;

	(void)state;
	assert_true(bucket_init(&t, 4, key));
	for (uint64_t hour = 0; hour < 100; hour++) {
		assert_int_equal(passed(&t, 77, &r, START + hour * 3601 * SECOND, 0, 30), 10);
		for (uint64_t h = 0; h < 64; h++)
			bucket_take(&t, h << 58 | h, &r, START + hour * 3601 * SECOND);
	}
	bucket_fini(&t);
}

/* Ten thousand clients in 64 buckets: none is refused for another's sake. */
static void
test_bucket_full_table(void **state)
{
	struct bucket_rate r = bucket_rate(5, 5);
	struct bucket_table t;

	(void)state;
	assert_true(bucket_init(&t, 4, key));
	for (uint64_t i = 0; i < 10000; i++)
		assert_int_equal(
		    bucket_take(&t, bucket_hash(&t, i, 1), &r, START + i * 1000), BUCKET_PASS);
	bucket_fini(&t);
}

/* ---- rrl ---- */

struct outcome {
	unsigned sent, slipped, dropped;
};

static struct outcome
run(struct rrl *r, const struct query *like, unsigned n, uint64_t from, uint64_t step)
{
	struct outcome o = { 0 };

	for (unsigned i = 0; i < n; i++) {
		struct rrl_count c = { 0 };
		struct query q = *like;

		if (q.class == SERVE_CLASS_NXDOMAIN || q.class == SERVE_CLASS_WILDCARD)
			q.name_hash = i;
		rrl_batch(r, &conf, &q, 1, from + i * step, &c);
		assert_int_equal(c.dropped, q.verdict == SERVE_DROP);
		if (c.slipped > 0) {
			assert_true(q.truncated);
			assert_true((q.out[2] & 0x02) != 0 && q.out[7] == 0);
		}
		o.slipped += (unsigned)c.slipped;
		o.dropped += (unsigned)c.dropped;
		o.sent += c.slipped == 0 && c.dropped == 0;
	}
	return o;
}

static void
test_rrl_limits(void **state)
{
	static const enum serve_class classes[] = { SERVE_CLASS_ERROR, SERVE_CLASS_POSITIVE,
		SERVE_CLASS_WILDCARD, SERVE_CLASS_NODATA, SERVE_CLASS_NXDOMAIN,
		SERVE_CLASS_REFERRAL };
	static const char *const clients[] = { "192.0.2.1", "2001:db8::1" };
	struct outcome o;
	struct rrl r;

	(void)state;
	assert_true(rrl_init(&r, key));
	rrl_set(&r, 200);
	for (unsigned c = 0; c < 2; c++) {
		for (unsigned i = 0; i < SERVE_CLASSES; i++) {
			struct query q = query_from(clients[c], classes[i], 11, 22);

			/* 10,000 in two seconds: a burst of 200, and 400. */
			o = run(&r, &q, 10000, START, 2 * SECOND / 10000);
			assert_in_range(o.sent, 595, 605);
			assert_in_range(o.slipped, o.dropped - 1, o.dropped + 1);
			assert_int_equal(o.sent + o.slipped + o.dropped, 10000);
		}
	}
	rrl_fini(&r);
}

static void
test_rrl_shares(void **state)
{
	static const struct {
		const char *a, *b;
		enum serve_class class;
		uint64_t zone, name;
		bool same;
	} rows[] = {
		{ "192.0.2.1", "192.0.2.254", SERVE_CLASS_POSITIVE, 1, 2, true },
		{ "192.0.2.1", "192.0.3.1", SERVE_CLASS_POSITIVE, 1, 2, false },
		{ "192.0.2.1", "::ffff:192.0.2.9", SERVE_CLASS_POSITIVE, 1, 2, true },
		{ "2001:db8:0:1::1", "2001:db8:0:ff::2", SERVE_CLASS_POSITIVE, 1, 2, true },
		{ "2001:db8:0:1::1", "2001:db8:0:100::1", SERVE_CLASS_POSITIVE, 1, 2, false },
		{ "192.0.2.1", "192.0.2.1", SERVE_CLASS_POSITIVE, 1, 3, false }, /* another name */
		{ "192.0.2.1", "192.0.2.1", SERVE_CLASS_NODATA, 1, 2, false }, /* another kind */
		{ "192.0.2.1", "192.0.2.1", SERVE_CLASS_POSITIVE, 9, 2,
		    true }, /* the name decides */
	};
	struct rrl r;

	(void)state;
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct query a = query_from(rows[i].a, SERVE_CLASS_POSITIVE, 1, 2);
		struct query b = query_from(rows[i].b, rows[i].class, rows[i].zone, rows[i].name);

		assert_true(rrl_init(&r, key));
		rrl_set(&r, 10);
		assert_int_equal(run(&r, &a, 20, START, 0).sent, 10);
		assert_int_equal(run(&r, &b, 20, START, 0).sent, rows[i].same ? 0 : 10);
		rrl_fini(&r);
	}
}

static void
test_rrl_exempt(void **state)
{
	struct query q[] = {
		query_from("192.0.2.1", SERVE_CLASS_POSITIVE, 1, 2),
		query_from("192.0.2.1", SERVE_CLASS_POSITIVE, 1, 2),
		query_from("192.0.2.1", SERVE_CLASS_POSITIVE, 1, 2),
		query_from("127.1.2.3", SERVE_CLASS_POSITIVE, 1, 2),
		query_from("::1", SERVE_CLASS_POSITIVE, 1, 2),
	};
	struct rrl r;

	(void)state;
	q[0].transport = SERVE_TCP;
	q[1].transport = SERVE_TLS;
	q[2].cookie_ok = true;
	assert_true(rrl_init(&r, key));
	rrl_set(&r, 1);
	for (unsigned i = 0; i < sizeof q / sizeof q[0]; i++)
		assert_int_equal(run(&r, &q[i], 50, START, 0).sent, 50);
	/* Loopback does the work, though: its bucket is there. */
	assert_int_not_equal(
	    bucket_take(&r.table,
		bucket_hash(&r.table, rrl_network(&q[3].client), 2 + (1ull << 56)) | 1, &r.rate,
		START),
	    BUCKET_PASS);
	q[0] = query_from("192.0.2.1", SERVE_CLASS_POSITIVE, 1, 2);
	rrl_set(&r, 0);
	assert_int_equal(run(&r, &q[0], 50, START, 0).sent, 50);
	rrl_set(&r, 1);
	assert_int_equal(run(&r, &q[0], 50, START, 0).sent, 1);
	rrl_fini(&r);
}

/* ---- budget ---- */

static unsigned
opened(struct budget *b, const struct query *q, enum serve_class class, unsigned n)
{
	unsigned open = 0;

	for (unsigned i = 0; i < n; i++)
		open += budget_gate(b, q, class) == SERVE_GATE_OPEN;
	return open;
}

static void
test_budget(void **state)
{
	struct query flooded = query_from("192.0.2.1", SERVE_CLASS_NXDOMAIN, 1, 2);
	struct query other = query_from("192.0.2.1", SERVE_CLASS_NXDOMAIN, 2, 2);
	uint64_t now = START;
	struct budget b;

	(void)state;
	memset(&page, 0, sizeof page);
	assert_true(budget_init(&b, &page, key));
	/* Idle: any number. */
	budget_batch(&b, 1, now);
	assert_int_equal(opened(&b, &flooded, SERVE_CLASS_NXDOMAIN, 100000), 100000);
	/* One full batch is not busy, two are; the flood is over its budget at once. */
	budget_batch(&b, SERVE_BATCH, now);
	assert_int_equal(opened(&b, &flooded, SERVE_CLASS_NXDOMAIN, 10), 10);
	budget_batch(&b, SERVE_BATCH, now += 1000);
	assert_in_range(opened(&b, &flooded, SERVE_CLASS_NXDOMAIN, 1600), 0, 1);
	assert_in_range(page.budget_slipped, 99, 100);
	assert_in_range(page.budget_dropped, 1498, 1500);
	assert_int_equal(page.floods[0].zone_hash, 1);
	assert_in_range(page.floods[0].limited, 1598, 1600);
	/* Neither the other zone nor the other kind. */
	assert_int_equal(opened(&b, &other, SERVE_CLASS_NXDOMAIN, 1000), 1000);
	assert_int_equal(opened(&b, &flooded, SERVE_CLASS_WILDCARD, 1000), 1000);
	/* Nor who proved an address, nor loopback. */
	flooded.transport = SERVE_TCP;
	assert_int_equal(opened(&b, &flooded, SERVE_CLASS_NXDOMAIN, 10), 10);
	flooded.transport = SERVE_UDP;
	flooded.cookie_ok = true;
	assert_int_equal(opened(&b, &flooded, SERVE_CLASS_NXDOMAIN, 10), 10);
	flooded = query_from("127.0.0.1", SERVE_CLASS_NXDOMAIN, 1, 2);
	assert_int_equal(opened(&b, &flooded, SERVE_CLASS_NXDOMAIN, 10), 10);
	/* A second later: what the budget gives in one. */
	flooded = query_from("192.0.2.1", SERVE_CLASS_NXDOMAIN, 1, 2);
	now += SECOND;
	budget_batch(&b, SERVE_BATCH, now);
	budget_batch(&b, SERVE_BATCH, now);
	assert_in_range(opened(&b, &flooded, SERVE_CLASS_NXDOMAIN, 10000), 1990, 2010);
	/* And no longer busy after a while of batches that are not full. */
	budget_batch(&b, SERVE_BATCH - 1, now + BUDGET_BUSY_NS);
	assert_int_equal(opened(&b, &flooded, SERVE_CLASS_NXDOMAIN, 10000), 10000);
	budget_fini(&b);
}

/* More floods than lines: the newest are told. */
static void
test_budget_floods(void **state)
{
	struct query q = query_from("192.0.2.1", SERVE_CLASS_NXDOMAIN, 0, 2);
	struct budget b;

	(void)state;
	memset(&page, 0, sizeof page);
	assert_true(budget_init(&b, &page, key));
	for (uint64_t zone = 1; zone <= PAGE_FLOODS + 2; zone++) {
		budget_batch(&b, SERVE_BATCH, START + zone * 1000);
		budget_batch(&b, SERVE_BATCH, START + zone * 1000);
		q.zone_hash = zone;
		opened(&b, &q, SERVE_CLASS_NXDOMAIN, BUDGET_NXDOMAIN_BURST + 10);
	}
	assert_int_equal(page.floods[0].zone_hash, PAGE_FLOODS + 1);
	assert_int_equal(page.floods[1].zone_hash, PAGE_FLOODS + 2);
	assert_int_equal(page.floods[2].zone_hash, 3);
	budget_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bucket_rate),
		cmocka_unit_test(test_bucket_verdicts_alternate),
		cmocka_unit_test(test_bucket_wrap),
		cmocka_unit_test(test_bucket_full_table),
		cmocka_unit_test(test_rrl_limits),
		cmocka_unit_test(test_rrl_shares),
		cmocka_unit_test(test_rrl_exempt),
		cmocka_unit_test(test_budget),
		cmocka_unit_test(test_budget_floods),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
