/* serve - tables of questions and the replies they must get. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "appliance/dns/rrtype.h"
#include "tests/lib/zonebox.h"
#include "tests/lib/zonekit.h"

/* RFC 4592 2.2.1, with types that exist today. */
static const char wild_zone[] =
    "$TTL 3600\n@ SOA ns.example.com. h.example.com. 1 2 3 4 300\n"
    "@ NS ns.example.com.\n@ NS ns.example.net.\n"
    "*.example. TXT \"this is a wildcard\"\n*.example. MX 10 host1.example.\n"
    "sub.*.example. TXT \"this is not a wildcard\"\n"
    "host1.example. A 192.0.2.1\n"
    "_ssh._tcp.host1.example. SRV 0 0 22 host1.example.\n"
    "_ssh._tcp.host2.example. SRV 0 0 22 host1.example.\n"
    "subdel.example. NS ns.example.com.\nsubdel.example. NS ns.example.net.\n";

static const char main_zone[] =
    "$TTL 3600\n@ SOA ns1 host 1 7200 3600 1209600 300\n@ NS ns1\n@ NS ns2.other.\n"
    "ns1 A 192.0.2.1\nns1 AAAA 2001:db8::1\n@ MX 10 mail\n@ MX 20 mx.w\n"
    "mail A 192.0.2.3\n*.w A 192.0.2.4\nwww A 192.0.2.5\na CNAME b\nb CNAME c\nc CNAME www\n"
    "*.wc CNAME www\nl1 CNAME l2\nl2 CNAME l1\nself CNAME self\ntonx CNAME nx\n"
    "tosub CNAME x.sub\nother CNAME www.second.example.\nforeign CNAME www.foreign.example.\n"
    "nowhere CNAME www.nobody.test.\n"
    "sub NS ns1.sub\nsub NS ns1\nns1.sub A 192.0.2.11\nsub DS 1 13 2 "
    "0000000000000000000000000000000000000000000000000000000000000001\n"
    "dn DNAME target\ndn TXT \"at\"\nx.target A 192.0.2.20\n"
    "a.ent.b A 192.0.2.21\nh HTTPS 1 . alpn=h2\nh A 192.0.2.30\ns SRV 1 2 3 www\n"
    "u TYPE65280 \\# 2 0102\n"
    "long DNAME aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
    "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb."
    "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc."
    "dddddddddddddddddddddddddddddddddddddddd\n"
    "child NS ns1.child\nns1.child A 192.0.2.40\n";
static const char child_zone[] = "$TTL 60\n@ SOA ns1 h 1 2 3 4 5\n@ NS ns1\nns1 A 192.0.2.40\n";
static const char second_zone[] = "$TTL 60\n@ SOA ns h 1 2 3 4 5\n@ NS ns\nns A 192.0.2.50\n"
				  "www A 192.0.2.51\n";

/* The same signatures everywhere: what counts is which ones are sent. */
#define SIG(type, labels)                                                                          \
	"RRSIG " type " 13 " labels " 300 20300101000000 20200101000000 1 signed.example. "        \
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==" \
	"\n"
static const char signed_zone[] = "$TTL 300\n@ SOA ns h 1 2 3 4 300\n@ " SIG(
    "SOA", "2") "@ NS ns\n@ " SIG("NS", "2") "@ NSEC b NS SOA RRSIG NSEC\n@ " SIG("NSEC",
    "2") "b A 192.0.2.1\nb " SIG("A", "3") "b NSEC insecure A RRSIG NSEC\nb " SIG("NSEC",
    "3") "*.w TXT \"w\"\n*.w " SIG("TXT", "3") "*.w NSEC @ TXT RRSIG NSEC\n*.w " SIG("NSEC",
    "3") "insecure NS ns.insecure\nns.insecure A 192.0.2.9\ninsecure NSEC ns NS RRSIG "
	 "NSEC\ninsecure " SIG("NSEC", "3") "ns A 192.0.2.2\nns " SIG(
	     "A", "3") "ns NSEC secure A RRSIG NSEC\nns " SIG("NSEC",
	     "3") "secure NS ns.secure\nsecure DS 1 13 250 00\nsecure " SIG("DS",
	     "3") "secure NSEC *.w NS DS RRSIG NSEC\nsecure " SIG("NSEC", "3");

