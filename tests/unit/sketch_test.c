/* sketch_test - the map with edits that nobody else sees: many zones, flat and tree, limits, refusals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "appliance/dns/name.h"
#include "appliance/dns/rrtype.h"
#include "appliance/zonemap/sketch.h"
#include "tests/lib/zonekit.h"

#define ZONES 600u /* several pages of slots */
#define HOSTS 4000u /* a tree */

static const char *
apex_of(unsigned i, char out[32])
{
	snprintf(out, 32, "z%u.example.", i);
	return out;
}

static void
add_zones(struct zonekit *k)
{
	struct wbuf big = wbuf_grow(SIZE_MAX / 2);
	char origin[32], line[96];

	for (unsigned i = 0; i < ZONES; i++) {
		int n = snprintf(line, sizeof line,
		    "@ 60 SOA ns h %u 2 3 4 60\nwww 60 A 10.0.%u.%u\n", 1, i >> 8, i & 255);

		zonekit_add(k, apex_of(i, origin), line, (size_t)n, 1);
	}
	wbuf_put(&big, "@ 60 SOA ns h 1 2 3 4 60\n", 25);
	for (unsigned i = 0; i < HOSTS; i++)
		wbuf_put(&big, line,
		    (size_t)snprintf(
			line, sizeof line, "h%u 60 A 10.1.%u.%u\n", i, i >> 8, i & 255));
	zonekit_add(k, "big.test.", (const char *)big.base, big.len, 1);
	wbuf_free(&big);
	zonekit_publish(k);
}

/* The first address of a name; 0: none, or no zone. */
static uint32_t
address(struct zonekit *k, const struct map_view *view, const char *name)
{
	static uint8_t out[SERVE_TCP_MAX];
	uint8_t pkt[512];
	struct map_view keep = k->view;
	size_t len;

	k->view = *view;
	len = zonekit_ask(k, pkt, zonekit_question(name, RR_A, "", pkt), true, out);
	k->view = keep;
	return len > 12 && out[7] == 1 ? get_u32(out + len - 4) : 0;
}

static enum ns_err
edit(struct sketch *sk, uint64_t version, const char *origin, const char *text, const char *gone)
{
	struct wbuf zwire = zonekit_zwire(origin, text, strlen(text));
	uint8_t apex[255], name[255];
	struct sketch_edit e = { .apex = zonekit_name(origin, apex),
		.base_version = version,
		.zwire = zwire.base,
		.len = zwire.len };
	struct ns_why why = { 0 };
	enum ns_err err;

	if (gone != NULL) {
		e.gone = zonekit_name(gone, name);
		e.gone_len = name_len(name);
	}
	err = sketch_zone(sk, &e, &why);
	wbuf_free(&zwire);
	return err;
}

#define SOA "@ 60 SOA ns h 2 2 3 4 60\n"

static void
test_edits(void **state)
{
	struct zonekit *k = *state;
	const struct map_view *v;
	struct sketch *sk;
	struct ns_why why;
	char name[48], origin[32];

	assert_int_equal(sketch_open(k->fd, SKETCH_MAX, &sk, &why), NS_OK);
	for (unsigned round = 0; round < 3; round++) {
		assert_int_equal(sketch_begin(sk, &why), NS_OK);
		v = sketch_view(sk);
		for (unsigned i = 0; i < ZONES; i += 7) {
			snprintf(name, sizeof name, "www.%s", apex_of(i, origin));
			assert_int_equal(edit(sk, 1, origin, SOA "new 60 A 10.9.9.9\n",
					     i % 2 == 0 ? NULL : name),
			    NS_OK);
		}
		assert_int_equal(edit(sk, 1, "big.test.",
				     SOA "h7 60 A 10.9.9.7\nh77 60 A 10.9.9.8\n", "h777.big.test."),
		    NS_OK);
		for (unsigned i = 0; i < ZONES; i++) {
			bool edited = i % 7 == 0;

			snprintf(name, sizeof name, "www.%s", apex_of(i, origin));
			assert_int_equal(
			    address(k, v, name), edited && i % 2 != 0 ? 0 : 0x0a000000u + i);
			assert_int_equal(address(k, &k->view, name), 0x0a000000u + i);
			snprintf(name, sizeof name, "new.%s", origin);
			assert_int_equal(address(k, v, name), edited ? 0x0a090909 : 0);
			assert_int_equal(address(k, &k->view, name), 0);
		}
		assert_int_equal(address(k, v, "h7.big.test."), 0x0a090907);
		assert_int_equal(address(k, v, "h77.big.test."), 0x0a090908);
		assert_int_equal(address(k, v, "h777.big.test."), 0);
		assert_int_equal(address(k, v, "h3999.big.test."), 0x0a010000 + 3999);
		/* The same zone twice: an edit of the edit. */
		assert_int_equal(edit(sk, 1, "big.test.", SOA "h8 60 A 10.9.9.1\n", NULL), NS_OK);
		assert_int_equal(address(k, v, "h8.big.test."), 0x0a090901);
		assert_int_equal(address(k, v, "h7.big.test."), 0x0a090907);
		sketch_end(sk);
		assert_int_equal(address(k, &k->view, "h7.big.test."), 0x0a010007);
	}
	sketch_close(&sk);
	writer_check(k->w);
}

