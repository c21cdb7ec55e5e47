/* zonecheck - every rule and warning, for a whole zone and around one edited owner. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "appliance/dns/codes.h"
#include "appliance/dns/rrtype.h"
#include "appliance/dns/zonecheck.h"
#include "tests/lib/zonebox.h"

#define HEAD                                                                                      \
	"$TTL 60\n@ SOA ns1 h 1 7200 3600 1209600 300\n@ NS ns1\n@ NS ns2\nns1 A 192.0.2.1\nns2 " \
	"A 192.0.2.2\n"
#define SIG(t) " RRSIG " t " 8 2 60 20300101000000 20200101000000 1 @ AQNR\n"

/* Rules: `owner` is what an edit would have touched to get there. */
static const struct {
	const char *text, *edited;
	uint16_t code; /* 0: the zone is fine */
	const char *owner, *type, *says;
} rules[] = {
	{ HEAD, "ex.", 0, NULL, NULL, NULL },
	{ HEAD "www CNAME a\n", "www.ex.", 0, NULL, NULL, NULL },
	{ HEAD "www CNAME a\nwww" SIG("CNAME") "www NSEC ns1 CNAME RRSIG NSEC\n", "www.ex.", 0,
	    NULL, NULL, NULL },
	{ HEAD "www CNAME a\nwww A 192.0.2.3\n", "www.ex.", E_CNAME_ALONE, "www.ex.", "CNAME",
	    "www.ex. CNAME: another record stands beside it (A); a CNAME must be alone (RFC 1034 "
	    "3.6.2)" },
	{ HEAD "www CNAME a\nwww TXT a\nwww" SIG("CNAME"), "www.ex.", E_CNAME_ALONE, "www.ex.",
	    "CNAME", "(TXT)" },
	{ HEAD "www CNAME a\nwww DNAME a\n", "www.ex.", E_CNAME_ALONE, "www.ex.", "CNAME",
	    "(DNAME)" },
	{ HEAD "www CNAME a\nwww CNAME b\n", "www.ex.", E_SINGLE, "www.ex.", "CNAME", "2 records" },
	{ HEAD "www DNAME a\nwww DNAME b\n", "www.ex.", E_SINGLE, "www.ex.", "DNAME", "RFC 6672" },
	{ HEAD "@ SOA ns1 h 2 7200 3600 1209600 300\n", "ex.", E_SINGLE, "ex.", "SOA",
	    "2 records" },
	{ HEAD "@ CNAME a\n", "ex.", E_APEX_CNAME, "ex.", "CNAME", "SOA and NS stand beside it" },
	{ "$TTL 60\n@ NS ns1\nns1 A 192.0.2.1\n", "ns1.ex.", E_APEX_SOA, "ex.", "SOA", "no SOA" },
	{ "$TTL 60\nns1 A 192.0.2.1\n", "ns1.ex.", E_APEX_SOA, "ex.", "SOA", "no SOA" },
	{ "$TTL 60\n", "ns1.ex.", E_APEX_SOA, "ex.", "SOA", "no SOA" },
	{ "$TTL 60\n@ SOA ns1 h 1 7200 3600 1209600 300\n", "ex.", E_APEX_NS, "ex.", "NS",
	    "no NS" },
	{ HEAD "a SOA ns1 h 1 7200 3600 1209600 300\n", "a.ex.", E_SOA_PLACE, "a.ex.", "SOA",
	    "apex" },
	{ HEAD "@ DS 1 8 9 00\n", "ex.", E_DS_PLACE, "ex.", "DS", "parent zone" },
	{ HEAD "a DS 1 8 9 00\n", "a.ex.", E_DS_PLACE, "a.ex.", "DS", "no NS here" },
	{ HEAD "a NS b.a\nb.a A 192.0.2.1\na DS 1 8 9 00\na" SIG("DS") "a NSEC b NS DS\n", "a.ex.",
	    0, NULL, NULL, NULL },
	{ HEAD "a NS a\na A 192.0.2.1\na AAAA ::1\n", "a.ex.", 0, NULL, NULL, NULL },
	{ HEAD "a NS b.com.\na TXT b\n", "a.ex.", E_AT_CUT, "a.ex.", "TXT",
	    "the name is delegated" },
	{ HEAD "a NS b.com.\na DNAME b\n", "a.ex.", E_AT_CUT, "a.ex.", "DNAME",
	    "the name is delegated" },
	{ HEAD "a NS b.a\nb.a MX 1 c\n", "a.ex.", E_BELOW_CUT, "b.a.ex.", "MX",
	    "below the delegation of a.ex." },
	{ HEAD "a NS b.a\nb.a MX 1 c\n", "b.a.ex.", E_BELOW_CUT, "b.a.ex.", "MX",
	    "below the delegation of a.ex." },
	{ HEAD "a NS b.com.\nb.a NS c\n", "b.a.ex.", E_BELOW_CUT, "b.a.ex.", "NS",
	    "below the delegation of a.ex." },
	{ HEAD "a NS b.com.\nc.b.a CNAME c\n", "c.b.a.ex.", E_BELOW_CUT, "c.b.a.ex.", "CNAME",
	    "below the delegation" },
	{ HEAD "a NS b.a\nb.a A 192.0.2.1\nb.a" SIG("A") "b.a NSEC c A\n", "b.a.ex.", 0, NULL, NULL,
	    NULL },
	{ HEAD "a NS b.com.\nab MX 1 c\n", "ab.ex.", 0, NULL, NULL, NULL },
	{ HEAD "a DNAME b\n", "a.ex.", 0, NULL, NULL, NULL },
	{ HEAD "a DNAME b\na A 192.0.2.1\na MX 1 c\n", "a.ex.", 0, NULL, NULL, NULL },
	{ HEAD "a DNAME b\nc.a A 192.0.2.1\n", "a.ex.", E_BELOW_DNAME, "c.a.ex.", "A",
	    "below the DNAME at a.ex." },
	{ HEAD "a DNAME b\nd.c.a A 192.0.2.1\n", "d.c.a.ex.", E_BELOW_DNAME, "d.c.a.ex.", "A",
	    "below the DNAME" },
	{ "$TTL 60\n@ SOA a h 1 7200 3600 1209600 300\n@ NS a.b.\n@ DNAME c.\n", "ex.", 0, NULL,
	    NULL, NULL },
	{ HEAD "@ DNAME c.\n", "ex.", E_BELOW_DNAME, "ns1.ex.", "A", "below the DNAME at ex." },
	{ HEAD "@ DNAME c.\n", "ns1.ex.", E_BELOW_DNAME, "ns1.ex.", "A", "below the DNAME at ex." },
	{ "$TTL 60\n@ SOA a h 1 7200 3600 1209600 300\n@ NS a.b.\n@ DNAME c.\n"
	  "2vptu5timamqttgl4luu9kg21e0aor3s NSEC3 1 0 1 - 2vptu5timamqttgl4luu9kg21e0aor3s\n",
	    "ex.", 0, NULL, NULL, NULL },
	{ HEAD "@ NSEC3 1 0 1 - 2vptu5timamqttgl4luu9kg21e0aor3s\n", "ex.", E_NSEC3_PLACE, "ex.",
	    "NSEC3", "one label" },
	{ HEAD "a.b NSEC3 1 0 1 - 2vptu5timamqttgl4luu9kg21e0aor3s\n", "a.b.ex.", E_NSEC3_PLACE,
	    "a.b.ex.", "NSEC3", "one label" },
	{ HEAD "*.a A 192.0.2.1\n*.b CNAME c\n", "*.a.ex.", 0, NULL, NULL, NULL },
};

