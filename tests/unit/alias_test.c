/* alias_test - ALIAS targets: the table that workers read, what look-ups teach, what the file keeps, what is
 * answered. */
// link: appliance/probe/alias_take.c appliance/probe/alias_file.c appliance/probe/target.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "appliance/dns/rrtype.h"
#include "appliance/probe/aliases.h"
#include "appliance/zonemap/board.h"
#include "tests/lib/zonekit.h"

static const uint64_t key[2] = { 1, 2 };

static const uint8_t *
name(unsigned i, uint8_t out[NAME_MAX_WIRE])
{
	char text[32];

	snprintf(text, sizeof text, "n%u.test.", i);
	assert_int_equal(
	    name_from_text(text, (const uint8_t *)"", out, &(size_t){ 0 }, NULL), NS_OK);
	return out;
}

static struct board
board_new(void)
{
	int fd = memfd_create("board", MFD_CLOEXEC);
	struct board b;

	assert_true(fd >= 0 && ftruncate(fd, (off_t)BOARD_FILE) == 0);
	assert_true(board_map(&b, fd, true));
	close(fd);
	alias_begin(b.aliases, key);
	return b;
}

static struct alias_known
known(unsigned last, uint32_t until, uint32_t keep)
{
	struct alias_known k = { .tried = 1, .good = 1 };

	k.family[ALIAS_V4] = (struct alias_addresses){ .state = ALIAS_HERE,
		.count = 1,
		.until = until,
		.keep = keep,
		.octets = { { 192, 0, 2, (uint8_t)last } } };
	k.family[ALIAS_V6].state = ALIAS_EMPTY;
	return k;
}

/* ---- the table ---- */
static void
test_table(void **state)
{
	struct board b = board_new();
	struct alias_table *t = b.aliases;
	uint8_t n[NAME_MAX_WIRE];
	struct alias_known k;
	unsigned there = 0;

	(void)state;
	assert_false(alias_read(NULL, name(0, n), &k));
	for (unsigned i = 0; i < 20000; i++) {
		assert_false(alias_read(t, name(i, n), &k));
		k = known(i & 255, 10, 20);
		there += alias_write(t, n, &k);
	}
	assert_int_equal(there, 20000); /* a window of 32 holds them */
	for (unsigned i = 0; i < 20000; i += 2)
		alias_remove(t, name(i, n));
	k = known(7, 11, 20);
	assert_true(alias_write(t, name(1, n), &k)); /* replaced */
	for (unsigned i = 0; i < 20000; i++) {
		assert_int_equal(alias_read(t, name(i, n), &k), i & 1);
		if (i & 1)
			assert_int_equal(k.family[0].octets[0][3], i == 1 ? 7 : i & 255);
	}
	/* A writer that died while it filled the copy that does not count. */
	for (unsigned i = 0; i < ALIAS_SLOTS; i++)
		memset(
		    &t->slot[i].copy[(t->slot[i].number + 1) & 1], 0xff, sizeof t->slot[i].copy[0]);
	assert_true(alias_read(t, name(3, n), &k) && k.family[0].octets[0][3] == 3);
	/* What nobody of ours wrote is cut to what can be. */
	for (unsigned i = 0; i < ALIAS_SLOTS; i++)
		memset(t->slot[i].copy, 0xff, sizeof t->slot[i].copy);
	assert_true(alias_read(t, name(3, n), &k));
	assert_true(k.family[0].count <= ALIAS_ADDRESSES && k.family[0].state == ALIAS_UNKNOWN);
	board_unmap(&b);
}

