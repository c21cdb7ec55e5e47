/* zonetotals and toplist: totals go on over wraps, lost places and dead workers; the most asked come first;
 * pages full of nonsense cost neither memory without end nor a fault. */
// link: appliance/answer/zonetotals.c
// link: appliance/answer/zonepast.c
// link: appliance/answer/zonenames.c
// link: appliance/answer/toplist.c
// link: appliance/answer/floods.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "appliance/answer/floods.h"
#include "appliance/answer/toplist.h"
#include "appliance/answer/zonetotals.h"
#include "tests/lib/zonekit.h"

#define ZONE_TEXT "@ 300 IN SOA ns1 h 1 2 3 4 5\n@ IN NS ns1\nns1 IN A 192.0.2.1\n"

static struct worker_memory *memory[2];
static struct zonetotals totals;
static struct toplist top;

static int
setup(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		memory[i] = aligned_alloc(PAGE_OCTETS, WORKER_MEMORY);
		assert_non_null(memory[i]);
		memset(memory[i], 0, WORKER_MEMORY);
	}
	zonetotals_init(&totals);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	zonetotals_fini(&totals);
	free(memory[0]);
	free(memory[1]);
	return 0;
}

static void
scan(uint64_t now_ms)
{
	zonetotals_begin(&totals, now_ms);
	zonetotals_add(&totals, &memory[0]->zones, now_ms);
	zonetotals_add(&totals, &memory[1]->zones, now_ms);
	zonetotals_end(&totals, now_ms);
}

static uint64_t
queries_of(uint64_t hash)
{
	const struct zonetotal *z = zonetotals_find(&totals, zonecount_id(hash));

	return z != NULL ? z->total[ZONE_QUERIES] : 0;
}

/* The place that a hash has got; its counters for a test to move. */
static struct zonecount_bucket *
bucket_of(struct zonecount *z, uint64_t hash, unsigned *way)
{
	for (uint32_t b = 0; b < ZONECOUNT_BUCKETS; b++)
		for (*way = 0; *way < ZONECOUNT_WAYS; ++*way)
			if (z->bucket[b].tag[*way] >> 4 == zonecount_tag(hash) >> 4)
				return &z->bucket[b];
	fail();
	return NULL;
}

static void
test_sums(void **state)
{
	uint64_t a = 0x1111222233334444u, b = 0x9999aaaabbbbccccu;

	(void)state;
	for (unsigned i = 0; i < 30; i++) {
		zonecount_add(&memory[i % 2]->zones, a, i % 3 == 0, false, 1);
		zonecount_add(&memory[0]->zones, b, false, i % 10 == 0, 1);
		if (i % 7 == 0)
			scan(1000 + i);
	}
	scan(2000);
	scan(2001);
	assert_int_equal(queries_of(a), 30);
	assert_int_equal(zonetotals_find(&totals, zonecount_id(a))->total[ZONE_NXDOMAIN], 10);
	assert_int_equal(queries_of(b), 30);
	assert_int_equal(zonetotals_find(&totals, zonecount_id(b))->total[ZONE_ERRORS], 3);
	assert_null(zonetotals_find(&totals, zonecount_id(77)));
}

static void
test_wrap(void **state)
{
	uint64_t a = 0x1111222233334444u;
	struct zonecount_bucket *b;
	unsigned way;

	(void)state;
	zonecount_add(&memory[0]->zones, a, false, false, 1);
	b = bucket_of(&memory[0]->zones, a, &way);
	b->queries[way] = UINT32_MAX - 5;
	scan(1000); /* the first look: all of it counts */
	assert_int_equal(queries_of(a), UINT32_MAX - 5);
	for (unsigned i = 0; i < 10; i++)
		zonecount_add(&memory[0]->zones, a, false, false, 1);
	assert_int_equal(b->queries[way], 4);
	scan(2000);
	assert_int_equal(queries_of(a), (uint64_t)UINT32_MAX + 5);
	/* Backwards, which only a broken worker writes, is no step. */
	b->queries[way] = 2;
	scan(3000);
	assert_int_equal(queries_of(a), (uint64_t)UINT32_MAX + 5);
	zonecount_add(&memory[0]->zones, a, false, false, 1);
	scan(4000);
	assert_int_equal(queries_of(a), (uint64_t)UINT32_MAX + 6);
}

