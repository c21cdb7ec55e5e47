/* fleet_test - invitations, the roster and who may connect, the ring and windows of the primary, a
 * replica's view of the numbered changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/fleet/endpoint.h"
#include "appliance/fleet/follow.h"
#include "appliance/fleet/publish.h"
#include "appliance/fleet/roster.h"
#include "appliance/fleet/token.h"
#include "appliance/fleet/vitals.h"
#include "appliance/fleet/zap.h"
#include "ipc/base/xalloc.h"

#define NOW 1000000LL

/* ---- how an appliance is ---- */
#define S 1000000000ull
static void
test_clocks(void **state)
{
	static const struct {
		struct clock_trip trip;
		uint64_t now_ns;
		bool taken;
		int64_t offset_us; /* after it */
	} rows[] = {
		/* Nothing was sent, or nothing that can be. */
		{ { 0, 2000, 2000, 0 }, 1 * S, false, 0 },
		{ { 5000, 2000, 2000, 0 }, 1 * S, false, 0 },
		{ { 1000, 2000, 2000, 1001 }, 1 * S, false, 0 },
		{ { 1000, 2000, -5, 0 }, 1 * S, false, 0 },
		{ { 1000, 10002000, 2000, 0 }, 1 * S, false, 0 },
		/* 100 ms there and back, held for 500 ms: ahead by 3 ms. */
		{ { 1000000, 1600000, 1553000, 500000 }, 1 * S, true, 3000 },
		/* A slower trip tells less, until the quick one is old. */
		{ { 2000000, 2300000, 2100000, 0 }, 2 * S, false, 3000 },
		{ { 2000000, 2300000, 2100000, 0 }, 31 * S, true, -50000 },
		/* A quicker one tells more at once. */
		{ { 3000000, 3010000, 2905000, 0 }, 32 * S, true, -100000 },
		{ { 3000000, 3010000, INT64_MAX, 0 }, 33 * S, true, INT64_MAX - 3005000 },
	};
	struct clockdiff d = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (clockdiff_take(&d, &rows[i].trip, rows[i].now_ns) != rows[i].taken ||
		    d.offset_us != rows[i].offset_us)
			fail_msg("row %zu: %lld", i, (long long)d.offset_us);
	}
}

static void
test_loads(void **state)
{
	struct loadpast *p = xcalloc(1, sizeof *p);
	const float *points;
	char name[16];

	(void)state;
	assert_null(loadpast_of(p, "a"));
	loadpast_add(p, "a", 100, 10 * S);
	loadpast_add(p, "a", 200, 11 * S);
	loadpast_add(p, "b", -1, 11 * S);
	points = loadpast_of(p, "a");
	assert_true(points[LOAD_POINTS - 1] == 150 && points[LOAD_POINTS - 2] < 0);
	assert_true(loadpast_of(p, "b")[LOAD_POINTS - 1] < 0);
	loadpast_add(p, "a", 40, 70 * S); /* the next minute */
	assert_true(points[LOAD_POINTS - 1] == 40 && points[LOAD_POINTS - 2] == 150);
	loadpast_add(p, "a", 7, 190 * S); /* a minute in which nobody looked, and one */
	assert_true(points[LOAD_POINTS - 1] == 7 && points[LOAD_POINTS - 2] < 0 &&
		    points[LOAD_POINTS - 3] == 40 && points[LOAD_POINTS - 4] == 150);
	loadpast_add(p, "a", 8, 99999 * S); /* all of it is long ago */
	for (size_t i = 0; i + 1 < LOAD_POINTS; i++)
		assert_true(points[i] < 0);
	/* Who comes when there is no place takes that of who was silent for the longest. */
	for (size_t i = 0; i < FLEET_MEMBERS; i++) {
		snprintf(name, sizeof name, "m%zu", i);
		loadpast_add(p, name, 1, 100000 * S);
	}
	assert_null(loadpast_of(p, "a"));
	assert_non_null(loadpast_of(p, "m0"));
	free(p);
}
#undef S