static void
test_ttl(void **state)
{
	static const struct {
		uint32_t now, until, keep;
		uint8_t state;
		bool given;
		uint32_t ttl;
	} rows[] = {
		{ 100, 160, 1000, ALIAS_HERE, true, 60 },
		{ 159, 160, 1000, ALIAS_HERE, true, 1 },
		{ 160, 160, 1000, ALIAS_HERE, true, ALIAS_TTL_STALE },
		{ 999, 160, 1000, ALIAS_HERE, true, ALIAS_TTL_STALE },
		{ 1000, 160, 1000, ALIAS_HERE, false, 0 },
		{ 100, 160, 1000, ALIAS_EMPTY, false, 0 },
		{ 100, 160, 1000, ALIAS_UNKNOWN, false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct alias_addresses a = { .state = rows[i].state,
			.count = 1,
			.until = rows[i].until,
			.keep = rows[i].keep };
		uint32_t ttl = 0;

		assert_int_equal(alias_ttl(&a, rows[i].now, &ttl), rows[i].given);
		assert_int_equal(ttl, rows[i].ttl);
	}
}

/* ---- what look-ups teach ---- */
/* + addresses, 0 none, N NXDOMAIN, ! failed, for A and AAAA in turn, at times 100, 200 …; with a ceiling of
 * 250 s.  After each: H here, E empty, - unknown, in lower case past the ceiling. */
static void
test_learn(void **state)
{
	static const struct {
		const char *looks, *states;
		enum alias_fault fault;
	} rows[] = {
		{ "++", "HH", ALIAS_OK },
		{ "+0", "HE", ALIAS_OK },
		{ "0+", "EH", ALIAS_OK },
		{ "+!", "H-", ALIAS_SILENT },
		{ "!!", "--", ALIAS_SILENT },
		{ "00", "EE", ALIAS_NO_ADDRESS },
		{ "NN", "EE", ALIAS_NXDOMAIN },
		{ "0!", "--", ALIAS_SILENT },
		{ "++ !!", "HH HH", ALIAS_SILENT },
		{ "++ NN", "HH HH", ALIAS_NXDOMAIN }, /* not believed at once */
		{ "++ 00", "HH HH", ALIAS_NO_ADDRESS },
		{ "++ +0", "HH HE", ALIAS_OK }, /* one family may go */
		{ "++ +!", "HH HH", ALIAS_SILENT },
		{ "++ 0!", "HH HH", ALIAS_SILENT },
		{ "++ NN NN NN", "HH HH HH EE", ALIAS_NXDOMAIN }, /* the ceiling is over */
		{ "++ !! !! !!", "HH HH HH hh", ALIAS_SILENT },
		{ "++ !! !! !! ++", "HH HH HH hh HH", ALIAS_OK },
		{ "++ NN ++", "HH HH HH", ALIAS_OK },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct alias_known k = { 0 };
		char got[32] = "";
		uint32_t now = 100;

		for (const char *p = rows[i].looks; *p != '\0';
		     p += p[2] == ' ' ? 3 : 2, now += 100) {
			struct alias_answer in[ALIAS_FAMILIES] = { 0 };
			size_t n = strlen(got);

			for (unsigned f = 0; f < ALIAS_FAMILIES; f++) {
				in[f].end = p[f] == '+'   ? ALIAS_GOT
					    : p[f] == '!' ? ALIAS_FAILED
							  : ALIAS_GOT_NONE;
				in[f].fault = p[f] == '!'   ? ALIAS_SILENT
					      : p[f] == 'N' ? ALIAS_NXDOMAIN
							    : ALIAS_NO_ADDRESS;
				in[f].ttl = 60;
				in[f].count = p[f] == '+';
			}
			alias_learn(&k, in, now, 250);
			for (unsigned f = 0; f < ALIAS_FAMILIES; f++)
				got[n + (n > 0) + f] = k.family[f].state == ALIAS_HERE
							   ? (now < k.family[f].keep ? 'H' : 'h')
						       : k.family[f].state == ALIAS_EMPTY ? 'E'
											  : '-';
			if (n > 0)
				got[n] = ' ';
		}
		assert_string_equal(got, rows[i].states);
		assert_int_equal(k.fault, rows[i].fault);
	}
}

static void
test_next(void **state)
{
	static const struct {
		uint32_t ttl;
		enum alias_fault fault;
		unsigned failures;
		uint32_t wait;
	} rows[] = {
		{ 60, ALIAS_OK, 0, 60 },
		{ 0, ALIAS_OK, 0, ALIAS_TTL_MIN },
		{ 2000000, ALIAS_OK, 0, ALIAS_TTL_MAX },
		{ 60, ALIAS_SILENT, 1, 5 },
		{ 60, ALIAS_SERVFAIL, 2, 10 },
		{ 60, ALIAS_SILENT, 4, 40 },
		{ 60, ALIAS_SILENT, 5, 60 },
		{ 60, ALIAS_SILENT, 4000000000u, 60 },
		{ 60, ALIAS_NXDOMAIN, 3, ALIAS_EMPTY_S },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct alias_answer in[ALIAS_FAMILIES] = {
			{ .end = ALIAS_GOT, .ttl = rows[i].ttl, .count = 1 },
			{ .end = ALIAS_GOT_NONE }
		};
		struct alias_known k = { 0 };

		alias_learn(&k, in, 1000, 86400);
		k.fault = (uint8_t)rows[i].fault;
		assert_int_equal(alias_next(&k, 1000, rows[i].failures), rows[i].wait);
	}
}

#define REC(o, t, ttl, data)                                                         \
	{                                                                            \
		SECTION_ANSWER, o, t, ttl, (const uint8_t *)(data), sizeof(data) - 1 \
	}

static void
test_take(void **state)
{
	struct packet_record many[20], chain[] = {
		REC("\1a\4test", RR_CNAME, 30, "\1b\4test"),
		REC("\1b\4test", RR_A, 60, "\xc0\0\2\2"), REC("\1b\4test", RR_A, 60, "\xc0\0\2\1"),
		REC("\1x\4test", RR_A, 60, "\xc0\0\2\3"), /* nobody's */
		REC("\1b\4test", RR_A, 60, "\x0a\0\0\1"), /* private */
	};
	struct packet p = { .records = chain, .n = 5 };
	struct target_rules none = { 0 };
	struct alias_answer a;

	(void)state;
	alias_take(&p, (const uint8_t *)"\1a\4test", ALIAS_V4, &none, &a);
	assert_true(a.end == ALIAS_GOT && a.count == 2 && a.ttl == 30);
	assert_memory_equal(a.octets[0], "\xc0\0\2\1", 4); /* in order */
	alias_take(&p, (const uint8_t *)"\1a\4test", ALIAS_V6, &none, &a);
	assert_true(a.end == ALIAS_GOT_NONE && a.fault == ALIAS_NO_ADDRESS);
	p.records = chain + 4;
	p.n = 1;
	alias_take(&p, (const uint8_t *)"\1b\4test", ALIAS_V4, &none, &a);
	assert_true(a.end == ALIAS_GOT_NONE && a.fault == ALIAS_CLOSED);
	for (unsigned i = 0; i < 20; i++)
		many[i] = chain[1];
	p = (struct packet){ .records = many, .n = 20 };
	alias_take(&p, (const uint8_t *)"\1b\4test", ALIAS_V4, &none, &a);
	assert_int_equal(a.count, ALIAS_ADDRESSES);
	many[0] =
	    (struct packet_record)REC("\1b\4test", RR_CNAME, 1, "\1b\4test"); /* a loop ends */
	alias_take(&p, (const uint8_t *)"\1b\4test", ALIAS_V4, &none, &a);
	p.rcode = 3;
	alias_take(&p, (const uint8_t *)"\1b\4test", ALIAS_V4, &none, &a);
	assert_true(a.end == ALIAS_GOT_NONE && a.fault == ALIAS_NXDOMAIN);
	p.rcode = 2;
	alias_take(&p, (const uint8_t *)"\1b\4test", ALIAS_V4, &none, &a);
	assert_true(a.end == ALIAS_FAILED && a.fault == ALIAS_SERVFAIL);
}

/* ---- the file ---- */
static void
test_record(void **state)
{
	uint8_t data[ALIAS_RECORD], n[NAME_MAX_WIRE], back[NAME_MAX_WIRE];
	struct alias_known k = known(9, 5, 6), got;

	(void)state;
	k.family[ALIAS_V6] =
	    (struct alias_addresses){ .state = ALIAS_HERE, .count = ALIAS_ADDRESSES };
	alias_record_write(data, name(1, n), &k);
	assert_true(alias_record_read(data, back, &got));
	assert_memory_equal(&got, &k, sizeof k);
	assert_true(name_equal(n, back));
	for (size_t i = 0; i < sizeof data; i += 7) {
		data[i] ^= 1;
		assert_false(alias_record_read(data, back, &got)); /* torn, or flipped */
		data[i] ^= 1;
	}
	memset(data, 0, sizeof data);
	assert_false(alias_record_read(data, back, &got));
}

/* ---- what is answered ---- */
static struct zonekit kit;
static uint8_t reply[SERVE_TCP_MAX];

static void
check(const char *qname, uint16_t type, const char *expected)
{
	uint8_t pkt[512];
	size_t len = zonekit_question(qname, type, "", pkt);
	char *got;

	len = zonekit_ask(&kit, pkt, len, true, reply);
	got = zonekit_text(reply, len);
	assert_non_null(got);
	assert_string_equal(got, expected);
	free(got);
}

static void
test_answers(void **state)
{
	static const char zone[] =
	    "$TTL 60\n@ SOA ns h 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n"
	    "@ 300 ALIAS n1.test.\nin 30 ALIAS ns\ncut NS ns\nlost ALIAS x.cut\n"
	    "d DNAME ns.else.\ndn ALIAS a.d\nmx MX 1 in\nv6 ALIAS n2.test.\n"
	    "l1 ALIAS l2\nl2 ALIAS l1\nbig TXT b\n";
	static const char other[] = "$TTL 7\n@ SOA ns h 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n"
				    "steal ALIAS in.example.\na.ns A 192.0.2.77\n";
	struct board b = board_new();
	struct alias_known k = known(5, 1100, 2000);
	uint8_t n[NAME_MAX_WIRE];

	(void)state;
	alias_write(b.aliases, name(1, n), &k);
	k.family[ALIAS_V4].state = ALIAS_EMPTY;
	alias_write(b.aliases, name(2, n), &k);
	zonekit_init(&kit, 64u << 20);
	kit.conf.board = &b;
	kit.conf.now_s = 1000;
	zonekit_add(&kit, "example.", zone, sizeof zone - 1, 1);
	zonekit_add(&kit, "else.", other, sizeof other - 1, 1);
	zonekit_publish(&kit);
	check("example.", RR_A, "0 aa\nAN example. 100 IN A 192.0.2.5\n");
	check("example.", RR_AAAA, "0 aa\nNS example. 5 IN SOA ns.example. h.example. 1 2 3 4 5\n");
	check("in.example.", RR_A, "0 aa\nAN in.example. 30 IN A 192.0.2.1\n");
	check("in.example.", RR_ANY, "0 aa\nAN in.example. 30 IN A 192.0.2.1\n");
	check("in.example.", RR_ALIAS,
	    "0 aa\nNS example. 5 IN SOA ns.example. h.example. 1 2 3 4 5\n");
	check(
	    "in.example.", RR_TXT, "0 aa\nNS example. 5 IN SOA ns.example. h.example. 1 2 3 4 5\n");
	check("dn.example.", RR_A, "0 aa\nAN dn.example. 7 IN A 192.0.2.77\n");
	check("mx.example.", RR_MX,
	    "0 aa\nAN mx.example. 60 IN MX 1 in.example.\nAR in.example. 30 IN A 192.0.2.1\n");
	check("v6.example.", RR_A, "0 aa\nNS example. 5 IN SOA ns.example. h.example. 1 2 3 4 5\n");
	check("lost.example.", RR_A, "2\n");
	check("l1.example.", RR_A, "2\n");
	kit.conf.now_s = 1100; /* their own time is over, the ceiling is not */
	check("example.", RR_A, "0 aa\nAN example. 5 IN A 192.0.2.5\n");
	kit.conf.now_s = 2000;
	check("example.", RR_A, "2\n");
	kit.conf.board = NULL;
	check("example.", RR_A, "2\n");
	zonekit_fini(&kit);
	board_unmap(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_ttl),
		cmocka_unit_test(test_learn),
		cmocka_unit_test(test_next),
		cmocka_unit_test(test_take),
		cmocka_unit_test(test_record),
		cmocka_unit_test(test_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
