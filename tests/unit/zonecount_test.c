/* zonecount: 100,000 zones have a counter each, exact; what is said of a place is said of its zone; what
 * has no place is counted together; only what is long quiet is given away. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "appliance/zonemap/zonecount.h"

#define AGE (1ull << ZONECOUNT_AGE_SHIFT)

static struct zonecount *z;

static int
setup(void **state)
{
	(void)state;
	z = aligned_alloc(128, sizeof *z);
	assert_non_null(z);
	memset(z, 0, sizeof *z);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	free(z);
	return 0;
}

static uint64_t
hash_of(uint64_t i)
{
	uint64_t x = (i + 1) * 0x9e3779b97f4a7c15u;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

static struct zonecount_value
sum_of(uint64_t hash)
{
	struct zonecount_value v, sum = { .id = zonecount_id(hash) };

	for (uint32_t i = 0; i < ZONECOUNT_ENTRIES; i++) {
		if (!zonecount_read(z, i, &v) || v.id != sum.id)
			continue;
		sum.queries += v.queries;
		sum.nxdomain += v.nxdomain;
		sum.errors += v.errors;
	}
	return sum;
}

static void
test_twin(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 100000; i++) {
		uint64_t hash = hash_of(i);
		uint32_t bucket = zonecount_bucket(hash), tag = zonecount_tag(hash);
		uint32_t twin = zonecount_twin(bucket, tag);

		assert_true(bucket < ZONECOUNT_BUCKETS && twin < ZONECOUNT_BUCKETS);
		assert_int_equal(zonecount_twin(twin, tag), bucket);
	}
	assert_int_not_equal(zonecount_tag(0), 0);
}

static void
test_all_fit(void **state)
{
	const unsigned zones = 131072;
	uint64_t queries = 0, nxdomain = 0, errors = 0;
	struct zonecount_value v;
	unsigned entries = 0;

	(void)state;
	for (unsigned round = 0; round < 3; round++)
		for (unsigned i = 0; i < zones; i++) {
			zonecount_add(z, hash_of(i), i % 4 == 0, i % 8 == 1, AGE);
			assert_true(i >= 100000 || z->other_queries == 0 || round > 0);
		}
	for (uint32_t i = 0; i < ZONECOUNT_ENTRIES; i++) {
		if (!zonecount_read(z, i, &v))
			continue;
		entries++;
		queries += v.queries;
		nxdomain += v.nxdomain;
		errors += v.errors;
	}
	/* More than a hundred thousand: a few share the last place. */
	assert_true(z->other_queries <= 3 * zones / 500);
	assert_in_range(entries, zones - zones / 500, zones);
	assert_int_equal(queries + z->other_queries, 3 * zones);
	assert_int_equal(nxdomain + z->other_nxdomain, 3 * zones / 4);
	assert_int_equal(errors + z->other_errors, 3 * zones / 8);
	assert_int_equal(z->reclaimed, 0);
}

static void
test_exact(void **state)
{
	struct zonecount_value v;

	(void)state;
	for (unsigned i = 0; i < 100000; i++)
		zonecount_add(z, hash_of(i), false, false, AGE);
	for (unsigned i = 0; i < 1000; i++)
		zonecount_add(z, hash_of(7), i % 2 == 0, i % 5 == 0, (i % 40) * AGE);
	v = sum_of(hash_of(7));
	assert_int_equal(v.queries, 1001);
	assert_int_equal(v.nxdomain, 500);
	assert_int_equal(v.errors, 200);
}

/* Hashes that differ in bits that neither bucket nor tag keep would be one zone: fill two buckets with
 * hashes made for it. */
static void
test_reclaim(void **state)
{
	uint64_t n = 0, hash[3 * ZONECOUNT_WAYS];
	uint32_t bucket = zonecount_bucket(hash_of(0)), tag = zonecount_tag(hash_of(0));
	uint32_t low = bucket, other = zonecount_twin(bucket, tag),
		 high = low < other ? other : low;

	(void)state;
	low = low < other ? low : other;
	/* Same pair of buckets: the tag's place in the sum decides, so search. */
	for (uint64_t i = 0; n < 3 * ZONECOUNT_WAYS && i < (1u << 28); i++) {
		uint64_t h = (((uint64_t)low << 32) / ZONECOUNT_BUCKETS + 1) << 32 | i;

		if (zonecount_bucket(h) == low && zonecount_twin(low, zonecount_tag(h)) == high)
			hash[n++] = h;
	}
	assert_int_equal(n, 3 * ZONECOUNT_WAYS);
	for (unsigned i = 0; i < 2 * ZONECOUNT_WAYS; i++)
		zonecount_add(z, hash[i], true, false, 5 * AGE);
	assert_int_equal(z->other_queries, 0);
	/* No place, and none that is quiet for long enough. */
	zonecount_add(z, hash[2 * ZONECOUNT_WAYS], true, true, 6 * AGE);
	assert_int_equal(z->other_queries, 1);
	assert_int_equal(z->other_nxdomain, 1);
	assert_int_equal(z->other_errors, 1);
	/* One is asked again, the others are long quiet: the newcomer gets a place, not that one's. */
	zonecount_add(z, hash[3], false, false, 6 * AGE);
	zonecount_add(z, hash[2 * ZONECOUNT_WAYS], false, false, 7 * AGE);
	assert_int_equal(z->reclaimed, 1);
	assert_int_equal(z->other_queries, 1);
	assert_int_equal(sum_of(hash[2 * ZONECOUNT_WAYS]).queries, 1);
	assert_int_equal(sum_of(hash[2 * ZONECOUNT_WAYS]).nxdomain, 0);
	assert_int_equal(sum_of(hash[3]).queries, 2);
}

static void
test_nonsense(void **state)
{
	struct zonecount_value v;
	uint8_t *p = (uint8_t *)z;

	(void)state;
	srand(7);
	for (size_t i = 0; i < sizeof *z; i++)
		p[i] = (uint8_t)rand();
	for (uint32_t i = 0; i < ZONECOUNT_ENTRIES; i++)
		(void)zonecount_read(z, i, &v);
	assert_true(zonecount_read(z, UINT32_MAX, &v) || true);
	for (unsigned i = 0; i < 1000; i++)
		zonecount_add(z, hash_of(i), true, true, i * AGE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_twin, setup, teardown),
		cmocka_unit_test_setup_teardown(test_all_fit, setup, teardown),
		cmocka_unit_test_setup_teardown(test_exact, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reclaim, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nonsense, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
