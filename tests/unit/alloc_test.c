/* alloc - blocks of the zone map under churn: no overlap, nothing lost, the file stays flat. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "appliance/zonemap/alloc.h"
#include "tests/lib/mapbox.h"

struct block {
	map_off off;
	uint32_t len;
	uint8_t fill;
};

struct bench {
	struct mapbox box;
	struct map map;
	struct alloc *a;
	uint64_t seed;
};

static void
bench_open(struct bench *b, uint64_t limit)
{
	struct ns_why why;

	mapbox_init(&b->box, limit);
	assert_int_equal(map_open(b->box.fd, true, &b->map, &why), NS_OK);
	b->map.header->size = MAP_PAGE;
	b->a = alloc_new(&b->map, b->box.fd, MAP_PAGE, limit);
	alloc_set_poison(b->a, true);
	alloc_release(b->a);
	b->seed = 42;
}

static void
bench_close(struct bench *b)
{
	alloc_destroy(&b->a);
	map_close(&b->map);
	mapbox_fini(&b->box);
}

static bool
block_take(struct bench *b, struct block *k, uint32_t len)
{
	k->off = alloc_get(b->a, len, false);
	if (k->off == 0)
		return false;
	assert_int_equal(k->off % 16, 0);
	assert_true(k->off + len <= b->map.header->size);
	k->len = len;
	k->fill = (uint8_t)mapbox_random(&b->seed);
	memset(b->map.base + k->off, k->fill, len);
	return true;
}

/* Whoever else wrote there changed an octet. */
static void
block_give(struct bench *b, struct block *k)
{
	const uint8_t *p = b->map.base + k->off;

	for (uint32_t i = 0; i < k->len; i++)
		if (p[i] != k->fill)
			fail_msg(
			    "block at %llu: octet %u of %u", (unsigned long long)k->off, i, k->len);
	assert_true(alloc_is_live(b->a, k->off));
	alloc_put(b->a, k->off);
	k->off = 0;
}

/* Mostly small, some leaves, a few large; shifted by the phase, as zones grow and shrink. */
static uint32_t
random_len(struct bench *b, unsigned phase)
{
	uint64_t r = mapbox_random(&b->seed);

	switch (r % 32) {
	case 0:
		return (uint32_t)(r >> 8) % 262144 + 1;
	case 1:
	case 2:
		return (uint32_t)(r >> 8) % 20000 + 1;
	default:
		return (uint32_t)(r >> 8) % (400 + 300 * phase) + 1;
	}
}

static void
churn_stays_flat(void **state)
{
	enum { BLOCKS = 4000 };
	struct block *k = calloc(BLOCKS, sizeof *k);
	uint64_t after_first = 0, most = 0;
	struct alloc_stats st;
	struct stat file;
	struct bench b;

	(void)state;
	bench_open(&b, 512u << 20);
	for (unsigned round = 0; round < 60; round++) {
		for (unsigned n = 0; n < BLOCKS; n++) {
			struct block *one = &k[mapbox_random(&b.seed) % BLOCKS];

			if (one->off != 0)
				block_give(&b, one);
			assert_true(block_take(&b, one, random_len(&b, round % 4)));
			if (n % 50 == 0)
				alloc_settle(b.a);
		}
		alloc_check(b.a);
		alloc_stats(b.a, &st);
		if (round == 7)
			after_first = st.size;
		if (st.live > most)
			most = st.live;
	}
	print_message(
	    "live %.1f MB, at most %.1f MB, file %.1f MB, after the first rounds %.1f MB\n",
	    (double)st.live / 1e6, (double)most / 1e6, (double)st.size / 1e6,
	    (double)after_first / 1e6);
	assert_true(st.size <= after_first + (8u << 20));
	assert_true(st.size <= most + most / 4 + (12u << 20));
	for (unsigned i = 0; i < BLOCKS; i++)
		if (k[i].off != 0)
			block_give(&b, &k[i]);
	alloc_settle(b.a);
	alloc_stats(b.a, &st);
	assert_int_equal(st.blocks, 0);
	assert_int_equal(st.live, 0);
	assert_int_equal(st.asked, 0);
	alloc_trim(b.a);
	assert_int_equal(fstat(b.box.fd, &file), 0);
	assert_in_range(file.st_blocks, 0, 64);
	/* All of it is one run again. */
	assert_int_equal(st.free_pages, st.size / MAP_PAGE - 1);
	assert_true(block_take(&b, &k[0], (uint32_t)((st.free_pages - 1) * MAP_PAGE)));
	free(k);
	bench_close(&b);
}

/* What the budget asks: images of about 1 KB waste at most 8 %. */
static void
images_waste_little(void **state)
{
	struct alloc_stats st;
	struct block k;
	struct bench b;

	(void)state;
	bench_open(&b, 512u << 20);
	for (unsigned n = 0; n < 100000; n++)
		assert_true(block_take(&b, &k, 700 + (uint32_t)(mapbox_random(&b.seed) % 700)));
	alloc_stats(b.a, &st);
	print_message("asked %.1f MB, in use %.1f MB (%.1f %%), private %.2f MB\n",
	    (double)st.asked / 1e6, (double)(st.size - st.free_pages * MAP_PAGE) / 1e6,
	    100.0 * (double)(st.size - st.free_pages * MAP_PAGE - st.asked) / (double)st.asked,
	    (double)st.private_bytes / 1e6);
	assert_true(st.size - st.free_pages * MAP_PAGE <= st.asked + st.asked * 8 / 100);
	assert_true(st.private_bytes < 8 * st.blocks);
	bench_close(&b);
}

