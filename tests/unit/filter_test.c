/* The filter grammar of lists (console.md 5.2): one row a question. */
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
	bool is_signed, match;
} rows[] = {
	{ "", "example.com.", false, true },
	{ "  ", "example.com.", false, true },
	{ "ample", "example.com.", false, true },
	{ "AMPLE", "example.com.", false, true },
	{ "sample", "example.com.", false, false },
	{ "^exam", "example.com.", false, true },
	{ "^ample", "example.com.", false, false },
	{ "^example.com.", "example.com.", false, true },
	{ "com.", "example.com.", false, true },
	{ "exam com", "example.com.", false, true },
	{ "exam org", "example.com.", false, false },
	{ "-org", "example.com.", false, true },
	{ "-com", "example.com.", false, false },
	{ "exam -^x", "example.com.", false, true },
	{ "*.example.*", "a.example.com.", false, true },
	{ "*.example.*", "example.com.", false, false },
	{ "*.com", "example.com.", false, true },
	{ "*.com.", "example.com.", false, true },
	{ "*.co", "example.com.", false, false },
	{ "exampl?.com", "example.com.", false, true },
	{ "-*.com", "example.com.", false, false },
	{ "*a*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.", false, false },
	{ "~^e.*m$", "example.com.", false, true },
	{ "~\\.(com|net)$", "example.com.", false, true },
	{ "~\\.(org|net)$", "example.com.", false, false },
	{ "-~com$", "example.com.", false, false },
	{ "dnssec:on", "example.com.", true, true },
	{ "dnssec:on", "example.com.", false, false },
	{ "dnssec:off exam", "example.com.", false, true },
	{ "-dnssec:on", "example.com.", false, true },
	{ ".", ".", false, true },
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
		if (filter_match(f, rows[i].name, rows[i].is_signed) != rows[i].match)
			fail_msg("\"%s\" on %s", rows[i].filter, rows[i].name);
		filter_destroy(&f);
		assert_null(f);
	}
}

static void
refused(void **state)
{
	static const char *const bad[] = { "~(", "~a{2}", "~(a)\\1", "^", "-", "~", "-^", "tag:x",
		"~((((((a+)+)+)+)+)+)+", "~a+++++++", "dnssec:maybe",
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
		assert_false(filter_match(f, name, false));
	}
	assert_in_range(mallinfo2().uordblks - before, 0, 8u << 20);
	filter_destroy(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(matches),
		cmocka_unit_test(refused),
		cmocka_unit_test(expression_keeps_its_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
