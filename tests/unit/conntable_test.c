/* conntable: who is in it, in which order, who goes when it is full, crowded or slow, and what it lends. */
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

#define CAP  8
#define OUTS 2
#define INS  1

struct bench {
	struct conn conns[CAP];
	struct conn_out outs[OUTS];
	struct conn_in ins[INS];
	struct conntable table;
	struct conn *c; /* the first, active at 1000 */
	struct query q[SERVE_BATCH];
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

	assert_non_null(b);
	m = (struct conntable_memory){ b->conns, CAP, b->outs, OUTS, b->ins, INS };
	conntable_init(&b->table, &m, 7);
	b->c = take(b, 3, 1000);
	*state = b;
	return 0;
}

static int
teardown(void **state)
{
	free(*state);
	return 0;
}

/* A length that needs a buffer of the table's. */
static void
ask_for(struct bench *b, struct conn *c, const uint8_t head[2])
{
	memcpy(c->in, head, 2);
	conn_fed(c, 2, 1000);
	assert_int_equal(conn_gather(c, b->q, SERVE_BATCH), 0);
	assert_true(c->wants_big);
}

static void
test_table_order(void **state)
{
	struct bench *b = *state;
	struct conn *c[CAP];
	uint32_t serial;
	int i;

	c[0] = b->c;
	for (i = 1; i < CAP; i++)
		c[i] = take(b, 10 + i, 1000 + (uint64_t)i);
	assert_null(take(b, 99, 2000));
	assert_ptr_equal(conntable_victim(&b->table), c[0]);
	conntable_touch(&b->table, c[0]);
	assert_ptr_equal(conntable_victim(&b->table), c[1]);
	/* Busy ones are passed over while somebody is idle. */
	c[1]->in_len = 1;
	c[2]->blocked = true;
	assert_ptr_equal(conntable_victim(&b->table), c[3]);
	for (i = 0; i < CAP; i++)
		c[i]->in_len = 1;
	assert_ptr_equal(conntable_victim(&b->table), c[1]);
	/* A new user of a place is not who its events were for. */
	serial = c[4]->serial;
	assert_ptr_equal(conntable_find(&b->table, c[4]->index, serial), c[4]);
	conntable_give(&b->table, c[4]);
	assert_null(conntable_find(&b->table, c[4]->index, serial));
	assert_ptr_equal(take(b, 50, 3000), c[4]);
	assert_null(conntable_find(&b->table, c[4]->index, serial));
	assert_null(conntable_find(&b->table, CAP, 1));
	assert_null(conntable_find(&b->table, UINT32_MAX, 1));
}

static void
test_table_expiry(void **state)
{
	struct bench *b = *state; /* one connection, active at 1000 */
	struct conn *c2 = take(b, 11, 5000), *c3;
	uint64_t due = 1000 + CONN_IDLE_MS;
	int i;

	assert_null(conntable_expired(&b->table, NULL, due - 1));
	assert_ptr_equal(conntable_expired(&b->table, NULL, due), b->c);
	assert_null(conntable_expired(&b->table, conntable_newer(&b->table, b->c), due));
	/* Deadlines are not in the order of activity: the younger may be due first. */
	conn_fed(c2, 1, 5000);
	assert_ptr_equal(conntable_expired(&b->table, NULL, 5000 + CONN_MESSAGE_MS), c2);
	/* More than 3/4 full: idle ones go after 2 s. */
	for (i = 2; i < CAP * 3 / 4; i++)
		assert_non_null(take(b, 20 + i, 5000));
	assert_null(conntable_expired(&b->table, NULL, 5000 + CONN_IDLE_PRESSED_MS));
	c3 = take(b, 40, 5000);
	assert_non_null(c3);
	assert_ptr_equal(conntable_expired(&b->table, NULL, 5000 + CONN_IDLE_PRESSED_MS), b->c);
}

static void
test_table_outs(void **state)
{
	struct bench *b = *state;
	struct conn *c2 = take(b, 11, 1000);
	struct conn *c3 = take(b, 12, 1000);

	assert_null(conntable_slowest(&b->table));
	assert_true(conntable_out_take(&b->table, c2));
	c2->blocked_ms = 500;
	assert_true(conntable_out_take(&b->table, c3));
	c3->blocked_ms = 400;
	assert_false(conntable_out_take(&b->table, b->c));
	assert_ptr_equal(conntable_slowest(&b->table), c3);
	conntable_give(&b->table, c3); /* its buffer goes back with it */
	assert_true(conntable_out_take(&b->table, b->c));
	conntable_out_give(&b->table, b->c);
	conntable_out_give(&b->table, b->c); /* twice is once */
	conntable_give(&b->table, c2);
	assert_int_equal(b->table.open, 1);
}

