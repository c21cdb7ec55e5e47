/* One TCP connection fed with any octets, cut anywhere, read by a peer of any speed: no overrun, no
 * lost or doubled reply, at most one buffer held.
 *
 * Input: a stream of {control, octets…}: control 0..239 feeds that many octets (as room allows),
 * 240..255 opens the peer's window by (control − 239)² × 37 octets. */
// link: appliance/worker/conn.c
// link: appliance/worker/conntable.c
#include <string.h>

#include "appliance/worker/conntable.h"
#include "ipc/base/wbuf.h"
#include "tests/fuzz/fuzz.h"

#define BATCH 4
static struct conn conns[1];
static struct conn_out outs[1];
static struct conn_in ins[1];
static uint8_t slots[BATCH][8 + SERVE_TCP_MAX];
static struct query q[BATCH];
static struct iovec iov[BATCH];

/* Replies are as long as the query's first two octets say; the peer's view of the stream is checked
 * as it arrives: a length, then that many octets of the length's low octet. */
static struct {
	size_t in_message, left;
	uint8_t fill, high;
} peer;

static void
peer_reads(const uint8_t *p, size_t n)
{
	for (; n > 0; n--, p++) {
		if (peer.in_message == 0) {
			peer.high = *p;
			peer.in_message = 1;
		} else if (peer.in_message == 1) {
			peer.left = (size_t)peer.high << 8 | *p;
			peer.fill = *p;
			peer.in_message = peer.left > 0 ? 2 : 0;
		} else {
			CHECK(*p == peer.fill);
			peer.in_message = --peer.left > 0 ? 2 : 0;
		}
	}
}

static size_t
write_some(const uint8_t *p, size_t n, size_t *window)
{
	size_t k = n < *window ? n : *window;

	peer_reads(p, k);
	*window -= k;
	return k;
}

static void
serve(size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		q[i].out = slots[i] + 8;
		q[i].verdict = q[i].len >= 2 && q[i].pkt[0] != 0xff ? SERVE_REPLY : SERVE_DROP;
		if (q[i].verdict != SERVE_REPLY)
			continue;
		q[i].out_len = get_u16(q[i].pkt);
		memset(q[i].out, (int)(q[i].out_len & 0xff), q[i].out_len);
	}
}

static void
turn(struct conntable *t, struct conn *c, size_t *window, uint64_t now)
{
	size_t n, k, i, octets, written;
	const uint8_t *in;

	if (c->blocked) {
		if (c->out != NULL) {
			c->out->pos += (uint32_t)write_some(
			    c->out->data + c->out->pos, c->out->len - c->out->pos, window);
			if (c->out->pos < c->out->len)
				return;
			conntable_out_give(t, c);
		}
		c->blocked = false;
	}
	while (!c->blocked && !c->closing && (n = conn_gather(c, q, BATCH)) > 0) {
		in = c->big != NULL ? c->big->data : c->in;
		for (i = 0; i < n; i++)
			CHECK(q[i].pkt >= in + 2 && q[i].pkt + q[i].len <= in + c->in_len);
		serve(n);
		k = conn_replies(q, n, iov, &octets);
		for (written = 0, i = 0; i < k; i++)
			written += write_some(iov[i].iov_base, iov[i].iov_len, window);
		if (conn_cuts(q, n, written))
			CHECK(conntable_out_take(t, c));
		CHECK(conn_settle(c, q, n, written, now) <= n);
		CHECK(c->in_pos <= c->in_len &&
		      c->in_len <= (c->big != NULL ? sizeof c->big->data : sizeof c->in));
	}
	conntable_in_give(t, c);
	if (c->wants_big)
		CHECK(conntable_in_take(t, c));
}

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct conntable_memory m = { conns, 1, outs, 1, ins, 1 };
	const struct sockaddr_storage client = { .ss_family = AF_INET };
	static struct conntable t;
	struct conn *c;
	size_t window = 0, room, n;
	uint64_t now = 1;
	uint8_t *p;

	outs[0].next_free = NULL;
	ins[0].next_free = NULL;
	conntable_init(&t, &m, size);
	memset(&peer, 0, sizeof peer);
	c = conntable_take(&t, 0, &client, size % 2 != 0, now);
	while (size > 0 && !conn_finished(c)) {
		uint8_t control = *data++;

		size--;
		now++;
		if (control >= 240) {
			window += (size_t)(control - 239) * (size_t)(control - 239) * 37;
			turn(&t, c, &window, now);
			continue;
		}
		if (c->blocked)
			continue; /* the shell does not read from it */
		p = conn_room(c, &room);
		CHECK(room > 0);
		n = control < size ? control : size;
		n = n < room ? n : room;
		memcpy(p, data, n);
		conn_fed(c, n, now);
		data += n;
		size -= n;
		turn(&t, c, &window, now);
	}
	CHECK(conn_deadline(c, true) >= 1);
	conntable_give(&t, c);
	CHECK(t.open == 0 && t.free_outs == &outs[0] && t.free_ins == &ins[0]);
	return 0;
}
