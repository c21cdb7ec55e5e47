/* edns - client subnet, cookies, and what else an OPT record carries: tables of options in, options out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "appliance/dns/rrtype.h"
#include "appliance/serve/work.h"
#include "ipc/base/wbuf.h"
#include "tests/lib/address.h"
#include "tests/lib/zonebox.h"
#include "tests/lib/zonekit.h"

/* RFC 9018, A.1 */
#define SECRET_A "e5e973e5a6b2a43f48e7dc849e37bfcf"
#define A1       "2464c4abcf10c957010000005cf79f111f8130c3eee29480"
#define T1       1559731985

static char *
to_hex(const uint8_t *p, size_t n)
{
	static char out[3000];

	out[0] = '\0';
	for (size_t i = 0; i < n; i++)
		snprintf(out + 2 * i, 3, "%02x", p[i]);
	return out;
}

static const char zone[] = "$TTL 300\n@ SOA ns1 h 2026112201 2 3 4 5\n@ NS ns1\n"
			   "ns1 A 192.0.2.1\nwww A 192.0.2.5\nl1 CNAME l2\nl2 CNAME l1\n"
			   "sub NS ns.sub\nns.sub A 192.0.2.7\n"
			   "d DNAME aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
			   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
			   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
			   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n";
static struct zonekit kit;
static uint8_t reply[SERVE_TCP_MAX];

static int
setup(void **state)
{
	struct map_cookie c = { .count = 1 };
	struct wbuf w = wbuf_grow(1 << 20);
	char line[256];

	(void)state;
	zonekit_init(&kit, 64u << 20);
	wbuf_put(&w, zone, sizeof zone - 1);
	for (unsigned i = 0; i < 200; i++)
		wbuf_put(&w, line, (size_t)snprintf(line, sizeof line, "big TXT \"%060u\"\n", i));
	for (unsigned i = 0; i < 100; i++)
		wbuf_put(&w, line,
		    (size_t)snprintf(line, sizeof line, "n%02u TXT \"%0*u\"\n", i, i + 1, 1));
	zonekit_add(&kit, "main.test.", (const char *)w.base, w.len, 1);
	wbuf_free(&w);
	zonebox_hex(SECRET_A, c.secret[0], MAP_SECRET);
	writer_cookie(kit.w, &c);
	zonekit_publish(&kit);
	snprintf(kit.conf.id, sizeof kit.conf.id, "fra1");
	kit.conf.now_s = T1;
	kit.conf.keepalive = 100;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	zonekit_fini(&kit);
	return 0;
}

/* The question with these options behind it. */
static size_t
question(const char *name, uint16_t type, unsigned size, const char *options, uint8_t out[1024])
{
	size_t len = zonekit_question(name, type, "e", out), n;

	n = zonebox_hex(options, out + len, 1024 - len);
	put_u16(out + len - 8, (uint16_t)size);
	put_u16(out + len - 2, (uint16_t)n);
	return len + n;
}

static struct query
ask(const uint8_t *pkt, size_t len, enum serve_transport transport)
{
	struct query q = { .pkt = pkt,
		.len = len,
		.out = reply,
		.out_cap = transport == SERVE_UDP ? SERVE_UDP_MAX : SERVE_TCP_MAX,
		.transport = transport,
		.client = sockaddr_of("198.51.100.100") };

	memset(reply, 0xee, 1400);
	serve_batch(&kit.conf, &kit.view, &q, 1);
	return q;
}

/* The rdata of the OPT record, which is the last record of a reply; NULL: there is none. */
static const uint8_t *
find_opt(const struct query *q, size_t *len)
{
	/* Its head is told from all else in these zones by our buffer size. */
	static const uint8_t head[] = { 0, 0, 41, SERVE_UDP_MAX >> 8, SERVE_UDP_MAX & 0xff };

	for (size_t at = DNS_HEADER; at + 11 <= q->out_len; at++) {
		*len = get_u16(reply + at + 9);
		if (memcmp(reply + at, head, sizeof head) == 0 && at + 11 + *len == q->out_len)
			return reply + at + 11;
	}
	return NULL;
}

#define C1      "2464c4abcf10c957"
#define COOKIE1 "000a0018" A1
#define NSID1      \
	"00030004" \
	"66726131"
#define VERSION1   \
	"00130006" \
	"0200"     \
	"78c404c9"

