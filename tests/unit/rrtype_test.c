/* rrtype - the table, and what rdata_check() takes and refuses, type by type. */
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
#include "tests/lib/zonebox.h"

#define H8    "00 11 22 33 44 55 66 77 "
#define H16   H8 H8
#define H32   H16 H16
#define H64   H32 H32
#define OK    0, NULL
#define SHAPE E_RDATA
#define VALUE E_RDATA_VALUE

static const struct {
	uint16_t type;
	const char *hex;
	uint16_t code;
	const char *field;
} rows[] = {
	{ RR_A, "c0000201", OK },
	{ RR_A, "c00002", SHAPE, "address" },
	{ RR_A, "c000020100", SHAPE, "address" },
	{ RR_AAAA, H16, OK },
	{ RR_AAAA, H8, SHAPE, "address" },
	{ RR_NS, "016100", OK },
	{ RR_NS, "", SHAPE, "target" },
	{ RR_NS, "0161", SHAPE, "target" },
	{ RR_NS, "c00c", SHAPE, "target" },
	{ RR_NS, "01610000", SHAPE, "target" },
	{ RR_MX, "000a016100", OK },
	{ RR_MX, "000a", SHAPE, "exchange" },
	{ RR_MX, "00", SHAPE, "preference" },
	{ RR_SOA, "0000 00000001 00000002 00000003 00000004 00000005", OK },
	{ RR_SOA, "0000 00000001 00000002 00000003 00000004 000000", SHAPE, "minimum" },
	{ RR_TXT, "00", OK },
	{ RR_TXT, "0161 026262", OK },
	{ RR_TXT, "", SHAPE, "text" },
	{ RR_TXT, "0261", SHAPE, "text" },
	{ RR_HINFO, "0161 0162", OK },
	{ RR_HINFO, "0161", SHAPE, "os" },
	{ RR_SRV, "0001 0002 0003 00", OK },
	{ RR_SRV, "0001 0002 0003", SHAPE, "target" },
	{ RR_NAPTR, "0001 0002 0173 00 00 016100", OK },
	{ RR_NAPTR, "0001 0002 012e 00 00 016100", VALUE, "flags" },
	{ RR_NAPTR, "0001 0002 0175 00 0121 016100", VALUE, "regexp" },
	{ RR_DNAME, "016100", OK },
	{ RR_LOC, "00 12 16 13 8b3cf018 810cbce0 009895b8", OK },
	{ RR_LOC, "01 12 16 13 8b3cf018 810cbce0 009895b8", VALUE, "version" },
	{ RR_LOC, "00 a2 16 13 8b3cf018 810cbce0 009895b8", VALUE, "size" },
	{ RR_LOC, "00 12 1a 13 8b3cf018 810cbce0 009895b8", VALUE, "horizontal-precision" },
	{ RR_LOC, "00 12 16 13 9b3cf018 810cbce0 009895b8", VALUE, "latitude" },
	{ RR_LOC, "00 12 16 13 8b3cf018 b10cbce0 009895b8", VALUE, "longitude" },
	{ RR_LOC, "00 12 16 13 8b3cf018 810cbce0", SHAPE, "altitude" },
	{ RR_DS, "0001 08 02" H32, OK },
	{ RR_DS, "0001 08 02" H16, VALUE, "digest" },
	{ RR_DS, "0001 08 01" H16 "00000000", OK },
	{ RR_DS, "0001 08 04" H32 H16, OK },
	{ RR_DS, "0001 08 04" H32, VALUE, "digest" },
	{ RR_DS, "0001 08 09 00", OK },
	{ RR_DS, "0000 00 00 00", VALUE, "digest-type" },
	{ RR_DS, "0001 08 02", SHAPE, "digest" },
	{ RR_CDS, "0000 00 00 00", OK },
	{ RR_CDS, "0001 00 00 00", VALUE, "digest-type" },
	{ RR_CDS, "0001 08 02" H32, OK },
	{ RR_DNSKEY, "0101 03 0d" H64, OK },
	{ RR_DNSKEY, "0101 03 0d" H32, VALUE, "public-key" },
	{ RR_DNSKEY, "0101 02 0d" H64, VALUE, "protocol" },
	{ RR_DNSKEY, "0101 03 0f" H32, OK },
	{ RR_DNSKEY, "0101 03 08", SHAPE, "public-key" },
	{ RR_RRSIG, "0001 0d 02 00000e10 70dbd880 5e0be100 3039 016100" H64, OK },
	{ RR_RRSIG, "0001 0d 02 00000e10 70dbd880 5e0be100 3039 016100" H32, VALUE, "signature" },
	{ RR_RRSIG, "002e 0d 02 00000e10 70dbd880 5e0be100 3039 016100" H64, VALUE,
	    "type-covered" },
	{ RR_RRSIG, "0001 0d 80 00000e10 70dbd880 5e0be100 3039 016100" H64, VALUE, "labels" },
	{ RR_RRSIG, "0001 0d 02 00000e10 70dbd880 5e0be100 3039 016100", SHAPE, "signature" },
	{ RR_NSEC, "016100 0006 400000000003", OK },
	{ RR_NSEC, "016100 0006 400000000000", SHAPE, "types" },
	{ RR_NSEC, "016100 0100", SHAPE, "types" },
	{ RR_NSEC, "016100 0101 40 0001 40", SHAPE, "types" },
	{ RR_NSEC, "016100 0001 40 0001 40", SHAPE, "types" },
	{ RR_NSEC, "016100 0021" H32 "01", SHAPE, "types" },
	{ RR_NSEC, "016100 0020" H32, OK },
	{ RR_NSEC3, "01 00 000a 02aabb 14" H16 "00000000 0001 40", OK },
	{ RR_NSEC3, "01 00 000a 00 14" H16 "00000000", OK },
	{ RR_NSEC3, "01 00 000a 00 10" H16, VALUE, "next" },
	{ RR_NSEC3, "07 00 000a 00 00", VALUE, "next" },
	{ RR_NSEC3, "01 00 000a 05aabb", SHAPE, "salt" },
	{ RR_NSEC3PARAM, "01 00 000a 00", OK },
	{ RR_NSEC3PARAM, "01 00 000a 0000", SHAPE, "salt" },
	{ RR_SSHFP, "04 02" H32, OK },
	{ RR_SSHFP, "04 01" H32, VALUE, "fingerprint" },
	{ RR_TLSA, "03 01 01" H32, OK },
	{ RR_TLSA, "03 01 02" H32, VALUE, "data" },
	{ RR_TLSA, "03 01 00 aa", OK },
	{ RR_SMIMEA, "03 01 01" H16, VALUE, "data" },
	{ RR_CERT, "0001 0000 08 aa", OK },
	{ RR_CERT, "0000 0000 08 aa", VALUE, "certificate-type" },
	{ RR_CAA, "00 056973737565 61", OK },
	{ RR_CAA, "00 056973737565", OK },
	{ RR_CAA, "00 00", VALUE, "tag" },
	{ RR_CAA, "00 01 2e", VALUE, "tag" },
	{ RR_CAA, "00 0561", SHAPE, "tag" },
	{ RR_APL, "", OK },
	{ RR_APL, "0001 15 03c0a820", OK },
	{ RR_APL, "0001 15 83c0a820", OK },
	{ RR_APL, "0001 15 03c0a800", VALUE, "prefixes" },
	{ RR_APL, "0001 21 03c0a820", VALUE, "prefixes" },
	{ RR_APL, "0001 15 05c0a82001ff", VALUE, "prefixes" },
	{ RR_APL, "0001 15 03c0", VALUE, "prefixes" },
	{ RR_IPSECKEY, "0a 00 02 aabb", OK },
	{ RR_IPSECKEY, "0a 01 02 c0000201 aabb", OK },
	{ RR_IPSECKEY, "0a 02 02" H16, OK },
	{ RR_IPSECKEY, "0a 02 02" H8, SHAPE, "gateway" },
	{ RR_IPSECKEY, "0a 03 02 016100 aa", OK },
	{ RR_IPSECKEY, "0a 04 02 016100 aa", SHAPE, "gateway" },
	{ RR_HIP, "02 02 0003 aabb ccddee 016100 00", OK },
	{ RR_HIP, "02 02 0003 aabb ccddee 0161", VALUE, "data" },
	{ RR_HIP, "00 02 0003 aabb", VALUE, "data" },
	{ RR_HIP, "02 02 0013 aabb", VALUE, "data" },
	{ RR_ZONEMD, "00000001 01 01" H32 H16, OK },
	{ RR_ZONEMD, "00000001 01 01" H32, VALUE, "digest" },
	{ RR_ZONEMD, "00000001 01 f0" H8, VALUE, "digest" },
	{ RR_CSYNC, "00000001 0003 0001 40", OK },
	{ RR_EUI48, "00005e00532a", OK },
	{ RR_EUI64, "00005eef1000002a", OK },
	{ RR_EUI64, "00005eef1000", SHAPE, "address" },
	{ RR_NID, "000a 00144fffff20ee64", OK },
	{ RR_L32, "000a 0a010200", OK },
	{ RR_LP, "000a 016100", OK },
	{ RR_URI, "000a 0001 66", OK },
	{ RR_URI, "000a 0001", SHAPE, "target" },
	{ RR_SVCB, "0001 00", OK },
	{ RR_HTTPS, "0001 00 0001 0003 02 6832", OK },
	{ RR_HTTPS, "0001 00 0001 0000", VALUE, "params" },
	{ RR_HTTPS, "0001 00 0001 0003 03 6832", VALUE, "params" },
	{ RR_HTTPS, "0001 00 0001 0001 00", VALUE, "params" },
	{ RR_HTTPS, "0001 00 0003 0002 01bb", OK },
	{ RR_HTTPS, "0001 00 0003 0003 01bbff", VALUE, "params" },
	{ RR_HTTPS, "0001 00 0003 0002 01bb 0001 0003 026832", VALUE, "params" },
	{ RR_HTTPS, "0001 00 0003 0002 01bb 0003 0002 01bb", VALUE, "params" },
	{ RR_HTTPS, "0001 00 0004 0004 c0000201", OK },
	{ RR_HTTPS, "0001 00 0004 0003 c00002", VALUE, "params" },
	{ RR_HTTPS, "0001 00 0004 0000", VALUE, "params" },
	{ RR_HTTPS, "0001 00 0006 0010" H16, OK },
	{ RR_HTTPS, "0001 00 0006 0008" H8, VALUE, "params" },
	{ RR_HTTPS, "0001 00 0002 0000", VALUE, "params" },
	{ RR_HTTPS, "0001 00 0001 0003 026832 0002 0000", OK },
	{ RR_HTTPS, "0001 00 0001 0003 026832 0002 0001 00", VALUE, "params" },
	{ RR_HTTPS, "0001 00 0000 0002 0003 0003 0002 01bb", OK },
	{ RR_HTTPS, "0001 00 0000 0002 0001 0003 0002 01bb", VALUE, "params" },
	{ RR_HTTPS, "0001 00 0000 0002 0000 0003 0002 01bb", VALUE, "params" },
	{ RR_HTTPS, "0001 00 0000 0000", VALUE, "params" },
	{ RR_HTTPS, "0001 00 0005 0000", VALUE, "params" },
	{ RR_HTTPS, "0001 00 0007 0000", VALUE, "params" },
	{ RR_HTTPS, "0001 00 0008 0001 00", VALUE, "params" },
	{ RR_HTTPS, "0001 00 ffff 0000", VALUE, "params" },
	{ RR_HTTPS, "0001 00 029a 0000", OK },
	{ RR_HTTPS, "0001 00 0001", VALUE, "params" },
	{ RR_HTTPS, "0001 00 00", VALUE, "params" },
	{ 65280, "", OK },
	{ 65280, "0102", OK },
	{ RR_OPT, "", E_META, "" },
	{ RR_ANY, "", E_META, "" },
	{ 200, "", E_META, "" },
	{ 0, "", E_META, "" },
};

