/* zonetext - master files: what is read, the words and lines of refusals, and real zones that must
 * come back the same, whatever the pieces; plain types against ldns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <ldns/ldns.h>

#include "appliance/dns/codes.h"
#include "appliance/dns/rrtype.h"
#include "appliance/dns/zonetext.h"
#include "tests/lib/zonebox.h"

#define TEXT_MAX (1u << 20)

static enum ns_err
parse(const char *text, size_t len, size_t piece, struct wbuf *out, struct ns_why *why)
{
	struct rrpile *pile = rrpile_new();
	struct zonetext *zt = zonetext_new(zonebox_name("ex."), pile);
	enum ns_err err = NS_OK;
	uint64_t n;

	for (size_t at = 0; at < len && err == NS_OK; at += piece)
		err = zonetext_feed(zt, text + at, len - at < piece ? len - at : piece, why);
	if (err == NS_OK)
		err = zonetext_end(zt, why);
	else /* the first error stays */
		assert_int_equal(zonetext_end(zt, NULL), err);
	if (err == NS_OK)
		err = rrpile_to_zwire(pile, out, &n, why);
	zonetext_destroy(&zt);
	rrpile_destroy(&pile);
	return err;
}

static void
print(const struct wbuf *zwire, struct wbuf *text)
{
	struct zwire_iter it = zwire_iter(zwire->base, zwire->len);
	struct rrset set;

	while (zwire_next(&it, &set))
		rrset_to_text(&set, text);
	assert_true(rbuf_ok(&it.r) && wbuf_ok(text));
}