static struct zonekit kit;
static uint8_t reply[SERVE_TCP_MAX];

static int
setup(void **state)
{
	(void)state;
	zonekit_init(&kit, 256u << 20);
	zonekit_add(&kit, "example.", wild_zone, sizeof wild_zone - 1, 1);
	zonekit_add(&kit, "main.test.", main_zone, sizeof main_zone - 1, 1);
	zonekit_add(&kit, "child.main.test.", child_zone, sizeof child_zone - 1, 1);
	zonekit_add(&kit, "second.example.", second_zone, sizeof second_zone - 1, 1);
	zonekit_add(&kit, "foreign.example.", second_zone, sizeof second_zone - 1, 2);
	zonekit_add(&kit, "signed.example.", signed_zone, sizeof signed_zone - 1, 1);
	zonekit_publish(&kit);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	zonekit_fini(&kit);
	return 0;
}

struct row {
	const char *name;
	uint16_t type;
	const char *flags;
	const char *want; /* a line each; "x*" is a prefix of the line */
};

static bool
lines_match(const char *want, const char *got)
{
	while (*want != '\0' && *got != '\0') {
		size_t w = strcspn(want, "\n"), g = strcspn(got, "\n");
		bool prefix = w > 0 && want[w - 1] == '*' && (w < 2 || want[w - 2] != ' ');
		size_t n = prefix ? w - 1 : w;

		if (g < n || (!prefix && g != n) || memcmp(want, got, n) != 0)
			return false;
		want += w + (want[w] == '\n');
		got += g + (got[g] == '\n');
	}
	return *want == *got;
}

static void
expect_rows(const struct row *row, size_t n)
{
	bool failed = false;

	for (size_t i = 0; i < n; i++) {
		uint8_t pkt[512];
		size_t len = zonekit_question(row[i].name, row[i].type, row[i].flags, pkt);
		bool tcp = strchr(row[i].flags, 't') != NULL;
		char *text;

		len = zonekit_ask(&kit, pkt, len, tcp, reply);
		text = zonekit_text(reply, len);
		if (text == NULL || !lines_match(row[i].want, text)) {
			print_error("%s %u %s\n--- want\n%s--- got\n%s", row[i].name, row[i].type,
			    row[i].flags, row[i].want, text != NULL ? text : "nothing\n");
			failed = true;
		}
		free(text);
	}
	assert_false(failed);
}
#define EXPECT(rows) expect_rows(rows, sizeof(rows) / sizeof((rows)[0]))

#define SOA_WILD "NS example. 300 IN SOA*\n"
#define SOA_MAIN "NS main.test. 300 IN SOA ns1.main.test. host.main.test. 1 7200 3600 1209600 300\n"

static void
wildcards_as_in_rfc_4592(void **state)
{
	static const struct row rows[] = {
		{ "host3.example.", RR_MX, "",
		    "0 aa\nAN host3.example. 3600 IN MX 10 host1.example.\nAR host1.example.*\n" },
		{ "host3.example.", RR_A, "", "0 aa\n" SOA_WILD },
		{ "foo.bar.example.", RR_TXT, "",
		    "0 aa\nAN foo.bar.example. 3600 IN TXT \"this is a wildcard\"\n" },
		{ "host1.example.", RR_MX, "", "0 aa\n" SOA_WILD },
		{ "sub.*.example.", RR_MX, "", "0 aa\n" SOA_WILD },
		{ "_telnet._tcp.host1.example.", RR_SRV, "", "3 aa\n" SOA_WILD },
		{ "host.subdel.example.", RR_A, "",
		    "0\nNS subdel.example. 3600 IN NS ns.example.com.\n"
		    "NS subdel.example. 3600 IN NS ns.example.net.\n" },
		{ "ghost.*.example.", RR_MX, "", "3 aa\n" SOA_WILD },
		{ "*.example.", RR_TXT, "",
		    "0 aa\nAN *.example. 3600 IN TXT \"this is a wildcard\"\n" },
		{ "_tcp.host1.example.", RR_A, "", "0 aa\n" SOA_WILD },
	};

	(void)state;
	EXPECT(rows);
}

