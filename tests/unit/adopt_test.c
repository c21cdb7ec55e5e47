/* adopt - a writer that is killed anywhere leaves a map that its successor takes over: the last
 * acknowledged root or the next, every octet of it, while readers go on; and what is broken in the map
 * is found and never given away under a reader. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "appliance/zonemap/alloc.h"
#include "ipc/base/clock.h"
#include "tests/lib/mapreader.h"

#define PAIRS 200u
#define KILLS 500u

/* Which pairs revision r changes: so that a successor can replay what its predecessor did. */
static void
edit(struct writer *w, uint64_t revision)
{
	uint64_t seed = revision;
	unsigned n = (unsigned)(mapbox_random(&seed) % 3) + 1;

	for (unsigned k = 0; k < n; k++) {
		uint32_t pair = (uint32_t)(mapbox_random(&seed) % PAIRS);
		size_t size = mapbox_random(&seed) % 3000 + 10;

		for (uint32_t i = 0; i < 2; i++)
			assert_true(
			    mapbox_put(w, 2 * pair + i, revision, size, (unsigned)(seed % 3)));
	}
}

static void
replay(uint64_t *model, uint64_t revision)
{
	uint64_t seed = revision;
	unsigned n = (unsigned)(mapbox_random(&seed) % 3) + 1;

	for (unsigned k = 0; k < n; k++) {
		model[mapbox_random(&seed) % PAIRS] = revision;
		mapbox_random(&seed);
	}
}

static void
first_load(struct writer *w)
{
	for (uint32_t i = 0; i < 2 * PAIRS; i++)
		assert_true(mapbox_put(w, i, 1, 500, i % 3));
	mapbox_publish(w, 1);
}

static void
expect_model(struct writer *w, const uint64_t *model)
{
	struct map_view v;

	assert_true(writer_view(w, &v));
	assert_int_equal(map_zone_count(&v), 2 * PAIRS);
	for (uint32_t i = 0; i < 2 * PAIRS; i++) {
		uint8_t name[64];
		uint64_t stamp = 0;

		mapbox_name(i, name);
		assert_true(mapbox_sound(&v, mapbox_lookup(&v, i), name, &stamp));
		assert_int_equal(stamp, model[i / 2]);
	}
}

/* A child edits as fast as it can and notes what was published. */
static pid_t
start_editor(const struct mapbox *box, _Atomic uint64_t *acked)
{
	pid_t pid = fork();
	struct writer *w;

	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	w = mapbox_writer(box, true);
	for (uint64_t r = writer_revision(w) + 1;; r++) {
		edit(w, r);
		mapbox_publish(w, r);
		atomic_store(acked, r);
	}
}

static void
killed_anywhere(void **state)
{
	_Atomic uint64_t *acked =
	    mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint64_t model[PAIRS], done = 1, seed = 5, size_early = 0, torn = 0;
	struct alloc_stats st;
	struct readers readers;
	struct mapbox box;
	struct writer *w;

	(void)state;
	mapbox_init(&box, 64u << 20);
	w = mapbox_writer(&box, true);
	first_load(w);
	writer_close(&w);
	for (unsigned i = 0; i < PAIRS; i++)
		model[i] = 1;
	readers_init(&readers, &box, PAIRS);
	reader_start(&readers, 0);
	*acked = 1;
	for (unsigned n = 0; n < KILLS; n++) {
		pid_t pid = start_editor(&box, acked);
		uint64_t t = mapbox_random(&seed) % 400000;

		/* Mostly in the middle of its work, sometimes while it starts. */
		for (unsigned ms = 0; n % 4 != 0 && *acked == done && ms < 2000; ms++)
			nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
		nanosleep(&(struct timespec){ .tv_nsec = (long)t }, NULL);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		w = mapbox_writer(&box, true);
		assert_false(writer_adopted(w)->whole);
		assert_int_equal(writer_adopted(w)->broken, 0);
		assert_in_range(writer_revision(w), *acked, *acked + 1);
		torn += writer_revision(w) != *acked;
		while (done < writer_revision(w))
			replay(model, ++done);
		*acked = done;
		if (n % 10 == 0)
			expect_model(w, model);
		writer_check(w);
		writer_stats(w, &st);
		writer_close(&w);
		if (n == KILLS / 4)
			size_early = st.size;
		if (readers_bad(&readers) != 0)
			fail_msg("kill %u: mapreader.c:%d", n, readers_bad(&readers));
	}
	print_message("%llu revisions, %llu kills after the swap and before its word, %llu batches "
		      "read, map %.1f MB, at a quarter %.1f MB\n",
	    (unsigned long long)done, (unsigned long long)torn,
	    (unsigned long long)readers.shared[0].batches, (double)st.size / 1e6,
	    (double)size_early / 1e6);
	assert_true(done > KILLS || MAPBOX_SLOW);
	/* A step of growth each time that the reader was not scheduled for long. */
	assert_true(st.size <= size_early + (24u << 20));
	readers_fini(&readers);
	mapbox_fini(&box);
	munmap((void *)(uintptr_t)acked, 4096);
}

