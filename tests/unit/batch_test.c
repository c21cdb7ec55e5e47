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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    refused_content_is_not_fed, kit_set_up, kit_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
