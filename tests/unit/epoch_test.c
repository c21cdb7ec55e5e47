/* epoch - nobody reads what was given away: 10,000 rounds of edits while readers, which are processes of
 * their own, are stopped inside a batch, resumed, killed and replaced.  What is reclaimed is filled with
 * 0xDB, and every octet that a reader touches is checked.  The seed is NS_TEST_SEED, or 1. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "appliance/zonemap/alloc.h"
#include "tests/lib/mapreader.h"

#define PAIRS  500u
#define ROUNDS 10000u

struct bench {
	struct mapbox box;
	struct readers readers;
	struct writer *w;
	uint64_t seed, revision;
};

static uint64_t
seed_of_test(void)
{
	const char *s = getenv("NS_TEST_SEED");

	return s != NULL ? strtoull(s, NULL, 10) : 1;
}

static void
edit_pair(struct bench *b, uint32_t pair)
{
	size_t size = mapbox_random(&b->seed) % 3000 + 10;
	unsigned children = (unsigned)(mapbox_random(&b->seed) % 3);

	for (uint32_t i = 0; i < 2; i++)
		assert_true(mapbox_put(b->w, 2 * pair + i, b->revision, size, children));
}

static void
edit(struct bench *b)
{
	unsigned n = (unsigned)(mapbox_random(&b->seed) % 3) + 1;

	b->revision++;
	for (unsigned i = 0; i < n; i++)
		edit_pair(b, (uint32_t)(mapbox_random(&b->seed) % PAIRS));
	if (mapbox_random(&b->seed) % 16 == 0) {
		writer_abort(b->w);
		b->revision--;
		return;
	}
	mapbox_publish(b->w, b->revision);
}

static void
bench_open(struct bench *b, unsigned nreaders)
{
	mapbox_init(&b->box, 64u << 20);
	readers_init(&b->readers, &b->box, PAIRS);
	b->w = mapbox_writer(&b->box, true);
	b->seed = seed_of_test();
	b->revision = 1;
	for (uint32_t i = 0; i < PAIRS; i++)
		edit_pair(b, i);
	mapbox_publish(b->w, 1);
	for (unsigned i = 0; i < nreaders; i++)
		reader_start(&b->readers, i);
}

static void
bench_close(struct bench *b)
{
	readers_fini(&b->readers);
	writer_close(&b->w);
	mapbox_fini(&b->box);
}

/* What happens to one reader in a round. */
static void
disturb(struct bench *b)
{
	unsigned i = (unsigned)(mapbox_random(&b->seed) % 3);
	int at = (int)(mapbox_random(&b->seed) % READER_POINTS);

	switch (mapbox_random(&b->seed) % 8) {
	case 0:
		reader_kill(&b->readers, i);
		reader_start(&b->readers, i);
		break;
	case 1:
	case 2:
	case 3:
		reader_resume(&b->readers, i);
		break;
	default:
		reader_ask_stop(&b->readers, i, at);
		break;
	}
}

static void
nobody_reads_what_was_given_away(void **state)
{
	uint64_t size_early = 0, batches = 0;
	struct alloc_stats st;
	struct bench b;

	(void)state;
	bench_open(&b, 3);
	for (unsigned round = 0; round < ROUNDS; round++) {
		disturb(&b);
		edit(&b);
		if (round % 200 == 199) {
			/* Everybody runs for a while, or nothing would ever be given back. */
			for (unsigned i = 0; i < 3; i++)
				reader_resume(&b.readers, i);
			for (unsigned i = 0; i < 3; i++)
				reader_wait_batches(&b.readers, i, 20);
			writer_reclaim(b.w);
			writer_check(b.w);
		}
		if (readers_bad(&b.readers) != 0)
			fail_msg("round %u, seed %llu: mapreader.c:%d", round,
			    (unsigned long long)seed_of_test(), readers_bad(&b.readers));
		writer_stats(b.w, &st);
		if (round == ROUNDS / 4)
			size_early = st.size;
	}
	for (unsigned i = 0; i < 3; i++)
		batches += b.readers.shared[i].batches;
	print_message("%llu batches read, map %.1f MB, at a quarter %.1f MB, seed %llu\n",
	    (unsigned long long)batches, (double)st.size / 1e6, (double)size_early / 1e6,
	    (unsigned long long)seed_of_test());
	assert_true(batches > 1000);
	assert_true(st.size <= size_early + (8u << 20));
	bench_close(&b);
}

/* A reader inside a batch keeps the whole of what it entered, at whatever point it stands. */
static void
a_stopped_reader_keeps_its_view(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, 1);
	for (int at = 0; at < READER_POINTS; at++) {
		reader_stop(&b.readers, 0, at);
		b.revision++;
		for (uint32_t i = 0; i < PAIRS; i++)
			edit_pair(&b, i);
		mapbox_publish(b.w, b.revision);
		writer_reclaim(b.w);
		assert_true(writer_has_retired(b.w));
		reader_resume(&b.readers, 0);
		reader_wait_batches(&b.readers, 0, 3);
		assert_int_equal(readers_bad(&b.readers), 0);
	}
	reader_kill(&b.readers, 0);
	writer_reclaim(b.w);
	assert_false(writer_has_retired(b.w));
	bench_close(&b);
}