/* ---- endpoints ---- */
static void
test_endpoints(void **state)
{
	static const struct {
		const char *text;
		bool listen, ok;
	} rows[] = {
		{ "tcp://127.0.0.1:7300", false, true },
		{ "tcp://[::1]:1", false, true },
		{ "tcp://[2001:db8::1]:65535", true, true },
		{ "tcp://*:7300", true, true },
		{ "tcp://*:7300", false, false },
		{ "tcp://0.0.0.0:7300", true, true },
		{ "tcp://pop1.example:7300", false, false },
		{ "tcp://127.0.0.1", false, false },
		{ "tcp://127.0.0.1:", false, false },
		{ "tcp://127.0.0.1:0", false, false },
		{ "tcp://127.0.0.1:65536", false, false },
		{ "tcp://127.0.0.1:7300 ", false, false },
		{ "tcp://:7300", false, false },
		{ "tcp://[::1:7300", false, false },
		{ "tcp://[]:7300", false, false },
		{ "udp://127.0.0.1:7300", false, false },
		{ "tcp://127.0.0.1:+730", false, false },
		{ "tcp://", false, false },
		{ "", false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct sockaddr_storage ss;
		socklen_t len;
		bool ok = endpoint_read(rows[i].text, rows[i].listen, &ss, &len, NULL) == NS_OK;

		if (ok != rows[i].ok)
			fail_msg("%s: %d", rows[i].text, ok);
	}
}

/* ---- tokens ---- */
static struct token
a_token(const char *endpoint, const char *name)
{
	struct token t = { 0 };

	snprintf(t.endpoint, sizeof t.endpoint, "%s", endpoint);
	snprintf(t.name, sizeof t.name, "%s", name);
	for (unsigned i = 0; i < FLEET_KEY; i++) {
		t.primary[i] = (uint8_t)(i * 7);
		t.secret[i] = (uint8_t)(255 - i);
	}
	return t;
}

static void
test_token_round(void **state)
{
	static const char *const names[] = { "a", "ab", "abc", "fra1-a",
		"a23456789012345678901234567890123456789012345678901234567890123" };
	char text[TOKEN_TEXT], padded[TOKEN_TEXT + 8];
	struct token back;

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		struct token t = a_token("tcp://192.0.2.1:7300", names[i]);

		token_write(&t, text);
		assert_true(strlen(text) < TOKEN_TEXT);
		assert_int_equal(token_read(text, &back, NULL), NS_OK);
		assert_memory_equal(&t, &back, sizeof t);
		snprintf(padded, sizeof padded, " \n%s\r\n", text);
		assert_int_equal(token_read(padded, &back, NULL), NS_OK);
	}
}

/* Every single character that is changed, left out or added is noticed, and nothing of it is said. */
static void
test_token_broken(void **state)
{
	struct token t = a_token("tcp://[2001:db8::1]:7300", "fra1-a"), back;
	char text[TOKEN_TEXT], bad[TOKEN_TEXT + 2];
	struct ns_why why = { 0 };

	(void)state;
	token_write(&t, text);
	for (size_t i = 0; i < strlen(text); i++) {
		snprintf(bad, sizeof bad, "%s", text);
		bad[i] = bad[i] == 'x' ? 'y' : 'x';
		assert_int_equal(token_read(bad, &back, &why), NS_USAGE);
		assert_null(strstr(why.text, bad + 6));
		memmove(bad + i, text + i + 1, strlen(text + i));
		assert_int_equal(token_read(bad, &back, NULL), NS_USAGE);
		snprintf(bad, sizeof bad, "%.*sA%s", (int)i, text, text + i);
		assert_int_equal(token_read(bad, &back, NULL), NS_USAGE);
	}
	snprintf(bad, sizeof bad, "%s=", text);
	assert_int_equal(token_read(bad, &back, NULL), NS_USAGE);
	assert_int_equal(token_read("", &back, NULL), NS_USAGE);
	assert_int_equal(token_read("nsj1-", &back, NULL), NS_USAGE);
	t = a_token("tcp://example.com:7300", "fra1-a");
	token_write(&t, text);
	assert_int_equal(token_read(text, &back, NULL), NS_USAGE);
}

/* ---- the roster, and who may connect ---- */
static struct member
a_member(const char *name, uint8_t key)
{
	struct member m = { .enrolled = key != 0 };

	snprintf(m.name, sizeof m.name, "%s", name);
	snprintf(m.trust, sizeof m.trust, "%s", "operator");
	memset(m.key, key, FLEET_KEY);
	return m;
}