static void
test_refusals(void **state)
{
	struct zonekit *k = *state;
	struct sketch *sk;
	struct ns_why why;
	enum ns_err err = NS_OK;

	assert_int_equal(sketch_open(k->fd, 64u << 10, &sk, &why), NS_OK);
	assert_int_equal(sketch_begin(sk, &why), NS_OK);
	assert_int_equal(edit(sk, 1, "none.test.", SOA, NULL), NS_NOTFOUND);
	assert_int_equal(edit(sk, 2, "z1.example.", SOA, NULL), NS_CONFLICT);
	/* At the limit: what went before stands. */
	assert_int_equal(edit(sk, 1, "z1.example.", SOA "www 60 A 10.9.9.9\n", NULL), NS_OK);
	for (unsigned i = 0; i < 20 && err == NS_OK; i++)
		err = edit(sk, 1, "big.test.", SOA "h7 60 A 10.9.9.7\n", NULL);
	assert_int_equal(err, NS_UNAVAILABLE);
	assert_int_equal(address(k, sketch_view(sk), "www.z1.example."), 0x0a090909);
	assert_int_equal(address(k, sketch_view(sk), "h7.big.test."), 0x0a090907);
	sketch_close(&sk);
}

/* What is published between two looks is seen by the next one. */
static void
test_follows_the_map(void **state)
{
	static const char text[] = "@ 60 SOA ns h 9 2 3 4 60\nwww 60 A 10.5.5.5\n";
	struct zonekit empty, *k = *state;
	struct sketch *sk;
	struct ns_why why;

	assert_int_equal(sketch_open(k->fd, SKETCH_MAX, &sk, &why), NS_OK);
	zonekit_add(k, "z3.example.", text, sizeof text - 1, 1);
	zonekit_publish(k);
	assert_int_equal(sketch_begin(sk, &why), NS_OK);
	assert_int_equal(address(k, sketch_view(sk), "www.z3.example."), 0x0a050505);
	assert_int_equal(edit(sk, 1, "z3.example.", SOA, NULL), NS_CONFLICT);
	assert_int_equal(edit(sk, 2, "z3.example.", SOA, "www.z3.example."), NS_OK);
	assert_int_equal(address(k, sketch_view(sk), "www.z3.example."), 0);
	sketch_close(&sk);

	zonekit_init(&empty, 64u << 20);
	assert_int_equal(sketch_open(empty.fd, SKETCH_MAX, &sk, &why), NS_OK);
	assert_int_equal(sketch_begin(sk, &why), NS_UNAVAILABLE);
	sketch_close(&sk);
	zonekit_fini(&empty);
}

static int
setup(void **state)
{
	struct zonekit *k = calloc(1, sizeof *k);

	zonekit_init(k, 256u << 20);
	add_zones(k);
	*state = k;
	return 0;
}

static int
teardown(void **state)
{
	zonekit_fini(*state);
	free(*state);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_edits),
		cmocka_unit_test(test_refusals), cmocka_unit_test(test_follows_the_map) };

	return cmocka_run_group_tests(tests, setup, teardown);
}