/* Its place goes to another zone, and it gets one anew later. */
static void
test_lost_place(void **state)
{
	uint64_t a = 0x1111222233334444u, other = 0x1111222200000001u;
	struct zonecount_bucket *b;
	unsigned way;

	(void)state;
	for (unsigned i = 0; i < 9; i++)
		zonecount_add(&memory[0]->zones, a, true, false, 1);
	scan(1000);
	b = bucket_of(&memory[0]->zones, a, &way);
	b->tag[way] = zonecount_tag(other);
	b->queries[way] = 4;
	b->nxdomain[way] = 0;
	scan(2000);
	assert_int_equal(queries_of(a), 9);
	b->tag[way] = 0;
	zonecount_add(&memory[0]->zones, a, true, false, 1);
	scan(3000);
	assert_int_equal(queries_of(a), 10);
}

static void
test_top(void **state)
{
	const struct zonetotal *found[8];

	(void)state;
	for (uint64_t zone = 1; zone <= 2000; zone++)
		for (uint64_t i = 0; i < (zone % 1000 == 0 ? zone / 10 : 3); i++)
			zonecount_add(
			    &memory[0]->zones, zone * 0x9e3779b97f4a7c15u, false, false, 1);
	scan(1000);
	assert_int_equal(zonetotals_top(&totals, found, 8, 500000), 8);
	assert_int_equal(found[0]->total[ZONE_QUERIES], 200);
	assert_int_equal(found[1]->total[ZONE_QUERIES], 100);
	assert_int_equal(found[2]->total[ZONE_QUERIES], 3);
	/* What is asked now goes before what was asked more, once. */
	scan(499000);
	for (unsigned i = 0; i < 50; i++)
		zonecount_add(&memory[1]->zones, 7 * 0x9e3779b97f4a7c15u, false, false, 1);
	scan(500000);
	assert_int_equal(zonetotals_top(&totals, found, 8, 500000), 8);
	assert_int_equal(found[0]->total[ZONE_QUERIES], 53);
	assert_true(zonetotals_rate(found[0], 500000) > 4.0);
	assert_true(zonetotals_rate(found[0], 700000) == 0.0);
	assert_int_equal(zonetotals_top(&totals, found, 8, 700000), 8);
	assert_int_equal(found[0]->total[ZONE_QUERIES], 200);
}

/* Of more than there is room for those that are asked least are left out. */
static void
test_rates(void **state)
{
	const struct zonetotal *busy[100];
	size_t n;

	(void)state;
	for (uint64_t zone = 1; zone <= 200; zone++)
		for (uint64_t i = 0; i < (zone <= 20 ? 100 : 2); i++)
			zonecount_add(
			    &memory[0]->zones, zone * 0x9e3779b97f4a7c15u, false, false, 1);
	scan(1000);
	scan(2000);
	for (uint64_t zone = 1; zone <= 200; zone++)
		for (uint64_t i = 0; i < (zone <= 20 ? 100 : 2); i++)
			zonecount_add(
			    &memory[0]->zones, zone * 0x9e3779b97f4a7c15u, false, false, 1);
	scan(3000);
	n = zonetotals_rates(&totals, busy, 100, 3000);
	assert_int_equal(n, 20);
	for (size_t i = 0; i < n; i++)
		assert_true(zonetotals_rate(busy[i], 3000) > 5);
	assert_int_equal(zonetotals_rates(&totals, busy, 100, 500000), 0);
}

static void
ask(uint64_t zone, unsigned queries, unsigned nxdomain)
{
	for (unsigned i = 0; i < queries; i++)
		zonecount_add(
		    &memory[0]->zones, zone * 0x9e3779b97f4a7c15u, i < nxdomain, false, 1);
}

/* The share of NXDOMAIN is that of the rate: what was long ago counts less and less. */
static void
test_nx(void **state)
{
	const struct zonetotal *z;

	(void)state;
	scan(1000);
	ask(1, 1000, 0);
	scan(2000);
	z = zonetotals_find(&totals, zonecount_id(0x9e3779b97f4a7c15u));
	assert_int_equal(zonetotals_nx(z), 0);
	for (unsigned second = 3; second < 60; second++) {
		ask(1, 100, 88);
		scan(second * 1000);
	}
	assert_true(zonetotals_nx(z) >= 875 && zonetotals_nx(z) <= 880);
	ask(1, 100, 100);
	scan(90000);
	assert_true(zonetotals_nx(z) > 880 && zonetotals_nx(z) <= 1000);
}

