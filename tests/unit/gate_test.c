/* serve's gate and slip: asked for names that are not in their zone and for no other, before anything is
 * written; what it says is what the peer gets.  An empty reply with TC keeps question and OPT. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "appliance/dns/rrtype.h"
#include "appliance/zonemap/hash.h"
#include "tests/lib/zonekit.h"

#define TEXT                                                                         \
	"@ 300 IN SOA ns1 h 1 2 3 4 5\n@ IN NS ns1\nns1 IN A 192.0.2.1\n"            \
	"www IN A 192.0.2.2\na.ent IN A 192.0.2.3\n*.wild IN A 192.0.2.4\n"          \
	"d IN DNAME elsewhere.test.\nsub IN NS ns.elsewhere.test.\nc IN CNAME nx1\n" \
	"w IN CNAME x.wild\n"

static struct zonekit k;
static enum serve_gate says;
static unsigned asked;
static enum serve_class asked_class;
static uint8_t out[SERVE_UDP_MAX];

static enum serve_gate
gate(void *arg, const struct query *q, enum serve_class class)
{
	assert_ptr_equal(arg, &says);
	assert_int_not_equal(q->zone_hash, 0);
	assert_int_equal(q->out_len, 0);
	asked++;
	asked_class = class;
	return says;
}

static int
setup(void **state)
{
	(void)state;
	zonekit_init(&k, 1 << 26);
	zonekit_add(&k, "zone.test.", TEXT, sizeof TEXT - 1, 1);
	zonekit_publish(&k);
	k.conf.gate = gate;
	k.conf.gate_arg = &says;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	zonekit_fini(&k);
	return 0;
}

static struct query
ask(const char *name, uint16_t type, const char *flags, uint8_t pkt[512])
{
	struct query q = { .pkt = pkt, .out = out, .out_cap = sizeof out };

	q.len = zonekit_question(name, type, flags, pkt);
	asked = 0;
	serve_batch(&k.conf, &k.view, &q, 1);
	return q;
}

static void
test_who_is_asked(void **state)
{
	static const struct {
		const char *name;
		uint16_t type;
		unsigned asked;
		enum serve_class class;
	} rows[] = {
		{ "www.zone.test.", RR_A, 0, SERVE_CLASS_POSITIVE },
		{ "www.zone.test.", RR_MX, 0, SERVE_CLASS_NODATA },
		{ "ent.zone.test.", RR_A, 0, SERVE_CLASS_NODATA },
		{ "zone.test.", RR_SOA, 0, SERVE_CLASS_POSITIVE },
		{ "a.sub.zone.test.", RR_A, 0, SERVE_CLASS_REFERRAL },
		{ "nx.zone.test.", RR_A, 1, SERVE_CLASS_NXDOMAIN },
		{ "a.b.c.zone.test.", RR_A, 1, SERVE_CLASS_NXDOMAIN },
		{ "x.wild.zone.test.", RR_A, 1, SERVE_CLASS_WILDCARD },
		{ "x.wild.zone.test.", RR_MX, 1, SERVE_CLASS_WILDCARD },
		{ "x.d.zone.test.", RR_A, 1, SERVE_CLASS_WILDCARD },
		{ "d.zone.test.", RR_DNAME, 0, SERVE_CLASS_POSITIVE },
		/* The name is there; where its chain leads is no flood's choice. */
		{ "c.zone.test.", RR_A, 0, SERVE_CLASS_NXDOMAIN },
		{ "w.zone.test.", RR_A, 0, SERVE_CLASS_WILDCARD },
		{ "www.not-ours.test.", RR_A, 0, SERVE_CLASS_ERROR },
	};
	uint8_t pkt[512];

	(void)state;
	says = SERVE_GATE_OPEN;
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct query q = ask(rows[i].name, rows[i].type, "e", pkt);

		assert_int_equal(asked, rows[i].asked);
		assert_int_equal(q.verdict, SERVE_REPLY);
		assert_false(q.truncated);
		if (asked > 0)
			assert_int_equal(asked_class, rows[i].class);
	}
}

/* Header, question, OPT; nothing else. */
static void
assert_empty_tc(const struct query *q, bool edns)
{
	assert_int_equal(q->verdict, SERVE_REPLY);
	assert_true(q->truncated);
	assert_int_equal(out[2] & 0x82, 0x82); /* QR, TC */
	assert_int_equal(out[3] & 0x0f, 0);
	assert_int_equal(out[5], 1);
	assert_int_equal(out[7] | out[9], 0);
	assert_int_equal(out[11], edns);
	assert_memory_equal(out, q->pkt, 2);
}

static void
test_what_it_says(void **state)
{
	static const char *const names[] = { "nx.zone.test.", "x.wild.zone.test.",
		"x.d.zone.test." };
	uint8_t pkt[512];
	struct query q;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		says = SERVE_GATE_SHUT;
		q = ask(names[i], RR_A, "e", pkt);
		assert_int_equal(q.verdict, SERVE_DROP);
		/* Counted as what it would have been. */
		assert_int_equal(q.class, i == 0 ? SERVE_CLASS_NXDOMAIN : SERVE_CLASS_WILDCARD);
		says = SERVE_GATE_SLIP;
		q = ask(names[i], RR_A, "e", pkt);
		assert_empty_tc(&q, true);
		assert_int_equal(q.class, i == 0 ? SERVE_CLASS_NXDOMAIN : SERVE_CLASS_WILDCARD);
		q = ask(names[i], RR_A, "", pkt);
		assert_empty_tc(&q, false);
	}
}

static void
test_truncate(void **state)
{
	static const struct {
		const char *name, *flags;
		uint16_t type;
	} rows[] = {
		{ "www.zone.test.", "e", RR_A },
		{ "www.zone.test.", "", RR_A },
		{ "nx.zone.test.", "e", RR_A },
		{ "a.sub.zone.test.", "ed", RR_A },
		{ "www.not-ours.test.", "e", RR_A },
	};
	uint8_t pkt[512];
	enum serve_class class;

	(void)state;
	says = SERVE_GATE_OPEN;
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct query q = ask(rows[i].name, rows[i].type, rows[i].flags, pkt);

		class = q.class;
		serve_truncate(&k.conf, &q);
		assert_empty_tc(&q, rows[i].flags[0] == 'e');
		assert_int_equal(q.class, class);
		assert_true(q.out_len <= q.len + 32);
	}
	/* Also of what has no question that could be copied. */
	memset(pkt, 0, 12);
	struct query q = { .pkt = pkt, .len = 12, .out = out, .out_cap = sizeof out };
	serve_batch(&k.conf, &k.view, &q, 1);
	assert_int_equal(q.rcode, 1);
	serve_truncate(&k.conf, &q);
	assert_int_equal(q.out_len, 12);
}

/* Names have one hash whatever their case, and different ones in different zones. */
static void
test_name_hash(void **state)
{
	uint8_t pkt[512];
	uint64_t www;

	(void)state;
	says = SERVE_GATE_OPEN;
	www = ask("www.zone.test.", RR_A, "", pkt).name_hash;
	assert_true(www == ask("WWW.Zone.TEST.", RR_AAAA, "e", pkt).name_hash);
	assert_true(www != ask("ns1.zone.test.", RR_A, "", pkt).name_hash);
	assert_true(ask("www.not-ours.test.", RR_A, "", pkt).name_hash == 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_is_asked),
		cmocka_unit_test(test_what_it_says),
		cmocka_unit_test(test_truncate),
		cmocka_unit_test(test_name_hash),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
