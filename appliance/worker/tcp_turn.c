/* tcp_turn - one connection that is ready: handshake, read, answer, write; see tcp.h and conn.h.
 *
 * Bounded: one read of a plain socket, TLS_TURN octets of a secure one, TCP_SHAKES handshake steps in
 * all, and the queries that these brought.  Whoever has more is still readable in the next turn. */
#include <assert.h>
#include <errno.h>
#include <sys/socket.h>

#include "appliance/worker/tally.h"
#include "appliance/worker/tcp_internal.h"
#include "appliance/worker/tls.h"
#include "appliance/zonemap/word.h"
#include "ipc/base/clock.h"

/* Octets of the stream that left, or -1: the connection is gone. */
static ssize_t
put(struct tcp *t, struct conn *c, struct iovec *iov, size_t n)
{
	struct msghdr h = { .msg_iov = iov, .msg_iovlen = n };
	size_t octets = 0;
	ssize_t sent;

	if (n == 0)
		return 0;
	if (c->tls != NULL) {
		if (tls_write(c->tls, iov, n, &octets) == TLS_DONE)
			return (ssize_t)octets;
	} else {
		sent = sendmsg(c->fd, &h, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent >= 0)
			return sent;
		if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR || errno == ENOBUFS)
			return 0;
	}
	tcp_drop(t, c);
	return -1;
}

/* Writes what TLS holds and the rest of a cut reply.  False: the connection is gone. */
static bool
flush(struct tcp *t, struct conn *c)
{
	struct conn_out *o = c->out;
	struct iovec iov;
	ssize_t n;

	if (c->tls != NULL) {
		enum tls_step step = tls_flush(c->tls);

		if (step == TLS_FAILED)
			tcp_drop(t, c);
		if (step != TLS_DONE)
			return step == TLS_WAIT;
	}
	if (o != NULL) {
		iov = (struct iovec){ .iov_base = o->data + o->pos, .iov_len = o->len - o->pos };
		n = put(t, c, &iov, 1);
		if (n < 0)
			return false;
		o->pos += (uint32_t)n;
		if (o->pos < o->len)
			return true;
		conntable_out_give(&t->table, c);
	}
	c->blocked = c->tls != NULL && tls_blocked(c->tls);
	return true;
}

/* Several records at once, as long as there is room: a batch is made of them. */
static enum tls_step
receive_tls(struct conn *c, uint8_t *p, size_t room, size_t *n)
{
	enum tls_step step = TLS_DONE;
	size_t got;
	int i;

	*n = 0;
	for (i = 0; step == TLS_DONE && *n < room && i < TCP_RECORDS; i++) {
		step = tls_read(c->tls, p + *n, room - *n, &got);
		*n += got;
	}
	return step;
}