static const struct {
	const char *text, *want;
} good[] = {
	{ "", "" },
	{ "; nothing\n\n   \n\t; more\r\n", "" },
	{ "a 5 A 192.0.2.1", "a.ex. 5 IN A 192.0.2.1\n" },
	{ "a 5 IN A 192.0.2.1\n", "a.ex. 5 IN A 192.0.2.1\n" },
	{ "a IN 5 A 192.0.2.1\r\n", "a.ex. 5 IN A 192.0.2.1\n" },
	{ "a in 1h30m a 192.0.2.1 ; why\n", "a.ex. 5400 IN A 192.0.2.1\n" },
	{ "A.EX. 5 CLASS1 TYPE1 192.0.2.1\n", "a.ex. 5 IN A 192.0.2.1\n" },
	{ "$TTL 7\n@ A 192.0.2.1\n", "ex. 7 IN A 192.0.2.1\n" },
	{ "$ttl 1w\n@ A 192.0.2.1\n", "ex. 604800 IN A 192.0.2.1\n" },
	{ "a 5 A 192.0.2.1\n  AAAA ::1\n", "a.ex. 5 IN A 192.0.2.1\na.ex. 5 IN AAAA ::1\n" },
	{ "a 5 A 192.0.2.1\nb A 192.0.2.2\n", "a.ex. 5 IN A 192.0.2.1\nb.ex. 5 IN A 192.0.2.2\n" },
	{ "$TTL 9\na 5 A 192.0.2.1\nb A 192.0.2.2\n",
	    "a.ex. 5 IN A 192.0.2.1\nb.ex. 9 IN A 192.0.2.2\n" },
	{ "@ SOA a b 1 2 3 4 60\nb A 192.0.2.2\n",
	    "ex. 60 IN SOA a.ex. b.ex. 1 2 3 4 60\nb.ex. 60 IN A 192.0.2.2\n" },
	{ "@ 5 SOA a b 1 1h 3M 4d 1w1\n", "ex. 5 IN SOA a.ex. b.ex. 1 3600 180 345600 604801\n" },
	{ "@ 5 SOA a b ( 1 ; serial\n 2\n\n3 4 ) 60\n", "ex. 5 IN SOA a.ex. b.ex. 1 2 3 4 60\n" },
	{ "(a 5\nA\n192.0.2.1)\n", "a.ex. 5 IN A 192.0.2.1\n" },
	{ "a 5 ((A) 192.0.2.1 (\n))\n", "a.ex. 5 IN A 192.0.2.1\n" },
	{ "$ORIGIN sub\na 5 MX 10 m\n$ORIGIN ex.\nb 5 MX 10 m\n",
	    "b.ex. 5 IN MX 10 m.ex.\na.sub.ex. 5 IN MX 10 m.sub.ex.\n" },
	{ "$ORIGIN com.\na.ex. 5 NS b\n", "a.ex. 5 IN NS b.com.\n" },
	{ "a 5 TXT \"b;(c\" d\\;e \"f\\\"\\065\" \"\" ; g\n",
	    "a.ex. 5 IN TXT \"b;(c\" \"d;e\" \"f\\\"A\" \"\"\n" },
	{ "a 5 TXT \"a\"\"b\"\n", "a.ex. 5 IN TXT \"a\" \"b\"\n" },
	{ "a 5 TXT \xc3\xa4\n", "a.ex. 5 IN TXT \"\\195\\164\"\n" },
	{ "\xef\xbb\xbf"
	  "a 5 A 192.0.2.1\n",
	    "a.ex. 5 IN A 192.0.2.1\n" },
	{ "a 5 CAA 0 issue le.org\na 5 CAA 128 iodef \"mailto:a@b\"\n",
	    "a.ex. 5 IN CAA 0 issue \"le.org\"\na.ex. 5 IN CAA 128 iodef \"mailto:a@b\"\n" },
	{ "a 5 HINFO PC \"x y\"\n", "a.ex. 5 IN HINFO \"PC\" \"x y\"\n" },
	{ "a 5 NAPTR 1 2 s http+E2U \"\" _h._tcp\n",
	    "a.ex. 5 IN NAPTR 1 2 \"s\" \"http+E2U\" \"\" _h._tcp.ex.\n" },
	{ "a 5 URI 10 1 \"ftp://h/\"\n", "a.ex. 5 IN URI 10 1 \"ftp://h/\"\n" },
	{ "a 5 A \\# 4 c0 000201\n", "a.ex. 5 IN A 192.0.2.1\n" },
	{ "a 5 TYPE65280 \\# 2 AbCd\n", "a.ex. 5 IN TYPE65280 \\# 2 abcd\n" },
	{ "a 5 TYPE65280 \\# 0\n", "a.ex. 5 IN TYPE65280 \\# 0\n" },
	{ "a 5 HTTPS 1 . port=443 alpn=\"h2,h3\"\n", "a.ex. 5 IN HTTPS 1 . alpn=h2,h3 port=443\n" },
	{ "a 5 SVCB 0 b\n", "a.ex. 5 IN SVCB 0 b.ex.\n" },
	{ "a 5 DS 60485 5 1 2BB183AF5F22588179A53B0A 98631FAD1A292118\n",
	    "a.ex. 5 IN DS 60485 5 1 2bb183af5f22588179a53b0a98631fad1a292118\n" },
	{ "a 5 IPSECKEY 10 3 2 gw AQNR\n", "a.ex. 5 IN IPSECKEY 10 3 2 gw.ex. AQNR\n" },
	{ "a 5 IPSECKEY 10 0 2 .\na 5 IPSECKEY 10 1 2 192.0.2.1 AQ NR\na 5 IPSECKEY 10 2 2 ::1 "
	  "AQ==\n",
	    "a.ex. 5 IN IPSECKEY \\# 3 0a0002\na.ex. 5 IN IPSECKEY 10 1 2 192.0.2.1 AQNR\n"
	    "a.ex. 5 IN IPSECKEY 10 2 2 ::1 AQ==\n" },
	{ "a 5 HIP 2 200100107B1A74DF365639CC39F1D578 AQNR rv rv.b.\n",
	    "a.ex. 5 IN HIP 2 200100107b1a74df365639cc39f1d578 AQNR rv.ex. rv.b.\n" },
	{ "a 5 LOC 52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m\n",
	    "a.ex. 5 IN LOC 52 22 23.000 N 04 53 32.000 E -2m 0.00m 10000m 10m\n" },
	{ "a 5 NSEC b A TYPE1234\n", "a.ex. 5 IN NSEC b.ex. A TYPE1234\n" },
	{ "a 5 RRSIG A 8 2 3600 20300101000000 20200101000000 12345 @ AQNR\n",
	    "a.ex. 5 IN RRSIG A 8 2 3600 20300101000000 20200101000000 12345 ex. AQNR\n" },
	{ "a 5 APL 1:192.168.32.0/21 !1:192.168.38.0/28\n",
	    "a.ex. 5 IN APL 1:192.168.32.0/21 !1:192.168.38.0/28\n" },
	{ "a 5 X25 311061700956\n", "a.ex. 5 IN TYPE19 \\# 13 0c333131303631373030393536\n" },
	{ "a 5 EUI64 00-00-5e-ef-10-00-00-2a\n", "a.ex. 5 IN EUI64 00-00-5e-ef-10-00-00-2a\n" },
	{ "a 5 CDS 0 0 0 00\na 5 CDNSKEY 0 3 0 AA==\n",
	    "a.ex. 5 IN CDS 0 0 0 00\na.ex. 5 IN CDNSKEY 0 3 0 AA==\n" },
	{ "a 5 DNSKEY 257 3 8 AQNR\n", "a.ex. 5 IN DNSKEY 257 3 8 AQNR\n" },
	{ "\\097\\.b 5 A 192.0.2.1\n", "a\\.b.ex. 5 IN A 192.0.2.1\n" },
	{ "a\\ b 5 A 192.0.2.1\n", "a\\032b.ex. 5 IN A 192.0.2.1\n" },
	{ "a 5 A 192.0.2.1\na 9 A 192.0.2.1\n", "a.ex. 5 IN A 192.0.2.1\n" },
	{ "a 5 CNAME Mixed.Case.\n", "a.ex. 5 IN CNAME Mixed.Case.\n" },
};