static void
answers_and_refuses(void **state)
{
	static const struct row rows[] = {
		{ "www.main.test.", RR_A, "r", "0 aa rd\nAN www.main.test. 3600 IN A 192.0.2.5\n" },
		{ "WwW.mAiN.test.", RR_A, "", "0 aa\nAN WwW.mAiN.test. 3600 IN A 192.0.2.5\n" },
		{ "www.main.test.", RR_AAAA, "", "0 aa\n" SOA_MAIN },
		{ "nx.main.test.", RR_A, "", "3 aa\n" SOA_MAIN },
		{ "ent.b.main.test.", RR_A, "", "0 aa\n" SOA_MAIN },
		{ "x.ent.b.main.test.", RR_A, "", "3 aa\n" SOA_MAIN },
		{ "b.main.test.", RR_CNAME, "",
		    "0 aa\nAN b.main.test. 3600 IN CNAME c.main.test.\n" },
		{ "u.main.test.", 65280, "",
		    "0 aa\nAN u.main.test. 3600 IN TYPE65280 \\# 2 0102\n" },
		{ "u.main.test.", 65281, "", "0 aa\n" SOA_MAIN },
		{ "main.test.", RR_MX, "",
		    "0 aa\nAN main.test. 3600 IN MX 10 mail.main.test.\n"
		    "AN main.test. 3600 IN MX 20 mx.w.main.test.\n"
		    "AR mail.main.test. 3600 IN A 192.0.2.3\n"
		    "AR mx.w.main.test. 3600 IN A 192.0.2.4\n" },
		{ "h.main.test.", RR_HTTPS, "",
		    "0 aa\nAN h.main.test. 3600 IN HTTPS*\nAR h.main.test. 3600 IN A "
		    "192.0.2.30\n" },
		{ "s.main.test.", RR_SRV, "",
		    "0 aa\nAN s.main.test. 3600 IN SRV 1 2 3 www.main.test.\n"
		    "AR www.main.test. 3600 IN A 192.0.2.5\n" },
		{ "www.main.test.", RR_ANY, "", "0 aa\nAN www.main.test. 3600 IN A 192.0.2.5\n" },
		{ "a.main.test.", RR_ANY, "",
		    "0 aa\nAN a.main.test. 3600 IN CNAME b.main.test.\n" },
		{ "www.nobody.test.", RR_A, "", "5\n" },
		{ "test.", RR_A, "", "5\n" },
		{ ".", RR_NS, "", "5\n" },
		{ "main.test.", RR_AXFR, "t", "5\n" },
	};

	(void)state;
	EXPECT(rows);
}

static void
refers(void **state)
{
	static const struct row rows[] = {
		{ "x.sub.main.test.", RR_A, "",
		    "0\nNS sub.main.test. 3600 IN NS ns1.main.test.\n"
		    "NS sub.main.test. 3600 IN NS ns1.sub.main.test.\n"
		    "AR ns1.main.test. 3600 IN A 192.0.2.1\nAR ns1.main.test. 3600 IN AAAA*\n"
		    "AR ns1.sub.main.test. 3600 IN A 192.0.2.11\n" },
		{ "ns1.sub.main.test.", RR_A, "",
		    "0\nNS sub.main.test.*\nNS sub.main.test.*\nAR*\nAR*\nAR*\n" },
		{ "sub.main.test.", RR_DS, "", "0 aa\nAN sub.main.test. 3600 IN DS 1 13 2*\n" },
		{ "x.child.main.test.", RR_A, "", "3 aa\nNS child.main.test. 5 IN SOA*\n" },
		{ "child.main.test.", RR_DS, "", "0 aa\n" SOA_MAIN },
		{ "main.test.", RR_DS, "", "0 aa\n" SOA_MAIN },
	};

	(void)state;
	EXPECT(rows);
}