static void
checks_rdata(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		uint8_t rdata[512];
		size_t n = zonebox_hex(rows[i].hex, rdata, sizeof rdata);
		struct ns_why why = { 0 };
		enum ns_err err = rdata_check(rows[i].type, rdata, n, &why);

		if (why.code != rows[i].code || err != (rows[i].code == 0 ? NS_OK : NS_INVALID))
			fail_msg("row %zu: %u %s: E%u %s", i, rows[i].type, rows[i].hex, why.code,
			    why.text);
		if (rows[i].code != 0)
			assert_string_equal(why.field, rows[i].field);
	}
}

/* Exactly sized copies, so that a sanitizer sees a step too far; every cut must be survived. */
static void
survives_cuts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		uint8_t rdata[512];
		size_t n = zonebox_hex(rows[i].hex, rdata, sizeof rdata);

		for (size_t cut = 0; cut <= n; cut++) {
			uint8_t *copy = malloc(cut > 0 ? cut : 1);

			memcpy(copy, rdata, cut);
			(void)rdata_check(rows[i].type, copy, cut, NULL);
			(void)rdata_name_at(rows[i].type, copy, cut, 0, NULL);
			rdata_canonical(rows[i].type, copy, cut);
			free(copy);
		}
	}
}

static void
knows_type_names(void **state)
{
	static const struct {
		const char *text;
		uint16_t type;
	} names[] = {
		{ "A", 1 },
		{ "aaaa", 28 },
		{ "NULL", 10 },
		{ "TYPE65280", 65280 },
		{ "type1", 1 },
		{ "HTTPS", 65 },
		{ "NSEC3PARAM", 51 },
		{ "TYPE65536", 0 },
		{ "TYPE", 0 },
		{ "TYPE1x", 0 },
		{ "TYPE0", 0 },
		{ "AA", 0 },
		{ "", 0 },
		{ "NOSUCHTYPEATALLANYWHERE", 0 },
	};
	char text[RRTYPE_MAX_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		assert_int_equal(rrtype_from_text(names[i].text), names[i].type);
	for (unsigned type = 1; type <= UINT16_MAX; type++)
		assert_int_equal(rrtype_from_text(rrtype_to_text((uint16_t)type, text)), type);
	assert_string_equal(rrtype_to_text(RR_CAA, text), "CAA");
	assert_string_equal(rrtype_to_text(65280, text), "TYPE65280");
}

/* Each row names as many fields as it has, and `additional` points to a name. */
static void
table_is_sound(void **state)
{
	(void)state;
	for (unsigned type = 0; type <= UINT16_MAX; type++) {
		const struct rrtype *t = rrtype_find((uint16_t)type);
		char field[RRTYPE_MAX_FIELD_NAME];
		unsigned n = 0, spaces = 0;

		if (t == NULL)
			continue;
		assert_int_equal(t->type, type);
		while (n < RRTYPE_MAX_FIELDS && t->fields[n] != RDF_END)
			n++;
		assert_true(n > 0 && n < RRTYPE_MAX_FIELDS);
		for (const char *p = t->words; *p != '\0'; p++)
			spaces += *p == ' ';
		assert_int_equal(spaces + 1, n);
		assert_string_not_equal(rrtype_field_name(t, n - 1, field), "");
		if (t->additional >= 0)
			assert_true(t->fields[t->additional] >= RDF_NAME_COMP &&
				    t->fields[t->additional] <= RDF_NAME_KEEP);
	}
}

static void
finds_names(void **state)
{
	static const struct {
		uint16_t type;
		const char *hex;
		unsigned n;
		int at;
		enum rdata_field kind;
	} names[] = {
		{ RR_MX, "000a016100", 0, 2, RDF_NAME_COMP },
		{ RR_MX, "000a016100", 1, -1, 0 },
		{ RR_SOA, "016100 016200 00000001 00000002 00000003 00000004 00000005", 1, 3,
		    RDF_NAME_COMP },
		{ RR_SRV, "000100020003 016100", 0, 6, RDF_NAME },
		{ RR_NAPTR, "0001 0002 0173 0161 0162 016100", 0, 10, RDF_NAME },
		{ RR_RRSIG, "0001 0d 02 00000e10 70dbd880 5e0be100 3039 016100 aa", 0, 18,
		    RDF_NAME },
		{ RR_NSEC, "016100 000140", 0, 0, RDF_NAME_KEEP },
		{ RR_HTTPS, "0001 016100", 0, 2, RDF_NAME_KEEP },
		{ RR_IPSECKEY, "0a 03 02 016100 aa", 0, 3, RDF_NAME_KEEP },
		{ RR_IPSECKEY, "0a 01 02 c0000201", 0, -1, 0 },
		{ RR_A, "c0000201", 0, -1, 0 },
		{ 65280, "016100", 0, -1, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		uint8_t rdata[64];
		size_t n = zonebox_hex(names[i].hex, rdata, sizeof rdata);
		enum rdata_field kind = RDF_END;

		assert_int_equal(
		    rdata_name_at(names[i].type, rdata, n, names[i].n, &kind), names[i].at);
		if (names[i].at >= 0)
			assert_int_equal(kind, names[i].kind);
	}
}

static void
makes_canonical(void **state)
{
	static const struct {
		uint16_t type;
		const char *from, *to;
	} forms[] = {
		{ RR_MX, "000a014100", "000a016100" },
		{ RR_SOA, "014100 014200 00000041 00000002 00000003 00000004 00000005",
		    "016100 016200 00000041 00000002 00000003 00000004 00000005" },
		{ RR_TXT, "0141", "0141" },
		{ RR_NSEC, "014100 000140", "014100 000140" },
		{ RR_HTTPS, "0001 014100", "0001 014100" },
		{ RR_DNAME, "014100", "016100" },
		{ RR_RRSIG, "0001 0d 02 00000e10 70dbd880 5e0be100 3039 014100 41",
		    "0001 0d 02 00000e10 70dbd880 5e0be100 3039 016100 41" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
		uint8_t got[64], want[64];
		size_t n = zonebox_hex(forms[i].from, got, sizeof got);

		assert_int_equal(zonebox_hex(forms[i].to, want, sizeof want), n);
		rdata_canonical(forms[i].type, got, n);
		assert_memory_equal(got, want, n);
	}
	assert_true(rdata_cmp((const uint8_t *)"a", 1, (const uint8_t *)"ab", 2) < 0);
	assert_true(rdata_cmp((const uint8_t *)"\xff", 1, (const uint8_t *)"a", 1) > 0);
	assert_true(rdata_cmp((const uint8_t *)"a", 1, (const uint8_t *)"a", 1) == 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checks_rdata),
		cmocka_unit_test(survives_cuts),
		cmocka_unit_test(knows_type_names),
		cmocka_unit_test(table_is_sound),
		cmocka_unit_test(finds_names),
		cmocka_unit_test(makes_canonical),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
