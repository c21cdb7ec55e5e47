/* policy_test - a policy's text, its form, and what each of them refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "appliance/dns/policy.h"
#include "appliance/dns/rrtype.h"
#include "appliance/dns/text_policy.h"
#include "appliance/dns/zonetext.h"

#define A1  "{\"value\":\"192.0.2.1\"}"
#define A2  "{\"value\":\"192.0.2.2\",\"check\":\"c2\"}"
#define ONE "\"pools\":{\"p\":{\"answers\":[" A1 "]}}"
#define TWO "\"pools\":{\"p\":{\"answers\":[" A2 "]},\"q\":{\"answers\":[" A1 "]}}"

static uint8_t form[UINT16_MAX];

static enum ns_err
read_text(const char *text, size_t *len, struct ns_why *why)
{
	return rdata_from_text(
	    RR_NSPOLICY, text, (const uint8_t *)"", true, form, sizeof form, len, why);
}

/* What comes out reads back to the same octets. */
static void
test_round_trip(void **state)
{
	static const char *const texts[] = {
		"A {" ONE ",\"root\":{\"pool\":\"p\"}}",
		"A {\"ttl\":5," TWO
		",\"root\":{\"use\":\"failover\",\"order\":[{\"pool\":\"p\"},{\"pool\":\"q\"}]}}",
		"MX "
		"{\"pools\":{\"p\":{\"serve\":2,\"min_healthy\":\"50%\",\"when_down\":\"last\","
		"\"answers\":[{"
		"\"value\":\"10 mx1.example.\",\"weight\":0},{\"value\":\"20 "
		"mx2.example.\"}]}},\"root\":{"
		"\"pool\":\"p\"}}",
		"TXT "
		"{\"pools\":{\"p\":{\"when_down\":{\"pool\":\"q\"},\"answers\":[{\"value\":\"\\\"a;"
		" b\\\"\"}]"
		"},\"q\":{\"when_down\":\"closed\",\"answers\":[{\"value\":\"b\"}]}},\"root\":{"
		"\"use\":"
		"\"weighted\",\"sticky\":\"network\",\"branches\":[{\"weight\":70,\"then\":{"
		"\"pool\":\"p\"}},{"
		"\"weight\":0,\"then\":{\"use\":\"latency\",\"branches\":[{\"then\":{\"pool\":"
		"\"p\"}},{\"then\":{"
		"\"pool\":\"q\"}}]}}]}}",
		"AAAA "
		"{\"pools\":{\"p\":{\"answers\":[{\"value\":\"2001:db8::1\"}]}},\"root\":{\"use\":"
		"\"geo\","
		"\"fallback\":\"none\",\"rules\":[{\"match\":[\"cidr:192.0.2.0/"
		"24\",\"cidr:2001:db8::/32\","
		"\"asn:64500\",\"city:2950159\",\"subdivision:US-CA\",\"country:de\",\"continent:"
		"EU\"],\"then\":"
		"{\"pool\":\"p\"}}],\"default\":{\"pool\":\"p\"}}}",
		"CNAME "
		"{\"pools\":{\"p\":{\"serve\":\"one\",\"answers\":[{\"value\":\"a.example.\"},{"
		"\"value\":"
		"\"b.example.\"}]}},\"root\":{\"pool\":\"p\"}}",
	};
	static char text[1 << 17];
	static uint8_t first[UINT16_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		struct ns_why why = { 0 };
		size_t len = 0, again;

		if (read_text(texts[i], &len, &why) != NS_OK)
			fail_msg("%s: %s", texts[i], why.text);
		assert_null(policy_check(form, len));
		memcpy(first, form, len);
		assert_true(rdata_to_text(RR_NSPOLICY, form, len, text, sizeof text));
		assert_null(strchr(text, '\n'));
		if (read_text(text, &again, &why) != NS_OK)
			fail_msg("%s: %s", text, why.text);
		assert_int_equal(again, len);
		assert_memory_equal(first, form, len);
	}
}

