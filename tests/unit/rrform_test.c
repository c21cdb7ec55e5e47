/* Records in forms: every type's data goes into fields and comes back as it was, and what is wrong is said at once
 * with the appliance's codes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "appliance/dns/rrtype.h"
#include "console/core/rrform.h"

static void
split(const char *type, const char *rdata, char *out[RR_FIELDS])
{
	rr_split(rr_form_of(type), rdata, out);
}

static void
free_fields(char *fields[RR_FIELDS])
{
	for (unsigned i = 0; i < RR_FIELDS; i++)
		free(fields[i]);
}

static void
there_and_back(void **state)
{
	static const char *const rows[][2] = { { "A", "192.0.2.1" }, { "AAAA", "2001:db8::1" },
		{ "CNAME", "host.example.net." }, { "ALIAS", "host.example.net." },
		{ "MX", "10 mx1.example.com." }, { "TXT", "\"v=spf1 -all\"" },
		{ "TXT", "\"one\" \"two\"" }, { "TXT", "\"\"" },
		{ "TXT", "\"a \\\"b\\\" \\\\ \\200\"" }, { "TXT", "\"\\\"x\\\"\"" },
		{ "SRV", "10 60 5060 sip1.example.com." },
		{ "CAA", "0 issue \"letsencrypt.org; validationmethods=dns-01\"" },
		{ "HTTPS", "1 . alpn=\"h2,h3\" ipv4hint=192.0.2.40" },
		{ "SVCB", "0 svc.example.net." }, { "NS", "ns1.example.com." },
		{ "PTR", "h.example.com." }, { "TLSA", "3 1 1 0123456789ABCDEF 00" },
		{ "SSHFP", "4 2 01ab" }, { "DS", "40713 13 2 4B9F" },
		{ "NAPTR", "100 10 \"u\" \"E2U+sip\" \"!^.*$!sip:info@example.com!\" ." },
		{ "NAPTR", "100 10 \"\" \"\" \"\" next.example.com." },
		{ "LOC", "52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m" },
		{ "LOC", "52 N 4 E 0m" }, { "URI", "10 1 \"https://example.com/a b\"" },
		{ "DNAME", "other.example." }, { "TYPE65280", "\\# 4 C0000201" },
		{ "A", "\\# 4 C0000201" }, { "MX", "\\# 4 000a 00ff" },
		{ "SOA", "ns1.e. h.e. 1 7200 3600 1209600 300" }, { "HINFO", "\"cpu\" \"os\"" } };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char *fields[RR_FIELDS], *back;

		split(rows[i][0], rows[i][1], fields);
		back = rr_join(rr_form_of(rows[i][0]), fields);
		/* An empty string of an optional field is left out; the others are as they were. */
		if (strstr(rows[i][1], "\"\" ") == NULL && strcmp(rows[i][1], "\"\"") != 0)
			assert_string_equal(back, rows[i][1]);
		free(back);
		free_fields(fields);
	}
}

static void
fields(void **state)
{
	char *f[RR_FIELDS], *back;

	(void)state;
	split("TXT", "\"v=spf1 -all\"", f);
	assert_string_equal(f[0], "v=spf1 -all");
	free_fields(f);
	split("LOC", "52 22 23.000 N 4 53 32.000 E -2.00m", f);
	assert_string_equal(f[0], "52 22 23.000 N");
	assert_string_equal(f[1], "4 53 32.000 E");
	assert_string_equal(f[2], "-2.00m");
	assert_string_equal(f[3], "");
	free_fields(f);
	split("NAPTR", "1 2 \"u\" \"E2U+sip\" \"!a b!c!\" .", f);
	assert_string_equal(f[4], "!a b!c!");
	assert_string_equal(f[5], ".");
	free_fields(f);
	/* Quotes are made, and pieces of 255 octets, where \DDD is one. */
	char *typed[RR_FIELDS] = { malloc(4 * 600) };
	strcpy(typed[0], "\\200");
	for (int i = 0; i < 259; i++)
		strcat(typed[0], "x");
	back = rr_join(rr_form_of("TXT"), typed);
	assert_true(strncmp(back, "\"\\200xxx", 8) == 0);
	assert_ptr_equal(strstr(back, "\" \""), back + 1 + 4 + 254);
	free(back);
	strcpy(typed[0], "say \"hi\"");
	back = rr_join(rr_form_of("TXT"), typed);
	assert_string_equal(back, "\"say \\\"hi\\\"\"");
	free(back);
	free(typed[0]);
}

