/* conn: framing at every octet boundary, pipelining, slow readers, deadlines.  The "server" here answers a query with as many octets as its first octet says (in
 * units of `scale`), so that the test knows every reply. */
// link: appliance/worker/conn.c
// link: appliance/worker/conntable.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "appliance/worker/conntable.h"
#include "ipc/base/wbuf.h"

#define SLOT (8 + SERVE_TCP_MAX)
#define CAP  8
#define OUTS 2
#define INS  1

struct bench {
	struct conn conns[CAP];
	struct conn_out outs[OUTS];
	struct conn_in ins[INS];
	struct conntable table;
	struct conn *c;
	struct query q[SERVE_BATCH];
	struct iovec iov[SERVE_BATCH];
	uint8_t slots[SERVE_BATCH][SLOT];
	uint8_t sent[1 << 20]; /* what the peer has read */
	size_t n_sent;
	size_t window; /* octets that the socket takes; SIZE_MAX: all */
	size_t scale;
};

/* From a network of its own for each descriptor. */
static struct conn *
take(struct bench *b, int fd, uint64_t now)
{
	struct sockaddr_storage ss = { .ss_family = AF_INET };

	((struct sockaddr_in *)&ss)->sin_addr.s_addr = htonl(0x0a000001u + ((uint32_t)fd << 8));
	return conntable_take(&b->table, fd, &ss, false, now);
}

static int
setup(void **state)
{
	struct bench *b = calloc(1, sizeof *b);
	struct conntable_memory m;
	size_t i;

	assert_non_null(b);
	m = (struct conntable_memory){ b->conns, CAP, b->outs, OUTS, b->ins, INS };
	conntable_init(&b->table, &m, 7);
	b->c = take(b, 3, 1000);
	b->window = SIZE_MAX;
	b->scale = 1;
	for (i = 0; i < SERVE_BATCH; i++) {
		b->q[i].out = b->slots[i] + 8;
		b->q[i].out_cap = SERVE_TCP_MAX;
	}
	*state = b;
	return 0;
}

static int
teardown(void **state)
{
	free(*state);
	return 0;
}

static void
fake_serve(struct bench *b, struct query *q, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		q[i].verdict = q[i].pkt[0] == 0 ? SERVE_DROP : SERVE_REPLY;
		q[i].out_len = q[i].pkt[0] * b->scale;
		memset(q[i].out, q[i].pkt[0], q[i].out_len);
	}
}

static size_t
take_window(struct bench *b, const void *data, size_t n)
{
	size_t k = n < b->window ? n : b->window;

	assert_true(b->n_sent + k <= sizeof b->sent);
	memcpy(b->sent + b->n_sent, data, k);
	b->n_sent += k;
	if (b->window != SIZE_MAX)
		b->window -= k;
	return k;
}

/* The shell of tcp.c without its sockets. */
static size_t
answer(struct bench *b, uint64_t now)
{
	size_t n, k, i, octets, written, done = 0, d;
	struct conn *c = b->c;

	if (c->blocked) {
		if (c->out != NULL) {
			c->out->pos += (uint32_t)take_window(
			    b, c->out->data + c->out->pos, c->out->len - c->out->pos);
			if (c->out->pos < c->out->len)
				return 0;
			conntable_out_give(&b->table, c);
		}
		c->blocked = false;
	}
	while (!c->blocked && !c->closing && (n = conn_gather(c, b->q, SERVE_BATCH)) > 0) {
		fake_serve(b, b->q, n);
		k = conn_replies(b->q, n, b->iov, &octets);
		written = 0;
		for (i = 0; i < k; i++)
			written += take_window(b, b->iov[i].iov_base, b->iov[i].iov_len);
		assert_true(written <= octets);
		if (conn_cuts(b->q, n, written))
			assert_true(conntable_out_take(&b->table, c));
		d = conn_settle(c, b->q, n, written, now);
		done += d;
	}
	conntable_in_give(&b->table, c);
	if (c->wants_big)
		assert_true(conntable_in_take(&b->table, c));
	return done;
}

static void
feed(struct bench *b, const void *data, size_t n, uint64_t now)
{
	size_t room;
	uint8_t *p = conn_room(b->c, &room);

	assert_true(n <= room);
	memcpy(p, data, n);
	conn_fed(b->c, n, now);
}

/* Queries of len octets whose first octet is `tag`. */
static size_t
put_query(uint8_t *p, uint8_t tag, size_t len)
{
	put_u16(p, (uint16_t)len);
	memset(p + 2, 0xee, len);
	p[2] = tag;
	return 2 + len;
}

static void
expect_replies(const struct bench *b, const uint8_t *tags, size_t n)
{
	size_t i, k, pos = 0, len;

	for (i = 0; i < n; i++) {
		len = tags[i] * b->scale;
		assert_true(pos + 2 + len <= b->n_sent);
		assert_int_equal(get_u16(b->sent + pos), len);
		for (k = 0; k < len; k++)
			assert_int_equal(b->sent[pos + 2 + k], tags[i]);
		pos += 2 + len;
	}
	assert_int_equal(pos, b->n_sent);
}