static void
test_roster_admits(void **state)
{
	struct roster r = { 0 };
	struct member m = a_member("b", 2), guest = a_member("guest", 0);
	uint8_t key[FLEET_KEY];
	char user[FLEET_USER], invite_user[FLEET_USER];
	bool invite;

	(void)state;
	guest.invited = true;
	memset(guest.invite_key, 9, FLEET_KEY);
	guest.invite_until_ms = NOW + 1000;
	assert_true(roster_put(&r, &m));
	assert_true(roster_put(&r, &guest));
	m = a_member("a", 1);
	assert_true(roster_put(&r, &m));
	assert_string_equal(r.members[0].name, "a");
	assert_int_equal(roster_active(&r), 2);

	memset(key, 7, sizeof key);
	assert_false(roster_admit(&r, key, NOW, user));
	memset(key, 0, sizeof key); /* no key of nobody */
	assert_false(roster_admit(&r, key, NOW, user));
	memset(key, 2, sizeof key);
	assert_true(roster_admit(&r, key, NOW, user));
	assert_string_equal(roster_user(&r, user, NOW, &invite)->name, "b");
	assert_false(invite);

	memset(key, 9, sizeof key);
	assert_true(roster_admit(&r, key, NOW, invite_user));
	assert_string_equal(roster_user(&r, invite_user, NOW, &invite)->name, "guest");
	assert_true(invite);
	assert_false(roster_admit(&r, key, NOW + 1000, user)); /* expired */
	assert_null(roster_user(&r, invite_user, NOW + 1000, &invite));
	roster_free(&r);
}

/* A connection that was let in is nobody's once its member is gone, or has another key. */
static void
test_roster_cuts_off(void **state)
{
	static const char *const nonsense[] = { "", "m", "m:", "m:b", "x:b:0202020202020202",
		"m:b:02", "m::0202020202020202", "m:nobody:0202020202020202",
		"i:b:0202020202020202" };
	struct roster r = { 0 };
	struct member m = a_member("b", 2);
	char user[FLEET_USER];
	bool invite;

	(void)state;
	roster_put(&r, &m);
	assert_true(roster_admit(&r, m.key, NOW, user));
	for (size_t i = 0; i < sizeof nonsense / sizeof nonsense[0]; i++)
		assert_null(roster_user(&r, nonsense[i], NOW, &invite));
	memset(m.key, 3, FLEET_KEY);
	roster_put(&r, &m);
	assert_null(roster_user(&r, user, NOW, &invite));
	memset(m.key, 2, FLEET_KEY);
	m.removed = true;
	roster_put(&r, &m);
	assert_null(roster_user(&r, user, NOW, &invite));
	assert_false(roster_admit(&r, m.key, NOW, user));
	roster_free(&r);
}

static void
test_roster_is_bounded(void **state)
{
	struct roster r = { 0 };
	struct member m;
	char name[16];

	(void)state;
	for (unsigned i = 0; i < FLEET_MEMBERS; i++) {
		snprintf(name, sizeof name, "n%u", i);
		m = a_member(name, 1);
		assert_true(roster_put(&r, &m));
	}
	m = a_member("more", 1);
	assert_false(roster_put(&r, &m));
	roster_free(&r);
}

static void
test_members_as_messages(void **state)
{
	struct member m = a_member("fra1-a", 5), back;
	struct member_message to;
	Ns__FleetMember *msg = &to.message;
	char longer[sizeof m.drain.reason + 1];

	(void)state;
	snprintf(m.site, sizeof m.site, "%s", "fra1");
	snprintf(m.endpoint, sizeof m.endpoint, "%s", "tcp://127.0.0.1:7300");
	m.since = 12;
	member_to_message(&m, &to);
	assert_true(member_from_message(&back, msg));
	assert_memory_equal(&m, &back, sizeof m);
	msg->key.len = 31;
	assert_false(member_from_message(&back, msg));
	msg->key.len = FLEET_KEY;
	msg->trust = (char *)(uintptr_t) "admin";
	assert_false(member_from_message(&back, msg));
	msg->trust = (char *)(uintptr_t) "viewer";
	msg->name = (char *)(uintptr_t) "a:b";
	assert_false(member_from_message(&back, msg));

	m.drained = true;
	m.drain = (struct member_drain){ "anna", "a new fan", 5000, 3600, true };
	member_to_message(&m, &to);
	assert_true(member_from_message(&back, msg));
	assert_memory_equal(&m, &back, sizeof m);
	memset(longer, 'x', sizeof longer - 1);
	longer[sizeof longer - 1] = '\0';
	to.drain.reason = longer;
	assert_false(member_from_message(&back, msg));
}

