/* zwire - the pile's order, merging and TTLs; what readers refuse; canonical order against ldns. */
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
#include "appliance/dns/zwire.h"
#include "tests/lib/zonebox.h"

static void
add(struct rrpile *pile, const char *owner, uint16_t type, uint32_t ttl, const char *hex,
    uint32_t line)
{
	uint8_t rdata[512];
	size_t n = zonebox_hex(hex, rdata, sizeof rdata);

	rrpile_add(pile, zonebox_name(owner), type, ttl, rdata, n, line);
}

#define SIG_A  "0001 08 02 00000e10 70dbd880 5e0be100 3039 016100 aa"
#define SIG_NS "0002 08 02 00000e10 70dbd880 5e0be100 3039 016100 aa"

static void
sorts_and_merges(void **state)
{
	static const struct {
		const char *owner;
		uint16_t type, covers;
		uint32_t ttl;
		uint16_t count;
	} want[] = {
		{ "ex.", RR_A, 0, 60, 2 },
		{ "ex.", RR_MX, 0, 9, 2 },
		{ "ex.", RR_RRSIG, RR_A, 60, 1 },
		{ "ex.", RR_RRSIG, RR_NS, 7, 1 },
		{ "a.ex.", RR_A, 0, 1, 1 },
		{ "b.a.ex.", RR_A, 0, 1, 1 },
		{ "b.ex.", RR_A, 0, 1, 1 },
	};
	struct rrpile *pile = rrpile_new();
	struct wbuf out = wbuf_grow(1 << 20);
	struct zwire_iter it;
	struct rrset set;
	struct ns_why why = { 0 };
	uint64_t records = 0;

	(void)state;
	add(pile, "B.ex.", RR_A, 1, "01020304", 3);
	add(pile, "b.a.ex.", RR_A, 1, "01020304", 4);
	add(pile, "a.ex.", RR_A, 1, "01020304", 5);
	add(pile, "ex.", RR_RRSIG, 7, SIG_NS, 6);
	add(pile, "ex.", RR_RRSIG, 7, SIG_A, 7);
	add(pile, "EX.", RR_A, 300, "05020304", 8);
	add(pile, "ex.", RR_A, 60, "01020304", 9);
	add(pile, "ex.", RR_A, 90, "01020304", 10);
	add(pile, "ex.", RR_MX, 9, "000a 014200", 11);
	add(pile, "ex.", RR_MX, 9, "000a 016100", 12);
	add(pile, "ex.", RR_MX, 9, "000a 016200", 13); /* the one of line 11 in another case */
	assert_int_equal(rrpile_line(pile, zonebox_name("ex."), RR_A), 8);
	assert_int_equal(rrpile_to_zwire(pile, &out, &records, &why), NS_OK);
	assert_int_equal(records, 9);
	assert_int_equal(rrpile_line(pile, zonebox_name("Ex."), RR_A), 8);
	assert_int_equal(rrpile_line(pile, zonebox_name("ex."), RR_NS), 0);
	assert_int_equal(zwire_check(out.base, out.len, &why), NS_OK);
	it = zwire_iter(out.base, out.len);
	for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
		assert_true(zwire_next(&it, &set));
		assert_int_equal(set.owner_len, name_len(set.owner));
		assert_true(name_equal(set.owner, zonebox_name(want[i].owner)));
		assert_int_equal(set.type, want[i].type);
		assert_int_equal(set.covers, want[i].covers);
		assert_int_equal(set.ttl, want[i].ttl);
		assert_int_equal(set.count, want[i].count);
		if (set.type == RR_MX) /* the first that came, in its case, after the lesser one */
			assert_memory_equal(set.rdata, "\0\5\0\12\1a\0\0\5\0\12\1B\0", 14);
	}
	assert_false(zwire_next(&it, &set));
	assert_true(rbuf_ok(&it.r));
	wbuf_free(&out);
	rrpile_destroy(&pile);
	assert_null(pile);
}

static void
copies_sets(void **state)
{
	uint64_t n;
	static const char text[] =
	    "@ 5 SOA a b 1 2 3 4 5\n@ 5 NS a\na 5 A 192.0.2.1\na 5 A 192.0.2.2\n";
	struct wbuf from = zonebox_zwire("ex.", text, sizeof text - 1, 9, &n),
		    to = wbuf_grow(1 << 20);
	struct zwire_iter it = zwire_iter(from.base, from.len);
	uint8_t small[20];
	struct wbuf tight = wbuf_init(small, sizeof small);
	struct rrset set, last = { 0 };

	(void)state;
	assert_int_equal(n, 4);
	while (zwire_next(&it, &set)) {
		if (last.owner != NULL)
			assert_true(rrset_cmp(&last, &set) < 0 && rrset_cmp(&set, &last) > 0);
		assert_int_equal(rrset_cmp(&set, &set), 0);
		assert_true(rrset_same_data(&set, &set));
		last = set;
		zwire_put(&to, &set);
		zwire_put(&tight, &set);
	}
	assert_int_equal(rrset_wire_size(&last), 2 * 16);
	assert_int_equal(to.len, from.len);
	assert_memory_equal(to.base, from.base, to.len);
	assert_false(wbuf_ok(&tight));
	wbuf_free(&from);
	wbuf_free(&to);
}