/* Ten minutes of the busiest: a point each ten seconds, late ones fill what they missed. */
static void
test_past(void **state)
{
	static struct zonepast past;
	const uint64_t zone = zonecount_id(7 * 0x9e3779b97f4a7c15u);
	const float *list, *nx;
	float coarse[ZONEPAST_COARSE];

	(void)state;
	memset(&past, 0, sizeof past);
	ask(7, 50, 0);
	scan(100000);
	zonepast_step(&past, &totals);
	assert_int_equal(past.n, 1);
	ask(7, 50, 0);
	scan(105000);
	zonepast_step(&past, &totals); /* not yet */
	ask(7, 150, 0);
	scan(110000);
	zonepast_step(&past, &totals);
	assert_non_null(zonepast_find(&past, zone));
	list = zonepast_find(&past, zone)->list[ZONE_QUERIES];
	nx = zonepast_find(&past, zone)->list[ZONE_NXDOMAIN];
	assert_true(list[ZONEPAST_POINTS - 1] == 20.0f && list[ZONEPAST_POINTS - 2] == -1.0f);
	assert_true(nx[ZONEPAST_POINTS - 1] == 0.0f && nx[ZONEPAST_POINTS - 2] == -1.0f);
	ask(7, 300, 60);
	scan(140000); /* three at once */
	zonepast_step(&past, &totals);
	assert_true(nx[ZONEPAST_POINTS - 1] == 2.0f && nx[ZONEPAST_POINTS - 4] == 0.0f);
	assert_true(list[ZONEPAST_POINTS - 1] == 10.0f && list[ZONEPAST_POINTS - 3] == 10.0f);
	assert_true(list[ZONEPAST_POINTS - 4] == 20.0f);
	zonepast_coarse(&past, list, coarse); /* four points of the minute that has begun */
	assert_true(coarse[ZONEPAST_COARSE - 1] == 12.5f && coarse[ZONEPAST_COARSE - 2] == -1.0f);
	ask(7, 300, 0);
	scan(170000);
	zonepast_step(&past, &totals);
	zonepast_coarse(&past, list, coarse);
	assert_true(coarse[ZONEPAST_COARSE - 1] == 10.0f); /* one of the next; five full ones */
	assert_true(coarse[ZONEPAST_COARSE - 2] == 70.0f / 6);
	assert_null(zonepast_find(&past, 12345));
	scan(9 * 3600 * 1000ull);
	zonepast_step(&past, &totals);
	assert_true(list[0] == 0.0f && list[ZONEPAST_POINTS - 1] == 0.0f);
}

/* A ring goes to who is busier; those that go on being busy keep theirs. */
static void
test_past_room(void **state)
{
	static struct zonepast past;
	const struct zonepast_row *kept;

	(void)state;
	memset(&past, 0, sizeof past);
	for (uint64_t zone = 1; zone <= 2 * ZONEPAST_ZONES; zone++)
		ask(zone, zone <= 10 ? 20 : 1 + (zone > ZONEPAST_ZONES), 0);
	scan(10000);
	zonepast_step(&past, &totals);
	assert_int_equal(past.n, ZONEPAST_ZONES);
	kept = zonepast_find(&past, zonecount_id(0x9e3779b97f4a7c15u));
	assert_non_null(kept);
	assert_null(zonepast_find(&past, zonecount_id(11 * 0x9e3779b97f4a7c15u)));
	for (uint64_t zone = 1; zone <= ZONEPAST_ZONES; zone++)
		ask(zone, 30, 0);
	scan(20000);
	zonepast_step(&past, &totals);
	assert_int_equal(past.n, ZONEPAST_ZONES);
	assert_ptr_equal(zonepast_find(&past, zonecount_id(0x9e3779b97f4a7c15u)), kept);
	assert_true(kept->list[ZONE_QUERIES][ZONEPAST_POINTS - 1] == 3.0f);
	assert_non_null(zonepast_find(&past, zonecount_id(11 * 0x9e3779b97f4a7c15u)));
}