static void
answers_options(void **state)
{
	static const struct {
		const char *options;
		enum serve_transport via;
		int rcode;
		const char *want; /* NULL: no OPT */
		const char *why;
	} rows[] = {
		{ "", SERVE_UDP, 0, "", "no options" },
		{ "fde90003 010203 00000000", SERVE_UDP, 0, "", "unknown ones" },
		{ "00030000", SERVE_UDP, 0, NSID1, "NSID" },
		{ "00030002 6161", SERVE_UDP, 0, NSID1, "NSID with something in it" },
		{ "000a0008" C1, SERVE_UDP, 0, COOKIE1, "a client cookie" },
		{ COOKIE1, SERVE_UDP, 0, COOKIE1, "ours" },
		{ "000a0018" C1 "0100000000000000 0000000000000000", SERVE_UDP, 0, COOKIE1,
		    "a bad one: the answer, and a good one" },
		{ "000a0010" C1 "0102030405060708", SERVE_UDP, 0, COOKIE1, "of another make" },
		{ "000a0028" C1 C1 C1 C1 C1, SERVE_TCP, 0, COOKIE1, "the longest" },
		{ "000a0008" C1 "000a0003 000000", SERVE_UDP, 0, COOKIE1, "the first one counts" },
		{ "00080007 0001 1800 c00002", SERVE_UDP, 0, "00080007 0001 1800 c00002",
		    "ECS /24" },
		{ "00080008 0001 2000 c0000201", SERVE_UDP, 0, "00080008 0001 2000 c0000201",
		    "/32" },
		{ "00080007 0001 1500 c00008", SERVE_UDP, 0, "00080007 0001 1500 c00008", "/21" },
		{ "00080004 0001 0000", SERVE_UDP, 0, "00080004 0001 0000", "/0" },
		{ "00080004 0000 0000", SERVE_UDP, 0, "00080004 0000 0000",
		    "no family and no place" },
		{ "0008000b 0002 3800 20010db8000000", SERVE_UDP, 0,
		    "0008000b 0002 3800 20010db8000000", "IPv6 /56" },
		{ "00130000", SERVE_UDP, 0, VERSION1, "ZONEVERSION" },
		{ "000b0000", SERVE_TCP, 0, "000b0002 0064", "keepalive" },
		{ "000b0000", SERVE_TLS, 0, "000b0002 0064", "keepalive over TLS" },
		{ "000b0000", SERVE_UDP, 0, "", "keepalive over UDP" },
		{ "000b0002 0001", SERVE_UDP, 0, "", "ignored there whatever it says" },
		{ "000c0004 00000000", SERVE_TCP, 0, "", "padding where all can read it" },
		{ "00130000 000b0000 000a0008" C1 "00080004 00010000 00030000", SERVE_TCP, 0,
		    NSID1 "00080004 00010000" COOKIE1 "000b0002 0064" VERSION1, "all" },
		/* refused, with OPT and a reason */
		{ "000a0007 00000000000000", SERVE_UDP, 1, "000f*", "a short cookie" },
		{ "000a0009" C1 "00", SERVE_UDP, 1, "000f*", "a server cookie of 1" },
		{ "000a000f" C1 "00000000000000", SERVE_UDP, 1, "000f*", "of 7" },
		{ "000a0029" C1 C1 C1 C1 C1 "00", SERVE_UDP, 1, "000f*", "of 33" },
		{ "000a0000", SERVE_UDP, 1, "000f*", "no cookie at all" },
		{ "00080003 000118", SERVE_UDP, 1, "000f*", "ECS cut" },
		{ "00080007 0003 1800 c00002", SERVE_UDP, 1, "000f*", "family 3" },
		{ "00080007 0000 1800 c00002", SERVE_UDP, 1, "000f*", "family 0 with a place" },
		{ "00080009 0001 2100 c000020100", SERVE_UDP, 1, "000f*", "/33" },
		{ "00080015 0002 8100 00000000000000000000000000000000 00", SERVE_UDP, 1, "000f*",
		    "/129" },
		{ "00080008 0001 1800 c0000200", SERVE_UDP, 1, "000f*", "an octet too many" },
		{ "00080006 0001 1800 c000", SERVE_UDP, 1, "000f*", "an octet too few" },
		{ "00080007 0001 1500 c0000c", SERVE_UDP, 1, "000f*", "bits behind the prefix" },
		{ "00080007 0001 1818 c00002", SERVE_UDP, 1, "000f*", "a scope in a query" },
		{ "00130001 00", SERVE_UDP, 1, "000f*", "ZONEVERSION not empty" },
		{ "000b0002 0001", SERVE_TCP, 1, "000f*", "a timeout in a query" },
		{ "00030000 000a", SERVE_UDP, 1, "000f*", "half a head" },
		{ "00030000 fde90002 00", SERVE_UDP, 1, "000f*", "half an option" },
	};
	uint8_t pkt[1024], want[512];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct query q = ask(
		    pkt, question("www.main.test.", RR_A, 1232, rows[i].options, pkt), rows[i].via);
		size_t len, n = strcspn(rows[i].want, "*");
		bool prefix = rows[i].want[n] == '*', same;
		const uint8_t *opt = find_opt(&q, &len);
		char text[512];

		memcpy(text, rows[i].want, n);
		text[n] = '\0';
		n = zonebox_hex(text, want, sizeof want);
		same = opt != NULL && (prefix ? len >= n : len == n) && memcmp(opt, want, n) == 0;
		if (!same || q.rcode != rows[i].rcode || q.verdict != SERVE_REPLY)
			fail_msg("%s: rcode %u, options %s", rows[i].why, q.rcode,
			    opt != NULL ? to_hex(opt, len) : "none");
	}
}