static void
count_warning(void *arg, const struct ns_why *why)
{
	(void)why;
	++*(unsigned *)arg;
}

static void
keeps_rules(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
		struct wbuf zone =
		    zonebox_zwire("ex.", rules[i].text, strlen(rules[i].text), 4096, NULL);
		struct zwire_view *v = zwire_view_new(zonebox_name("ex."), zone.base, zone.len);
		enum ns_err want = rules[i].code == 0 ? NS_OK : NS_INVALID;
		unsigned warnings = 0;

		for (int whole = 0; whole < 2; whole++) {
			struct ns_why why = { 0 };
			enum ns_err err =
			    whole ? zonecheck_all(zwire_view_get(v), count_warning, &warnings, &why)
				  : zonecheck_owner(zwire_view_get(v),
					zonebox_name(rules[i].edited), NULL, NULL, &why);

			if (err != want || why.code != rules[i].code)
				fail_msg("row %zu whole %d: E%u %s", i, whole, why.code, why.text);
			if (want == NS_OK)
				continue;
			assert_string_equal(why.zone, "ex.");
			assert_string_equal(why.owner, rules[i].owner);
			assert_string_equal(why.type, rules[i].type);
			if (strstr(why.text, rules[i].says) == NULL)
				fail_msg("row %zu: %s", i, why.text);
		}
		zwire_view_destroy(&v);
		wbuf_free(&zone);
	}
}

