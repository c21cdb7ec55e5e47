/* totals and tally: what a batch writes into a page is what the sums, rates and percentiles say; a
 * page full of nonsense harms nobody. */
// link: appliance/answer/totals.c
// link: appliance/answer/metrics.c
// link: appliance/answer/zonepast.c
// link: appliance/answer/tailfilter.c
// link: appliance/answer/zonetotals.c
// link: appliance/worker/tally.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "appliance/answer/metrics.h"
#include "appliance/worker/tally.h"

static struct worker_page pages[2];
static const struct worker_page *const page_list[2] = { &pages[0], &pages[1] };
static struct totals_ring ring;

static int
setup(void **state)
{
	(void)state;
	memset(pages, 0, sizeof pages);
	memset(&ring, 0, sizeof ring);
	tally_init();
	return 0;
}

static void
test_buckets(void **state)
{
	uint64_t ns;
	unsigned b, last = 0;

	(void)state;
	for (ns = 1; ns < 1000000000; ns += 1 + ns / 50) {
		b = page_hist_bucket(ns);
		assert_true(b < PAGE_HIST && b >= last);
		last = b;
		/* Within its bucket: below the upper edge, not below the one before. */
		if (b < PAGE_HIST - 1)
			assert_true((double)ns / 1000.0 <= page_hist_edge_us(b));
		if (b > 0)
			assert_true((double)ns / 1000.0 >= page_hist_edge_us(b - 1));
	}
	assert_int_equal(page_hist_bucket(UINT64_MAX), PAGE_HIST - 1);
	assert_int_equal(page_hist_bucket(0), 0);
}

static void
test_percentiles(void **state)
{
	uint64_t counts[PAGE_HIST] = { 0 };

	(void)state;
	assert_true(totals_percentile(counts, 0.5) == 0.0);
	counts[4] = 98;
	counts[20] = 1;
	counts[40] = 1;
	assert_true(totals_percentile(counts, 0.50) == page_hist_edge_us(4));
	assert_true(totals_percentile(counts, 0.98) == page_hist_edge_us(4));
	assert_true(totals_percentile(counts, 0.99) == page_hist_edge_us(20));
	assert_true(totals_percentile(counts, 0.999) == page_hist_edge_us(40));
	assert_true(totals_percentile(counts, 1.0) == page_hist_edge_us(40));
}

static void
test_tally(void **state)
{
	struct query q[6] = {
		{ .verdict = SERVE_REPLY, .qtype = 1 },
		{ .verdict = SERVE_REPLY, .qtype = 28, .rcode = 3 },
		{ .verdict = SERVE_REPLY, .qtype = 257, .truncated = true },
		{ .verdict = SERVE_REPLY, .qtype = 1, .rcode = 16 },
		{ .verdict = SERVE_REPLY, .qtype = 65280, .rcode = 255, .transport = SERVE_TCP },
		{ .verdict = SERVE_DROP, .qtype = 1, .transport = SERVE_TLS },
	};
	struct worker_page *p = &pages[0];
	struct totals t;

	(void)state;
	tally_batch(p, q, 6, 3000);
	tally_batch(p, q, 1, 3000);
	assert_int_equal(p->queries, 7);
	assert_int_equal(p->udp, 5);
	assert_int_equal(p->tcp, 2);
	assert_int_equal(p->tls, 1);
	assert_int_equal(p->dropped, 1);
	assert_int_equal(p->truncated, 1);
	assert_int_equal(p->badvers, 1);
	assert_int_equal(p->batches, 2);
	assert_int_equal(p->rcodes[0], 3);
	assert_int_equal(p->rcodes[3], 1);
	assert_int_equal(p->rcodes[PAGE_RCODES - 1], 1);
	assert_int_equal(p->qtypes[page_qtype_index(1)], 3);
	assert_int_equal(p->qtypes[PAGE_QTYPES - 1], 2);
	assert_int_equal(p->latency[page_hist_bucket(3000)], 6);
	pages[1].queries = 100;
	pages[0].tls_accepted = 3;
	pages[1].tls_accepted = 4;
	pages[1].tls_resumed = 2;
	pages[1].tls_handshake_failed = TOTALS_MAX + 5;
	pages[0].tcp_open = 9;
	totals_read(&t, page_list, 2);
	assert_int_equal(t.queries, 107);
	assert_int_equal(t.tls_accepted, 7);
	assert_int_equal(t.tls_resumed, 2);
	assert_true(t.tls_handshake_failed == TOTALS_MAX);
	assert_int_equal(t.tcp_open, 9);
	assert_int_equal(t.latency[page_hist_bucket(3000)], 6);
}

