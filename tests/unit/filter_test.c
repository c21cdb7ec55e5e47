/* The filter grammar of lists: one row a question. */
#include <malloc.h>
#include <math.h>
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
	{ "name:exam", "example.com.", 0, true },
	{ "-name:EXAM", "example.com.", 0, false },
	{ "draft:mine", "example.com.", FILTER_DRAFT, true },
	{ "draft:mine", "example.com.", FILTER_SIGNED, false },
	{ "-draft:mine", "example.com.", 0, true },
};

static void
matches(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct ns_why why = { 0 };
		struct filter *f = filter_new(FILTER_ZONES, rows[i].filter, &why);

		if (f == NULL)
			fail_msg("\"%s\" is refused: %s", rows[i].filter, why.text);
		struct filter_zone z = { .name = rows[i].name, .flags = rows[i].facts };

		if (filter_match(f, &z) != rows[i].match)
			fail_msg("\"%s\" on %s", rows[i].filter, rows[i].name);
		filter_destroy(&f);
		assert_null(f);
	}
}

static void
limits(void **state)
{
	static const struct {
		const char *filter;
		double qps;
		int64_t age_s;
		bool match;
	} zones[] = {
		{ "qps:>100", 100.5, 0, true },
		{ "qps:>100", 100, 0, false },
		{ "qps:>2k", 100, 0, false },
		{ "qps:<1", 0, 0, true },
		{ "-qps:<1", 7, 0, true },
		{ "qps:<1", NAN, 0, false },
		{ "qps:>0", NAN, 0, false },
		{ "changed:<1d", 0, 86399, true },
		{ "changed:<1d exam", 0, 86400, false },
		{ "changed:>30m", 0, 1801, true },
		{ "changed:>90", 0, 90, false },
		{ "changed:>2w -changed:>3w", 0, 15 * 86400, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof zones / sizeof zones[0]; i++) {
		struct ns_why why = { 0 };
		struct filter *f = filter_new(FILTER_ZONES, zones[i].filter, &why);
		struct filter_zone z = { "example.com.", 0, zones[i].qps, zones[i].age_s };

		if (f == NULL)
			fail_msg("\"%s\" is refused: %s", zones[i].filter, why.text);
		if (filter_match(f, &z) != zones[i].match)
			fail_msg("\"%s\" on %g, %d s", zones[i].filter, z.qps, (int)z.age_s);
		filter_destroy(&f);
	}
}

static void
wants_what_it_asks_for(void **state)
{
	struct filter *f =
	    filter_new(FILTER_ZONES, "shop -dnssec:bad health:bad", &(struct ns_why){ 0 });

	(void)state;
	assert_int_equal(filter_wants(f), FILTER_DNSSEC_BAD | FILTER_HEALTH_BAD);
	filter_destroy(&f);
	f = filter_new(FILTER_ZONES, "qps:>1 changed:<1d", &(struct ns_why){ 0 });
	assert_int_equal(filter_wants(f), FILTER_QPS | FILTER_CHANGED);
	filter_destroy(&f);
	f = filter_new(FILTER_ZONES, "shop", &(struct ns_why){ 0 });
	assert_int_equal(filter_wants(f), 0);
	filter_destroy(&f);
}

static void
rrsets(void **state)
{
	static char *mx[] = { (char *)(uintptr_t) "10 Mx2.example.com." },
		    *policy[] = { (char *)(uintptr_t) "A {\"pools\":{\"eu\":[\"192.0.2.20\"]}}" };
	const struct filter_rrset apex = { "example.com.", "@", "MX", mx, 1, true },
				  www = { "www.example.com.", "www", "NSPOLICY", policy, 1, false };
	static const struct {
		const char *filter;
		bool apex, www;
	} asked[] = {
		{ "example", true, true },
		{ "mx2", true, false },
		{ "192.0.2.20", false, true },
		{ "^www", false, true },
		{ "^www.example", false, true },
		{ "w*", false, true },
		{ "*.com", true, true },
		{ "@*", true, false },
		{ "~^w+$", false, true },
		{ "~^www\\.example", false, true },
		{ "type:mx", true, false },
		{ "-type:MX", false, true },
		{ "type:policy", false, true },
		{ "type:m", false, false },
		{ "policy:ww", false, true },
		{ "policy:x", false, false },
		{ "name:@", true, false },
		{ "name:example", false, false },
		{ "draft:mine", true, false },
		{ "type:MX -draft:mine", false, false },
	};
	static const char *const bad[] = { "dnssec:on", "qps:>1", "type:", "draft:any", "tag:x",
		"health:bad", "changed:<1d" };

	(void)state;
	for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++) {
		struct filter *f =
		    filter_new(FILTER_RRSETS, asked[i].filter, &(struct ns_why){ 0 });

		assert_non_null(f);
		if (filter_match_rrset(f, &apex) != asked[i].apex ||
		    filter_match_rrset(f, &www) != asked[i].www)
			fail_msg("\"%s\"", asked[i].filter);
		filter_destroy(&f);
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_null(filter_new(FILTER_RRSETS, bad[i], &(struct ns_why){ 0 }));
}

/* What there is elsewhere, or not at all, is said. */
static void
changes(void **state)
{
	static char *zones[] = { (char *)(uintptr_t) "shop.example.",
		(char *)(uintptr_t) "a.example." },
		    *check[] = { (char *)(uintptr_t) "EU-web-2" };
	const struct filter_change edit = { "ci-bot", "api", "2001:DB8::7", "fra1-a", "edit",
		"Cut over", 3600, zones, 2 },
				   probe = { "ann", "cli", "local", "ams1-a", "check", "", 90000,
					   check, 1 };
	static const struct {
		const char *filter;
		bool edit, probe;
	} asked[] = {
		{ "who:ci", true, false },
		{ "-who:CI", false, true },
		{ "via:cli", false, true },
		{ "via:cl", false, false },
		{ "from:2001:db8:", true, false },
		{ "from:LOCAL", false, true },
		{ "-from:local", true, false },
		{ "at:ams1", false, true },
		{ "at:1-a -at:fra", false, true },
		{ "kind:check", false, true },
		{ "since:1d", true, false },
		{ "-since:1d", false, true },
		{ "since:3600", true, false },
		{ "since:30m", false, false },
		{ "since:2d who:ann", false, true },
		{ "shop", true, false },
		{ "-shop", false, true },
		{ "eu-WEB", false, true },
		{ "name:cut", false, false },
		{ "cut", true, false },
		{ "^a.ex", true, false },
		{ "^eu", false, true },
		{ "*.example", true, false },
		{ "eu-*", false, true },
		{ "~^(shop|b)\\.", true, false },
	};
	static const char *const bad[] = { "since:", "since:yesterday", "since:<1d",
		"who:", "from:", "at:", "qps:>1", "changed:<1d", "type:MX", "dnssec:on",
		"draft:mine" };
	struct ns_why why;

	(void)state;
	for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++) {
		struct filter *f = filter_new(FILTER_CHANGES, asked[i].filter, &why);

		if (f == NULL)
			fail_msg("\"%s\" is refused: %s", asked[i].filter, why.text);
		if (filter_match_change(f, &edit) != asked[i].edit ||
		    filter_match_change(f, &probe) != asked[i].probe)
			fail_msg("\"%s\"", asked[i].filter);
		filter_destroy(&f);
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (filter_new(FILTER_CHANGES, bad[i], &why) != NULL)
			fail_msg("\"%s\" is accepted", bad[i]);
}

/* Names are read from a body only where a word asks for them, and the log no further back than it is asked for. */
static void
changes_are_read_no_further(void **state)
{
	struct filter_change head = { "ann", "cli", "", "", "edit", "", 60, NULL, 0 };
	struct filter *f =
	    filter_new(FILTER_CHANGES, "shop since:2d since:1d", &(struct ns_why){ 0 });

	(void)state;
	assert_true(filter_match_change(f, &head));
	assert_int_equal(filter_wants(f), FILTER_NAMES);
	assert_true(filter_since(f) == 86400);
	head.age_s = 90000;
	assert_false(filter_match_change(f, &head));
	filter_destroy(&f);
	f = filter_new(FILTER_CHANGES, "who:ann -since:1d", &(struct ns_why){ 0 });
	assert_int_equal(filter_wants(f), 0);
	assert_true(isinf(filter_since(f)));
	filter_destroy(&f);
}

static void
says_what_there_is(void **state)
{
	static const struct {
		enum filter_of of;
		const char *filter, *says;
	} told[] = {
		{ FILTER_ZONES, "tag:prod", "nothing has tags" },
		{ FILTER_ZONES, "type:MX", "of records" },
		{ FILTER_ZONES, "policy:www", "of records" },
		{ FILTER_ZONES, "draft:any", "draft:mine" },
		{ FILTER_ZONES, "colour:red", "changed:<1d" },
		{ FILTER_RRSETS, "qps:>1", "type:" },
		{ FILTER_CHANGES, "qps:>1", "who:ci" },
		{ FILTER_CHANGES, "since:soon", "since:1d" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof told / sizeof told[0]; i++) {
		struct ns_why why = { 0 };

		assert_null(filter_new(told[i].of, told[i].filter, &why));
		assert_non_null(strstr(why.text, told[i].says));
	}
}

static void
refused(void **state)
{
	static const char *const bad[] = { "~(", "~a{2}", "~(a)\\1", "^", "-", "~", "-^", "tag:x",
		"~((((((a+)+)+)+)+)+)+", "~a+++++++", "~^m*******.*******", "dnssec:maybe",
		"health:ok", "name:", "draft:any", "type:MX", "policy:www", "qps:", "qps:100",
		"qps:>", "qps:>x", "qps:>1d", "changed:<1y", "changed:1d", "qps:>9999999999999",
		"1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17" };
	char longest[FILTER_WORD + 2];
	struct ns_why why = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct filter *f = filter_new(FILTER_ZONES, bad[i], &why);

		if (f != NULL)
			fail_msg("\"%s\" is accepted", bad[i]);
		assert_int_equal(why.err, NS_USAGE);
		assert_int_equal(why.code, 2201);
	}
	memset(longest, 'a', sizeof longest);
	longest[FILTER_WORD + 1] = '\0';
	assert_null(filter_new(FILTER_ZONES, longest, &why));
	longest[FILTER_WORD] = '\0';
	struct filter *f = filter_new(FILTER_ZONES, longest, &why);
	assert_non_null(f);
	assert_false(filter_all(f));
	filter_destroy(&f);
}

/* glibc keeps a set of states for each prefix of each name. */
static void
expression_keeps_its_memory(void **state)
{
	struct filter *f =
	    filter_new(FILTER_ZONES, "~.*[a-m]............[0-9]", &(struct ns_why){ 0 });
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
		assert_false(filter_match(f, &(struct filter_zone){ .name = name }));
	}
	assert_in_range(mallinfo2().uordblks - before, 0, 8u << 20);
	filter_destroy(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(matches),
		cmocka_unit_test(limits),
		cmocka_unit_test(wants_what_it_asks_for),
		cmocka_unit_test(refused),
		cmocka_unit_test(rrsets),
		cmocka_unit_test(changes),
		cmocka_unit_test(changes_are_read_no_further),
		cmocka_unit_test(says_what_there_is),
		cmocka_unit_test(expression_keeps_its_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