static void
limit_holds(void **state)
{
	struct block *k = calloc(10000, sizeof *k);
	struct alloc_stats st;
	unsigned n = 0, vital = 0;
	struct bench b;

	(void)state;
	bench_open(&b, 16u << 20);
	while (block_take(&b, &k[n], 5000))
		n++;
	alloc_stats(b.a, &st);
	assert_true(st.size <= 16u << 20);
	assert_in_range(n, 2500, 3200);
	assert_int_equal(alloc_get(b.a, 40u << 20, true), 0);
	while (alloc_get(b.a, 4080, true) != 0)
		vital++;
	assert_in_range(vital, 200, 300);
	for (unsigned i = 0; i < n; i += 2)
		block_give(&b, &k[i]);
	for (unsigned i = 0; i < n / 2; i++)
		assert_true(block_take(&b, &k[i * 2], 5000));
	alloc_check(b.a);
	free(k);
	bench_close(&b);
}

static void
forget_frees_the_fresh(void **state)
{
	struct block old[300], fresh[300];
	struct alloc_stats before, after;
	struct bench b;

	(void)state;
	bench_open(&b, 64u << 20);
	for (unsigned i = 0; i < 300; i++)
		assert_true(block_take(&b, &old[i], random_len(&b, 1)));
	alloc_settle(b.a);
	alloc_stats(b.a, &before);
	for (unsigned round = 0; round < 20; round++) {
		for (unsigned i = 0; i < 300; i++) {
			assert_true(block_take(&b, &fresh[i], random_len(&b, 1)));
			assert_true(alloc_is_fresh(b.a, fresh[i].off));
		}
		for (unsigned i = 0; i < 300; i += 3)
			block_give(&b, &fresh[i]);
		alloc_forget(b.a);
		alloc_check(b.a);
	}
	alloc_stats(b.a, &after);
	assert_int_equal(before.blocks, after.blocks);
	assert_int_equal(before.live, after.live);
	for (unsigned i = 0; i < 300; i++) {
		assert_false(alloc_is_fresh(b.a, old[i].off));
		block_give(&b, &old[i]);
	}
	bench_close(&b);
}

/* A successor marks half of the blocks and takes the rest only when told; no overlap ever. */
static void
adopted_blocks_keep_their_place(void **state)
{
	enum { BLOCKS = 3000 };
	struct block *k = calloc(2 * BLOCKS, sizeof *k);
	struct alloc_stats st;
	uint64_t size;
	struct bench b;

	(void)state;
	bench_open(&b, 512u << 20);
	for (unsigned i = 0; i < BLOCKS; i++)
		assert_true(block_take(&b, &k[i], random_len(&b, 1)));
	size = b.map.header->size;
	alloc_destroy(&b.a);
	b.a = alloc_new(&b.map, b.box.fd, size, b.box.limit);
	for (unsigned i = 0; i < BLOCKS; i += 2) {
		assert_true(alloc_adopt(b.a, k[i].off));
		assert_false(alloc_adopt(b.a, k[i].off));
	}
	alloc_check(b.a);
	for (unsigned i = BLOCKS; i < BLOCKS + 500; i++) {
		assert_true(block_take(&b, &k[i], random_len(&b, 1)));
		assert_true(k[i].off >= size); /* the rest is withheld */
	}
	for (unsigned i = 0; i < BLOCKS; i++)
		for (uint32_t o = 0; o < k[i].len; o++)
			assert_int_equal(b.map.base[k[i].off + o], k[i].fill);
	for (unsigned i = 0; i < 200; i += 2)
		block_give(&b, &k[i]);
	alloc_release(b.a);
	alloc_check(b.a);
	alloc_stats(b.a, &st);
	size = st.size;
	for (unsigned i = BLOCKS + 500; i < BLOCKS + 1500; i++)
		assert_true(block_take(&b, &k[i], random_len(&b, 1)));
	alloc_stats(b.a, &st);
	assert_true(st.size <= size + (4u << 20)); /* the released was used */
	for (unsigned i = 200; i < BLOCKS; i += 2)
		block_give(&b, &k[i]);
	for (unsigned i = BLOCKS; i < BLOCKS + 1500; i++)
		block_give(&b, &k[i]);
	alloc_check(b.a);
	alloc_stats(b.a, &st);
	assert_int_equal(st.blocks, 0);
	free(k);
	bench_close(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(churn_stays_flat),
		cmocka_unit_test(images_waste_little),
		cmocka_unit_test(limit_holds),
		cmocka_unit_test(forget_frees_the_fresh),
		cmocka_unit_test(adopted_blocks_keep_their_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