/* All buffers for large queries are out: who waits longest for its query is named. */
static void
test_table_ins(void **state)
{
	struct bench *b = *state;
	struct conn *c2 = take(b, 11, 1000);
	uint8_t head[2];

	put_u16(head, 60000);
	assert_null(conntable_longest(&b->table));
	ask_for(b, b->c, head);
	assert_true(conntable_in_take(&b->table, b->c));
	assert_non_null(b->c->big);
	assert_ptr_equal(conntable_longest(&b->table), b->c);
	ask_for(b, c2, head);
	assert_false(conntable_in_take(&b->table, c2));
	conntable_give(&b->table, b->c);
	assert_true(conntable_in_take(&b->table, c2));
	assert_ptr_equal(conntable_longest(&b->table), c2);
}

/* A table of 64: one network has a crowd, the others have one each. */
static void
test_shares(void **state)
{
	static struct conn conns[64];
	static struct conn_out outs[1];
	static struct conn_in ins[1];
	const struct conntable_memory m = { conns, 64, outs, 1, ins, 1 };
	static struct conntable t;
	struct sockaddr_storage crowd = { .ss_family = AF_INET6 }, ss = { .ss_family = AF_INET };
	struct sockaddr_in6 *six = (void *)&crowd;
	struct sockaddr_in *four = (void *)&ss;
	struct conn *c;
	int i;
	(void)state;

	conntable_init(&t, &m, 99);
	for (i = 0; i < 48; i++) {
		six->sin6_addr.s6_addr[7] = (uint8_t)i; /* within the same /56 */
		six->sin6_addr.s6_addr[15] = (uint8_t)i;
		assert_non_null(conntable_take(&t, i, &crowd, false, 1000));
		assert_null(conntable_crowd(&t)); /* not pressed: whoever comes may stay */
	}
	/* From here on each of the others costs the crowd one, the longest idle first. */
	conns[0].in_len = 1; /* in the middle of a query */
	for (i = 0; i < 33; i++) {
		c = conntable_crowd(&t);
		assert_true((c != NULL) == (i > 0));
		if (c != NULL) {
			assert_int_equal(c->index, i);
			conntable_give(&t, c);
		}
		four->sin_addr.s_addr = htonl(0x0a000000u + ((uint32_t)i << 8));
		assert_non_null(conntable_take(&t, 100 + i, &ss, false, 2000));
		assert_true(t.open <= 49);
	}
	/* A quarter is nobody's crowd: now the table fills up, and then the longest idle of all goes. */
	for (i = 0; t.open < 64; i++) {
		assert_null(conntable_crowd(&t));
		four->sin_addr.s_addr = htonl(0x0b000000u + ((uint32_t)i << 8));
		assert_non_null(conntable_take(&t, 200 + i, &ss, false, 3000));
	}
	assert_null(conntable_take(&t, 999, &ss, false, 3000));
	assert_int_equal(conntable_victim(&t)->index, 33);
	conntable_touch(&t, &conns[33]);
	assert_int_equal(conntable_victim(&t)->index, 34);
	/* IPv4 by /24. */
	for (i = 0; i < 17; i++) {
		conntable_give(&t, conntable_victim(&t));
		four->sin_addr.s_addr = htonl(0x0c000000u + (uint32_t)i);
		c = conntable_take(&t, 300 + i, &ss, false, 4000);
		assert_non_null(c);
	}
	assert_int_equal(conntable_crowd(&t)->fd, 300);
	assert_int_equal(conntable_victim(&t)->fd, 300);
}

static void
test_shaking(void **state)
{
	static struct conn conns[CONNTABLE_SHAKING + 2];
	const struct conntable_memory m = { .conns = conns, .cap = CONNTABLE_SHAKING + 2 };
	static struct conntable t;
	struct sockaddr_storage ss = { .ss_family = AF_INET };
	int i;
	(void)state;

	conntable_init(&t, &m, 1);
	for (i = 0; i < CONNTABLE_SHAKING + 2; i++) {
		assert_null(conntable_shaker(&t));
		conntable_shake(&t, conntable_take(&t, i, &ss, true, 1000));
		if (i == 5)
			conntable_shaken(&t, &conns[0]);
	}
	assert_ptr_equal(conntable_shaker(&t), &conns[1]);
	conntable_give(&t, &conns[1]);
	assert_null(conntable_shaker(&t));
	conntable_shaken(&t, &conns[0]); /* twice is once */
	assert_int_equal(t.shaking.count, CONNTABLE_SHAKING);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_table_order),
		T(test_table_expiry),
		T(test_table_outs),
		T(test_table_ins),
		T(test_shares),
		T(test_shaking),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
