/* The filter grammar of lists: one row a question. */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "appliance/sync/filter.h"

// link: appliance/sync/filter.c

static const struct {
	const char *filter, *name;
	unsigned facts;
	bool match;
} rows[] = {
	{ "", "example.com.", 0, true },
	{ "  ", "example.com.", 0, true },
	{ "ample", "example.com.", 0, true },
	{ "AMPLE", "example.com.", 0, true },
	{ "sample", "example.com.", 0, false },
	{ "^exam", "example.com.", 0, true },
	{ "^ample", "example.com.", 0, false },
	{ "^example.com.", "example.com.", 0, true },
	{ "com.", "example.com.", 0, true },
	{ "exam com", "example.com.", 0, true },
	{ "exam org", "example.com.", 0, false },
	{ "-org", "example.com.", 0, true },
	{ "-com", "example.com.", 0, false },
	{ "exam -^x", "example.com.", 0, true },
	{ "*.example.*", "a.example.com.", 0, true },
	{ "*.example.*", "example.com.", 0, false },
	{ "*.com", "example.com.", 0, true },
	{ "*.com.", "example.com.", 0, true },
	{ "*.co", "example.com.", 0, false },
	{ "exampl?.com", "example.com.", 0, true },
	{ "-*.com", "example.com.", 0, false },
	{ "*a*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.", 0, false },
	{ "~^e.*m$", "example.com.", 0, true },
	{ "~\\.(com|net)$", "example.com.", 0, true },
	{ "~\\.(org|net)$", "example.com.", 0, false },
	{ "-~com$", "example.com.", 0, false },
	{ "dnssec:on", "example.com.", FILTER_SIGNED, true },
	{ "dnssec:on", "example.com.", 0, false },
	{ "dnssec:off exam", "example.com.", 0, true },
	{ "-dnssec:on", "example.com.", 0, true },
	{ ".", ".", 0, true },
	{ "dnssec:bad", "example.com.", FILTER_DNSSEC_BAD, true },
	{ "dnssec:bad", "example.com.", FILTER_SIGNED | FILTER_HEALTH_BAD, false },
	{ "-dnssec:bad", "example.com.", FILTER_SIGNED, true },
	{ "health:bad exam", "example.com.", FILTER_HEALTH_BAD, true },
	{ "health:bad", "example.com.", FILTER_DNSSEC_BAD, false },
	{ "-health:bad", "example.com.", 0, true },
};

static void
matches(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct ns_why why = { 0 };
		struct filter *f = filter_new(rows[i].filter, &why);

		if (f == NULL)
			fail_msg("\"%s\" is refused: %s", rows[i].filter, why.text);
		if (filter_match(f, rows[i].name, rows[i].facts) != rows[i].match)
			fail_msg("\"%s\" on %s", rows[i].filter, rows[i].name);
		filter_destroy(&f);
		assert_null(f);
	}
}

static void
wants_what_it_asks_for(void **state)
{
	struct filter *f = filter_new("shop -dnssec:bad health:bad", &(struct ns_why){ 0 });

	(void)state;
	assert_int_equal(filter_wants(f), FILTER_DNSSEC_BAD | FILTER_HEALTH_BAD);
	filter_destroy(&f);
	f = filter_new("shop", &(struct ns_why){ 0 });
	assert_int_equal(filter_wants(f), 0);
	filter_destroy(&f);
}

static void
refused(void **state)
{
	static const char *const bad[] = { "~(", "~a{2}", "~(a)\\1", "^", "-", "~", "-^", "tag:x",
		"~((((((a+)+)+)+)+)+)+", "~a+++++++", "dnssec:maybe", "health:ok",
		"1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17" };
	char longest[FILTER_WORD + 2];
	struct ns_why why = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct filter *f = filter_new(bad[i], &why);

		if (f != NULL)
			fail_msg("\"%s\" is accepted", bad[i]);
		assert_int_equal(why.err, NS_USAGE);
		assert_int_equal(why.code, 2201);
	}
	memset(longest, 'a', sizeof longest);
	longest[FILTER_WORD + 1] = '\0';
	assert_null(filter_new(longest, &why));
	longest[FILTER_WORD] = '\0';
	struct filter *f = filter_new(longest, &why);
	assert_non_null(f);
	assert_false(filter_all(f));
	filter_destroy(&f);
}

/* glibc keeps a set of states for each prefix of each name. */
static void
expression_keeps_its_memory(void **state)
{
	struct filter *f = filter_new("~.*[a-m]............[0-9]", &(struct ns_why){ 0 });
	size_t before = mallinfo2().uordblks;
	uint32_t seed = 1;
	char name[32] = "";

	(void)state;
	assert_non_null(f);
	for (int i = 0; i < 3000; i++) {
		for (size_t at = 0; at < sizeof name - 1; at++) {
			seed = seed * 1103515245u + 12345u;
			name[at] = (char)('a' + (seed >> 16) % 26);
		}
		assert_false(filter_match(f, name, 0));
	}
	assert_in_range(mallinfo2().uordblks - before, 0, 8u << 20);
	filter_destroy(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(matches),
		cmocka_unit_test(wants_what_it_asks_for),
		cmocka_unit_test(refused),
		cmocka_unit_test(expression_keeps_its_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
