/* digest - the digests of what is served, in pages, and the order of names that they follow. */
// link: appliance/signer/feed.c appliance/signer/feedzone.c appliance/signer/feedmake.c appliance/signer/feedlost.c appliance/signer/names.c appliance/signer/compile.c appliance/signer/making.c appliance/signer/current.c appliance/signer/sources.c appliance/signer/content.c appliance/signer/signed.c appliance/signer/sigfile.c appliance/signer/sigframe.c appliance/signer/signcheck.c appliance/signer/sidecheck.c appliance/signer/signtables.c appliance/signer/resign.c appliance/signer/resign3.c appliance/signer/polbook.c appliance/signer/zonesign.c appliance/signer/hashsort.c appliance/signer/signowner.c appliance/signer/emissions.c appliance/signer/aliassign.c appliance/signer/aliassets.c appliance/signer/aliasbook.c appliance/signer/sheet.c appliance/signer/typemap.c appliance/signer/rrsig.c appliance/signer/keys.c appliance/signer/digest.c appliance/signer/sigaudit.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "appliance/signer/names.h"
#include "ipc/base/clock.h"
#include "tests/lib/feedbox.h"

static void
ask_page(struct feedbox *b, const uint8_t *after, uint32_t limit)
{
	Ns__DigestRequest req = NS__DIGEST_REQUEST__INIT;
	unsigned slices = 0;

	if (after != NULL)
		req.after = (ProtobufCBinaryData){ .len = name_len(after),
			.data = (uint8_t *)(uintptr_t)after };
	req.limit = limit;
	b->replied = false;
	assert_true(digest_ask(b->d, FEEDBOX_PAGE, &req));
	while (digest_step(b->d, clock_mono_ns() + 200000))
		assert_in_range(++slices, 1, 100000);
	assert_true(b->replied);
}

static void
digests_come_in_pages(void **state)
{
	struct feedbox *b = feedbox_open(64u << 20);
	uint8_t last[NAME_MAX_WIRE];
	size_t seen = 0;

	(void)state;
	for (uint32_t i = 0; i < 1203; i++)
		feedbox_replace(b, (i * 7919) % 1203, i + 1, 3);
	for (bool first = true;; first = false) {
		ask_page(b, first ? NULL : last, 0);
		for (size_t i = 0; i < b->npage; i++) {
			if (!first || i > 0)
				assert_true(name_cmp(last, b->page[i]) < 0);
			memcpy(last, b->page[i], name_len(b->page[i]));
			seen++;
		}
		if (b->end)
			break;
		assert_int_equal(b->npage, DIGEST_PAGE);
		/* New and gone zones between two pages. */
		if (first) {
			feedbox_replace(b, 5000, 5000, 3);
			feedbox_delete(b, 1100, 5001);
		}
	}
	assert_int_equal(seen, 1203);
	ask_page(b, last, 10);
	assert_true(b->end && b->npage == 0);
	ask_page(b, NULL, 10);
	assert_int_equal(b->npage, 10);
	digest_idle(b->d, clock_mono_ns() + 61000000000ull);
	ask_page(b, NULL, 500);
	assert_int_equal(b->npage, 500);
	feedbox_close(b);
}

static void
names_are_in_order(void **state)
{
	struct names *s = names_new();
	uint64_t seed = 9;
	uint8_t name[64];
	const uint8_t *n;
	uint32_t want = 0;

	(void)state;
	assert_null(names_after(s, NULL));
	for (unsigned i = 0; i < 5000; i++) {
		mapbox_name((uint32_t)(i * 7919u % 5000u), name);
		assert_true(names_add(s, name));
		assert_false(names_add(s, name));
	}
	assert_int_equal(names_count(s), 5000);
	for (n = names_after(s, NULL); n != NULL; n = names_after(s, n), want++) {
		mapbox_name(want, name);
		assert_true(name_equal(n, name));
	}
	assert_int_equal(want, 5000);
	for (unsigned i = 0; i < 20000; i++) {
		mapbox_name((uint32_t)(mapbox_random(&seed) % 5000), name);
		if (mapbox_random(&seed) % 2 != 0)
			names_remove(s, name);
		else
			names_add(s, name);
	}
	want = 0;
	for (n = names_after(s, NULL); n != NULL; n = names_after(s, n)) {
		const uint8_t *next = names_after(s, n);

		assert_true(next == NULL || name_cmp(n, next) < 0);
		want++;
	}
	assert_int_equal(names_count(s), want);
	for (uint32_t i = 0; i < 5000; i++) {
		mapbox_name(i, name);
		names_remove(s, name);
	}
	assert_int_equal(names_count(s), 0);
	assert_null(names_after(s, NULL));
	names_destroy(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_in_order),
		cmocka_unit_test(digests_come_in_pages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
