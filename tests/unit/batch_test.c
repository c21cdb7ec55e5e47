/* What the signer is sent for a transaction: what is committed, whatever was refused in between. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "appliance/sync/batch.h"
#include "ipc/base/xalloc.h"
#include "tests/lib/store_kit.h"

// link: appliance/sync/keyfeed.c appliance/sync/asof.c appliance/sync/past.c
// link: appliance/sync/checkdelta.c appliance/sync/batch.c appliance/sync/people.c appliance/sync/change.c appliance/sync/diff.c appliance/sync/apply.c appliance/sync/patch.c appliance/sync/place.c appliance/sync/settings.c appliance/sync/storeview.c appliance/sync/secret.c appliance/sync/bodycheck.c
// link: appliance/sync/feedblock.c
// link: appliance/sync/importzone.c
// link: appliance/sync/request.c
// link: tests/lib/fake/sync.c

/* An edit goes in; an import of the same zone is refused behind it. */
static void
refused_content_is_not_fed(void **state)
{
	struct kit_store *k = *state;
	struct wbuf first = wbuf_grow(65536);
	struct import_zone refused = { .zwire = wbuf_grow(65536) };
	struct ns_why why = { 0 };
	const struct feed_block *fed;
	struct batch_mark mark;
	struct store_zone z;
	struct batch *b;

	OK(store_begin(k->s, &why));
	z = kit_new_zone(k, "example.com", 1);
	kit_zone(&first, z.name, 7, 3);
	kit_zone(&refused.zwire, z.name, 8, 5);
	OK(store_content_put(k->s, z.id, true, first.base, first.len, &why));
	b = batch_new(k->s, 1, 1, 1);
	batch_touch(b, &z, z.name);
	OK(store_mark(k->s, &why));
	mark = batch_mark(b);
	batch_touch(b, &z, NULL)->fresh = &refused;
	OK(store_content_put(k->s, z.id, true, refused.zwire.base, refused.zwire.len, &why));
	store_undo(k->s);
	batch_undo(b, &mark);

	OK(batch_build_feed(b, &why));
	fed = TAILQ_FIRST(&b->blocks);
	assert_int_equal(fed->count, 1);
	assert_int_equal(fed->items[0].zwire_len, first.len);
	assert_memory_equal(fed->bytes.base + fed->items[0].zwire, first.base, first.len);
	store_rollback(k->s);
	batch_destroy(&b);
	wbuf_free(&first);
	wbuf_free(&refused.zwire);
}

/* Zones, as changes touch them, and what the signer is told of each: edits first, whose changes, whether alone. */
static void
each_zone_has_its_changes(void **state)
{
	static const struct {
		unsigned change, zone;
		bool whole, undone;
	} touches[] = { { 1, 0, true, false }, { 2, 1, false, false }, { 3, 2, true, false },
		{ 3, 3, false, false }, { 4, 4, false, true }, { 4, 1, false, false },
		{ 5, 4, false, false } };
	static const struct {
		unsigned zone;
		bool alone;
		uint64_t changes[4];
		size_t n;
	} want[] = { { 1, true, { 2, 2, 4, 4 }, 4 }, { 3, false, { 3, 3 }, 2 },
		{ 4, true, { 5, 5 }, 2 }, { 0, true, { 1, 1 }, 2 }, { 2, false, { 3, 3 }, 2 } };
	static const char *const names[] = { "a.example", "b.example", "c.example", "d.example",
		"e.example" };
	struct kit_store *k = *state;
	struct ns_why why = { 0 };
	struct store_zone z[5];
	struct wbuf content = wbuf_grow(65536);
	struct batch *b;
	Ns__Feed m;

	OK(store_begin(k->s, &why));
	for (unsigned i = 0; i < 5; i++) {
		z[i] = kit_new_zone(k, names[i], 1);
		content.len = 0;
		kit_zone(&content, z[i].name, 7, 3);
		OK(store_content_put(k->s, z[i].id, true, content.base, content.len, &why));
	}
	b = batch_new(k->s, 0, 1, 5);
	for (size_t i = 0; i < sizeof touches / sizeof touches[0]; i++) {
		struct batch_mark mark = batch_mark(b);

		b->revision = touches[i].change - 1;
		batch_touch(
		    b, &z[touches[i].zone], touches[i].whole ? NULL : z[touches[i].zone].name);
		if (touches[i].undone)
			batch_undo(b, &mark);
	}
	b->revision = 5;
	OK(batch_build_feed(b, &why));
	feed_block_message(TAILQ_FIRST(&b->blocks), &m);
	assert_int_equal(m.n_zones, sizeof want / sizeof want[0]);
	for (size_t i = 0; i < m.n_zones; i++) {
		const struct store_zone *of = &z[want[i].zone];

		assert_int_equal(m.zones[i]->name.len, of->name_len);
		assert_memory_equal(m.zones[i]->name.data, of->name, of->name_len);
		assert_int_equal(m.zones[i]->alone, want[i].alone);
		assert_int_equal(m.zones[i]->n_changes, want[i].n);
		assert_memory_equal(
		    m.zones[i]->changes, want[i].changes, want[i].n * sizeof(uint64_t));
	}
	feed_block_message_free(&m);
	store_rollback(k->s);
	batch_destroy(&b);
	wbuf_free(&content);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    refused_content_is_not_fed, kit_set_up, kit_tear_down),
		cmocka_unit_test_setup_teardown(
		    each_zone_has_its_changes, kit_set_up, kit_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