static void
limits_a_set(void **state)
{
	struct rrpile *pile = rrpile_new();
	struct wbuf out = wbuf_grow(1 << 22);
	struct ns_why why = { 0 };
	uint64_t n;

	(void)state;
	for (unsigned i = 0; i < RRSET_MAX_WIRE / 16; i++) {
		uint8_t a[4] = { 10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i };

		rrpile_add(pile, zonebox_name("a.ex."), RR_A, 1, a, sizeof a, i + 1);
	}
	assert_int_equal(rrpile_to_zwire(pile, &out, &n, &why), NS_OK);
	add(pile, "a.ex.", RR_A, 1, "ffffffff", 9999);
	assert_int_equal(rrpile_to_zwire(pile, &out, &n, &why), NS_INVALID);
	assert_int_equal(why.code, E_RRSET_SIZE);
	assert_string_equal(why.owner, "a.ex.");
	assert_string_equal(why.type, "A");
	assert_int_equal(why.line, 1);
	rrpile_clear(pile);
	for (uint16_t type = 300; type < 304; type++) {
		static uint8_t big[60000];

		rrpile_add(pile, zonebox_name("a.ex."), type, 1, big, sizeof big, 7);
	}
	assert_int_equal(rrpile_to_zwire(pile, &out, &n, &why), NS_INVALID);
	assert_int_equal(why.code, E_OWNER_SIZE);
	assert_int_equal(why.line, 7);
	rrpile_clear(pile);
	wbuf_free(&out);
	out = wbuf_grow(16);
	add(pile, "a.ex.", RR_A, 1, "ffffffff", 1);
	assert_int_equal(rrpile_to_zwire(pile, &out, &n, &why), NS_INVALID);
	assert_int_equal(why.code, E_ZONE_SIZE);
	wbuf_free(&out);
	rrpile_destroy(&pile);
}

#define SET_A "03 016100 0001 0000 0000003c 0001 00000006 0004 01020304"

static const struct {
	const char *hex;
	bool next, check; /* do zwire_next, zwire_check take it */
} zwires[] = {
	{ "", true, true },
	{ SET_A, true, true },
	{ SET_A " 03 016200 0001 0000 0000003c 0001 00000006 0004 01020304", true, true },
	{ SET_A " " SET_A, false, false },
	{ "03 016200 0001 0000 0000003c 0001 00000006 0004 01020304 " SET_A, false, false },
	{ "03 014100 0001 0000 0000003c 0001 00000006 0004 01020304", false, false },
	{ "02 0161 0001 0000 0000003c 0001 00000006 0004 01020304", false, false },
	{ "00 0001 0000 0000003c 0001 00000006 0004 01020304", false, false },
	{ "04 016100 00 0001 0000 0000003c 0001 00000006 0004 01020304", false, false },
	{ "03 016100 0001 0001 0000003c 0001 00000006 0004 01020304", false, false },
	{ "03 016100 0001 0000 8000003c 0001 00000006 0004 01020304", false, false },
	{ "03 016100 0001 0000 0000003c 0000 00000000", false, false },
	{ "03 016100 0001 0000 0000003c 0002 00000006 0004 01020304", false, false },
	{ "03 016100 0001 0000 0000003c 0001 00000007 0004 01020304 00", false, false },
	{ "03 016100 0001 0000 0000003c 0001 00000007 0004 01020304", false, false },
	{ "03 016100 0001 0000 0000003c 0001 ffffffff 0004 01020304", false, false },
	{ "03 016100 0001 0000 0000003c 0001 00000005 0003 010203", true, false },
	{ "03 016100 0001 0000 0000003c 0002 0000000c 0004 01020304 0004 01020305", true, true },
	{ "03 016100 0001 0000 0000003c 0002 0000000c 0004 01020304 0004 01020304", true, false },
	{ "03 016100 0001 0000 0000003c 0002 0000000c 0004 01020305 0004 01020304", true, false },
	{ "03 016100 000f 0000 0000003c 0002 0000000e 0005 0001014200 0005 0001016100", true,
	    false },
	{ "03 016100 000f 0000 0000003c 0002 0000000e 0005 0001016100 0005 0001014200", true,
	    true },
	{ "03 016100 000f 0000 0000003c 0002 0000000e 0005 0001014200 0005 0001016200", true,
	    false },
	{ "03 016100 00ff 0000 0000003c 0001 00000006 0004 01020304", true, false },
	{ "03 016100 002e 0000 0000003c 0001 00000018 0016" SIG_A, false, false },
	{ "03 016100 002e 0002 0000003c 0001 00000018 0016" SIG_A, true, false },
	{ "03 016100 002e 0001 0000003c 0001 00000018 0016" SIG_A, true, true },
};

