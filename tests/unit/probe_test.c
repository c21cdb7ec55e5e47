/* The probe's pure parts: which addresses may be asked, replies as records, referrals as facts; DS and keys. */
// link: appliance/probe/packet.c appliance/probe/parent_take.c appliance/probe/target.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "appliance/dns/ds.h"
#include "appliance/dns/name.h"
#include "appliance/dns/rrtype.h"
#include "appliance/probe/packet.h"
#include "appliance/probe/parent.h"
#include "appliance/probe/target.h"
#include "tests/lib/store_kit.h"

/* ---- addresses ---- */

static void
test_strangers_cannot_name_our_own_network(void **state)
{
	static const struct {
		const char *address, *what; /* NULL: may be asked */
	} table[] = {
		{ "192.0.2.1", NULL },
		{ "198.41.0.4", NULL },
		{ "2001:db8::1", NULL },
		{ "2001:500::1", NULL },
		{ "127.0.0.1", "loopback" },
		{ "127.255.255.254", "loopback" },
		{ "::1", "loopback" },
		{ "::ffff:127.0.0.1", "loopback" },
		{ "::ffff:10.1.2.3", "private" },
		{ "::127.0.0.1", "compatible" },
		{ "64:ff9b::7f00:1", "translated" },
		{ "2002:7f00:1::", "6to4" },
		{ "2001:0:1:2::", "Teredo" },
		{ "0.0.0.0", "own" },
		{ "::", "own" },
		{ "10.0.0.1", "private" },
		{ "172.15.255.255", NULL },
		{ "172.16.0.1", "private" },
		{ "172.31.255.255", "private" },
		{ "172.32.0.1", NULL },
		{ "192.168.1.1", "private" },
		{ "100.64.0.1", "shared" },
		{ "100.128.0.1", NULL },
		{ "169.254.169.254", "link-local" },
		{ "fe80::1", "link-local" },
		{ "fd00::1", "private" },
		{ "224.0.0.1", "multicast" },
		{ "ff02::1", "multicast" },
		{ "255.255.255.255", "reserved" },
	};
	const struct target_rules none = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		struct target t;
		const char *what;

		assert_true(target_from_text(&t, table[i].address));
		what = target_refused(&none, &t);
		if (table[i].what == NULL && what != NULL)
			fail_msg("%s is %s", table[i].address, what);
		if (table[i].what != NULL && (what == NULL || strstr(what, table[i].what) == NULL))
			fail_msg("%s is %s", table[i].address, what != NULL ? what : "asked");
	}
}

static void
test_what_is_allowed_is_asked(void **state)
{
	static char *texts[] = { (char *)(uintptr_t) "127.0.0.0/9",
		(char *)(uintptr_t) "fd00::/16" };
	struct target_rules rules;
	struct target t;

	(void)state;
	target_rules_read(&rules, texts, 2);
	assert_int_equal(rules.n, 2);
	assert_true(target_from_text(&t, "127.1.2.3@5300"));
	assert_null(target_refused(&rules, &t));
	assert_true(target_from_text(&t, "127.128.0.1"));
	assert_non_null(target_refused(&rules, &t));
	assert_true(target_from_text(&t, "fd00::1"));
	assert_null(target_refused(&rules, &t));
	assert_true(target_from_text(&t, "fd01::1"));
	assert_non_null(target_refused(&rules, &t));
	target_rules_free(&rules);
}

static void
test_addresses_are_read_and_told(void **state)
{
	char text[TARGET_TEXT];
	struct target t;

	(void)state;
	assert_true(target_from_text(&t, "192.0.2.53@5300"));
	assert_string_equal(target_to_text(&t, text), "192.0.2.53@5300");
	assert_true(target_from_text(&t, "2001:db8::53"));
	assert_string_equal(target_to_text(&t, text), "2001:db8::53");
	assert_false(target_from_text(&t, "ns.example"));
	assert_false(target_from_text(&t, "192.0.2.1@0"));
	assert_false(target_from_octets(&t, (const uint8_t *)"abc", 3, 53));
}