/* Between the store of root and that of epoch: readers of both roots hold the same epoch. */
static void
killed_between_root_and_epoch(void **state)
{
	struct readers readers;
	struct mapbox box;
	struct writer *w;

	(void)state;
	mapbox_init(&box, 64u << 20);
	w = mapbox_writer(&box, true);
	first_load(w);
	readers_init(&readers, &box, PAIRS);
	reader_start(&readers, 0);
	reader_stop(&readers, 0, 2);
	edit(w, 2);
	mapbox_publish(w, 2);
	writer_map(w)->header->epoch--;
	writer_close(&w);
	w = mapbox_writer(&box, true);
	assert_int_equal(writer_revision(w), 2);
	assert_true(writer_has_retired(w)); /* the stopped reader keeps all of the old */
	for (uint64_t r = 3; r < 50; r++) {
		edit(w, r);
		mapbox_publish(w, r);
	}
	reader_resume(&readers, 0);
	reader_wait_batches(&readers, 0, 10);
	assert_int_equal(readers_bad(&readers), 0);
	reader_kill(&readers, 0);
	writer_reclaim(w);
	assert_false(writer_has_retired(w));
	readers_fini(&readers);
	writer_close(&w);
	mapbox_fini(&box);
}

static void
killed_while_growing(void **state)
{
	struct mapbox box;
	struct writer *w;
	uint64_t model[PAIRS];

	(void)state;
	mapbox_init(&box, 64u << 20);
	w = mapbox_writer(&box, true);
	first_load(w);
	for (unsigned i = 0; i < PAIRS; i++)
		model[i] = 1;
	assert_int_equal(ftruncate(box.fd, (off_t)writer_map(w)->header->size + 8192 + 5), 0);
	writer_close(&w);
	w = mapbox_writer(&box, true);
	expect_model(w, model);
	edit(w, 2);
	mapbox_publish(w, 2);
	writer_check(w);
	writer_close(&w);
	mapbox_fini(&box);
}

/* ---- broken maps ---- */

static void
collect_name(void *arg, const uint8_t *name)
{
	memcpy(arg, name, 18);
}

static void
a_broken_zone_is_named(void **state)
{
	uint8_t want[64], got[64] = { 0 };
	uint64_t stamp = 0;
	struct readers readers;
	struct mapbox box;
	struct map_view v;
	struct writer *w;
	map_off off;

	(void)state;
	mapbox_init(&box, 64u << 20);
	w = mapbox_writer(&box, true);
	first_load(w);
	(void)writer_view(w, &v);
	off = mapbox_lookup(&v, 7);
	mapbox_name(7, want);
	/* The last octets of its image: no reader of this test asks for it before it is whole. */
	writer_map(w)->base[off + 400] ^= 0x10;
	writer_close(&w);

	w = mapbox_writer(&box, true);
	assert_int_equal(writer_adopted(w)->broken, 1);
	assert_false(writer_adopted(w)->whole);
	assert_int_equal(writer_revision(w), 1);
	writer_each_broken(w, collect_name, got);
	assert_memory_equal(got, want, 18);
	assert_int_equal(writer_zone_find(w, want), 0);
	(void)writer_view(w, &v);
	assert_int_equal(mapbox_lookup(&v, 7), off); /* still served */
	edit(w, 2);
	mapbox_publish(w, 2);
	writer_reclaim(w);
	assert_true(writer_has_retired(w)); /* nothing is given away while it is reachable */
	assert_true(mapbox_put(w, 7, 3, 100, 0));
	writer_abort(w);
	assert_int_equal(writer_zone_find(w, want), 0);
	assert_true(mapbox_put(w, 7, 3, 100, 0));
	assert_true(mapbox_put(w, 6, 3, 100, 0));
	mapbox_publish(w, 3);
	(void)writer_view(w, &v);
	assert_true(mapbox_sound(&v, mapbox_lookup(&v, 7), want, &stamp));
	assert_false(writer_has_retired(w));
	writer_check(w);
	readers_init(&readers, &box, PAIRS);
	reader_start(&readers, 0);
	reader_wait_batches(&readers, 0, 500);
	assert_int_equal(readers_bad(&readers), 0);
	readers_fini(&readers);
	writer_close(&w);
	mapbox_fini(&box);
}