static void
follows_chains(void **state)
{
	static const struct row rows[] = {
		{ "a.main.test.", RR_A, "",
		    "0 aa\nAN a.main.test. 3600 IN CNAME b.main.test.\n"
		    "AN b.main.test. 3600 IN CNAME c.main.test.\n"
		    "AN c.main.test. 3600 IN CNAME www.main.test.\n"
		    "AN www.main.test. 3600 IN A 192.0.2.5\n" },
		{ "q.wc.main.test.", RR_A, "",
		    "0 aa\nAN q.wc.main.test. 3600 IN CNAME www.main.test.\n"
		    "AN www.main.test. 3600 IN A 192.0.2.5\n" },
		{ "l1.main.test.", RR_A, "",
		    "0 aa\nAN l1.main.test. 3600 IN CNAME l2.main.test.\n"
		    "AN l2.main.test. 3600 IN CNAME l1.main.test.\n" },
		{ "self.main.test.", RR_A, "",
		    "0 aa\nAN self.main.test. 3600 IN CNAME self.main.test.\n" },
		{ "tonx.main.test.", RR_A, "",
		    "3 aa\nAN tonx.main.test. 3600 IN CNAME nx.main.test.\n" SOA_MAIN },
		{ "tosub.main.test.", RR_A, "",
		    "0 aa\nAN tosub.main.test. 3600 IN CNAME x.sub.main.test.\n"
		    "NS sub*\nNS sub*\nAR*\nAR*\nAR*\n" },
		{ "other.main.test.", RR_A, "",
		    "0 aa\nAN other.main.test. 3600 IN CNAME www.second.example.\n"
		    "AN www.second.example. 60 IN A 192.0.2.51\n" },
		{ "foreign.main.test.", RR_A, "",
		    "0 aa\nAN foreign.main.test. 3600 IN CNAME www.foreign.example.\n" },
		{ "nowhere.main.test.", RR_A, "",
		    "0 aa\nAN nowhere.main.test. 3600 IN CNAME www.nobody.test.\n" },
		{ "x.dn.main.test.", RR_A, "",
		    "0 aa\nAN dn.main.test. 3600 IN DNAME target.main.test.\n"
		    "AN x.dn.main.test. 3600 IN CNAME x.target.main.test.\n"
		    "AN x.target.main.test. 3600 IN A 192.0.2.20\n" },
		{ "x.dn.main.test.", RR_CNAME, "",
		    "0 aa\nAN dn.main.test. 3600 IN DNAME target.main.test.\n"
		    "AN x.dn.main.test. 3600 IN CNAME x.target.main.test.\n" },
		{ "dn.main.test.", RR_TXT, "", "0 aa\nAN dn.main.test. 3600 IN TXT \"at\"\n" },
		{ "y.dn.main.test.", RR_A, "",
		    "3 aa\nAN dn.main.test. 3600 IN DNAME target.main.test.\n"
		    "AN y.dn.main.test. 3600 IN CNAME y.target.main.test.\n" SOA_MAIN },
		{ "qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq.long.main.test.", RR_A, "",
		    "6 aa\nAN long.main.test. 3600 IN DNAME*\n" },
	};

	(void)state;
	EXPECT(rows);
}

#define SIGNED_SOA "NS signed.example. 300 IN RRSIG SOA*\nNS signed.example. 300 IN SOA*\n"