struct heard {
	unsigned count;
	struct ns_why last;
};

static void
hear(void *arg, const struct ns_why *why)
{
	struct heard *h = arg;

	h->count++;
	h->last = *why;
}

static const struct {
	const char *text, *edited;
	uint16_t code; /* of the one warning; 0: none */
	const char *owner, *says;
} warnings[] = {
	{ HEAD, "ex.", 0, NULL, NULL },
	{ HEAD "@ NS ns3\n", "ex.", W_NS_NO_ADDRESS, "ex.",
	    "its target ns3.ex. lies in this zone" },
	{ HEAD "@ NS ns3.com.\n", "ex.", 0, NULL, NULL },
	{ HEAD "@ NS ns3\nns3 CNAME ns1\n", "ex.", W_TARGET_CNAME, "ex.", "ns3.ex. is a CNAME" },
	{ HEAD "@ NS ns3\nns3 TXT a\n", "ns3.ex.", W_NS_NO_ADDRESS, "ex.", "ns3.ex." },
	{ HEAD "@ MX 1 m\n", "ex.", W_TARGET_NO_ADDRESS, "ex.", "ex. MX: its target m.ex." },
	{ HEAD "@ MX 1 m\n*  A 192.0.2.1\n", "ex.", 0, NULL, NULL },
	{ HEAD "@ MX 1 m\nx.m A 192.0.2.1\n* A 192.0.2.1\n", "ex.", W_TARGET_NO_ADDRESS, "ex.",
	    "m.ex." },
	{ HEAD "@ MX 1 m.a\nx.a A 192.0.2.1\n* A 192.0.2.1\n", "ex.", W_TARGET_NO_ADDRESS, "ex.",
	    "m.a.ex." },
	{ HEAD "@ MX 1 m.a.b\n*.b A 192.0.2.1\n", "ex.", 0, NULL, NULL },
	{ HEAD "@ MX 1 m\n* CNAME ns1\n", "ex.", W_TARGET_CNAME, "ex.", "m.ex. is a CNAME" },
	{ HEAD "@ MX 0 .\n", "ex.", 0, NULL, NULL },
	{ HEAD "@ MX 1 @\n", "ex.", W_TARGET_NO_ADDRESS, "ex.", "its target ex. lies" },
	{ HEAD "a MX 1 m.sub\nsub NS ns.com.\n", "a.ex.", 0, NULL, NULL },
	{ HEAD "a MX 1 m.sub\nsub DNAME b.com.\n", "a.ex.", 0, NULL, NULL },
	{ HEAD "_s._tcp SRV 1 2 3 m\n", "_s._tcp.ex.", W_TARGET_NO_ADDRESS, "_s._tcp.ex.",
	    "m.ex." },
	{ HEAD "a HTTPS 1 m\n", "a.ex.", W_TARGET_NO_ADDRESS, "a.ex.", "m.ex." },
	{ HEAD "a HTTPS 1 .\n", "a.ex.", 0, NULL, NULL },
	{ HEAD "a HTTPS 1 m\nm CNAME ns1\n", "a.ex.", 0, NULL, NULL },
	{ HEAD "sub NS b.sub\n", "sub.ex.", W_NO_GLUE, "sub.ex.", "has no glue" },
	{ HEAD "sub NS b.sub\n", "b.sub.ex.", W_NO_GLUE, "sub.ex.", "has no glue" },
	{ HEAD "sub NS sub\n", "sub.ex.", W_NO_GLUE, "sub.ex.", "has no glue" },
	{ HEAD "sub NS b.sub\nb.sub AAAA ::1\n", "sub.ex.", 0, NULL, NULL },
	{ HEAD "sub NS b\n", "sub.ex.", W_NS_NO_ADDRESS, "sub.ex.", "b.ex. lies in this zone" },
	{ HEAD "sub NS b.oth\noth NS c.com.\n", "sub.ex.", 0, NULL, NULL },
	{ HEAD "a 0 A 192.0.2.1\n", "a.ex.", W_TTL_ZERO, "a.ex.", "its TTL is 0" },
	{ HEAD "*.a NS b.com.\n", "*.a.ex.", W_WILD_CUT, "*.a.ex.", "wildcard" },
	{ "$TTL 60\n@ SOA a.b. h 1 7200 3600 1209600 300\n@ NS a.b.\n", "ex.", W_ONE_NS, "ex.",
	    "one name server" },
	{ "$TTL 60\n@ SOA a.b. h 1 7200 3600 1209600 86401\n@ NS a.b.\n@ NS b.b.\n", "ex.",
	    W_NEGATIVE_TTL, "ex.", "a day" },
	{ "$TTL 60\n@ SOA a.b. h 1 7200 3600 7200 300\n@ NS a.b.\n@ NS b.b.\n", "ex.", W_SOA_TIMERS,
	    "ex.", "expire" },
};