/* ---- replies ---- */

static struct packet_question
question(const char *name, uint16_t type)
{
	struct packet_question q = { .type = type };
	struct kit_name n = kit_name(name);

	memcpy(q.name, n.wire, n.len);
	return q;
}

/* Counts and records are put behind it by hand. */
static struct wbuf
reply(uint16_t id, uint16_t flags, const struct packet_question *q, const uint16_t counts[3])
{
	struct wbuf w = wbuf_grow(1u << 16);

	wbuf_u16(&w, id);
	wbuf_u16(&w, flags);
	wbuf_u16(&w, 1);
	for (unsigned i = 0; i < 3; i++)
		wbuf_u16(&w, counts[i]);
	wbuf_put(&w, q->name, name_len(q->name));
	wbuf_u16(&w, q->type);
	wbuf_u16(&w, 1);
	return w;
}

static void
put_record(struct wbuf *w, const char *owner, uint16_t type, const void *rdata, size_t len)
{
	struct kit_name n = kit_name(owner);

	wbuf_put(w, n.wire, n.len);
	wbuf_u16(w, type);
	wbuf_u16(w, 1);
	wbuf_u32(w, 300);
	wbuf_u16(w, (uint16_t)len);
	wbuf_put(w, rdata, len);
}

static void
put_name_record(struct wbuf *w, const char *owner, uint16_t type, const char *name)
{
	struct kit_name n = kit_name(name);

	put_record(w, owner, type, n.wire, n.len);
}

static void
test_a_query_is_what_servers_read(void **state)
{
	static const uint8_t want[] = { 0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1, 2, 'e', 'x', 0, 0,
		2, 0, 1, 0, 0, 41, 0x04, 0xd0, 0, 0, 0x80, 0, 0, 0 };
	struct packet_question q = question("ex.", RR_NS);
	struct wbuf w = wbuf_grow(512);

	(void)state;
	q.recurse = true;
	packet_query(&w, 0x1234, &q);
	assert_int_equal(w.len, sizeof want);
	assert_memory_equal(w.base, want, sizeof want);
	wbuf_free(&w);
}

static void
test_only_the_answer_to_our_question_counts(void **state)
{
	static const struct {
		uint16_t id, flags;
		const char *name;
		uint16_t type;
		enum packet_verdict want;
	} table[] = {
		{ 7, 0x8400, "ex.", RR_NS, PACKET_GOOD },
		{ 7, 0x8400, "EX.", RR_NS, PACKET_GOOD },
		{ 8, 0x8400, "ex.", RR_NS, PACKET_STRAY },
		{ 7, 0x0400, "ex.", RR_NS, PACKET_STRAY }, /* a query */
		{ 7, 0xa400, "ex.", RR_NS, PACKET_STRAY }, /* a NOTIFY */
		{ 7, 0x8400, "ey.", RR_NS, PACKET_STRAY },
		{ 7, 0x8400, "ex.", RR_DS, PACKET_STRAY },
		{ 7, 0x8600, "ex.", RR_NS, PACKET_CUT },
		{ 8, 0x8600, "ex.", RR_NS, PACKET_STRAY },
	};
	struct packet_question ours = question("ex.", RR_NS);

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		struct packet_question q = question(table[i].name, table[i].type);
		struct wbuf w = reply(table[i].id, table[i].flags, &q, (uint16_t[3]){ 0 });
		struct packet p;

		assert_int_equal(packet_read(w.base, w.len, 7, &ours, &p), table[i].want);
		packet_free(&p);
		wbuf_free(&w);
	}
}

static void
test_broken_replies_are_broken(void **state)
{
	struct packet_question q = question("ex.", RR_NS);
	struct wbuf w = reply(7, 0x8400, &q, (uint16_t[3]){ 1, 0, 0 });
	struct packet p;
	size_t bare = w.len;

	(void)state;
	put_record(&w, "ex.", RR_A, "abc", 3);
	for (size_t len = bare; len <= w.len; len++) {
		assert_int_equal(packet_read(w.base, len, 7, &q, &p), PACKET_BROKEN);
		assert_null(p.records);
	}
	put_u16(w.base + 6, PACKET_RECORDS + 1);
	assert_int_equal(packet_read(w.base, w.len, 7, &q, &p), PACKET_BROKEN);
	wbuf_free(&w);
}

