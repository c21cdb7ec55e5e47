/* Checks in forms: every kind's fields go into texts and come back as they were, and the appliance's rules take them. */
// link: appliance/sync/checkrule.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "appliance/sync/checks.h"
#include "console/core/checkform.h"

static const struct {
	const char *kind, *fields[6][2]; /* name, text */
} rows[] = { { "http", { { "target", "192.0.2.1" }, { "headers", "X-A: 1 | X-B: 2" },
			   { "expect", "200-299,301" } } },
	{ "https",
	    { { "target", "2001:db8::1" }, { "host", "www.example.com" }, { "cert_days_left", "3" },
		{ "verify_tls", "yes" }, { "interval", "2.5" } } },
	{ "tcp", { { "target", "192.0.2.1" }, { "port", "25" }, { "expect", "220" },
		     { "send", "EHLO x\\r\\n" } } },
	{ "tls", { { "target", "192.0.2.1" }, { "verify_tls", "no" } } },
	{ "icmp", { { "target", "192.0.2.1" }, { "probers", "all" }, { "control", "yes" } } },
	{ "dns",
	    { { "target", "192.0.2.1" }, { "query", "example.com" }, { "query_type", "MX" } } },
	{ "calculated", { { "of", "a b" }, { "at_least", "2" } } },
	{ "push", { { "initial", "up" } } } };

static const struct check_field *
field(const char *name)
{
	const struct check_field *f = check_fields;

	while (f->name != NULL && strcmp(f->name, name) != 0)
		f++;
	assert_non_null(f->name);
	return f;
}

static void
there_and_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		Ns__Check *c = calloc(1, sizeof *c);
		struct ns_why why = { 0 };
		Ns__Check copy;

		ns__check__init(c);
		assert_null(check_take(c, field("type"), rows[i].kind));
		for (size_t k = 0; k < 6 && rows[i].fields[k][0] != NULL; k++) {
			const struct check_field *f = field(rows[i].fields[k][0]);
			char *text;

			assert_true(check_has(rows[i].kind, f));
			assert_null(check_take(c, f, rows[i].fields[k][1]));
			assert_null(check_take(
			    c, f, rows[i].fields[k][1])); /* in place of what was there */
			text = check_text(c, f);
			assert_string_equal(text, rows[i].fields[k][1]);
			free(text);
		}
		copy = *c;
		if (check_rule(&copy, &why) != NS_OK)
			fail_msg("%s: %s", rows[i].kind, why.text);
		assert_true(check_about(rows[i].kind)[0] != '\0');
		ns__check__free_unpacked(c, NULL);
	}
}

/* A field that the form does not have for a kind is one that the appliance refuses, and the other way. */
static void
kinds_have_what_the_appliance_knows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		for (const struct check_field *f = check_fields + 1; f->name != NULL; f++) {
			Ns__Check *c = calloc(1, sizeof *c), copy;
			struct ns_why why = { 0 };

			if (strcmp(f->name, "verify_tls") == 0 ||
			    strcmp(f->name, "initial") ==
				0) { /* what others do not know is left out */
				free(c);
				continue;
			}
			ns__check__init(c);
			(void)check_take(c, field("type"), rows[i].kind);
			(void)check_take(c, f, strcmp(f->name, "control") == 0 ? "yes" : "7");
			copy = *c;
			(void)check_rule(&copy, &why);
			assert_int_equal(
			    strstr(why.text, " has no ") == NULL, check_has(rows[i].kind, f));
			ns__check__free_unpacked(c, NULL);
		}
	assert_true(check_has("none", check_fields));
	assert_false(check_has("none", check_fields + 1));
	assert_string_equal(check_about("none"), "");
}

static void
what_is_no_number(void **state)
{
	static const char *const bad[][2] = { { "port", "-1" }, { "port", "1x" }, { "port", "1e3" },
		{ "port", "9999999999" }, { "interval", "1.2.3" }, { "interval", "x" },
		{ "interval", "-1" } };
	Ns__Check c = NS__CHECK__INIT;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_non_null(check_take(&c, field(bad[i][0]), bad[i][1]));
	assert_null(check_take(&c, field("port"), " 80 "));
	assert_int_equal(c.port, 80);
	assert_null(check_take(&c, field("port"), ""));
	assert_int_equal(c.port, 0);
}

static void
json_leaves_defaults_out(void **state)
{
	static const struct {
		const char *kind, *field, *text, *json;
	} told[] = {
		{ "push", "initial", "up", "{\"type\": \"push\", \"initial\": \"up\"}" },
		{ "tls", "target", "192.0.2.1",
		    "{\"type\": \"tls\", \"target\": \"192.0.2.1\", \"verify_tls\": false}" },
		{ "calculated", "of", "a b", "{\"type\": \"calculated\", \"of\": [\"a\", \"b\"]}" },
		{ "icmp", "path", "/not its own", "{\"type\": \"icmp\"}" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof told / sizeof *told; i++) {
		Ns__Check *c = calloc(1, sizeof *c);
		char *json;

		ns__check__init(c);
		assert_null(check_take(c, field("type"), told[i].kind));
		assert_null(check_take(c, field(told[i].field), told[i].text));
		json = check_json(c);
		assert_string_equal(json, told[i].json);
		free(json);
		ns__check__free_unpacked(c, NULL);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(kinds_have_what_the_appliance_knows),
		cmocka_unit_test(what_is_no_number),
		cmocka_unit_test(json_leaves_defaults_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