static void
refuses_broken_zwire(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof zwires / sizeof zwires[0]; i++) {
		uint8_t in[256];
		size_t n = zonebox_hex(zwires[i].hex, in, sizeof in);
		struct zwire_iter it = zwire_iter(in, n);
		struct ns_why why = { 0 };
		struct rrset set;
		enum ns_err err = zwire_check(in, n, &why);

		while (zwire_next(&it, &set))
			continue;
		if (rbuf_ok(&it.r) != zwires[i].next || (err == NS_OK) != zwires[i].check)
			fail_msg("row %zu: %s: %s", i, zwires[i].hex, why.text);
		assert_true(err == NS_OK || err == NS_CORRUPT);
		for (size_t cut = 0; cut < n; cut++) {
			uint8_t *copy = malloc(cut > 0 ? cut : 1);

			memcpy(copy, in, cut);
			(void)zwire_check(copy, cut, NULL);
			free(copy);
		}
	}
}

static int
ldns_order(const void *a, const void *b)
{
	return ldns_rr_compare(*(ldns_rr *const *)a, *(ldns_rr *const *)b);
}

#define MX_RECORDS 12

/* An MX record with a random target in random case: into the pile, and as ldns has it. */
static ldns_rr *
random_mx(struct rrpile *pile, unsigned *seed)
{
	ldns_rr *rr = ldns_rr_new();
	char text[64];
	uint8_t wire[64];
	const uint8_t *name;

	snprintf(text, sizeof text, "%c%c.%c.", "aAbB"[rand_r(seed) % 4], "xX0"[rand_r(seed) % 3],
	    "zZyY"[rand_r(seed) % 4]);
	name = zonebox_name(text);
	put_u16(wire, (uint16_t)(rand_r(seed) % 3));
	memcpy(wire + 2, name, name_len(name));
	rrpile_add(pile, zonebox_name("ex."), RR_MX, 1, wire, 2 + name_len(name), 1);
	ldns_rr_set_owner(rr, ldns_dname_new_frm_str("ex."));
	ldns_rr_set_type(rr, LDNS_RR_TYPE_MX);
	ldns_rr_set_ttl(rr, 1);
	ldns_rr_push_rdf(rr, ldns_rdf_new_frm_data(LDNS_RDF_TYPE_INT16, 2, wire));
	ldns_rr_push_rdf(rr, ldns_rdf_new_frm_data(LDNS_RDF_TYPE_DNAME, name_len(name), wire + 2));
	ldns_rr2canonical(rr);
	return rr;
}

/* The set's records are ldns's in its order, each once; how many. */
static size_t
assert_same_order(const struct rrset *set, ldns_rr **rrs)
{
	struct rbuf r = rbuf_init(set->rdata, set->rdata_len);
	size_t unique = 0, len;

	for (size_t i = 0; i < MX_RECORDS; i++) {
		uint8_t canon[64];
		const uint8_t *rdata;

		if (i > 0 && ldns_rr_compare(rrs[i - 1], rrs[i]) == 0)
			continue;
		unique++;
		rdata = rrset_next_rdata(&r, &len);
		assert_non_null(rdata);
		memcpy(canon, rdata, len);
		rdata_canonical(RR_MX, canon, len);
		assert_memory_equal(canon, ldns_rdf_data(ldns_rr_rdf(rrs[i], 0)), 2);
		assert_int_equal(len - 2, ldns_rdf_size(ldns_rr_rdf(rrs[i], 1)));
		assert_memory_equal(canon + 2, ldns_rdf_data(ldns_rr_rdf(rrs[i], 1)), len - 2);
	}
	return unique;
}

/* Our order is that of ldns's canonical records. */
static void
agrees_with_ldns(void **state)
{
	unsigned seed = 7;

	(void)state;
	for (int round = 0; round < 300; round++) {
		struct rrpile *pile = rrpile_new();
		struct wbuf out = wbuf_grow(1 << 20);
		ldns_rr *rrs[MX_RECORDS];
		struct zwire_iter it;
		struct rrset set;
		uint64_t n = 0;

		for (size_t i = 0; i < MX_RECORDS; i++)
			rrs[i] = random_mx(pile, &seed);
		qsort(rrs, MX_RECORDS, sizeof rrs[0], ldns_order);
		assert_int_equal(rrpile_to_zwire(pile, &out, &n, NULL), NS_OK);
		assert_int_equal(zwire_check(out.base, out.len, NULL), NS_OK);
		it = zwire_iter(out.base, out.len);
		assert_true(zwire_next(&it, &set));
		assert_int_equal(assert_same_order(&set, rrs), n);
		for (size_t i = 0; i < MX_RECORDS; i++)
			ldns_rr_free(rrs[i]);
		wbuf_free(&out);
		rrpile_destroy(&pile);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sorts_and_merges),
		cmocka_unit_test(copies_sets),
		cmocka_unit_test(limits_a_set),
		cmocka_unit_test(refuses_broken_zwire),
		cmocka_unit_test(agrees_with_ldns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