/* The directory is broken: workers keep what they have until all is there anew. */
static void
a_broken_directory_starts_from_nothing(void **state)
{
	struct readers readers;
	struct mapbox box;
	struct map_view v;
	struct writer *w;
	struct map_root *root;

	(void)state;
	mapbox_init(&box, 64u << 20);
	w = mapbox_writer(&box, true);
	first_load(w);
	(void)writer_view(w, &v);
	root = (struct map_root *)(uintptr_t)v.root;
	root->zero[3] ^= 1; /* nobody reads it, but the sum is wrong */
	writer_close(&w);
	readers_init(&readers, &box, PAIRS);
	reader_start(&readers, 0);

	w = mapbox_writer(&box, true);
	assert_true(writer_adopted(w)->whole);
	assert_false(writer_loaded(w));
	assert_int_equal(writer_revision(w), 0);
	reader_wait_batches(&readers, 0, 100);
	for (unsigned n = 0; n < 5; n++) {
		for (uint32_t i = 0; i < 2 * PAIRS; i++)
			assert_true(mapbox_put(w, i, 2, 600, 1));
		if (n < 4)
			writer_abort(w);
		reader_wait_batches(&readers, 0, 100);
	}
	assert_true(writer_has_retired(w));
	reader_stop(&readers, 0, 5);
	mapbox_publish(w, 2);
	assert_true(writer_has_retired(w));
	reader_resume(&readers, 0);
	reader_wait_batches(&readers, 0, 100);
	reader_kill(&readers, 0);
	writer_reclaim(w);
	assert_false(writer_has_retired(w));
	assert_int_equal(readers_bad(&readers), 0);
	writer_check(w);
	readers_fini(&readers);
	writer_close(&w);
	mapbox_fini(&box);
}

/* One wrong octet anywhere: adoption ends, and what it does not call broken is whole. */
static void
any_octet_wrong(void **state)
{
	uint64_t seed = 11;
	unsigned whole = 0, broken = 0, none = 0;

	(void)state;
	for (unsigned n = 0; n < 300; n++) {
		struct mapbox box;
		struct map_view v;
		struct writer *w;
		uint64_t at, used;
		uint32_t bad = 0;

		mapbox_init(&box, 64u << 20);
		w = mapbox_writer(&box, false);
		for (uint32_t i = 0; i < 40; i++)
			assert_true(mapbox_put(w, i, 1, 100, i % 3));
		mapbox_publish(w, 1);
		used = 300u * 1024;
		at = MAP_PAGE + mapbox_random(&seed) % used;
		/* Mostly where it hurts: root, slots, images. */
		(void)writer_view(w, &v);
		if (n % 4 == 0)
			at = (uint64_t)((const uint8_t *)v.root - v.base) - 16 +
			     mapbox_random(&seed) % 60;
		else if (n % 4 == 1)
			at = (uint64_t)v.root->dir[0] * MAP_PAGE + mapbox_random(&seed) % MAP_PAGE;
		else if (n % 4 == 2)
			at = mapbox_lookup(&v, n % 40) - 16 + mapbox_random(&seed) % 200;
		writer_map(w)->base[at] ^= (uint8_t)(1u << (mapbox_random(&seed) % 8));
		writer_close(&w);
		w = mapbox_writer(&box, true);
		writer_check(w);
		whole += writer_adopted(w)->whole;
		broken += writer_adopted(w)->broken > 0;
		none += !writer_adopted(w)->whole && writer_adopted(w)->broken == 0;
		if (writer_view(w, &v))
			for (uint32_t i = 0; i < 40; i++) {
				uint8_t name[64];
				uint64_t stamp;

				mapbox_name(i, name);
				bad += !mapbox_sound(&v, mapbox_lookup(&v, i), name, &stamp);
			}
		assert_true(bad <= writer_adopted(w)->broken);
		for (uint32_t i = 0; i < 40; i++)
			assert_true(mapbox_put(w, i, 2, 200, i % 2));
		mapbox_publish(w, 2);
		assert_false(writer_has_retired(w));
		writer_check(w);
		writer_close(&w);
		mapbox_fini(&box);
	}
	print_message("whole %u, a zone %u, unused %u\n", whole, broken, none);
	assert_true(whole > 50 && broken > 10 && none > 10);
}

static void
adopts_100k_zones_quickly(void **state)
{
	struct mapbox box;
	struct alloc_stats before, after;
	struct writer *w;
	uint64_t t0;
	double ms;

	(void)state;
	mapbox_init(&box, 1ull << 30);
	w = mapbox_writer(&box, false);
	for (uint32_t i = 0; i < 100000; i++)
		assert_true(mapbox_put(w, i, 1, 900, 0));
	mapbox_publish(w, 1);
	writer_reclaim(w);
	writer_stats(w, &before);
	writer_close(&w);
	t0 = clock_mono_ns();
	w = mapbox_writer(&box, false);
	ms = (double)(clock_mono_ns() - t0) / 1e6;
	writer_stats(w, &after);
	print_message("adopted 100k zones in %.0f ms\n", ms);
	assert_int_equal(writer_adopted(w)->zones, 100000);
	assert_int_equal(before.live, after.live);
	assert_int_equal(before.asked, after.asked);
	assert_int_equal(before.blocks, after.blocks);
	assert_int_equal(before.free_pages, after.free_pages);
	/* 500 is the budget; five times that is what a busy machine may show. */
	assert_true(ms < 2500 || MAPBOX_SLOW);
	writer_close(&w);
	mapbox_fini(&box);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_broken_zone_is_named),
		cmocka_unit_test(a_broken_directory_starts_from_nothing),
		cmocka_unit_test(any_octet_wrong),
		cmocka_unit_test(killed_between_root_and_epoch),
		cmocka_unit_test(killed_while_growing),
		cmocka_unit_test(killed_anywhere),
		cmocka_unit_test(adopts_100k_zones_quickly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