/* What belongs to the message and not to a zone is passed over, however often it comes (RFC 8945 5.1 has one
 * TSIG, RFC 6891 6.1.1 one OPT); nothing of it is lost in memory, which the leak check of this program sees. */
static void
test_records_of_the_message_are_passed_over(void **state)
{
	static const uint16_t types[] = { 250, RR_OPT, RR_A, 250, 250, 250, RR_OPT, RR_A };
	struct packet_question q = question("ex.", RR_NS);
	struct wbuf w = reply(7, 0x8400, &q, (uint16_t[3]){ 0, 0, sizeof types / sizeof types[0] });
	struct packet p;

	(void)state;
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
		if (types[i] == RR_A)
			put_record(&w, "ex.", RR_A, "abcd", 4);
		else
			put_name_record(&w, "ex.", types[i], "hmac.ex.");
	assert_int_equal(packet_read(w.base, w.len, 7, &q, &p), PACKET_GOOD);
	assert_int_equal(p.n, 2);
	for (size_t i = 0; i < p.n; i++)
		assert_int_equal(p.records[i].type, RR_A);
	packet_free(&p);
	wbuf_free(&w);
}

/* ---- referrals ---- */

static Ns__ParentReply__Server
taken(struct wbuf *w, const struct packet_question *q)
{
	Ns__ParentReply__Server s = NS__PARENT_REPLY__SERVER__INIT;
	struct kit_name parent = kit_name("ex.");
	struct packet p;

	assert_int_equal(packet_read(w->base, w->len, 7, q, &p), PACKET_GOOD);
	if (q->type == RR_NS)
		parent_take_ns(&s, q->name, parent.wire, &p);
	else
		parent_take_ds(&s, q->name, &p);
	packet_free(&p);
	wbuf_free(w);
	return s;
}

static void
forget(Ns__ParentReply__Server *s)
{
	Ns__ParentReply__Server *copy = malloc(sizeof *copy);

	assert_non_null(copy);
	*copy = *s;
	protobuf_c_message_free_unpacked(&copy->base, NULL);
}

static void
test_a_referral_is_a_delegation(void **state)
{
	struct packet_question q = question("z.ex.", RR_NS);
	struct wbuf w = reply(7, 0x8000, &q, (uint16_t[3]){ 0, 2, 2 });
	Ns__ParentReply__Server s;

	(void)state;
	put_name_record(&w, "Z.ex.", RR_NS, "NS1.z.ex.");
	put_name_record(&w, "z.ex.", RR_NS, "ns.other.");
	put_record(&w, "ns1.z.ex.", RR_A, "\xc0\x00\x02\x01", 4);
	put_record(&w, "not-named.z.ex.", RR_A, "\xc0\x00\x02\x02", 4);
	s = taken(&w, &q);
	assert_int_equal(s.n_ns, 2);
	assert_memory_equal(s.ns[0].data, kit_name("ns1.z.ex.").wire, s.ns[0].len);
	assert_int_equal(s.n_glue, 1);
	assert_false(s.authoritative);
	assert_string_equal(s.fault, "");
	forget(&s);
}