static void
reads_records(void **state)
{
	static const size_t pieces[] = { 1, 3, 100000 };

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		for (size_t k = 0; k < sizeof pieces / sizeof pieces[0]; k++) {
			struct wbuf zwire = wbuf_grow(TEXT_MAX), text = wbuf_grow(TEXT_MAX);
			struct ns_why why = { 0 };

			if (parse(good[i].text, strlen(good[i].text), pieces[k], &zwire, &why) !=
			    NS_OK)
				fail_msg("row %zu: %s: line %u: %s", i, good[i].text, why.line,
				    why.text);
			assert_int_equal(zwire_check(zwire.base, zwire.len, NULL), NS_OK);
			print(&zwire, &text);
			wbuf_u8(&text, 0);
			assert_string_equal((char *)text.base, good[i].want);
			wbuf_free(&zwire);
			wbuf_free(&text);
		}
	}
}

#define TEN "\n\n\n\n\n\n\n\n\n\n"

static const struct {
	const char *text;
	uint32_t line;
	uint16_t code;
	const char *owner, *type, *field, *says; /* says: part of the text */
} bad[] = {
	{ TEN "a 5 A 192.0.2.1\n\n; x\n\nb 5 A 1.2.3\nc 5 A 192.0.2.300\n", 15, E_IPV4, "b.ex.",
	    "A", "address", "it has 3 octets, not 4" },
	{ TEN "a 5 A 192.0.2.1\n\n; x\n\nb 5 A 192.0.2.1\n\nc 5 A 192.0.2.300\n", 17, E_IPV4,
	    "c.ex.", "A", "address", "not an IPv4 address: octet 4 is 300, must be 0-255" },
	{ "a 5 A 01.2.3.4\n", 1, E_IPV4, "a.ex.", "A", "address", "octet 1 has a leading zero" },
	{ "a 5 A ::1\n", 1, E_IPV4, "a.ex.", "A", "address", "four numbers with dots" },
	{ "a 5 A 1.2.3.4.5\n", 1, E_IPV4, "a.ex.", "A", "address", "four numbers with dots" },
	{ "a 5 A 1..2.3\n", 1, E_IPV4, "a.ex.", "A", "address", "four numbers with dots" },
	{ "a 5 A\n", 1, E_RDATA_TEXT, "a.ex.", "A", "address", "it is missing" },
	{ "a 5 A 1.2.3.4 5\n", 1, E_RDATA_TEXT, "a.ex.", "A", "address", "\"5\" is left over" },
	{ "a 5 AAAA 1.2.3.4\n", 1, E_IPV6, "a.ex.", "AAAA", "address", "goes into an A record" },
	{ "a 5 MX 70000 b\n", 1, E_RDATA_TEXT, "a.ex.", "MX", "preference",
	    "70000 is too large: 0 to 65535" },
	{ "a 5 MX b 10\n", 1, E_RDATA_TEXT, "a.ex.", "MX", "preference", "\"b\" is not a number" },
	{ "a 5 MX 10\n", 1, E_RDATA_TEXT, "a.ex.", "MX", "exchange",
	    "MX is written \"preference exchange\"" },
	{ "a 5 MX 10 b..c\n", 1, E_NAME, "a.ex.", "MX", "exchange", "a label is empty" },
	{ "@ 5 SOA a b (\n1\n2\nx\n4 5 )\n", 4, E_RDATA_TEXT, "ex.", "SOA", "retry",
	    "\"x\" is not a number" },
	{ "@ 5 SOA a b ( 1 2 3\n4 5\n\n", 1, E_TEXT_END, "", "", "",
	    "parentheses that open in line 1" },
	{ "\na 5 TXT \"b\nc\n", 2, E_TEXT_SYNTAX, "", "", "",
	    "a quoted string does not end on its line" },
	{ "\na 5 TXT \"b", 2, E_TEXT_SYNTAX, "", "", "",
	    "a quoted string does not end on its line" },
	{ "a 5 TXT b\\\n", 1, E_TEXT_SYNTAX, "", "", "", "backslash" },
	{ "a 5 TXT b)\n", 1, E_TEXT_SYNTAX, "", "", "", "a parenthesis closes" },
	{ "a 5 TXT b\001\n", 1, E_TEXT_SYNTAX, "", "", "", "control character" },
	{ "a 5 TXT \\256\n", 1, E_RDATA_TEXT, "a.ex.", "TXT", "text", "000 to 255" },
	{ "a 5 TXT a\"b\"\n", 1, E_RDATA_TEXT, "a.ex.", "TXT", "text",
	    "quote stands inside a word" },
	{ "\n$INCLUDE other.zone\n", 2, E_TEXT_DIRECTIVE, "", "", "",
	    "\"$INCLUDE\": not supported" },
	{ "$GENERATE 1-9 a$ A 192.0.2.$\n", 1, E_TEXT_DIRECTIVE, "", "", "",
	    "\"$GENERATE\": not supported" },
	{ "$FOO 1\n", 1, E_TEXT_DIRECTIVE, "", "", "", "$ORIGIN and $TTL only" },
	{ "$TTL\n", 1, E_TEXT_DIRECTIVE, "", "", "", "its value is missing" },
	{ "$TTL x\n", 1, E_TEXT_TTL, "", "", "", "a TTL is" },
	{ "$TTL 2147483648\n", 1, E_TEXT_TTL, "", "", "", "a TTL is" },
	{ "$TTL 1 2\n", 1, E_TEXT_DIRECTIVE, "", "", "", "one value only" },
	{ "a A 192.0.2.1\n", 1, E_TEXT_TTL, "a.ex.", "A", "", "no TTL" },
	{ "a 99999999999 A 192.0.2.1\n", 1, E_TEXT_TTL, "a.ex.", "", "", "a TTL is" },
	{ "  5 A 192.0.2.1\n", 1, E_TEXT_OWNER, "", "", "", "no owner to repeat" },
	{ "a 5 CH A 192.0.2.1\n", 1, E_TEXT_CLASS, "a.ex.", "", "", "the class is IN" },
	{ "a 5 CLASS3 A 192.0.2.1\n", 1, E_TEXT_CLASS, "a.ex.", "", "", "the class is IN" },
	{ "a 5 NOSUCH 192.0.2.1\n", 1, E_TEXT_TYPE, "a.ex.", "", "", "no record type" },
	{ "a 5\n", 1, E_TEXT_TYPE, "a.ex.", "", "", "ends before its type" },
	{ "a\n", 1, E_TEXT_TYPE, "a.ex.", "", "", "ends before its type" },
	{ "a.com. 5 A 192.0.2.1\n", 1, E_OUTSIDE, "a.com.", "", "", "outside the zone" },
	{ "a..b 5 A 192.0.2.1\n", 1, E_NAME, "", "", "name", "a label is empty" },
	{ "a 5 OPT \\# 0\n", 1, E_META, "a.ex.", "OPT", "", "messages only" },
	{ "a 5 DS 70000 8 2 00\n", 1, E_RDATA_TEXT, "a.ex.", "DS", "key-tag",
	    "70000 is too large" },
	{ "a 5 DS -1 8 2 00\n", 1, E_RDATA_TEXT, "a.ex.", "DS", "key-tag", "not a number" },
	{ "a 5 CERT 0 1 8 AQNR\n", 1, E_RDATA_VALUE, "a.ex.", "CERT", "certificate-type",
	    "reserved" },
	{ "a 5 DS 7 300 2 00\n", 1, E_RDATA_TEXT, "a.ex.", "DS", "algorithm", "300 is too large" },
	{ "a 5 DS 7 8 1 2BB183AF5F22588179A53B0A98631FAD1A29211\n", 1, E_RDATA_TEXT, "a.ex.", "DS",
	    "digest", "digit is missing" },
	{ "a 5 DS 7 8 2 ffff\n", 1, E_RDATA_VALUE, "a.ex.", "DS", "digest", "has 32 octets" },
	{ "a 5 DS 7 8 2 zz\n", 1, E_RDATA_TEXT, "a.ex.", "DS", "rdata", "key-tag algorithm" },
	{ "a 5 SSHFP 4 2 fff\n", 1, E_RDATA_TEXT, "a.ex.", "SSHFP", "fingerprint",
	    "digit is missing" },
	{ "a 5 A \\# 4 c00002\n", 1, E_RDATA_TEXT, "a.ex.", "A", "rdata", "the length is not" },
	{ "a 5 A \\# 4 c000020x\n", 1, E_RDATA_TEXT, "a.ex.", "A", "rdata", "hexadecimal" },
	{ "a 5 A \\# 3 c00002\n", 1, E_RDATA, "a.ex.", "A", "address", "4 octets" },
	{ "a 5 TYPE65280 x\n", 1, E_RDATA_TEXT, "a.ex.", "TYPE65280", "rdata", "" },
	{ "a 5 CAA 0 is.sue x\n", 1, E_RDATA_VALUE, "a.ex.", "CAA", "tag", "letters and digits" },
	{ "a 5 HTTPS 1 . no-default-alpn\n", 1, E_RDATA_VALUE, "a.ex.", "HTTPS", "params",
	    "needs alpn" },
	{ "a 5 IPSECKEY 1 4 2 . AQNR\n", 1, E_RDATA_TEXT, "a.ex.", "IPSECKEY", "gateway-type",
	    "0 to 3" },
	{ "a 5 IPSECKEY 1 0 2 a AQNR\n", 1, E_RDATA_TEXT, "a.ex.", "IPSECKEY", "gateway", "\".\"" },
	{ "a 5 IPSECKEY 1 1 2 1.2.3 AQNR\n", 1, E_IPV4, "a.ex.", "IPSECKEY", "gateway",
	    "3 octets" },
	{ "a 5 IPSECKEY 1 0 2 . AQN\n", 1, E_RDATA_TEXT, "a.ex.", "IPSECKEY", "public-key",
	    "cut short" },
	{ "a 5 IPSECKEY 1 0 2 . AQ=R\n", 1, E_RDATA_TEXT, "a.ex.", "IPSECKEY", "public-key",
	    "base64" },
	{ "a 5 IPSECKEY 1 0 2\n", 1, E_RDATA_TEXT, "a.ex.", "IPSECKEY", "gateway", "missing" },
	{ "a 5 LOC 95 0 0 N 4 0 0 E 0m\n", 1, E_RDATA_VALUE, "a.ex.", "LOC", "latitude",
	    "90 degrees" },
};