/* The same with a writer that does not look at the slots must go wrong, or the test sees nothing. */
static void
the_test_can_fail(void **state)
{
	struct writer_conf conf = { .walk = mapbox_walk, .poison = true };
	struct ns_why why;
	struct bench b;

	(void)state;
	bench_open(&b, 1);
	conf.fd = b.box.fd;
	conf.limit = b.box.limit;
	reader_stop(&b.readers, 0, 2);
	writer_close(&b.w);
	assert_int_equal(writer_open_conf(&conf, &b.w, &why), NS_OK);
	b.revision++;
	for (uint32_t i = 0; i < PAIRS; i++)
		edit_pair(&b, i);
	mapbox_publish(b.w, b.revision);
	reader_resume(&b.readers, 0);
	reader_wait_batches(&b.readers, 0, 3);
	assert_int_not_equal(readers_bad(&b.readers), 0);
	bench_close(&b);
}

static void
pins_and_slots_hold_epochs(void **state)
{
	struct mapbox box;

	(void)state;
	mapbox_init(&box, 1u << 20);
	assert_true(map_all_past(box.page, BOX_PAGES, 5));
	box.page[3]->slot = 5;
	assert_false(map_all_past(box.page, BOX_PAGES, 5));
	assert_true(map_all_past(box.page, BOX_PAGES, 4));
	box.page[7]->pins[6] = 2;
	assert_int_equal(map_oldest(box.page, BOX_PAGES), 2);
	assert_false(map_all_past(box.page, BOX_PAGES, 4));
	box.page[7]->pins[6] = box.page[3]->slot = 0;
	assert_int_equal(map_oldest(box.page, BOX_PAGES), UINT64_MAX);
	mapbox_fini(&box);
}

/* What answer tells sync: an epoch that says who has the revision. */
static void
published_epoch_names_the_revision(void **state)
{
	uint64_t revision = 0, epoch = 0;
	struct map_view v;
	struct bench b;

	(void)state;
	bench_open(&b, 0);
	assert_true(map_enter(writer_map(b.w), b.box.page[0], &v));
	assert_true(map_published(writer_map(b.w), &revision, &epoch));
	assert_int_equal(revision, 1);
	assert_true(map_all_past(b.box.page, BOX_PAGES, epoch - 1));
	b.revision = 2;
	edit_pair(&b, 1);
	mapbox_publish(b.w, 2);
	assert_true(map_published(writer_map(b.w), &revision, &epoch));
	assert_int_equal(revision, 2);
	assert_false(map_all_past(b.box.page, BOX_PAGES, epoch - 1));
	map_leave(b.box.page[0]);
	assert_true(map_all_past(b.box.page, BOX_PAGES, epoch - 1));
	assert_true(map_enter(writer_map(b.w), b.box.page[0], &v));
	assert_int_equal(map_revision(&v), 2);
	assert_true(map_all_past(b.box.page, BOX_PAGES, epoch - 1));
	/* Between the store of root and that of epoch, this slot could be of the old root. */
	writer_map(b.w)->header->epoch--;
	b.box.page[0]->slot--;
	assert_true(map_published(writer_map(b.w), &revision, &epoch));
	assert_int_equal(revision, 2);
	assert_false(map_all_past(b.box.page, BOX_PAGES, epoch - 1));
	writer_map(b.w)->header->epoch++;
	map_leave(b.box.page[0]);
	bench_close(&b);
}

struct onlooker {
	struct map *map;
	uint64_t lead; /* of the epoch over the revision */
	_Atomic bool stop;
	uint64_t looks, wrong, revision, epoch;
};

static void *
look_on(void *arg)
{
	struct onlooker *o = arg;
	uint64_t revision, epoch;

	for (; !o->stop; o->looks++) {
		if (map_published(o->map, &revision, &epoch) && epoch - revision == o->lead)
			continue;
		o->wrong++;
		o->revision = revision;
		o->epoch = epoch;
	}
	return NULL;
}

/* Who looks without a page may see a root that is given away, filled with something else, and made the
 * root again between two of its loads; what it tells must be of one root all the same. */
static void
published_is_never_a_mixture(void **state)
{
	struct onlooker o = { 0 };
	uint64_t revision = 0, epoch = 0;
	pthread_t thread;
	struct bench b;

	(void)state;
	bench_open(&b, 0);
	o.map = writer_map(b.w);
	assert_true(map_published(o.map, &revision, &epoch));
	o.lead = epoch - revision;
	assert_int_equal(pthread_create(&thread, NULL, look_on, &o), 0);
	for (unsigned i = 0; i < 200000; i++)
		mapbox_publish(b.w, ++b.revision);
	o.stop = true;
	pthread_join(thread, NULL);
	if (o.wrong > 0)
		print_message("%llu of %llu looks: revision %llx epoch %llx\n",
		    (unsigned long long)o.wrong, (unsigned long long)o.looks,
		    (unsigned long long)o.revision, (unsigned long long)o.epoch);
	assert_int_equal(o.wrong, 0);
	bench_close(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pins_and_slots_hold_epochs),
		cmocka_unit_test(published_epoch_names_the_revision),
		cmocka_unit_test(published_is_never_a_mixture),
		cmocka_unit_test(a_stopped_reader_keeps_its_view),
		cmocka_unit_test(the_test_can_fail),
		cmocka_unit_test(nobody_reads_what_was_given_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