static void
test_other_answers_are_told_apart(void **state)
{
	struct packet_question q = question("z.ex.", RR_NS);
	struct wbuf w = reply(7, 0x8403, &q, (uint16_t[3]){ 0, 0, 0 });
	Ns__ParentReply__Server s = taken(&w, &q);

	(void)state;
	assert_true(s.nxdomain && s.n_ns == 0);
	forget(&s);
	w = reply(7, 0x8000, &q, (uint16_t[3]){ 0, 1, 0 }); /* up to the root: lame */
	put_name_record(&w, ".", RR_NS, "a.root.");
	s = taken(&w, &q);
	assert_non_null(strstr(s.fault, "does not serve ex."));
	forget(&s);
	w = reply(7, 0x8400, &q, (uint16_t[3]){ 1, 0, 0 });
	put_name_record(&w, "z.ex.", RR_NS, "ns.other.");
	s = taken(&w, &q);
	assert_true(s.authoritative && s.n_ns == 1);
	forget(&s);
	w = reply(7, 0x8005, &q, (uint16_t[3]){ 0, 0, 0 });
	s = taken(&w, &q);
	assert_non_null(strstr(s.fault, "rcode 5"));
	forget(&s);
}

static void
test_ds_is_the_parents_word_only(void **state)
{
	struct packet_question q = question("z.ex.", RR_DS);
	struct wbuf w = reply(7, 0x8400, &q, (uint16_t[3]){ 1, 0, 0 });
	uint8_t ds[36] = { 1, 2, 13, 2, 0xab };
	Ns__ParentReply__Server s;

	(void)state;
	put_record(&w, "z.ex.", RR_DS, ds, sizeof ds);
	s = taken(&w, &q);
	assert_true(s.ds_known && s.n_ds == 1);
	forget(&s);
	w = reply(7, 0x8400, &q, (uint16_t[3]){ 0, 0, 0 });
	s = taken(&w, &q);
	assert_true(s.ds_known && s.n_ds == 0);
	forget(&s);
	w = reply(7, 0x8000, &q, (uint16_t[3]){ 0, 1, 0 });
	put_name_record(&w, "z.ex.", RR_NS, "ns.other.");
	s = taken(&w, &q);
	assert_false(s.ds_known);
	forget(&s);
}

/* ---- DS ---- */

/* Any zone key will do. */
static const uint8_t some_key[] = { 0x01, 0x00, 0x03, 0x05, 0x01, 0x03, 0xa2, 0x83, 0xbd, 0x69,
	0xd5, 0x55, 0x1d, 0x4a };

static void
test_a_ds_is_made_and_recognised(void **state)
{
	struct kit_name owner = kit_name("DSKEY.example.com."), other = kit_name("example.com.");
	uint8_t ds[DS_MAX];
	size_t len = ds_make(owner.wire, some_key, sizeof some_key, ds);

	(void)state;
	assert_int_equal(len, 36);
	assert_int_equal(get_u16(ds), ds_key_tag(some_key, sizeof some_key));
	assert_true(ds_matches(owner.wire, ds, len, some_key, sizeof some_key));
	assert_false(ds_matches(other.wire, ds, len, some_key, sizeof some_key));
	for (size_t i = 0; i < len; i++) {
		ds[i] ^= 1;
		assert_false(ds_matches(owner.wire, ds, len, some_key, sizeof some_key));
		ds[i] ^= 1;
	}
	assert_false(ds_matches(owner.wire, ds, len - 1, some_key, sizeof some_key));
	assert_false(ds_matches(owner.wire, ds, 3, some_key, sizeof some_key));
	assert_false(ds_key_is_sep(some_key, sizeof some_key));
	assert_true(ds_key_is_sep((const uint8_t *)"\x01\x01\x03\x0d\x01", 5));
	assert_false(ds_key_is_sep((const uint8_t *)"\x01\x81\x03\x0d\x01", 5));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strangers_cannot_name_our_own_network),
		cmocka_unit_test(test_what_is_allowed_is_asked),
		cmocka_unit_test(test_addresses_are_read_and_told),
		cmocka_unit_test(test_a_query_is_what_servers_read),
		cmocka_unit_test(test_only_the_answer_to_our_question_counts),
		cmocka_unit_test(test_broken_replies_are_broken),
		cmocka_unit_test(test_records_of_the_message_are_passed_over),
		cmocka_unit_test(test_a_referral_is_a_delegation),
		cmocka_unit_test(test_other_answers_are_told_apart),
		cmocka_unit_test(test_ds_is_the_parents_word_only),
		cmocka_unit_test(test_a_ds_is_made_and_recognised),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