static void
proves(void **state)
{
	static const struct row rows[] = {
		{ "b.signed.example.", RR_A, "d",
		    "0 aa\nAN b.signed.example. 300 IN A 192.0.2.1\n"
		    "AN b.signed.example. 300 IN RRSIG A*\n" },
		{ "b.signed.example.", RR_A, "e",
		    "0 aa\nAN b.signed.example. 300 IN A 192.0.2.1\n" },
		{ "b.signed.example.", RR_NSEC, "",
		    "0 aa\nAN b.signed.example. 300 IN NSEC insecure.signed.example. A*\n" },
		{ "b.signed.example.", RR_RRSIG, "",
		    "0 aa\nAN b.signed.example. 300 IN RRSIG A*\nAN b.signed.example. 300 IN RRSIG "
		    "NSEC*\n" },
		{ "b.signed.example.", RR_TXT, "d",
		    "0 aa\nNS b.signed.example. 300 IN NSEC*\nNS b.signed.example. 300 IN RRSIG "
		    "NSEC*\n" SIGNED_SOA },
		/* below b: no such name, no wildcard at b */
		{ "x.b.signed.example.", RR_A, "d",
		    "3 aa\nNS b.signed.example. 300 IN NSEC*\nNS b.signed.example. 300 IN RRSIG "
		    "NSEC*\n" SIGNED_SOA },
		{ "c.signed.example.", RR_A, "d",
		    "3 aa\nNS b.signed.example. 300 IN NSEC*\nNS b.signed.example. 300 IN RRSIG "
		    "NSEC*\n"
		    "NS signed.example. 300 IN NSEC*\nNS signed.example. 300 IN RRSIG "
		    "NSEC*\n" SIGNED_SOA },
		{ "q.w.signed.example.", RR_TXT, "d",
		    "0 aa\nAN q.w.signed.example. 300 IN RRSIG TXT*\n"
		    "AN q.w.signed.example. 300 IN TXT \"w\"\n"
		    "NS *.w.signed.example. 300 IN NSEC*\nNS *.w.signed.example. 300 IN RRSIG "
		    "NSEC*\n" },
		{ "q.w.signed.example.", RR_A, "d",
		    "0 aa\nNS *.w.signed.example. 300 IN NSEC*\n"
		    "NS *.w.signed.example. 300 IN RRSIG NSEC*\n" SIGNED_SOA },
		{ "w.signed.example.", RR_A, "d",
		    "0 aa\nNS secure.signed.example. 300 IN NSEC*\n"
		    "NS secure.signed.example. 300 IN RRSIG NSEC*\n" SIGNED_SOA },
		{ "x.secure.signed.example.", RR_A, "d",
		    "0\nNS secure.signed.example. 300 IN DS 1 13 250 00\n"
		    "NS secure.signed.example. 300 IN NS*\nNS secure.signed.example. 300 IN RRSIG "
		    "DS*\n" },
		{ "x.insecure.signed.example.", RR_A, "d",
		    "0\nNS insecure.signed.example. 300 IN NS ns*\n"
		    "NS insecure.signed.example. 300 IN NSEC*\n"
		    "NS insecure.signed.example. 300 IN RRSIG NSEC*\nAR ns.insecure*\n" },
		{ "insecure.signed.example.", RR_DS, "d",
		    "0 aa\nNS insecure.signed.example. 300 IN NSEC*\n"
		    "NS insecure.signed.example. 300 IN RRSIG NSEC*\n" SIGNED_SOA },
		{ "x.insecure.signed.example.", RR_A, "",
		    "0\nNS insecure.signed.example. 300 IN NS*\nAR ns.insecure*\n" },
	};

	(void)state;
	EXPECT(rows);
}

/* ---- packets ---- */
struct packet {
	const char *hex;
	int rcode; /* -1: silence */
	const char *why;
};
#define HEAD "1234 0000 0001 0000 0000 0000"
#define WWW  "03777777 046d61696e 0474657374 00 0001 0001"
#define OPT  "00 0029 04d0 00000000 0000"

static void
judges_packets(void **state)
{
	static const struct packet rows[] = {
		{ "", -1, "empty" },
		{ "1234 0000 0001 0000 0000 00", -1, "11 octets" },
		{ "1234 8000 0001 0000 0000 0000" WWW, -1, "a reply" },
		{ HEAD WWW, 0, "plain" },
		{ "1234 0000 0000 0000 0000 0000", 1, "no question" },
		{ "1234 0000 0002 0000 0000 0000" WWW WWW, 1, "two questions" },
		{ "1234 0000 0001 0001 0000 0000" WWW, 1, "an answer in a query" },
		{ HEAD "03777777 046d61", 1, "cut name" },
		{ HEAD "c00c 0001 0001", 1, "pointer in the question" },
		{ HEAD WWW "00", 1, "an octet too many" },
		{ "1234 2000 0001 0000 0000 0000" WWW, 4, "NOTIFY" },
		{ "1234 2800 0001 0000 0000 0000" WWW, 4, "UPDATE" },
		{ "1234 0000 0001 0000 0000 0001" WWW OPT, 0, "EDNS" },
		{ "1234 0000 0001 0000 0000 0001" WWW "00 0029 04d0 00010000 0000", 16, "EDNS 1" },
		{ "1234 0000 0001 0000 0000 0002" WWW OPT OPT, 1, "two OPTs" },
		{ "1234 0000 0001 0000 0000 0001" WWW "0178 00 0029 04d0 00000000 0000", 1,
		    "OPT not at the root" },
		{ "1234 0000 0001 0000 0000 0001" WWW "00 0029 04d0 00000000 0004 000a0008", 1,
		    "cut option" },
		{ "1234 0000 0001 0000 0000 0001" WWW "00 0029 04d0 00000000 0004 fde90000", 0,
		    "unknown option" },
		{ "1234 0000 0001 0000 0000 0001" WWW "00 0029 04d0", 1, "cut OPT" },
		{ HEAD "03777777 046d61696e 0474657374 00 0001 0004", 5, "class HS" },
		{ HEAD "03777777 046d61696e 0474657374 00 0010 0003", 5, "class CH, not ours" },
	};
	uint8_t pkt[512];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct query q = { .pkt = pkt,
			.len = zonebox_hex(rows[i].hex, pkt, sizeof pkt),
			.out = reply,
			.out_cap = SERVE_UDP_MAX };

		serve_batch(&kit.conf, &kit.view, &q, 1);
		if (rows[i].rcode < 0 ? q.verdict != SERVE_DROP
				      : q.verdict != SERVE_REPLY || q.rcode != rows[i].rcode)
			fail_msg("%s: verdict %d rcode %d", rows[i].why, q.verdict, q.rcode);
		if (q.verdict == SERVE_REPLY) {
			assert_memory_equal(reply, pkt, 2);
			assert_true((reply[2] & 0x80) != 0 && reply[3] == (q.rcode & 15));
		}
	}
}

