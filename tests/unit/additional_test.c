/* additional - that addresses go under the right names where a set could not be copied as it is rendered:
 * at the root, whose owner is one octet, and behind 16 KiB, where no pointer reaches. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "appliance/dns/rrtype.h"
#include "tests/lib/zonekit.h"

static struct zonekit kit;
static uint8_t reply[SERVE_TCP_MAX];

/* The answer as text; the caller frees. */
static char *
ask(const char *name, uint16_t type, bool tcp)
{
	uint8_t pkt[512];
	size_t len = zonekit_question(name, type, "", pkt);
	char *got;

	len = zonekit_ask(&kit, pkt, len, tcp, reply);
	got = zonekit_text(reply, len);
	assert_non_null(got);
	return got;
}

static void
at_the_root(void **state)
{
	static const char zone[] =
	    "$TTL 60\n@ SOA ns.x h.x 1 2 3 4 5\n@ NS ns.x\nns.x A 192.0.2.1\n"
	    "@ MX 1 a.b\na.b A 192.0.2.2\na.b AAAA 2001:db8::2\n";
	char *got;

	(void)state;
	zonekit_init(&kit, 64u << 20);
	zonekit_add(&kit, ".", zone, sizeof zone - 1, 1);
	zonekit_publish(&kit);
	got = ask(".", RR_NS, false);
	assert_string_equal(got, "0 aa\nAN . 60 IN NS ns.x.\nAR ns.x. 60 IN A 192.0.2.1\n");
	free(got);
	got = ask(".", RR_MX, false);
	assert_string_equal(got, "0 aa\nAN . 60 IN MX 1 a.b.\nAR a.b. 60 IN A 192.0.2.2\n"
				 "AR a.b. 60 IN AAAA 2001:db8::2\n");
	free(got);
	zonekit_fini(&kit);
}

/* A set of so many targets with addresses; whether each address is its target's. */
static void
check_set(unsigned targets)
{
	char name[64], line[128];
	unsigned with = 0;
	char *got;

	snprintf(name, sizeof name, "o%u.far.", targets);
	got = ask(name, RR_MX, true);
	assert_int_equal(get_u16(reply + 6), targets);
	for (unsigned i = 0; i < targets; i++) {
		snprintf(
		    line, sizeof line, "AR t%03u%050u.far. 60 IN A 10.0.0.%u\n", i, 0u, i % 250);
		with += strstr(got, line) != NULL;
	}
	assert_int_equal(with, get_u16(reply + 10));
	assert_in_range(with, 200, targets); /* those that a pointer reaches */
	free(got);
}

static void
behind_16_kib(void **state)
{
	struct wbuf text = wbuf_grow(1 << 22);
	char line[256];
	size_t n;

	(void)state;
	zonekit_init(&kit, 64u << 20);
	n = (size_t)snprintf(line, sizeof line, "$TTL 60\n@ SOA ns h 1 2 3 4 5\n@ NS ns.other.\n");
	wbuf_put(&text, line, n);
	for (unsigned i = 0; i < 240; i++) {
		n = (size_t)snprintf(line, sizeof line, "t%03u%050u A 10.0.0.%u\n", i, 0u, i % 250);
		wbuf_put(&text, line, n);
		for (unsigned set = i + 1; set <= 240; set++) {
			if (set < 220)
				continue;
			n = (size_t)snprintf(
			    line, sizeof line, "o%u MX %u t%03u%050u\n", set, i, i, 0u);
			wbuf_put(&text, line, n);
		}
	}
	zonekit_add(&kit, "far.", (const char *)text.base, text.len, 1);
	zonekit_publish(&kit);
	for (unsigned set = 220; set <= 240; set++)
		check_set(set);
	wbuf_free(&text);
	zonekit_fini(&kit);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(at_the_root),
		cmocka_unit_test(behind_16_kib),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