static enum tls_step
receive_plain(const struct conn *c, uint8_t *p, size_t room, size_t *n)
{
	ssize_t got = recv(c->fd, p, room, MSG_DONTWAIT);

	*n = got > 0 ? (size_t)got : 0;
	if (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
		return TLS_FAILED;
	return got < 0 ? TLS_WAIT : got == 0 ? TLS_ENDED : TLS_DONE;
}

/* False: the connection is gone. */
static bool
receive(struct tcp *t, struct conn *c, uint64_t now)
{
	size_t room, n;
	uint8_t *p = conn_room(c, &room);
	enum tls_step step;

	assert(room > 0);
	step = c->tls != NULL ? receive_tls(c, p, room, &n) : receive_plain(c, p, room, &n);
	if (step == TLS_FAILED) {
		tcp_drop(t, c);
		return false;
	}
	conn_fed(c, n, now);
	if (step == TLS_ENDED)
		c->eof = true;
	/* TLS answers some of what it reads by itself, such as a request for new keys. */
	if (c->tls != NULL && tls_blocked(c->tls))
		conn_block(c, now);
	return true;
}

static void
take_out(struct tcp *t, struct conn *c)
{
	if (conntable_out_take(&t->table, c))
		return;
	tcp_evict(t, conntable_slowest(&t->table));
	if (!conntable_out_take(&t->table, c))
		assert(!"a buffer that was given back is free");
}

static void
take_in(struct tcp *t, struct conn *c)
{
	if (conntable_in_take(&t->table, c))
		return;
	tcp_evict(t, conntable_longest(&t->table));
	if (!conntable_in_take(&t->table, c))
		assert(!"a buffer that was given back is free");
}

/* One batch of its queries.  False: nothing more to do now, or the connection is gone (*gone). */
static bool
answer_batch(struct tcp *t, struct conn *c, uint64_t now, bool *gone)
{
	uint64_t start = clock_mono_ns();
	size_t n = conn_gather(c, t->query, SERVE_BATCH), done, octets;
	ssize_t sent;

	if (n == 0)
		return false;
	/* The limits are for UDP; a batch of ours says nothing about how busy that is. */
	t->worker->guard.now_ns = start;
	worker_answer(t->worker, t->query, n);
	sent = put(t, c, t->iov, conn_replies(t->query, n, t->iov, &octets));
	if (sent < 0) {
		*gone = true;
		return false;
	}
	if (conn_cuts(t->query, n, (size_t)sent))
		take_out(t, c);
	done = conn_settle(c, t->query, n, (size_t)sent, now);
	if (done > 0) {
		guard_count(&t->worker->guard, t->query, done);
		uint64_t end = clock_mono_ns();

		tally_batch(t->worker->page, t->query, done, end - start);
		sampler_batch(&t->worker->guard.sampler, t->query, done, end, end - start);
		conntable_touch(&t->table, c);
	}
	if (c->tls != NULL && tls_blocked(c->tls))
		conn_block(c, now);
	return !c->blocked && !c->closing;
}

/* All that is complete.  False: the connection is gone. */
static bool
answer_input(struct tcp *t, struct conn *c, uint64_t now)
{
	bool gone = false;

	while (!c->blocked && answer_batch(t, c, now, &gone))
		continue;
	if (gone)
		return false;
	conntable_in_give(&t->table, c);
	if (c->wants_big)
		take_in(t, c);
	return true;
}

static bool
more_in_tls(const struct conn *c)
{
	return c->tls != NULL && !c->blocked && !c->eof && !c->closing && tls_has_more(c->tls);
}

/* It may ask now. */
static void
shaken(struct tcp *t, struct conn *c, uint64_t now)
{
	struct worker_page *page = t->worker->page;

	c->handshaking = false;
	c->active_ms = now;
	conntable_shaken(&t->table, c);
	conntable_touch(&t->table, c);
	word_add(&page->tls_accepted, 1);
	if (tls_resumed(c->tls))
		word_add(&page->tls_resumed, 1);
}

/* The first octet of a client that wants TLS. */
static bool
shake_begin(struct tcp *t, struct conn *c)
{
	struct conn *longest;

	c->tls = tls_open(t->tls, c->fd);
	if (c->tls == NULL) {
		tcp_drop(t, c);
		return false;
	}
	conntable_shake(&t->table, c);
	longest = conntable_shaker(&t->table);
	if (longest != NULL)
		tcp_evict(t, longest);
	return true;
}

/* A step of the handshake; few in a turn, because each may be a signature.  Whoever has to wait is
 * still readable in the next.  False: it is not over, or the connection is gone. */
static bool
shake(struct tcp *t, struct conn *c, uint64_t now)
{
	enum tls_step step;

	if (t->shakes == 0)
		return false;
	t->shakes--;
	if ((c->tls == NULL && !shake_begin(t, c)) || !flush(t, c))
		return false;
	tls_turn(c->tls);
	step = tls_handshake(c->tls);
	if (step == TLS_FAILED) {
		tcp_drop(t, c);
		return false;
	}
	if (tls_blocked(c->tls))
		conn_block(c, now);
	if (step == TLS_DONE)
		shaken(t, c, now);
	else if (!tcp_watch_again(t, c))
		tcp_drop(t, c);
	return step == TLS_DONE;
}

void
tcp_conn_turn(struct tcp *t, struct conn *c, uint64_t now)
{
	bool input;

	if (c->handshaking && !shake(t, c, now))
		return;
	input = !c->blocked;
	if (c->blocked && !flush(t, c))
		return;
	if (c->tls != NULL)
		tls_turn(c->tls);
	do {
		if (input && !receive(t, c, now))
			return;
		if (!answer_input(t, c, now))
			return;
		input = true;
	} while (more_in_tls(c));
	if (conn_finished(c) || !tcp_watch_again(t, c))
		tcp_drop(t, c);
}