static void
test_who_serves(void **state)
{
	struct member in = a_member("a", 1), out = a_member("b", 2), gone = a_member("c", 3),
		      guest = a_member("d", 0);
	struct roster r = { 0 };

	(void)state;
	out.drained = gone.removed = guest.invited = true;
	assert_true(roster_put(&r, &in) && roster_put(&r, &out) && roster_put(&r, &gone) &&
		    roster_put(&r, &guest));
	assert_int_equal(roster_serving(&r), 1);
	assert_int_equal(roster_active(&r), 2);
	roster_free(&r);
}

static void
test_zap_decides(void **state)
{
	struct roster r = { 0 };
	struct member m = a_member("b", 2);
	struct zap_request q = { "1.0", "fleet", "CURVE", m.key, 3, 5, 5, FLEET_KEY };
	char user[FLEET_USER];

	(void)state;
	roster_put(&r, &m);
	assert_true(zap_decide(&q, &r, NOW, user));
	q.mechanism = "PLAIN";
	assert_false(zap_decide(&q, &r, NOW, user));
	q.mechanism = "CURVE";
	q.key_len = 31;
	assert_false(zap_decide(&q, &r, NOW, user));
	q.key_len = FLEET_KEY;
	q.domain_len = 4;
	assert_false(zap_decide(&q, &r, NOW, user));
	roster_free(&r);
}

/* ---- the ring and the window ---- */
static struct piece
a_piece(uint64_t revision, uint64_t offset, struct cursor next, size_t len)
{
	struct piece p = { .at = { revision, offset }, .next = next };

	p.packet = xcalloc(1, sizeof *p.packet + len);
	p.packet->refs = 1;
	p.packet->len = len;
	return p;
}

static void
push(struct ring *r, uint64_t revision, size_t len)
{
	struct piece p = a_piece(revision, 0, (struct cursor){ revision + 1, 0 }, len);

	ring_push(r, &p);
}

static void
test_ring(void **state)
{
	struct ring *r = xcalloc(1, sizeof *r);
	struct piece p;

	(void)state;
	for (uint64_t i = 1; i <= PUBLISH_RING + 10; i++)
		push(r, i, 10);
	assert_int_equal(r->count, PUBLISH_RING);
	assert_null(ring_at(r, (struct cursor){ 10, 0 }));
	assert_int_equal(ring_at(r, (struct cursor){ 11, 0 })->next.revision, 12);
	assert_non_null(ring_at(r, (struct cursor){ PUBLISH_RING + 10, 0 }));
	assert_null(ring_at(r, (struct cursor){ PUBLISH_RING + 11, 0 }));
	assert_null(ring_at(r, (struct cursor){ 20, 1 }));
	/* Octets count too. */
	push(r, PUBLISH_RING + 11, PUBLISH_RING_OCTETS - 100);
	assert_true(r->octets <= PUBLISH_RING_OCTETS && r->count < 20);
	/* What does not follow begins anew. */
	push(r, 9000, 10);
	assert_int_equal(r->count, 1);
	/* Pieces of one change. */
	p = a_piece(9001, 0, (struct cursor){ 9001, 100 }, 5);
	ring_push(r, &p);
	p = a_piece(9001, 100, (struct cursor){ 9002, 0 }, 5);
	ring_push(r, &p);
	assert_int_equal(ring_at(r, (struct cursor){ 9001, 100 })->next.revision, 9002);
	ring_clear(r);
	assert_int_equal(r->octets, 0);
	free(r);
}

static void
test_window(void **state)
{
	struct follower f = { .ever = true };
	struct piece p = a_piece(1, 0, (struct cursor){ 2, 0 }, 1u << 20);
	struct ack a = { 0 };
	unsigned n = 0;

	(void)state;
	while (follower_open(&f, p.packet->len)) {
		follower_sent(&f, &p);
		n++;
	}
	assert_int_equal(n, PUBLISH_WINDOW >> 20);
	a.octets = f.sent;
	a.messages = f.sent_msgs;
	assert_true(follower_ack(&f, &a, 10, 5));
	/* One that is larger than the window goes alone. */
	assert_true(follower_open(&f, 2 * PUBLISH_WINDOW));
	/* Small ones are counted too: the queue of the socket is finite. */
	p.packet->len = 1;
	for (n = 0; follower_open(&f, 1); n++)
		follower_sent(&f, &p);
	assert_int_equal(n, PUBLISH_MESSAGES);
	/* More than was sent, or than there is, is no truth. */
	a.octets = f.sent + 1;
	assert_false(follower_ack(&f, &a, 10, 5));
	a.octets = f.sent;
	a.stored = 11;
	assert_false(follower_ack(&f, &a, 10, 5));
	a.stored = 10;
	a.served = 11;
	assert_false(follower_ack(&f, &a, 10, 5));
	free(p.packet);
}