/* Three pipelined queries, cut in two reads at each octet: same replies, same order. */
static void
test_boundaries(void **state)
{
	const uint8_t tags[] = { 20, 40, 12 };
	uint8_t in[256];
	size_t len = 0, cut;
	(void)state;

	len += put_query(in + len, tags[0], 17);
	len += put_query(in + len, tags[1], 60);
	len += put_query(in + len, tags[2], 12);
	for (cut = 0; cut <= len; cut++) {
		void *s;
		struct bench *b;

		setup(&s);
		b = s;
		feed(b, in, cut, 1000);
		answer(b, 1000);
		feed(b, in + cut, len - cut, 1001);
		answer(b, 1001);
		expect_replies(b, tags, 3);
		assert_true(conn_idle(b->c));
		assert_int_equal(b->c->message_ms, 0);
		assert_false(conn_finished(b->c));
		teardown(&s);
	}
}

static void
test_octet_by_octet(void **state)
{
	struct bench *b = *state;
	const uint8_t tags[] = { 33, 34 };
	uint8_t in[128];
	size_t len = put_query(in, 33, 30), i;

	len += put_query(in + len, 34, 31);
	for (i = 0; i < len; i++) {
		feed(b, in + i, 1, 1000 + i);
		answer(b, 1000 + i);
	}
	expect_replies(b, tags, 2);
}

/* More queries in one read than one batch holds; all answered, in order. */
static void
test_pipeline_full(void **state)
{
	struct bench *b = *state;
	uint8_t in[CONN_PREFIX + CONN_MSG_MAX], tags[300];
	size_t n = 0, len = 0;

	while (len + 14 <= sizeof in) {
		tags[n] = (uint8_t)(12 + n % 100);
		len += put_query(in + len, tags[n], 12);
		n++;
	}
	assert_true(n > 2 * SERVE_BATCH);
	feed(b, in, len, 1000);
	assert_int_equal(answer(b, 1000), n);
	expect_replies(b, tags, n);
}

static void
test_largest(void **state)
{
	struct bench *b = *state;
	static uint8_t in[CONN_PREFIX + CONN_MSG_MAX];
	const uint8_t tag = 99;

	feed(b, in, put_query(in, tag, CONN_MSG_MAX), 1000);
	assert_int_equal(answer(b, 1000), 1);
	expect_replies(b, &tag, 1);
	assert_false(b->c->closing);
}

/* In pieces of any size: before it, in it and behind it are small ones; the buffer is the table's, and
 * goes back. */
static void
test_huge(void **state)
{
	static const size_t lens[] = { CONN_MSG_MAX + 1, 5000, 65534, 65535 };
	static const size_t steps[] = { 1, 999, 4098, 70000 };
	static uint8_t in[3 * 65537];
	const uint8_t tags[] = { 20, 99, 30, 98, 40 };
	size_t i, k, len, pos, room, n;
	(void)state;

	for (i = 0; i < 4 * sizeof lens / sizeof lens[0]; i++) {
		void *s;
		struct bench *b;

		setup(&s);
		b = s;
		b->scale = 100;
		len = put_query(in, tags[0], 20);
		for (k = 1; k < sizeof tags; k++)
			len += put_query(in + len, tags[k], k % 2 != 0 ? lens[i / 4] : 30 * k);
		for (pos = 0; pos < len; pos += n) {
			uint8_t *p = conn_room(b->c, &room);

			assert_true(room > 0);
			n = steps[i % 4] < room ? steps[i % 4] : room;
			n = n < len - pos ? n : len - pos;
			memcpy(p, in + pos, n);
			conn_fed(b->c, n, 1000);
			answer(b, 1000);
		}
		expect_replies(b, tags, sizeof tags);
		assert_null(b->c->big);
		assert_ptr_equal(b->table.free_ins, &b->ins[0]);
		assert_true(conn_idle(b->c));
		teardown(&s);
	}
}

static void
test_secure(void **state)
{
	struct bench *b = *state;
	struct sockaddr_storage ss = { .ss_family = AF_INET6 };
	struct conn *c = conntable_take(&b->table, 9, &ss, true, 2000);

	assert_true(c->handshaking);
	assert_int_equal(conn_deadline(c, false), 2000 + CONN_HANDSHAKE_MS);
	conn_block(c, 4000); /* a client that does not read our part of it gets no more time */
	assert_int_equal(conn_deadline(c, false), 2000 + CONN_HANDSHAKE_MS);
	c->blocked = c->handshaking = false;
	assert_int_equal(conn_deadline(c, false), 2000 + CONN_IDLE_MS);
	conn_fed(c, put_query(c->in, 1, 20), 3000);
	assert_int_equal(conn_gather(c, b->q, SERVE_BATCH), 1);
	assert_int_equal(b->q[0].transport, SERVE_TLS);
	feed(b, c->in, c->in_len, 3000);
	assert_int_equal(conn_gather(b->c, b->q, SERVE_BATCH), 1);
	assert_int_equal(b->q[0].transport, SERVE_TCP);
}

