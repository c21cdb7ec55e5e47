/* whole - a zone written in one stroke is the zone that row and content written apart are, however many parts it had. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "appliance/dns/rrtype.h"
#include "appliance/dns/zwire.h"
#include "tests/lib/store_kit.h"

/* Owners from..to-1 below example., each of `octets`; of the first an ALIAS, too, when it is told. */
static struct wbuf
content(unsigned from, unsigned to, size_t octets, bool alias)
{
	struct wbuf w = wbuf_grow(1 << 20);
	struct kit_name target = kit_name("target.example.net.");

	for (unsigned i = from; i < to; i++) {
		char text[32];

		snprintf(text, sizeof text, "h%04u.example.", i);
		if (alias && i == from) {
			uint8_t rdata[300] = { 0, (uint8_t)target.len };
			struct kit_name owner = kit_name(text);
			struct rrset set = { .owner = owner.wire,
				.owner_len = (uint8_t)owner.len,
				.type = RR_ALIAS,
				.count = 1,
				.ttl = 60,
				.rdata = rdata,
				.rdata_len = target.len + 2 };

			memcpy(rdata + 2, target.wire, target.len);
			zwire_put(&w, &set);
		} else {
			kit_owner(&w, kit_name(text).wire, 1, octets, i);
		}
	}
	return w;
}

static bool
count(void *arg, const struct store_mentioned *m)
{
	(void)m;
	++*(unsigned *)arg;
	return true;
}

static void
assert_is(
    struct kit_store *k, const struct store_zone *z, const struct wbuf *want, unsigned mentions)
{
	struct wbuf got = wbuf_grow(1 << 20);
	uint8_t last[255];
	const uint8_t *after = NULL;
	struct store_zone row;
	unsigned n = 0;

	OK(store_zone_by_id(k->s, z->id, &row));
	assert_memory_equal(&row, z, sizeof row);
	assert_int_equal(row.bytes, want->len);
	while (store_content_get(k->s, z->id, after, 4096, &got, last) == NS_OK)
		after = last;
	assert_int_equal(got.len, want->len);
	assert_memory_equal(got.base, want->base, got.len);
	OK(store_mention_each(k->s, STORE_ALIASES, NULL, 0, count, &n));
	assert_int_equal(n, mentions);
	kit_assert_sound(k->s);
	wbuf_free(&got);
}

static void
test_sizes(void **state)
{
	static const struct {
		unsigned from, to;
		size_t octets;
		bool alias;
		uint64_t parts;
	} steps[] = {
		{ 5, 10, 20, false, 1 }, /* into an empty zone */
		{ 5, 12, 25, true, 1 }, /* in place */
		{ 5, 12, 30, false, 1 },
		{ 2, 12, 30, true, 1 }, /* another first owner */
		{ 2, 400, 100, false, 4 }, /* more than a part */
		{ 3, 50, 100, false, 1 },
		{ 3, 50, 100, true, 1 },
	};
	struct kit_store *k = *state;
	struct store_zone z;

	OK(store_begin(k->s, NULL));
	z = kit_new_zone(k, "example.", 0);
	OK(store_commit(k->s, NULL));
	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
		struct wbuf w =
		    content(steps[i].from, steps[i].to, steps[i].octets, steps[i].alias);

		OK(store_begin(k->s, NULL));
		z.version = kit_append(k, "body", z.id);
		z.serial = (uint32_t)i + 7;
		z.account = (uint32_t)i;
		z.changed_ms = (int64_t)i;
		OK(store_zone_write(k->s, &z, w.base, w.len, NULL));
		OK(store_commit(k->s, NULL));
		assert_int_equal(kit_part_count(k), steps[i].parts);
		assert_is(k, &z, &w, steps[i].alias);
		wbuf_free(&w);
	}
}

/* Two parts that together are no more than one may hold. */
static void
test_two_small_parts(void **state)
{
	struct kit_store *k = *state;
	struct wbuf w = content(0, 160, 100, false), less = content(40, 160, 100, false);
	struct store_zone z;
	char text[32];

	OK(store_begin(k->s, NULL));
	z = kit_new_zone(k, "example.", 1);
	OK(store_content_put(k->s, z.id, true, w.base, w.len, NULL));
	for (unsigned i = 0; i < 40; i++) {
		snprintf(text, sizeof text, "h%04u.example.", i);
		OK(store_owner_put(k->s, z.id, kit_name(text).wire, NULL, 0, NULL));
	}
	z.version = kit_append(k, "body", z.id);
	OK(store_zone_put(k->s, &z, NULL));
	OK(store_commit(k->s, NULL));
	assert_int_equal(kit_part_count(k), 2);
	assert_true(z.bytes <= STORE_PART);
	OK(store_begin(k->s, NULL));
	z.version = kit_append(k, "body", z.id);
	OK(store_zone_write(k->s, &z, less.base, less.len, NULL));
	OK(store_commit(k->s, NULL));
	assert_is(k, &z, &less, 0);
	wbuf_free(&w);
	wbuf_free(&less);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_sizes, kit_set_up, kit_tear_down),
		cmocka_unit_test_setup_teardown(test_two_small_parts, kit_set_up, kit_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