static void
says_who_it_is(void **state)
{
	static const char *const names[] = { "version.bind.", "Version.Server.", "id.server.",
		"hostname.bind." };
	uint8_t pkt[512];

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		size_t len = zonekit_question(names[i], RR_TXT, "", pkt), n;
		char *text;

		pkt[len - 1] = 3;
		n = zonekit_ask(&kit, pkt, len, false, reply);
		text = zonekit_text(reply, n);
		assert_non_null(text);
		assert_non_null(strstr(text, i < 2 ? "CH TXT \"test\"" : "CH TXT \"kit\""));
		free(text);
	}
}

static void
truncates_whole_sets(void **state)
{
	struct wbuf text = wbuf_grow(1 << 20);
	uint8_t pkt[512];
	size_t len, n;
	char *got;
	char line[128];

	(void)state;
	wbuf_put(&text, main_zone, sizeof main_zone - 1);
	for (unsigned i = 0; i < 200; i++) {
		int at = snprintf(line, sizeof line,
		    "big A 10.0.%u.%u\nbg NS ns%u.bg\nns%u.bg A 10.1.0.%u\n", i / 100, i % 100, i,
		    i, i);

		if (i >= 20) /* the referral: 20 names */
			at = (int)(strchr(line, '\n') + 1 - line);
		wbuf_put(&text, line, (size_t)at);
	}
	zonekit_add(&kit, "big.test.", (const char *)text.base, text.len, 1);
	zonekit_publish(&kit);
	len = zonekit_question("big.big.test.", RR_A, "e", pkt);
	n = zonekit_ask(&kit, pkt, len, false, reply);
	got = zonekit_text(reply, n);
	assert_string_equal(got, "0 aa tc\n");
	assert_int_equal(reply[11], 1); /* OPT stays */
	free(got);
	n = zonekit_ask(&kit, pkt, len, true, reply);
	assert_int_equal(get_u16(reply + 6), 200);
	/* RFC 9471: glue inside the cut does not fit into 512 octets. */
	len = zonekit_question("x.bg.big.test.", RR_A, "", pkt);
	n = zonekit_ask(&kit, pkt, len, false, reply);
	assert_true(n <= 512 && (reply[2] & 2) != 0);
	len = zonekit_question("x.bg.big.test.", RR_A, "e", pkt);
	n = zonekit_ask(&kit, pkt, len, false, reply);
	assert_true(n > 512 && n <= 1232 && (reply[2] & 2) == 0);
	assert_int_equal(get_u16(reply + 10), 21);
	wbuf_free(&text);
}

/* A set that lies behind 16 KiB of reply: no pointer may reach over. */
static void
writes_names_in_full_far_out(void **state)
{
	struct wbuf text = wbuf_grow(1 << 20);
	uint8_t pkt[512];
	size_t len, n;
	char *got;
	char line[256];

	(void)state;
	wbuf_put(&text, second_zone, sizeof second_zone - 1);
	for (unsigned i = 0; i < 1200; i++) {
		n = (size_t)snprintf(line, sizeof line, "pt PTR host%u.far\n", i);
		wbuf_put(&text, line, n);
	}
	zonekit_add(&kit, "far.test.", (const char *)text.base, text.len, 1);
	zonekit_publish(&kit);
	len = zonekit_question("pt.far.test.", RR_PTR, "", pkt);
	n = zonekit_ask(&kit, pkt, len, true, reply);
	assert_true(n > 16384 + 1000);
	got = zonekit_text(reply, n);
	assert_non_null(got);
	assert_int_equal(get_u16(reply + 6), 1200);
	assert_non_null(strstr(got, "PTR host1199.far.far.test.\n"));
	free(got);
	wbuf_free(&text);
}