/* A length that cannot be: what came before it is answered, then the connection ends. */
static void
test_impossible_length(void **state)
{
	static const uint16_t bad[] = { 0 };
	const uint8_t tag = 50;
	size_t i;
	(void)state;

	for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		void *s;
		struct bench *b;
		uint8_t in[64];
		size_t len = put_query(in, tag, 20);

		setup(&s);
		b = s;
		put_u16(in + len, bad[i]);
		feed(b, in, len + 2, 1000);
		assert_int_equal(answer(b, 1000), 1);
		expect_replies(b, &tag, 1);
		assert_true(b->c->closing);
		assert_true(conn_finished(b->c));
		teardown(&s);
	}
}

/* What serve drops ends the connection, after the replies before it. */
static void
test_dropped(void **state)
{
	struct bench *b = *state;
	const uint8_t tag = 50;
	uint8_t in[128];
	size_t len = put_query(in, tag, 20);

	len += put_query(in + len, 0, 20);
	len += put_query(in + len, 60, 20);
	feed(b, in, len, 1000);
	assert_int_equal(answer(b, 1000), 2);
	expect_replies(b, &tag, 1);
	assert_true(conn_finished(b->c));
}

/* A half-closed client gets its answers before the end. */
static void
test_half_closed(void **state)
{
	struct bench *b = *state;
	const uint8_t tags[] = { 50, 51 };
	uint8_t in[128];
	size_t len = put_query(in, 50, 20);

	len += put_query(in + len, 51, 20);
	b->window = 10;
	feed(b, in, len, 1000);
	b->c->eof = true;
	answer(b, 1000);
	assert_true(b->c->blocked);
	assert_false(conn_finished(b->c));
	b->window = SIZE_MAX;
	answer(b, 1000);
	expect_replies(b, tags, 2);
	assert_true(conn_finished(b->c));
}

/* The socket takes `step` octets at a time: nothing lost, nothing twice, one buffer at most. */
static void
test_slow_reader(void **state)
{
	static const size_t steps[] = { 1, 2, 3, 7, 100, 1001, 65536 };
	const uint8_t tags[] = { 3, 255, 1, 17 };
	size_t i, k;
	(void)state;

	for (i = 0; i < sizeof steps / sizeof steps[0]; i++) {
		void *s;
		struct bench *b;
		uint8_t in[256];
		size_t len = 0, rounds = 0;

		setup(&s);
		b = s;
		b->scale = 257; /* 255 × 257 = 65,535: the largest reply there is */
		for (k = 0; k < sizeof tags; k++)
			len += put_query(in + len, tags[k], 20);
		b->window = 0;
		feed(b, in, len, 1000);
		answer(b, 1000);
		assert_null(b->c->out); /* nothing was cut, so nothing is kept */
		assert_true(b->c->blocked);
		while (b->c->blocked && rounds++ < 200000) {
			b->window = steps[i];
			answer(b, 1000 + rounds);
		}
		expect_replies(b, tags, sizeof tags);
		assert_null(b->c->out);
		assert_non_null(b->table.free_outs);
		assert_true(conn_idle(b->c));
		teardown(&s);
	}
}

static void
test_deadlines(void **state)
{
	struct bench *b = *state;
	uint8_t in[64];
	size_t len = put_query(in, 40, 20);

	assert_int_equal(conn_deadline(b->c, false), 1000 + CONN_IDLE_MS);
	assert_int_equal(conn_deadline(b->c, true), 1000 + CONN_IDLE_PRESSED_MS);
	/* A dripped message: the first octet starts the clock, the next ones do not. */
	feed(b, in, 1, 3000);
	answer(b, 3000);
	feed(b, in + 1, 1, 6000);
	answer(b, 6000);
	assert_int_equal(conn_deadline(b->c, false), 3000 + CONN_MESSAGE_MS);
	feed(b, in + 2, len - 2, 7000);
	answer(b, 7000);
	assert_int_equal(conn_deadline(b->c, false), 7000 + CONN_IDLE_MS);
	/* The next message begins in the octets that end the last one. */
	feed(b, in, len, 8000);
	answer(b, 8000);
	feed(b, in, 5, 9000);
	answer(b, 9000);
	assert_int_equal(conn_deadline(b->c, false), 9000 + CONN_MESSAGE_MS);
	feed(b, in + 5, len - 5, 9500);
	/* A reader that stands still: the clock runs from the start of the block. */
	b->window = 5;
	answer(b, 10000);
	assert_true(b->c->blocked);
	assert_int_equal(conn_deadline(b->c, true), 10000 + CONN_WRITE_MS);
	b->window = 1;
	answer(b, 15000);
	assert_int_equal(conn_deadline(b->c, true), 10000 + CONN_WRITE_MS);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_boundaries),
		T(test_octet_by_octet),
		T(test_pipeline_full),
		T(test_largest),
		T(test_impossible_length),
		T(test_dropped),
		T(test_half_closed),
		T(test_slow_reader),
		T(test_deadlines),
		T(test_huge),
		T(test_secure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