static void
tells_what_is_wrong(void **state)
{
	static const size_t pieces[] = { 1, 100000 };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		for (size_t k = 0; k < sizeof pieces / sizeof pieces[0]; k++) {
			struct wbuf zwire = wbuf_grow(TEXT_MAX);
			struct ns_why why = { 0 };
			enum ns_err err =
			    parse(bad[i].text, strlen(bad[i].text), pieces[k], &zwire, &why);

			if (err != NS_INVALID || why.code != bad[i].code ||
			    why.line != bad[i].line || strstr(why.text, bad[i].says) == NULL)
				fail_msg(
				    "row %zu: line %u: E%u %s", i, why.line, why.code, why.text);
			assert_string_equal(why.zone, "ex.");
			assert_string_equal(why.owner, bad[i].owner);
			assert_string_equal(why.type, bad[i].type);
			assert_string_equal(why.field, bad[i].field);
			wbuf_free(&zwire);
		}
	}
}

static void
bounds_a_record(void **state)
{
	size_t len = ZONETEXT_MAX_LINE * 2;
	char *text = malloc(len);
	struct wbuf zwire = wbuf_grow(TEXT_MAX);
	struct ns_why why = { 0 };

	(void)state;
	memset(text, ' ', len);
	memcpy(text, "\na 5 TXT b", 10);
	assert_int_equal(parse(text, len, 1000, &zwire, &why), NS_INVALID);
	assert_int_equal(why.code, E_TEXT_LONG);
	assert_int_equal(why.line, 2);
	memset(text, 'x', len);
	memcpy(text, "a 5 A 192.0.2.1 ;", 17); /* a comment may be as long as it likes */
	assert_int_equal(parse(text, len, 1000, &zwire, &why), NS_OK);
	text[12 + 280] = ' ';
	memcpy(text, "a 5 TXT bbbbbbbbb", 17);
	text[12 + 281] = '\n';
	assert_int_equal(parse(text, 12 + 282, 1000, &zwire, &why), NS_INVALID);
	assert_non_null(strstr(why.text, "at most 255"));
	wbuf_free(&zwire);
	free(text);
}

