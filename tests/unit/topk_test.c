/* topk: the heavy ones are found among many light ones, with an error that is told; windows end; a
 * successor goes on; nonsense in the page harms neither writer nor reader. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "appliance/zonemap/topk.h"

#define START (1000 * TOPK_WINDOW_NS)

static struct topk shared;
static struct topk_writer w;

static int
setup(void **state)
{
	(void)state;
	memset(&shared, 0, sizeof shared);
	topk_open(&w, &shared, START);
	return 0;
}

static void
add(uint64_t who, uint64_t weight)
{
	uint8_t key[9];

	memcpy(key, &who, sizeof who);
	key[8] = 'k';
	topk_add(&w, who * 0x9e3779b97f4a7c15u, key, sizeof key, weight, NULL);
}

/* Weight minus error of a key: what it has for certain.  *most: with the error. */
static uint64_t
weight_of(uint64_t who, uint64_t now_ns, uint64_t *most)
{
	struct topk_value v;
	uint64_t sum = 0, got;

	*most = 0;
	for (unsigned window = 0; window < 2; window++) {
		for (unsigned i = 0; i < TOPK_SLOTS; i++) {
			if (!topk_read(&shared, window, i, now_ns, &v))
				continue;
			assert_int_equal(v.len, 9);
			assert_int_equal(v.key[8], 'k');
			memcpy(&got, v.key, sizeof got);
			if (got != who)
				continue;
			sum += v.weight - v.error;
			*most += v.weight;
		}
	}
	return sum;
}

static void
test_heavy(void **state)
{
	uint64_t most;

	(void)state;
	/* Three heavy ones in 100,000, the rest are all different. */
	for (uint64_t i = 0; i < 100000; i++)
		add(i % 10 == 0 ? 1 : i % 10 == 5 ? 2 : i % 20 == 7 ? 3 : 1000 + i, 1);
	assert_in_range(weight_of(1, START, &most), 8000, 10000);
	assert_in_range(most, 10000, 10000 + 100000 / TOPK_SLOTS);
	assert_in_range(weight_of(2, START, &most), 8000, 10000);
	assert_in_range(weight_of(3, START, &most), 3400, 5000);
	assert_in_range(most, 5000, 5000 + 100000 / TOPK_SLOTS);
}

static void
test_few(void **state)
{
	uint64_t most;

	(void)state;
	for (uint64_t i = 1; i <= TOPK_SLOTS; i++)
		add(i, i);
	for (uint64_t i = 1; i <= TOPK_SLOTS; i++) {
		assert_int_equal(weight_of(i, START, &most), i);
		assert_int_equal(most, i);
	}
}

static void
test_windows(void **state)
{
	uint64_t most, now = START;

	(void)state;
	add(1, 10);
	topk_tick(&w, now += TOPK_WINDOW_NS - 1);
	add(1, 10);
	assert_int_equal(weight_of(1, now, &most), 20);
	topk_tick(&w, now += 1);
	add(1, 5);
	assert_int_equal(weight_of(1, now, &most), 25); /* both windows */
	topk_tick(&w, now += TOPK_WINDOW_NS);
	assert_int_equal(weight_of(1, now, &most), 5);
	/* Nobody asks, so nobody turns the windows: the reader knows. */
	assert_int_equal(weight_of(1, now + TOPK_WINDOW_NS - 1, &most), 5);
	assert_int_equal(weight_of(1, now + TOPK_WINDOW_NS, &most), 0);
	topk_tick(&w, now += 3 * TOPK_WINDOW_NS);
	add(2, 1);
	assert_int_equal(weight_of(1, now, &most), 0);
	assert_int_equal(weight_of(2, now, &most), 1);
}

static void
test_successor(void **state)
{
	uint64_t most;

	(void)state;
	add(1, 10);
	memset(&w, 0xff, sizeof w);
	topk_open(&w, &shared, START + 1000);
	add(1, 5);
	assert_int_equal(weight_of(1, START + 1000, &most), 15);
}

static void
test_nonsense(void **state)
{
	struct topk_value v;
	uint8_t *p = (uint8_t *)&shared;

	(void)state;
	srand(3);
	for (unsigned round = 0; round < 20; round++) {
		for (size_t i = 0; i < sizeof shared; i++)
			p[i] = (uint8_t)rand();
		for (unsigned i = 0; i < 3 * TOPK_SLOTS; i++)
			if (topk_read(&shared, i % 3, i, START, &v))
				assert_true(v.len <= TOPK_KEY);
		topk_open(&w, &shared, START);
		for (uint64_t i = 0; i < 1000; i++)
			add(i, 1);
		topk_tick(&w, START + 5 * TOPK_WINDOW_NS);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_heavy, setup),
		cmocka_unit_test_setup(test_few, setup),
		cmocka_unit_test_setup(test_windows, setup),
		cmocka_unit_test_setup(test_successor, setup),
		cmocka_unit_test_setup(test_nonsense, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
