/* policy_test - a policy's text, its form, and what each of them refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "appliance/dns/closure.h"
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

/* ---- how many different answers ---- */
#define V(n)                "{\"value\":\"192.0.2." #n "\"}"
#define C(n, c)             "{\"value\":\"192.0.2." #n "\",\"check\":\"" #c "\"}"
#define W(n, c, w)          "{\"value\":\"192.0.2." #n "\",\"check\":\"" #c "\",\"weight\":" #w "}"
#define POOL(answers, more) "{\"answers\":[" answers "]" more "}"
#define ROOT(root, pools)   "A {\"root\":" root ",\"pools\":{" pools "}}"
#define P(name)             "{\"pool\":\"" name "\"}"

static void
test_closure(void **state)
{
	static const struct {
		const char *text;
		unsigned n;
	} rows[] = {
		{ ROOT(P("p"), "\"p\":" POOL(V(1) "," V(2), "")), 1 },
		/* 12, 2, 1: all and each without one */
		{ ROOT(P("p"), "\"p\":" POOL(C(1, a) "," C(2, b), "")), 3 },
		/* one check for both: when it is down the pool is open */
		{ ROOT(P("p"), "\"p\":" POOL(C(1, a) "," C(2, a), "")), 1 },
		{ ROOT(P("p"), "\"p\":" POOL(C(1, a) "," C(2, a), ",\"when_down\":\"closed\"")),
		    1 },
		{ ROOT(P("p"), "\"p\":" POOL(C(1, a) "," C(2, b), ",\"serve\":\"one\"")), 2 },
		{ ROOT(P("p"), "\"p\":" POOL(V(1) "," V(2) "," V(3), ",\"serve\":2")), 3 },
		/* 12 23 31; without 1: 23; without 2: 13; without 3: 12 */
		{ ROOT(P("p"), "\"p\":" POOL(C(1, a) "," C(2, b) "," C(3, c), ",\"serve\":2")), 3 },
		/* weight 0 counts when the others are down */
		{ ROOT(P("p"), "\"p\":" POOL(W(1, a, 1) "," W(2, b, 0), ",\"serve\":\"one\"")), 2 },
		{ ROOT(P("p"), "\"p\":" POOL(W(1, a, 1) "," W(2, a, 0), "")), 1 },
		/* two are needed, and one down makes the pool down: open, or last: all of them */
		{ ROOT(P("p"), "\"p\":" POOL(C(1, a) "," C(2, b), ",\"min_healthy\":2")), 1 },
		{ ROOT(P("p"), "\"p\":" POOL(C(1, a) "," C(2, b),
				   ",\"min_healthy\":2,\"when_down\":\"last\"")),
		    1 },
		{ ROOT(P("p"), "\"p\":" POOL(C(1, a),
				   ",\"when_down\":{\"pool\":\"q\"}") ",\"q\":" POOL(V(9), "")),
		    2 },
		/* the second branch of a failover only when the first is down */
		{ ROOT("{\"use\":\"failover\",\"order\":[" P("p") "," P("q") "," P("r") "]}",
		      "\"p\":" POOL(C(1, a), "") ",\"q\":" POOL(C(2, b), "") ",\"r\":" POOL(
			  V(3), "")),
		    2 },
		{ ROOT("{\"use\":\"weighted\",\"branches\":[{\"weight\":1,\"then\":" P(
			   "p") "},{\"weight\":0,"
				"\"then\":" P("q") "}]}",
		      "\"p\":" POOL(V(1), "") ",\"q\":" POOL(V(2), "")),
		    1 },
		{ ROOT("{\"use\":\"latency\",\"branches\":[{\"then\":" P("p") "},{\"then\":" P(
			   "q") "}]}",
		      "\"p\":" POOL(C(1, a), "") ",\"q\":" POOL(C(2, a), "")),
		    2 },
		{ ROOT("{\"use\":\"geo\",\"rules\":[{\"match\":[\"country:DE\"],\"then\":" P(
			   "p") "}],"
				"\"default\":" P("q") "}",
		      "\"p\":" POOL(C(1, a), ",\"when_down\":{\"pool\":\"s\"}") ",\"q\":" POOL(
			  V(2), "") ",\"s\":" POOL(V(3), "")),
		    2 },
		{ ROOT("{\"use\":\"geo\",\"fallback\":\"none\",\"rules\":[{\"match\":[\"country:"
		       "DE\"],\"then\":" P("p") "}],\"default\":" P("q") "}",
		      "\"p\":" POOL(C(1, a), ",\"when_down\":{\"pool\":\"s\"}") ",\"q\":" POOL(
			  V(2), "") ",\"s\":" POOL(V(3), "")),
		    3 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct ns_why why = { 0 };
		struct policy po;
		size_t len;

		if (read_text(rows[i].text, &len, &why) != NS_OK)
			fail_msg("row %zu: %s", i, why.text);
		assert_true(policy_open(&po, form, len));
		if (policy_closure(&po) != rows[i].n)
			fail_msg("row %zu: %u, not %u", i, policy_closure(&po), rows[i].n);
	}
}

/* 64 pools, each of 8 answers with checks of which 4 are given: far too many. */
static void
test_closure_is_bounded(void **state)
{
	char *text = test_malloc(1u << 17);
	size_t n, len;
	struct ns_why why = { 0 };
	struct policy po;

	(void)state;
	n = (size_t)sprintf(text, "TXT {\"root\":{\"use\":\"latency\",\"branches\":[");
	for (unsigned p = 0; p < 64; p++)
		n += (size_t)sprintf(
		    text + n, "%s{\"then\":{\"pool\":\"p%u\"}}", p > 0 ? "," : "", p);
	n += (size_t)sprintf(text + n, "]},\"pools\":{");
	for (unsigned p = 0; p < 64; p++) {
		n += (size_t)sprintf(
		    text + n, "%s\"p%u\":{\"serve\":4,\"answers\":[", p > 0 ? "," : "", p);
		for (unsigned a = 0; a < 8; a++)
			n += (size_t)sprintf(text + n, "%s{\"value\":\"v%u\",\"check\":\"c%u\"}",
			    a > 0 ? "," : "", 8 * p + a, 8 * p + a);
		n += (size_t)sprintf(text + n, "]}");
	}
	sprintf(text + n, "}}");
	if (read_text(text, &len, &why) != NS_OK)
		fail_msg("%s", why.text);
	assert_true(policy_open(&po, form, len));
	/* 8 rotations with all up, and for each that is down those that had it: 4 to 7 new ones. */
	assert_in_range(policy_closure(&po), 64 * 8, CLOSURE_MAX + 1);
	test_free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_closure),
		cmocka_unit_test(test_closure_is_bounded),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
