/* conn - framing, pipelining and deadlines of one connection; see conn.h. */
#include "appliance/worker/conn.h"

#include <assert.h>
#include <string.h>

#include "ipc/base/wbuf.h"

static uint8_t *
in_data(struct conn *c)
{
	return c->big != NULL ? c->big->data : c->in;
}

static size_t
in_size(const struct conn *c)
{
	return c->big != NULL ? sizeof c->big->data : sizeof c->in;
}

void
conn_start(struct conn *c, int fd, bool secure, uint64_t now)
{
	c->fd = fd;
	c->secure = c->handshaking = secure;
	c->tls = NULL;
	c->big = NULL;
	c->wants_big = false;
	c->serial++;
	c->in_pos = c->in_len = 0;
	c->eof = c->closing = c->blocked = c->told_blocked = false;
	c->out = NULL;
	c->active_ms = now;
	c->message_ms = 0;
	c->blocked_ms = 0;
}

uint8_t *
conn_room(struct conn *c, size_t *room)
{
	uint8_t *in = in_data(c);

	if (c->in_pos > 0) {
		memmove(in, in + c->in_pos, c->in_len - c->in_pos);
		c->in_len -= c->in_pos;
		c->in_pos = 0;
	}
	*room = in_size(c) - c->in_len;
	return in + c->in_len;
}

void
conn_grow(struct conn *c, struct conn_in *big)
{
	assert(c->big == NULL && c->wants_big);
	c->in_len -= c->in_pos;
	memcpy(big->data, c->in + c->in_pos, c->in_len);
	c->in_pos = 0;
	c->big = big;
	c->wants_big = false;
}

struct conn_in *
conn_shrink(struct conn *c)
{
	struct conn_in *big = c->big;
	size_t left = c->in_len - c->in_pos;

	if (big == NULL || left > sizeof c->in ||
	    (left >= CONN_PREFIX && get_u16(big->data + c->in_pos) > CONN_MSG_MAX))
		return NULL;
	memcpy(c->in, big->data + c->in_pos, left);
	c->in_pos = 0;
	c->in_len = (uint32_t)left;
	c->big = NULL;
	return big;
}

void
conn_fed(struct conn *c, size_t n, uint64_t now)
{
	assert(n <= in_size(c) - c->in_len);
	if (c->in_len == c->in_pos && n > 0)
		c->message_ms = now;
	c->in_len += (uint32_t)n;
}

size_t
conn_gather(struct conn *c, struct query *q, size_t max)
{
	const uint8_t *in = in_data(c);
	uint32_t pos = c->in_pos;
	size_t n = 0, len;

	while (n < max && c->in_len - pos >= CONN_PREFIX) {
		len = get_u16(in + pos);
		/* In both cases what came before it is answered first. */
		if (len == 0) {
			c->closing = n == 0;
			break;
		}
		if (len > CONN_MSG_MAX && c->big == NULL) {
			c->wants_big = n == 0;
			break;
		}
		if (c->in_len - pos - CONN_PREFIX < len)
			break;
		q[n].pkt = in + pos + CONN_PREFIX;
		q[n].len = len;
		q[n].transport = c->secure ? SERVE_TLS : SERVE_TCP;
		q[n].client = c->client;
		pos += (uint32_t)(CONN_PREFIX + len);
		n++;
	}
	return n;
}

static size_t
reply_size(const struct query *q)
{
	return CONN_PREFIX + q->out_len;
}

size_t
conn_replies(struct query *q, size_t n, struct iovec *iov, size_t *octets)
{
	size_t i;

	*octets = 0;
	for (i = 0; i < n && q[i].verdict == SERVE_REPLY; i++) {
		assert(q[i].out_len <= SERVE_TCP_MAX);
		put_u16(q[i].out - CONN_PREFIX, (uint16_t)q[i].out_len);
		iov[i].iov_base = q[i].out - CONN_PREFIX;
		iov[i].iov_len = reply_size(&q[i]);
		*octets += iov[i].iov_len;
	}
	return i;
}

bool
conn_cuts(const struct query *q, size_t n, size_t written)
{
	size_t i;

	for (i = 0; i < n && written > 0 && q[i].verdict == SERVE_REPLY; i++) {
		if (written < reply_size(&q[i]))
			return true;
		written -= reply_size(&q[i]);
	}
	return false;
}

/* The tail of a reply whose head is on its way must follow, whatever happens to the zone. */
static void
keep_rest(struct conn_out *out, const struct query *q, size_t written)
{
	out->pos = 0;
	out->len = (uint32_t)(reply_size(q) - written);
	memcpy(out->data, q->out - CONN_PREFIX + written, out->len);
}

static void
consume(struct conn *c, const struct query *q, uint64_t now)
{
	c->in_pos += (uint32_t)(CONN_PREFIX + q->len);
	c->active_ms = now;
	c->message_ms = c->in_pos < c->in_len ? now : 0;
}

size_t
conn_settle(struct conn *c, struct query *q, size_t n, size_t written, uint64_t now)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (q[i].verdict != SERVE_REPLY) {
			/* No query: the peer has lost its framing. */
			consume(c, &q[i], now);
			c->closing = true;
			c->in_pos = c->in_len;
			return i + 1;
		}
		if (written < reply_size(&q[i])) {
			conn_block(c, now);
			if (written == 0)
				return i;
			assert(c->out != NULL);
			keep_rest(c->out, &q[i], written);
			consume(c, &q[i], now);
			return i + 1;
		}
		written -= reply_size(&q[i]);
		consume(c, &q[i], now);
	}
	return n;
}

void
conn_block(struct conn *c, uint64_t now)
{
	if (!c->blocked)
		c->blocked_ms = now;
	c->blocked = true;
}

bool
conn_finished(const struct conn *c)
{
	return c->out == NULL && !c->blocked && (c->eof || c->closing);
}

bool
conn_idle(const struct conn *c)
{
	return !c->blocked && c->out == NULL && c->in_pos == c->in_len;
}

uint64_t
conn_deadline(const struct conn *c, bool pressed)
{
	if (c->handshaking)
		return c->active_ms + CONN_HANDSHAKE_MS;
	if (c->blocked)
		return c->blocked_ms + CONN_WRITE_MS;
	if (c->in_pos < c->in_len)
		return c->message_ms + CONN_MESSAGE_MS;
	return c->active_ms + (pressed ? CONN_IDLE_PRESSED_MS : CONN_IDLE_MS);
}