static void
answers_alike_from_a_tree(void **state)
{
	static const struct row rows[] = {
		{ "www.tree.test.", RR_A, "", "0 aa\nAN www.tree.test. 3600 IN A 192.0.2.5\n" },
		{ "tree.test.", RR_MX, "",
		    "0 aa\nAN*\nAN*\nAR mail.tree.test. 3600 IN A 192.0.2.3\n"
		    "AR mx.w.tree.test. 3600 IN A 192.0.2.4\n" },
		{ "nx.tree.test.", RR_A, "", "3 aa\nNS tree.test. 300 IN SOA*\n" },
		{ "ent.b.tree.test.", RR_A, "", "0 aa\nNS*\n" },
		{ "ent2.tree.test.", RR_A, "", "0 aa\nNS tree.test. 300 IN SOA*\n" },
		{ "q.wc.tree.test.", RR_A, "",
		    "0 aa\nAN q.wc*\nAN www.tree.test. 3600 IN A 192.0.2.5\n" },
		{ "x.sub.tree.test.", RR_A, "",
		    "0\nNS*\nNS*\nAR ns1.sub*\nAR ns1.tree*\nAR ns1.tree*\n" },
		{ "x.dn.tree.test.", RR_A, "", "0 aa\nAN dn*\nAN x.dn*\nAN x.target*\n" },
		{ "h777.tree.test.", RR_TXT, "", "0 aa\nAN h777.tree.test. 3600 IN TXT*\n" },
		{ "h.tree.test.", RR_HTTPS, "",
		    "0 aa\nAN h*\nAR h.tree.test. 3600 IN A 192.0.2.30\n" },
	};
	struct wbuf text = wbuf_grow(1 << 24);
	char line[256];

	(void)state;
	wbuf_put(&text, main_zone, sizeof main_zone - 1);
	for (unsigned i = 0; i < 3000; i++)
		wbuf_put(
		    &text, line, (size_t)snprintf(line, sizeof line, "h%u TXT \"%0100u\"\n", i, i));
	wbuf_put(&text, "a.ent2 A 192.0.2.1\n", 19);
	zonekit_add(&kit, "tree.test.", (const char *)text.base, text.len, 1);
	zonekit_publish(&kit);
	EXPECT(rows);
	wbuf_free(&text);
}

static void
a_batch_is_like_one_by_one(void **state)
{
	static uint8_t pkts[SERVE_BATCH][512], outs[SERVE_BATCH][SERVE_UDP_MAX];
	static struct query q[SERVE_BATCH];

	(void)state;
	for (unsigned i = 0; i < SERVE_BATCH; i++) {
		static const char *const names[] = { "www.main.test.", "nx.main.test.",
			"host3.example.", "www.nobody.test.", "a.main.test." };

		q[i] = (struct query){ .pkt = pkts[i], .out = outs[i], .out_cap = SERVE_UDP_MAX };
		q[i].len = zonekit_question(names[i % 5], RR_A, i % 2 ? "d" : "", pkts[i]);
		if (i % 7 == 6)
			q[i].len = i;
	}
	serve_batch(&kit.conf, &kit.view, q, SERVE_BATCH);
	for (unsigned i = 0; i < SERVE_BATCH; i++) {
		size_t n = zonekit_ask(&kit, pkts[i], q[i].len, false, reply);

		assert_int_equal(n, q[i].verdict == SERVE_REPLY ? q[i].out_len : 0);
		assert_memory_equal(reply, outs[i], n);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wildcards_as_in_rfc_4592),
		cmocka_unit_test(answers_and_refuses),
		cmocka_unit_test(refers),
		cmocka_unit_test(follows_chains),
		cmocka_unit_test(proves),
		cmocka_unit_test(judges_packets),
		cmocka_unit_test(says_who_it_is),
		cmocka_unit_test(truncates_whole_sets),
		cmocka_unit_test(writes_names_in_full_far_out),
		cmocka_unit_test(answers_alike_from_a_tree),
		cmocka_unit_test(a_batch_is_like_one_by_one),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