static void
reads_one_rdata(void **state)
{
	static const struct {
		uint16_t type;
		const char *text;
		bool strict;
		const char *want; /* NULL: refused with code and part of the text */
		uint16_t code;
		const char *says;
	} rows[] = {
		{ RR_MX, "10 mx1", true, "10 mx1.ex.", 0, NULL },
		{ RR_MX, "10 mx1.example.net.", true, "10 mx1.example.net.", 0, NULL },
		{ RR_MX, "10 mx1.example.net", false, "10 mx1.example.net.ex.", 0, NULL },
		{ RR_MX, "10 mx1.example.net", true, NULL, E_NAME_DOT,
		    "field \"exchange\": \"mx1.example.net\" has no final dot: write "
		    "\"mx1.example.net.\" (as it "
		    "stands) or \"mx1.example.net.ex.\" (completed with the zone)" },
		{ RR_CNAME, "a\\.b", true, "a\\.b.ex.", 0, NULL },
		{ RR_CNAME, "a.b\\.", true, NULL, E_NAME_DOT, "has no final dot" },
		{ RR_CNAME, "@", true, "ex.", 0, NULL },
		{ RR_CNAME, ".", true, ".", 0, NULL },
		{ RR_SRV, "1 2 3 a.b", true, NULL, E_NAME_DOT, "field \"target\"" },
		{ RR_HTTPS, "1 a.b alpn=h2", true, NULL, E_NAME_DOT, "field \"target\"" },
		{ RR_HTTPS, "1 a alpn=h2", true, "1 a.ex. alpn=h2", 0, NULL },
		{ RR_IPSECKEY, "1 3 2 a.b AQNR", true, NULL, E_NAME_DOT, "field \"gateway\"" },
		{ RR_IPSECKEY, "1 1 2 192.0.2.1 AQNR", true, "1 1 2 192.0.2.1 AQNR", 0, NULL },
		{ RR_NSEC, "a.b A", true, NULL, E_NAME_DOT, "field \"next\"" },
		{ RR_HIP, "2 2001 AQNR a.b", true, NULL, E_NAME_DOT, "a.b." },
		{ RR_SOA, "a.b c 1 2 3 4 5", true, NULL, E_NAME_DOT, "field \"mname\"" },
		{ RR_TXT, "a.b", true, "\"a.b\"", 0, NULL },
		{ RR_TXT, "( a\n b )", true, "\"a\" \"b\"", 0, NULL },
		{ RR_TXT, "a ; b", true, "\"a\"", 0, NULL },
		{ RR_TXT, "a\nb", true, NULL, E_TEXT_SYNTAX, "one line" },
		{ RR_TXT, "(a", true, NULL, E_TEXT_END, "parentheses" },
		{ RR_TXT, "", true, NULL, E_RDATA_TEXT, "missing" },
		{ RR_A, "192.0.2.1\n", true, "192.0.2.1", 0, NULL },
		{ 65280, "\\# 1 aa", true, "\\# 1 aa", 0, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		uint8_t out[UINT16_MAX];
		char text[1024];
		struct ns_why why = { 0 };
		size_t len;
		enum ns_err err = rdata_from_text(rows[i].type, rows[i].text, zonebox_name("ex."),
		    rows[i].strict, out, sizeof out, &len, &why);

		if (rows[i].want == NULL) {
			if (err != NS_INVALID || why.code != rows[i].code ||
			    strstr(why.text, rows[i].says) == NULL)
				fail_msg("row %zu: E%u %s", i, why.code, why.text);
			continue;
		}
		if (err != NS_OK)
			fail_msg("row %zu: E%u %s", i, why.code, why.text);
		assert_true(rdata_to_text(rows[i].type, out, len, text, sizeof text));
		assert_string_equal(text, rows[i].want);
		assert_false(rdata_to_text(rows[i].type, out, len, text, strlen(rows[i].want)));
		assert_int_equal(rdata_from_text(rows[i].type, rows[i].text, zonebox_name("ex."),
				     rows[i].strict, out, len - 1, &len, &why),
		    NS_INVALID);
	}
}

/* ldns reads our line: the rdata must be ours. */
static void
compare_with_ldns(const struct rrset *set, const uint8_t *rdata, size_t len)
{
	char text[NAME_MAX_TEXT * 4], line[sizeof text + 64], type[RRTYPE_MAX_TEXT];
	ldns_rr *rr = NULL;
	size_t at = 0;

	assert_true(rdata_to_text(set->type, rdata, len, text, sizeof text));
	snprintf(line, sizeof line, ". 0 IN %s %s", rrtype_to_text(set->type, type), text);
	assert_int_equal(ldns_rr_new_frm_str(&rr, line, 0, NULL, NULL), LDNS_STATUS_OK);
	for (size_t i = 0; i < ldns_rr_rd_count(rr); i++) {
		const ldns_rdf *rdf = ldns_rr_rdf(rr, i);

		assert_true(at + ldns_rdf_size(rdf) <= len);
		assert_memory_equal(rdata + at, ldns_rdf_data(rdf), ldns_rdf_size(rdf));
		at += ldns_rdf_size(rdf);
	}
	assert_int_equal(at, len);
	ldns_rr_free(rr);
}

static void
compare_zone_with_ldns(const struct wbuf *zwire)
{
	struct zwire_iter it = zwire_iter(zwire->base, zwire->len);
	struct rrset set;

	while (zwire_next(&it, &set)) {
		struct rbuf r = rbuf_init(set.rdata, set.rdata_len);
		const uint8_t *rdata;
		size_t len;

		while ((rdata = rrset_next_rdata(&r, &len)) != NULL)
			compare_with_ldns(&set, rdata, len);
	}
}

static void
keeps_real_zones(void **state)
{
	static const struct {
		const char *file, *apex;
		uint64_t records;
	} zones[] = {
		{ "is-a.dev.zone", "is-a.dev.", 17557 },
		{ "js.org.zone", "js.org.", 3932 },
		{ "root.zone.gz", ".", 19597 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof zones / sizeof zones[0]; i++) {
		size_t len = 0;
		char *file = zonebox_read(zones[i].file, &len);
		struct wbuf first, second, text = wbuf_grow(64u << 20);
		struct ns_why why = { 0 };
		uint64_t records;

		if (file == NULL)
			skip();
		first = zonebox_zwire(zones[i].apex, file, len, 65536, &records);
		assert_int_equal(records, zones[i].records);
		if (zwire_check(first.base, first.len, &why) != NS_OK)
			fail_msg("%s %s: %s", why.owner, why.type, why.text);
		print(&first, &text);
		second = zonebox_zwire(zones[i].apex, (char *)text.base, text.len, 17, &records);
		assert_int_equal(second.len, first.len);
		assert_memory_equal(second.base, first.base, first.len);
		compare_zone_with_ldns(&first);
		wbuf_free(&first);
		wbuf_free(&second);
		wbuf_free(&text);
		free(file);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_records),
		cmocka_unit_test(tells_what_is_wrong),
		cmocka_unit_test(bounds_a_record),
		cmocka_unit_test(reads_one_rdata),
		cmocka_unit_test(keeps_real_zones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