static void
test_refusals(void **state)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{ "A {", "not JSON" },
		{ "A []", "an object is expected" },
		{ "NS {" ONE ",\"root\":{\"pool\":\"p\"}}", "no type that a policy" },
		{ "NSPOLICY {" ONE ",\"root\":{\"pool\":\"p\"}}", "no type that a policy" },
		{ "A {" ONE "}", "root: a node is" },
		{ "A {\"root\":{\"pool\":\"p\"}}", "pools: there is no pool" },
		{ "A {" ONE ",\"root\":{\"pool\":\"x\"}}", "root: there is no pool \"x\"" },
		{ "A {" ONE ",\"root\":{\"pool\":\"p\"},\"tll\":3}", "no member \"tll\"" },
		{ "A {" ONE ",\"root\":{\"pool\":\"p\"},\"\":3}", "no member \"\"" },
		{ "A {" ONE ",\"root\":{\"pool\":\"p\"},\"root pools\":3}",
		    "no member \"root pools\"" },
		{ "A {" ONE ",\"root\":{\"pool\":\"p\"},\"ttl\":-3}", "ttl: a whole number" },
		{ "A {" TWO ",\"root\":{\"pool\":\"p\"}}", "pools.q: it is never reached" },
		{ "A {\"pools\":{\"p\":{\"answers\":[]}},\"root\":{\"pool\":\"p\"}}",
		    "pools.p: the pool is empty" },
		{ "AAAA {" ONE ",\"root\":{\"pool\":\"p\"}}",
		    "pools.p.answers[0]: \"192.0.2.1\" is no AAAA" },
		{ "MX {\"pools\":{\"p\":{\"answers\":[{\"value\":\"10 "
		  "mx\"}]}},\"root\":{\"pool\":\"p\"}}",
		    "absolute" },
		{ "A {" TWO
		  ",\"root\":{\"use\":\"failover\",\"order\":[{\"pool\":\"q\"},{\"pool\":\"p\"}]}}",
		    "root.order[1]: it is never reached" },
		{ "A {" ONE ",\"root\":{\"use\":\"geo\",\"rules\":[{\"match\":[\"country:DE\"],"
		  "\"then\":{\"pool\":\"p\"}}"
		  ",{\"match\":[\"country:de\"],\"then\":{\"pool\":\"p\"}}],\"default\":{\"pool\":"
		  "\"p\"}}}",
		    "root.rules[1].match[0]: country:de stands here twice" },
		{ "A {" ONE ",\"root\":{\"use\":\"geo\",\"rules\":[{\"match\":[\"cidr:10.0.0.1/"
		  "8\"],\"then\":{\"pool\":"
		  "\"p\"}}],\"default\":{\"pool\":\"p\"}}}",
		    "is no place" },
		{ "A {" ONE ",\"root\":{\"use\":\"geo\",\"rules\":[{\"match\":[],\"then\":{"
		  "\"pool\":\"p\"}}],\"default\":"
		  "{\"pool\":\"p\"}}}",
		    "matches nothing" },
		{ "A {" ONE ",\"root\":{\"use\":\"geo\",\"rules\":[{\"match\":[\"asn:1\"],\"then\":"
		  "{\"pool\":\"p\"}}]}}",
		    "root.default: is missing" },
		{ "A {" ONE ",\"root\":{\"use\":\"weighted\",\"branches\":[{\"weight\":70000,"
		  "\"then\":{\"pool\":\"p\"}}]"
		  "}}",
		    "root.branches[0]: weight" },
		{ "A {\"pools\":{\"p\":{\"min_healthy\":2,\"answers\":[" A1
		  "]}},\"root\":{\"pool\":\"p\"}}",
		    "min_healthy" },
		{ "A {\"pools\":{\"p\":{\"when_down\":{\"pool\":\"q\"},\"answers\":[" A2
		  "]},\"q\":{\"when_down\":{\"pool\":\"p\"},\"answers\":[" A2
		  "]}},\"root\":{\"pool\":\"p\"}}",
		    "in a circle" },
		{ "CNAME "
		  "{\"pools\":{\"p\":{\"answers\":[{\"value\":\"a.\"},{\"value\":\"b.\"}]}},"
		  "\"root\":{"
		  "\"pool\":\"p\"}}",
		    "one CNAME at most" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct ns_why why = { 0 };
		size_t len;

		assert_int_equal(read_text(cases[i].text, &len, &why), NS_INVALID);
		if (strstr(why.text, cases[i].says) == NULL)
			fail_msg("%s: \"%s\" does not say \"%s\"", cases[i].text, why.text,
			    cases[i].says);
	}
}

static void
test_depth(void **state)
{
	char text[4096] = "";
	struct ns_why why = { 0 };
	size_t len;

	(void)state;
	for (unsigned depth = POLICY_DEPTH; depth <= POLICY_DEPTH + 1; depth++) {
		snprintf(text, sizeof text, "A {" ONE ",\"root\":");
		for (unsigned i = 0; i < depth; i++)
			strncat(text, "{\"use\":\"latency\",\"branches\":[{\"then\":", 100);
		strncat(text, "{\"pool\":\"p\"}", 100);
		for (unsigned i = 0; i < depth; i++)
			strncat(text, "}]}", 100);
		strncat(text, "}", 100);
		assert_int_equal(
		    read_text(text, &len, &why), depth <= POLICY_DEPTH ? NS_OK : NS_INVALID);
	}
	assert_non_null(strstr(why.text, "deep"));
}

/* Any octet changed: refused, or still something that can be printed. */
static void
test_damage(void **state)
{
	static const char text[] =
	    "A {" TWO ",\"root\":{\"use\":\"geo\",\"rules\":[{\"match\":[\"country:DE\"],\"then\":{"
	    "\"use\":\"failover\","
	    "\"order\":[{\"pool\":\"p\"},{\"pool\":\"q\"}]}}],\"default\":{\"pool\":\"q\"}}}";
	static char out[1 << 17];
	size_t len;
	unsigned refused = 0;

	(void)state;
	assert_int_equal(read_text(text, &len, NULL), NS_OK);
	for (size_t i = 0; i < len; i++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			form[i] ^= (uint8_t)(1u << bit);
			if (policy_check(form, len) != NULL)
				refused++;
			else
				assert_true(rdata_to_text(RR_NSPOLICY, form, len, out, sizeof out));
			form[i] ^= (uint8_t)(1u << bit);
		}
	}
	assert_true(refused > len);
	for (size_t i = 0; i < len; i++)
		assert_true(policy_check(form, i) != NULL || i == len);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