static void
checks(void **state)
{
	static const struct {
		const char *type;
		unsigned field;
		const char *text, *why; /* NULL: nothing is wrong */
	} rows[] = { { "A", 0, "192.0.2.1", NULL }, { "A", 0, " 192.0.2.1 ", NULL },
		{ "A", 0, "192.0.2.300",
		    "E1102 not an IPv4 address: octet 4 is 300, must be 0-255" },
		{ "A", 0, "192.0.2", "E1102" }, { "A", 0, "x", "E1102" },
		{ "A", 0, "99999999999999", "E1102" }, { "A", 0, "\\# 4 C0000201", NULL },
		{ "AAAA", 0, "2001:db8::1", NULL }, { "AAAA", 0, "2001:db8", "E1103" },
		{ "MX", 0, "10", NULL }, { "MX", 0, "70000", "E1105 a number from 0 to 65535" },
		{ "MX", 0, "-1", "E1105" }, { "MX", 0, "1 0", "E1105" }, { "MX", 0, "", "E1104" },
		{ "MX", 1, ".", NULL }, { "MX", 1, "a..b.", "E1101" }, { "MX", 1, "a b.", "E1101" },
		{ "MX", 1, "a\\ b.", NULL }, { "MX", 1, "a\\.b.", NULL },
		{ "TLSA", 0, "256", "E1105" }, { "TLSA", 3, "0a 0B", NULL },
		{ "TLSA", 3, "0a0", "E1105 an odd" }, { "TLSA", 3, "xy", "E1105" },
		{ "CAA", 1, "issue wild", "E1105" }, { "HTTPS", 2, "", NULL },
		{ "HTTPS", 1, "", "E1104" } };
	char why[256];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const char *got = rr_check(&rr_form_of(rows[i].type)->fields[rows[i].field],
		    rows[i].text, why, sizeof why);

		if (rows[i].why == NULL)
			assert_null(got);
		else
			assert_non_null(strstr(got != NULL ? got : "", rows[i].why));
	}
}

static void
ttls(void **state)
{
	static const struct {
		const char *text;
		int64_t ttl; /* -1: none */
	} rows[] = { { "0", 0 }, { "300", 300 }, { "30m", 1800 }, { "12H", 43200 },
		{ "2d", 172800 }, { "1w", 604800 }, { "2147483647", 2147483647 },
		{ "2147483648", -1 }, { "", -1 }, { "-1", -1 }, { "5x", -1 }, { "5mm", -1 },
		{ "4000w", -1 }, { "99999999999", -1 } };
	uint32_t ttl;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		bool ok = rr_ttl(rows[i].text, &ttl);

		assert_int_equal(ok, rows[i].ttl >= 0);
		if (ok)
			assert_int_equal(ttl, rows[i].ttl);
	}
}

/* Fields bear the names that the appliance's refusals use, and there is a row for each type that has a form. */
static void
same_names_as_the_appliance(void **state)
{
	(void)state;
	for (const struct rr_form *f = rr_forms; f->type != NULL; f++) {
		const struct rrtype *t = rrtype_find(rrtype_from_text(f->type));
		char words[512];

		assert_non_null(t);
		assert_int_equal(f->single, (t->flags & RRT_SINGLE) != 0);
		if (strcmp(f->type, "LOC") == 0) /* its text is in another order than its fields */
			continue;
		words[0] = '\0';
		for (unsigned i = 0; i < rr_fields(f); i++)
			snprintf(words + strlen(words), sizeof words - strlen(words), "%s%s",
			    i > 0 ? " " : "", f->fields[i].name);
		assert_string_equal(words, t->words);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(fields),
		cmocka_unit_test(checks),
		cmocka_unit_test(ttls),
		cmocka_unit_test(same_names_as_the_appliance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