static void
test_names(void **state)
{
	struct zonekit k;
	uint8_t one[255], two[255];
	uint64_t hash[2];
	struct floods floods;
	const struct worker_page *pages[2] = { &memory[0]->page, &memory[1]->page };

	(void)state;
	zonekit_init(&k, 1 << 26);
	zonekit_add(&k, "one.example.", ZONE_TEXT, sizeof ZONE_TEXT - 1, 1);
	zonekit_add(&k, "two.example.", ZONE_TEXT, sizeof ZONE_TEXT - 1, 1);
	zonekit_publish(&k);
	zonekit_name("one.example.", one);
	zonekit_name("two.example.", two);
	hash[0] = zonenames_hash(k.view.map, one, name_len(one));
	hash[1] = zonenames_hash(k.view.map, two, name_len(two));
	assert_true(zonenames_has(k.view.map, one, name_len(one)));
	zonekit_name("three.example.", one);
	assert_false(zonenames_has(k.view.map, one, name_len(one)));
	for (unsigned i = 0; i < 5; i++)
		zonecount_add(&memory[0]->zones, hash[i > 1], i == 4, false, 1);
	for (unsigned i = 0; i < 50; i++) /* a zone that was deleted */
		zonecount_add(&memory[0]->zones, 0x123456789abcdefu, false, false, 1);
	scan(1000);
	toplist_begin(&top, 0);
	toplist_zones(&top, &totals, NULL, k.view.map, 1000);
	assert_int_equal(top.n, 2);
	assert_string_equal(top.list[0]->name, "two.example.");
	assert_int_equal(top.list[0]->count, 3);
	assert_int_equal(top.list[0]->nxdomain, 1);
	assert_string_equal(top.list[1]->name, "one.example.");

	for (unsigned i = 0; i < 2; i++) {
		memory[i]->page.floods[i].zone_hash = hash[1];
		memory[i]->page.floods[i].limited = 5;
		memory[i]->page.floods[i].last_ns = 9 * FLOODS_QUIET_NS;
	}
	memory[0]->page.floods[3].zone_hash = 99; /* of no zone */
	memory[0]->page.floods[3].last_ns = 9 * FLOODS_QUIET_NS;
	floods_read(&floods, pages, 2, k.view.map, 9 * FLOODS_QUIET_NS + 1);
	assert_int_equal(floods.n, 1);
	assert_string_equal(floods.list[0]->zone, "two.example.");
	assert_int_equal(floods.list[0]->limited, 10);
	floods_read(&floods, pages, 2, k.view.map, 10 * FLOODS_QUIET_NS);
	assert_int_equal(floods.n, 0);
	zonekit_fini(&k);
}

/* What the first slot that is that client's says of him. */
static void
note(unsigned worker, const struct page_client *c, unsigned queries, unsigned nxdomain,
    const char *name)
{
	struct topk_value v;

	for (unsigned slot = 0; slot < TOPK_SLOTS; slot++) {
		if (!topk_read(&memory[worker]->clients, 0, slot, 500 * TOPK_WINDOW_NS, &v) ||
		    v.len != sizeof *c || memcmp(v.key, c, sizeof *c) != 0)
			continue;
		for (unsigned i = 0; i < queries; i++) {
			struct clientnote_query q = { .weight = 1,
				.name_hash = name != NULL ? 77 : 0,
				.name = (const uint8_t *)name,
				.len = name != NULL ? strlen(name) + 1 : 0,
				.nxdomain = i < nxdomain };

			clientnote_add(
			    &memory[worker]->notes[0][slot], page_client_owner(c), i == 0, &q);
		}
		return;
	}
	fail();
}

/* A name that more than half ask for is found in any order; of names of chance none is said to lead; a note is the
 * client's whose slot it stands beside. */
static void
test_notes(void **state)
{
	struct clientnote n = { 0 };
	struct clientnote_value v;
	uint64_t random = 1;

	(void)state;
	for (unsigned i = 0; i < 3000; i++) {
		char name[3] = { 1, (char)('a' + (random >> 33) % 26), 0 };
		struct clientnote_query q = { .weight = 64, .name = (uint8_t *)name, .len = 3 };

		random = random * 6364136223846793005u + 1442695040888963407u;
		if (i >= 1000 && i % 10 < 7)
			name[1] = 'z';
		q.name_hash = (uint64_t)name[1];
		clientnote_add(&n, 9, i == 0, &q);
		assert_true(clientnote_read(&n, 9, &v));
		assert_true(i < 200 || i >= 1000 || v.lead <= v.all / 16);
	}
	assert_true(v.len == 3 && v.name[1] == 'z' && v.lead > v.all / 16);
	assert_int_equal(v.all, 3000 * 64);
	assert_false(clientnote_read(&n, 8, &v));
	clientnote_add(&n, 8, true, &(struct clientnote_query){ .weight = 1, .error = true });
	assert_true(clientnote_read(&n, 8, &v));
	assert_true(v.all == 1 && v.errors == 1 && v.len == 0);
	n.len = 1000;
	assert_false(clientnote_read(&n, 8, &v));
}