static void
warns(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof warnings / sizeof warnings[0]; i++) {
		struct wbuf zone =
		    zonebox_zwire("ex.", warnings[i].text, strlen(warnings[i].text), 4096, NULL);
		struct zwire_view *v = zwire_view_new(zonebox_name("ex."), zone.base, zone.len);

		for (int whole = 0; whole < 2; whole++) {
			struct heard h = { 0 };
			struct ns_why why = { 0 };
			enum ns_err err =
			    whole ? zonecheck_all(zwire_view_get(v), hear, &h, &why)
				  : zonecheck_owner(zwire_view_get(v),
					zonebox_name(warnings[i].edited), hear, &h, &why);

			assert_int_equal(err, NS_OK);
			if (h.count != (warnings[i].code != 0) || h.last.code != warnings[i].code)
				fail_msg("row %zu whole %d: %u warnings, W%u %s", i, whole, h.count,
				    h.last.code, h.last.text);
			if (h.count == 0)
				continue;
			assert_string_equal(h.last.owner, warnings[i].owner);
			if (strstr(h.last.text, warnings[i].says) == NULL)
				fail_msg("row %zu: %s", i, h.last.text);
		}
		zwire_view_destroy(&v);
		wbuf_free(&zone);
	}
}

/* What a text cannot say: sizes, meta types, names outside, broken octets. */
static void
refuses_what_no_text_says(void **state)
{
	static const char *const outside[] = { "a.", "ex.com.", "zz.", "." };
	struct rrpile *pile = rrpile_new();
	struct wbuf zone = wbuf_grow(1 << 22),
		    sets = zonebox_zwire("ex.", HEAD, strlen(HEAD), 99, NULL);
	struct ns_why why = { 0 };
	struct zwire_view *v;
	struct zwire_iter it;
	struct rrset set;

	(void)state;
	for (size_t i = 0; i < sizeof outside / sizeof outside[0]; i++) {
		rrpile_clear(pile);
		for (it = zwire_iter(sets.base, sets.len); zwire_next(&it, &set);)
			rrpile_add(pile, set.owner, set.type, set.ttl, set.rdata + 2,
			    get_u16(set.rdata), 1);
		rrpile_add(pile, zonebox_name(outside[i]), RR_A, 1, (const uint8_t *)"abcd", 4, 1);
		zone.len = 0;
		assert_int_equal(rrpile_to_zwire(pile, &zone, NULL, &why), NS_OK);
		v = zwire_view_new(zonebox_name("ex."), zone.base, zone.len);
		assert_int_equal(zonecheck_all(zwire_view_get(v), NULL, NULL, &why), NS_INVALID);
		assert_int_equal(why.code, E_OUTSIDE);
		assert_string_equal(why.owner, outside[i]);
		assert_int_equal(
		    zonecheck_owner(zwire_view_get(v), zonebox_name(outside[i]), NULL, NULL, &why),
		    NS_INVALID);
		assert_int_equal(why.code, E_OUTSIDE);
		zwire_view_destroy(&v);
	}
	rrpile_clear(pile);
	for (it = zwire_iter(sets.base, sets.len); zwire_next(&it, &set);)
		rrpile_add(
		    pile, set.owner, set.type, set.ttl, set.rdata + 2, get_u16(set.rdata), 1);
	rrpile_add(pile, zonebox_name("a.ex."), RR_ANY, 1, (const uint8_t *)"abcd", 4, 1);
	zone.len = 0;
	assert_int_equal(rrpile_to_zwire(pile, &zone, NULL, &why), NS_OK);
	v = zwire_view_new(zonebox_name("ex."), zone.base, zone.len);
	assert_int_equal(zonecheck_all(zwire_view_get(v), NULL, NULL, &why), NS_INVALID);
	assert_int_equal(why.code, E_META);
	zwire_view_destroy(&v);
	wbuf_free(&zone);
	wbuf_free(&sets);
	rrpile_destroy(&pile);
}