static void
says_whether_the_cookie_is_good(void **state)
{
	static const struct {
		const char *options;
		bool want;
	} rows[] = {
		{ "", false },
		{ "000a0008" C1, false },
		{ COOKIE1, true },
		{ "000a0018" C1 "010000005cf79f111f8130c3eee29481", false },
		{ "00030000" COOKIE1 "00080004 00010000", true },
	};
	struct map_cookie none = { .count = 0 }, some = { .count = 1 };
	uint8_t pkt[1024];
	struct query q;
	size_t len, opt_len;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		q = ask(
		    pkt, question("www.main.test.", RR_A, 1232, rows[i].options, pkt), SERVE_UDP);
		assert_int_equal(q.cookie_ok, rows[i].want);
	}
	/* Who has no secret does not know cookies; who does not know the client gives none. */
	len = question("www.main.test.", RR_A, 1232, COOKIE1, pkt);
	writer_cookie(kit.w, &none);
	zonekit_publish(&kit);
	q = ask(pkt, len, SERVE_UDP);
	assert_true(find_opt(&q, &opt_len) != NULL && opt_len == 0 && !q.cookie_ok && q.rcode == 0);
	zonebox_hex(SECRET_A, some.secret[0], MAP_SECRET);
	writer_cookie(kit.w, &some);
	zonekit_publish(&kit);
	q = (struct query){ .pkt = pkt, .len = len, .out = reply, .out_cap = SERVE_UDP_MAX };
	serve_batch(&kit.conf, &kit.view, &q, 1);
	assert_true(find_opt(&q, &opt_len) != NULL && opt_len == 0 && !q.cookie_ok && q.rcode == 0);
}

/* RFC 7873 5.4, and other packets without a plain question. */
static void
answers_without_a_question(void **state)
{
#define OPT(len) "00 0029 04d0 00000000 " len
	static const struct {
		const char *packet;
		int rcode;
		const char *want; /* NULL: no OPT */
	} rows[] = {
		{ "1234 0000 0000 0000 0000 0001" OPT("000c") "000a0008" C1, 0, COOKIE1 },
		{ "1234 0000 0000 0000 0000 0001" OPT("001c") COOKIE1, 0, COOKIE1 },
		{ "1234 0000 0000 0000 0000 0001" OPT("0014") "000a0010" C1 C1, 23, COOKIE1 },
		{ "1234 0000 0000 0000 0000 0001" OPT("0000"), 1, "" },
		{ "1234 0000 0000 0000 0000 0000", 1, NULL },
		{ "1234 0000 0000 0000 0000 0001" OPT("000c") "000a0008" C1 "00", 1, NULL },
		{ "1234 0000 0000 0001 0000 0001" OPT("000c") "000a0008" C1, 1, NULL },
		{ "1234 2000 0001 0000 0000 0001 01610000060001" OPT("000c") "000a0008" C1, 4,
		    COOKIE1 "000f*" },
		{ "1234 2800 0001 0000 0000 0000 01610000060001", 4, NULL },
		{ "1234 2000 0001 0001 0000 0001 01610000060001 c00c000600010000000100020000" OPT(
		      "0000"),
		    4, "000f*" },
		{ "1234 2000 ffff ffff ffff 0001", 4, NULL },
	};
	uint8_t pkt[256], want[512];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct query q = ask(pkt, zonebox_hex(rows[i].packet, pkt, sizeof pkt), SERVE_UDP);
		size_t len = 0, n = 0;
		const uint8_t *opt = find_opt(&q, &len);
		bool prefix = false;
		char text[512] = "";

		if (rows[i].want != NULL) {
			n = strcspn(rows[i].want, "*");
			prefix = rows[i].want[n] == '*';
			memcpy(text, rows[i].want, n);
			text[n] = '\0';
			n = zonebox_hex(text, want, sizeof want);
		}
		if (q.verdict != SERVE_REPLY || q.rcode != rows[i].rcode ||
		    (opt == NULL) != (rows[i].want == NULL) ||
		    (opt != NULL && ((prefix ? len < n : len != n) || memcmp(opt, want, n) != 0)))
			fail_msg("row %zu: rcode %u, options %s", i, q.rcode,
			    opt != NULL ? to_hex(opt, len) : "none");
	}
}