static void
test_sketches(void **state)
{
	const uint64_t now = 500 * TOPK_WINDOW_NS;
	const struct worker_memory *all[2] = { memory[0], memory[1] };
	struct topk_writer clients[2], names;
	const struct page_client v4 = { 4, { 192, 0, 2 } }, v6 = { 6, { 0x20, 1, 0xd, 0xb8 } };
	const struct page_client wrong = { 5, { 1 } };

	(void)state;
	topk_open(&clients[0], &memory[0]->clients, now);
	topk_open(&clients[1], &memory[1]->clients, now);
	topk_open(&names, &memory[1]->names, now);
	topk_add(&clients[0], 1ull << 40, &v4, sizeof v4, 10, NULL);
	topk_add(&clients[1], 1ull << 40, &v4, sizeof v4, 5, NULL);
	topk_add(&clients[1], 2ull << 40, &v6, sizeof v6, 7, NULL);
	topk_add(&clients[1], 3ull << 40, &wrong, sizeof wrong, 70, NULL);
	topk_add(&clients[1], 4ull << 40, &v4, 3, 70, NULL);
	note(0, &v4, 10, 9, "\3www\7example");
	note(1, &v6, 7, 0, NULL);
	topk_add(&names, 1ull << 40, "\3www\7example", 13, 4, NULL);
	topk_add(&names, 2ull << 40, "\3www\77example", 13, 40, NULL); /* no name */
	toplist_begin(&top, 1);
	toplist_clients(&top, all, 2, now);
	assert_int_equal(top.n, 1);
	toplist_begin(&top, 5);
	toplist_clients(&top, all, 2, now);
	assert_int_equal(top.n, 2);
	assert_string_equal(top.list[0]->name, "192.0.2.0/24");
	assert_int_equal(top.list[0]->count, 15);
	assert_string_equal(top.list[0]->most, "www.example.");
	assert_int_equal(top.list[0]->nxdomain, 13); /* nine tenths */
	assert_int_equal((int)top.list[0]->qps, 15);
	assert_string_equal(top.list[1]->name, "2001:db8::/56");
	assert_string_equal(top.list[1]->most, "");
	assert_int_equal(top.list[1]->nxdomain, 0);
	toplist_begin(&top, 5);
	toplist_names(&top, all, 2, now);
	assert_int_equal(top.n, 1);
	assert_string_equal(top.list[0]->name, "www.example.");
}

static void
test_nonsense(void **state)
{
	const struct worker_memory *all[2] = { memory[0], memory[1] };
	uint64_t word = 5;

	(void)state;
	for (unsigned round = 1; round <= 12; round++) {
		for (unsigned w = 0; w < 2; w++) {
			uint64_t *p = (uint64_t *)(void *)memory[w];

			for (size_t i = 0; i < WORKER_MEMORY / 8; i++)
				p[i] = word = word * 6364136223846793005u + 1442695040888963407u;
			memory[w]->clients.began_ns = memory[w]->names.began_ns = 1;
		}
		scan(round * 1000);
		assert_true(totals.size <= ZONETOTALS_MAX && totals.used < totals.size);
		toplist_begin(&top, 100);
		toplist_clients(&top, all, 2, 2);
		toplist_begin(&top, 100);
		toplist_names(&top, all, 2, 2);
	}
	assert_int_equal(totals.size, ZONETOTALS_MAX);
	assert_true(totals.lost > 0);
	/* Hours later those that never came again go. */
	zonecount_add(&memory[0]->zones, 42, false, false, 1);
	scan(9 * 3600 * 1000);
	scan(9 * 3600 * 1000 + 61000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_sums, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wrap, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lost_place, setup, teardown),
		cmocka_unit_test_setup_teardown(test_top, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nx, setup, teardown),
		cmocka_unit_test_setup_teardown(test_past, setup, teardown),
		cmocka_unit_test_setup_teardown(test_past_room, setup, teardown),
		cmocka_unit_test_setup_teardown(test_notes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rates, setup, teardown),
		cmocka_unit_test_setup_teardown(test_names, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sketches, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nonsense, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