static void
test_states(void **state)
{
	struct follower f = { 0 };
	struct ack a = { .stored = 9, .served = 9 };
	uint64_t t = 1000000000000ull;

	(void)state;
	assert_string_equal(follower_state(&f, 10, t), "silent");
	f.ever = true;
	f.heard_ns = t;
	assert_true(follower_ack(&f, &a, 10, t));
	assert_string_equal(follower_state(&f, 10, t), "ok");
	assert_string_equal(follower_state(&f, 10, t + FLEET_LAG_NS + 1), "lag");
	a.served = 10;
	assert_true(follower_ack(&f, &a, 10, t));
	assert_string_equal(follower_state(&f, 10, t + FLEET_LAG_NS + 1), "ok");
	assert_string_equal(follower_state(&f, 10, t + FLEET_SILENT_NS), "silent");
}

/* ---- the replica ---- */
static enum follow_verdict
put(struct follow *f, uint64_t revision, uint64_t offset, const char *body, size_t size)
{
	Ns__FleetChange c = NS__FLEET_CHANGE__INIT;
	struct followed *whole;
	enum follow_verdict v;

	c.revision = revision;
	c.offset = offset;
	c.body_size = size;
	c.body = (ProtobufCBinaryData){ strlen(body), (uint8_t *)(uintptr_t)body };
	v = follow_put(f, &c, &whole);
	assert_int_equal(v == FOLLOW_CHANGE, whole != NULL);
	if (whole != NULL) {
		assert_int_equal(whole->body_len, size);
		assert_int_equal(whole->head->revision, revision);
		assert_memory_equal(whole->body, "abcdef", size);
	}
	followed_free(&whole);
	return v;
}

static void
test_follow(void **state)
{
	struct follow f = { 0 };

	(void)state;
	follow_start(&f, 4);
	assert_int_equal(put(&f, 6, 0, "abc", 3), FOLLOW_GAP);
	assert_int_equal(put(&f, 4, 0, "abc", 3), FOLLOW_OLD);
	assert_int_equal(put(&f, 5, 0, "abc", 3), FOLLOW_CHANGE);
	assert_int_equal(put(&f, 5, 0, "abc", 3), FOLLOW_OLD);
	/* In pieces: again, too far, too much, another size. */
	assert_int_equal(put(&f, 6, 0, "abc", 6), FOLLOW_PIECE);
	assert_int_equal(put(&f, 6, 0, "abc", 6), FOLLOW_OLD);
	assert_int_equal(put(&f, 6, 4, "ef", 6), FOLLOW_GAP);
	assert_int_equal(put(&f, 7, 0, "abc", 3), FOLLOW_GAP);
	assert_int_equal(put(&f, 6, 3, "defg", 6), FOLLOW_BAD);
	assert_int_equal(put(&f, 6, 3, "def", 7), FOLLOW_BAD);
	assert_int_equal(put(&f, 6, 3, "", 6), FOLLOW_BAD);
	assert_int_equal(put(&f, 6, 3, "def", 6), FOLLOW_CHANGE);
	assert_int_equal(f.taken, 6);
	/* Without a body. */
	assert_int_equal(put(&f, 7, 0, "", 0), FOLLOW_CHANGE);
	assert_int_equal(put(&f, 8, 0, "abc", (size_t)FOLLOW_BODY_MAX + 1), FOLLOW_BAD);
	assert_int_equal(put(&f, 0, 0, "", 0), FOLLOW_BAD);
	/* Beginning again drops what was open. */
	assert_int_equal(put(&f, 8, 0, "abc", 6), FOLLOW_PIECE);
	follow_start(&f, 7);
	assert_int_equal(put(&f, 8, 3, "def", 6), FOLLOW_GAP);
	assert_int_equal(put(&f, 8, 0, "abcdef", 6), FOLLOW_CHANGE);
	follow_start(&f, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clocks),
		cmocka_unit_test(test_loads),
		cmocka_unit_test(test_endpoints),
		cmocka_unit_test(test_token_round),
		cmocka_unit_test(test_token_broken),
		cmocka_unit_test(test_roster_admits),
		cmocka_unit_test(test_roster_cuts_off),
		cmocka_unit_test(test_roster_is_bounded),
		cmocka_unit_test(test_members_as_messages),
		cmocka_unit_test(test_who_serves),
		cmocka_unit_test(test_zap_decides),
		cmocka_unit_test(test_ring),
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_follow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