static void
says_why(void **state)
{
	static const struct {
		const char *name;
		uint16_t type;
		enum serve_transport via;
		int rcode, code; /* -1: nothing is to be explained */
		const char *text;
	} rows[] = {
		{ "www.main.test.", RR_A, SERVE_UDP, 0, -1, "" },
		{ "nx.main.test.", RR_A, SERVE_UDP, 3, -1, "" },
		{ "www.other.test.", RR_A, SERVE_UDP, 5, 20, "no zone here holds this name" },
		{ "main.test.", RR_AXFR, SERVE_TCP, 5, 18, "zone transfers are not open to you" },
		{ "main.test.", RR_AXFR, SERVE_UDP, 4, 21, "AXFR needs TCP" },
		{ "main.test.", RR_IXFR, SERVE_UDP, 5, 18, "zone transfers are not open to you" },
		{ "www.main.test.", RR_AXFR, SERVE_TCP, 9, 20, "no zone begins at this name" },
		{ "l1.main.test.", RR_A, SERVE_UDP, 0, 0, "alias chain is a loop or too long" },
		{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.d.main.test.", RR_A, SERVE_UDP, 6,
		    0, "DNAME leads to a name over 255 octets" },
	};
	uint8_t pkt[1024];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct query q =
		    ask(pkt, question(rows[i].name, rows[i].type, 1232, "", pkt), rows[i].via);
		size_t len, n = strlen(rows[i].text);
		const uint8_t *opt = find_opt(&q, &len);
		bool right = opt != NULL && q.rcode == rows[i].rcode;

		if (right && rows[i].code < 0)
			right = len == 0;
		else if (right)
			right = len == 6 + n && get_u16(opt) == 15 && get_u16(opt + 2) == 2 + n &&
				get_u16(opt + 4) == rows[i].code &&
				memcmp(opt + 6, rows[i].text, n) == 0;
		if (!right)
			fail_msg("%s %u: rcode %u, options %s", rows[i].name, rows[i].type, q.rcode,
			    opt != NULL ? to_hex(opt, len) : "none");
		/* Without EDNS there is nowhere to say it. */
		q = ask(pkt, zonekit_question(rows[i].name, rows[i].type, "", pkt), rows[i].via);
		assert_true(find_opt(&q, &len) == NULL && q.rcode == rows[i].rcode);
	}
}

/* The reason goes before anything of the answer does: its text first, then all of it. */
static void
explains_where_there_is_room(void **state)
{
	const uint8_t *end;
	uint8_t p[100];

	(void)state;
	for (size_t room = 0; room < sizeof p; room++) {
		memset(p, 0xee, sizeof p);
		end = ede_write(EDE_IMAGE, p, room);
		assert_int_equal(end - p, room < 6 ? 0 : room < 6 + 18 ? 6 : 6 + 18);
		if (room >= 6)
			assert_int_equal(get_u16(p + 2), end - p - 4);
		for (size_t i = (size_t)(end - p); i < sizeof p; i++)
			assert_int_equal(p[i], 0xee);
	}
}

