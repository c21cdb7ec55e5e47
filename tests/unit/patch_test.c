/* Patches as tables: what goes, what comes, and what must not fit; and bodies that no change can have. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "appliance/dns/name.h"
#include "appliance/dns/zonetext.h"
#include "appliance/dns/zwire.h"
#include "appliance/sync/diff.h"
#include "appliance/sync/patch.h"
#include "tests/lib/store_kit.h"

// link: appliance/sync/diff.c
// link: appliance/sync/patch.c

static uint8_t apex[] = "\7example\3com";

static struct wbuf
zwire_of(const char *lines)
{
	struct rrpile *pile = rrpile_new();
	struct zonetext *zt = zonetext_new(apex, pile);
	struct wbuf out = wbuf_grow(1u << 20);
	uint64_t records;

	assert_int_equal(zonetext_feed(zt, lines, strlen(lines), NULL), NS_OK);
	assert_int_equal(zonetext_end(zt, NULL), NS_OK);
	assert_int_equal(rrpile_to_zwire(pile, &out, &records, NULL), NS_OK);
	zonetext_destroy(&zt);
	rrpile_destroy(&pile);
	return out;
}

static struct bytes
bytes(const struct wbuf *w)
{
	return (struct bytes){ w->base, w->len };
}

#define A1 "a 60 A 192.0.2.1\n"
#define A2 "a 60 A 192.0.2.2\n"
#define B1 "b 60 A 192.0.2.1\n"
#define T1 "a 60 TXT \"x\"\n"

static const struct {
	const char *now, *removed, *added;
	enum ns_err err;
	const char *out;
} cases[] = {
	{ "", "", "", NS_OK, "" },
	{ "", "", A1, NS_OK, A1 },
	{ A1, A1, "", NS_OK, "" },
	{ A1, A1, A2, NS_OK, A2 },
	{ A1 B1, B1, T1, NS_OK, A1 T1 },
	{ A1 T1 B1, A1 B1, A2, NS_OK, A2 T1 },
	{ B1, "", A1 T1, NS_OK, A1 T1 B1 },
	{ A2, A1, "", NS_CONFLICT, NULL }, /* not as it was */
	{ "", A1, "", NS_CONFLICT, NULL }, /* not there */
	{ T1 B1, A1, A2, NS_CONFLICT, NULL },
	{ A1, "", A2, NS_CONFLICT, NULL }, /* there already */
	{ A1 B1, "", B1, NS_CONFLICT, NULL },
};

static void
patches(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct wbuf now = zwire_of(cases[i].now), removed = zwire_of(cases[i].removed);
		struct wbuf added = zwire_of(cases[i].added), out = wbuf_grow(1u << 20);
		enum ns_err err = patch_zwire(bytes(&now), bytes(&removed), bytes(&added), &out);

		if (err != cases[i].err)
			fail_msg("case %zu: %d", i, err);
		if (err == NS_OK) {
			struct wbuf want = zwire_of(cases[i].out);

			assert_int_equal(out.len, want.len);
			assert_true(out.len == 0 || memcmp(out.base, want.base, out.len) == 0);
			wbuf_free(&want);
		}
		wbuf_free(&now);
		wbuf_free(&removed);
		wbuf_free(&added);
		wbuf_free(&out);
	}
}

/* diff(a, b) put onto a is b, and its inverse put onto b is a. */
static void
differences_go_both_ways(void **state)
{
	uint64_t seed = 7;

	(void)state;
	for (int round = 0; round < 200; round++) {
		struct wbuf z[2], out = wbuf_grow(1u << 20), back = wbuf_grow(1u << 20);
		struct diff d;

		for (int s = 0; s < 2; s++) {
			char text[4096] = "";

			for (int n = 0; n < 12; n++)
				if (kit_random(&seed) % 2 == 0)
					snprintf(text + strlen(text), sizeof text - strlen(text),
					    "n%d 60 A 192.0.2.%d\n", n,
					    (int)(kit_random(&seed) % 3));
			z[s] = zwire_of(text);
		}
		diff_init(&d);
		assert_true(diff_zwire(&d, z[0].base, z[0].len, z[1].base, z[1].len));
		assert_int_equal(
		    patch_zwire(bytes(&z[0]), bytes(&d.removed), bytes(&d.added), &out), NS_OK);
		assert_int_equal(
		    patch_zwire(bytes(&out), bytes(&d.added), bytes(&d.removed), &back), NS_OK);
		assert_int_equal(out.len, z[1].len);
		assert_true(out.len == 0 || memcmp(out.base, z[1].base, out.len) == 0);
		assert_int_equal(back.len, z[0].len);
		assert_true(back.len == 0 || memcmp(back.base, z[0].base, back.len) == 0);
		diff_free(&d);
		wbuf_free(&z[0]);
		wbuf_free(&z[1]);
		wbuf_free(&out);
		wbuf_free(&back);
	}
}

static void
broken_bytes(void **state)
{
	struct wbuf now = zwire_of(A1), out = wbuf_grow(1u << 16);
	uint64_t seed = 3;

	(void)state;
	assert_int_equal(patch_zwire((struct bytes){ now.base, now.len - 1 },
			     (struct bytes){ NULL, 0 }, (struct bytes){ NULL, 0 }, &out),
	    NS_CORRUPT);
	for (int i = 0; i < 2000; i++) {
		uint8_t copy[256];
		size_t at_a = 0, at_b = 0;
		struct owner_run run;
		enum ns_err err;

		memcpy(copy, now.base, now.len);
		copy[kit_random(&seed) % now.len] = (uint8_t)kit_random(&seed);
		out.len = 0;
		err = patch_zwire((struct bytes){ copy, now.len }, bytes(&now), bytes(&now), &out);
		assert_in_range(err, 0, NS_ERR_MAX - 1);
		while (owner_next((struct bytes){ copy, now.len }, bytes(&now), &at_a, &at_b, &run))
			;
	}
	wbuf_free(&now);
	wbuf_free(&out);
}

static void
owners_once_in_order(void **state)
{
	struct wbuf a = zwire_of(A1 T1 "c 60 A 192.0.2.1\n"), b = zwire_of(B1 "c 60 TXT x\n");
	size_t at_a = 0, at_b = 0, n = 0;
	static const char want[] = "abc";
	struct owner_run run;

	(void)state;
	while (owner_next(bytes(&a), bytes(&b), &at_a, &at_b, &run)) {
		assert_int_equal(run.owner[1], want[n]);
		assert_int_equal(run.a.len > 0, n != 1);
		assert_int_equal(run.b.len > 0, n != 0);
		n++;
	}
	assert_int_equal(n, 3);
	wbuf_free(&a);
	wbuf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patches),
		cmocka_unit_test(differences_go_both_ways),
		cmocka_unit_test(broken_bytes),
		cmocka_unit_test(owners_once_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