/* Every octet of an untrusted page at its worst. */
static void
test_nonsense(void **state)
{
	struct metrics m;
	struct totals t;
	uint64_t ms;

	(void)state;
	totals_read(&t, page_list, 2);
	totals_sample(&ring, &t, 1000);
	memset(pages, 0xff, sizeof pages);
	for (ms = 2000; ms < 20000; ms += 1000) {
		totals_read(&t, page_list, 2);
		metrics_fill(&m, &t, &ring, ms);
		assert_int_equal(m.stats.queries, 2 * TOTALS_MAX);
		assert_true(m.stats.qps >= 0.0);
		assert_true(m.latency.p999 >= m.latency.p50);
		assert_true(m.stats.n_rcodes == PAGE_RCODES && m.stats.n_qtypes == PAGE_QTYPES);
		assert_string_equal(m.stats.rcodes[3]->name, "NXDOMAIN");
		totals_sample(&ring, &t, ms);
	}
	memset(pages, 0, sizeof pages); /* a total that goes back is no rate */
	totals_read(&t, page_list, 2);
	metrics_fill(&m, &t, &ring, ms);
	assert_true(m.stats.qps == 0.0);
	assert_int_equal(m.stats.n_rcodes, 0);
}

static void
test_rates(void **state)
{
	struct metrics m;
	struct totals t;
	uint64_t sec;

	(void)state;
	for (sec = 1; sec <= 30; sec++) {
		pages[0].queries = sec <= 25 ? sec * 1000 : 25000;
		totals_read(&t, page_list, 2);
		totals_sample(&ring, &t, sec * 1000 + sec % 3);
	}
	metrics_fill(&m, &t, &ring, 30500);
	assert_true(m.stats.qps == 0.0);
	assert_true(m.stats.qps_10s > 400.0 && m.stats.qps_10s < 600.0);
	pages[0].queries = 25300;
	totals_read(&t, page_list, 2);
	metrics_fill(&m, &t, &ring, 31000);
	assert_true(m.stats.qps > 290.0 && m.stats.qps < 310.0);
	/* Latency is of the last 10 s when there is any, else of all time. */
	pages[0].latency[5] = 10;
	totals_read(&t, page_list, 2);
	for (sec = 40; sec < 60; sec++)
		totals_sample(&ring, &t, sec * 1000);
	metrics_fill(&m, &t, &ring, 60000);
	assert_true(m.latency.p50 == page_hist_edge_us(5));
	pages[0].latency[30] = 1;
	totals_read(&t, page_list, 2);
	metrics_fill(&m, &t, &ring, 60000);
	assert_true(m.latency.p50 == page_hist_edge_us(30));
}

/* Just started: no sample, or a young one. */
static void
test_young(void **state)
{
	struct metrics m;
	struct totals t;

	(void)state;
	pages[0].queries = 500;
	totals_read(&t, page_list, 2);
	metrics_fill(&m, &t, &ring, 1000);
	assert_true(m.stats.qps == 0.0);
	memset(pages, 0, sizeof pages);
	totals_read(&t, page_list, 2);
	totals_sample(&ring, &t, 1000);
	pages[0].queries = 500;
	totals_read(&t, page_list, 2);
	metrics_fill(&m, &t, &ring, 1500);
	assert_true(m.stats.qps > 990.0 && m.stats.qps < 1010.0);
}

#define T(f) cmocka_unit_test_setup(f, setup)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_buckets),
		T(test_percentiles),
		T(test_tally),
		T(test_nonsense),
		T(test_rates),
		T(test_young),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