static void
pads_over_tls(void **state)
{
	uint8_t pkt[1024];
	char name[64];

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		struct query q;

		snprintf(name, sizeof name, "n%02u.main.test.", i);
		q = ask(pkt, question(name, RR_TXT, 1232, "000c0000 000a0008" C1, pkt), SERVE_TLS);
		assert_int_equal(q.out_len % 468, 0);
		assert_int_equal(q.out_len, 468);
		q = ask(pkt, question(name, RR_TXT, 1232, "000a0008" C1, pkt), SERVE_TLS);
		assert_true(q.out_len < 468);
	}
	/* What is refused has the padding behind its reason. */
	ask(pkt, question("x.", RR_A, 512, "000c0000", pkt), SERVE_TLS);
	assert_int_equal(
	    ask(pkt, question("x.", RR_A, 512, "000c0000", pkt), SERVE_TLS).out_len, 468);
	{
		struct query q =
		    ask(pkt, question("big.main.test.", RR_TXT, 1232, "000c0000", pkt), SERVE_TLS);

		assert_int_equal(q.out_len % 468, 0);
		assert_false(q.truncated);
	}
}

#define EVERYTHING "00030000 000a0008" C1 "00080008 0001 2000 c0000201 00130000"

/* Whatever is asked for, and however small the buffer: OPT is whole, and so is every RRset. */
static void
truncates_with_all_options(void **state)
{
	uint8_t pkt[1024];
	size_t len;

	(void)state;
	for (unsigned size = 0; size < 2000; size += 3) {
		unsigned limit = size < 512 ? 512 : size > 1232 ? 1232 : size;
		struct query q =
		    ask(pkt, question("big.main.test.", RR_TXT, size, EVERYTHING, pkt), SERVE_UDP);

		assert_true(q.out_len <= limit && q.truncated && (reply[2] & 2) != 0);
		assert_int_equal(get_u16(reply + 6), 0);
		assert_non_null(find_opt(&q, &len));
		assert_int_equal(len, 8 + 28 + 12 + 10);
		/* As a rate limit does it. */
		serve_truncate(&kit.conf, &q);
		assert_true(q.out_len <= limit && q.truncated && find_opt(&q, &len) != NULL);
		q = ask(pkt, question("www.main.test.", RR_A, size, EVERYTHING, pkt), SERVE_UDP);
		assert_true(q.out_len <= limit && !q.truncated && get_u16(reply + 6) == 1);
	}
}

static void
tells_the_zone_that_answers(void **state)
{
	static const struct {
		const char *name;
		uint16_t type;
		size_t want;
	} rows[] = {
		{ "nx.main.test.", RR_A, 10 },
		{ "www.main.test.", RR_TXT, 10 },
		{ "x.sub.main.test.", RR_A, 10 },
		{ "sub.main.test.", RR_DS, 10 },
		{ "main.test.", RR_DS, 10 },
	};
	uint8_t pkt[1024], want[10];
	size_t len;

	(void)state;
	zonebox_hex(VERSION1, want, sizeof want);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct query q = ask(
		    pkt, question(rows[i].name, rows[i].type, 1232, "00130000", pkt), SERVE_UDP);
		const uint8_t *opt = find_opt(&q, &len);

		assert_true(opt != NULL && len == sizeof want && memcmp(opt, want, len) == 0);
	}
	{
		struct query q =
		    ask(pkt, question("www.other.test.", RR_A, 1232, "00130000", pkt), SERVE_UDP);
		const uint8_t *opt = find_opt(&q, &len);

		assert_true(opt != NULL && get_u16(opt) == 15); /* the reason, no version */
	}
}

/* Routing will decide by it: as it came, and zeros behind it. */
static void
keeps_the_client_network(void **state)
{
	uint8_t pkt[1024];
	struct query q = ask(pkt,
	    question("www.main.test.", RR_A, 1232, "00080007 0001 1500 c00008", pkt), SERVE_UDP);
	const struct ecs *e = &work_of(&q)->ecs;
	const uint8_t want[16] = { 192, 0, 8 };

	(void)state;
	assert_true(e->family == 1 && e->source == 21 && memcmp(e->address, want, 16) == 0);
	q = ask(pkt, question("www.main.test.", RR_A, 1232, "", pkt), SERVE_UDP);
	assert_int_equal(work_of(&q)->ecs.family, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_options),
		cmocka_unit_test(says_whether_the_cookie_is_good),
		cmocka_unit_test(answers_without_a_question),
		cmocka_unit_test(says_why),
		cmocka_unit_test(explains_where_there_is_room),
		cmocka_unit_test(pads_over_tls),
		cmocka_unit_test(truncates_with_all_options),
		cmocka_unit_test(tells_the_zone_that_answers),
		cmocka_unit_test(keeps_the_client_network),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