static void
accepts_real_zones(void **state)
{
	static const struct {
		const char *file, *apex;
		unsigned warnings;
	} zones[] = {
		{ "is-a.dev.zone", "is-a.dev.", 2 },
		{ "js.org.zone", "js.org.", 0 },
		{ "root.zone.gz", ".", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof zones / sizeof zones[0]; i++) {
		const uint8_t *apex = zonebox_name(zones[i].apex);
		struct ns_why why = { 0 };
		struct zwire_view *v;
		struct zwire_iter it;
		struct rrset set;
		struct wbuf zone;
		unsigned n = 0;
		size_t len;
		char *file = zonebox_read(zones[i].file, &len);

		if (file == NULL)
			skip();
		zone = zonebox_zwire(zones[i].apex, file, len, 65536, NULL);
		v = zwire_view_new(apex, zone.base, zone.len);
		if (zonecheck_all(zwire_view_get(v), count_warning, &n, &why) != NS_OK)
			fail_msg("%s", why.text);
		assert_int_equal(n, zones[i].warnings);
		for (it = zwire_iter(zone.base, zone.len); zwire_next(&it, &set);) {
			if (zonecheck_owner(zwire_view_get(v), set.owner, NULL, NULL, &why) !=
			    NS_OK)
				fail_msg("%s", why.text);
		}
		zwire_view_destroy(&v);
		wbuf_free(&zone);
		free(file);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_rules),
		cmocka_unit_test(warns),
		cmocka_unit_test(refuses_what_no_text_says),
		cmocka_unit_test(accepts_real_zones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
