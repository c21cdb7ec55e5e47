/* tcp - see tcp.h. */
#include "appliance/worker/tcp.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "appliance/worker/tcp_internal.h"
#include "appliance/worker/tls.h"
#include "appliance/zonemap/word.h"
#include "ipc/base/clock.h"
#include "ipc/base/log.h"
#include "ipc/base/xalloc.h"

#define IS_LISTENER 0x80000000u /* in the low word of epoll's data */
/* A reply with its length in front; an odd number of cache lines, see udp.c. */
#define SLOT_SIZE 65600u
#define SLOT_HEAD 8u
_Static_assert(SLOT_SIZE >= SLOT_HEAD + SERVE_TCP_MAX, "a reply must fit its slot");

/* As many connections as there are descriptors for. */
static uint32_t
capacity(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) < 0)
		return CONNTABLE_MAX / 4;
	if (l.rlim_cur < CONNTABLE_MAX + TCP_FD_RESERVE) {
		l.rlim_cur = l.rlim_max < CONNTABLE_MAX + TCP_FD_RESERVE
				 ? l.rlim_max
				 : CONNTABLE_MAX + TCP_FD_RESERVE;
		(void)setrlimit(RLIMIT_NOFILE, &l);
		(void)getrlimit(RLIMIT_NOFILE, &l);
	}
	if (l.rlim_cur >= CONNTABLE_MAX + TCP_FD_RESERVE)
		return CONNTABLE_MAX;
	return l.rlim_cur > TCP_FD_RESERVE + 16 ? (uint32_t)(l.rlim_cur - TCP_FD_RESERVE) : 16;
}

struct tcp *
tcp_new(struct worker *w, struct tls *tls)
{
	struct tcp *t = xcalloc(1, sizeof *t);
	struct conntable_memory m = {
		.cap = capacity(), .n_outs = CONNTABLE_OUTS, .n_ins = CONNTABLE_INS
	};
	uint64_t seed = 0;
	size_t i;

	t->worker = w;
	t->tls = tls;
	t->epfd = epoll_create1(EPOLL_CLOEXEC);
	if (t->epfd < 0)
		fatal("tcp.epoll", "error=%s", log_quote(strerror(errno)));
	m.conns = t->conns = xcalloc(m.cap, sizeof *t->conns);
	m.outs = t->outs = xcalloc(m.n_outs, sizeof *t->outs);
	m.ins = t->ins = xcalloc(m.n_ins, sizeof *t->ins);
	t->slots = xcalloc(SERVE_BATCH, SLOT_SIZE);
	if (getrandom(&seed, sizeof seed, 0) != sizeof seed)
		fatal("tcp.random", "error=%s", log_quote(strerror(errno)));
	conntable_init(&t->table, &m, seed);
	for (i = 0; i < SERVE_BATCH; i++) {
		t->query[i].out = t->slots + i * SLOT_SIZE + SLOT_HEAD;
		t->query[i].out_cap = SERVE_TCP_MAX;
	}
	return t;
}

static void
count_open(struct tcp *t)
{
	atomic_store_explicit(&t->worker->page->tcp_open, t->table.open, memory_order_relaxed);
}

void
tcp_drop(struct tcp *t, struct conn *c)
{
	int fd = c->fd;

	if (c->handshaking)
		word_add(&t->worker->page->tls_handshake_failed, 1);
	tls_close(&c->tls, true);
	conntable_give(&t->table, c);
	close(fd); /* leaves the epoll set by itself */
	count_open(t);
}

void
tcp_evict(struct tcp *t, struct conn *c)
{
	word_add(&t->worker->page->tcp_evicted, 1);
	tcp_drop(t, c);
}

void
tcp_destroy(struct tcp **tp)
{
	struct tcp *t = *tp;
	struct conn *c;

	if (t == NULL)
		return;
	while ((c = conntable_newer(&t->table, NULL)) != NULL)
		tcp_drop(t, c);
	close(t->epfd);
	free(t->slots);
	free(t->ins);
	free(t->outs);
	free(t->conns);
	free(t);
	*tp = NULL;
}

/* Connections inherit these.  Replies are complete, so nothing is gained by waiting for more; and
 * the kernel's own sizes (megabytes) would let a thousand clients who read nothing hold gigabytes,
 * and hide for minutes that they are slow. */
static void
tune(int fd)
{
	const int one = 1, snd = TCP_SNDBUF, rcv = TCP_RCVBUF;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &snd, sizeof snd);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &rcv, sizeof rcv);
}

bool
tcp_listener_add(struct tcp *t, int fd, bool secure)
{
	assert(!secure || t->tls != NULL);
	if (t->n_listeners == TCP_LISTENERS)
		return false;
	tune(fd);
	t->listeners[t->n_listeners++] = (struct listener){ .fd = fd, .secure = secure };
	return true;
}

static void
accept_on(struct tcp *t, bool on)
{
	struct epoll_event ev = { .events = EPOLLIN };
	unsigned i;

	if (t->accepting == on)
		return;
	t->accepting = on;
	for (i = 0; i < t->n_listeners; i++) {
		ev.data.u64 = IS_LISTENER | i;
		if (epoll_ctl(
			t->epfd, on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, t->listeners[i].fd, &ev) < 0)
			log_error("tcp.epoll", "fd=%d error=%s", t->listeners[i].fd,
			    log_quote(strerror(errno)));
	}
}

void
tcp_start(struct tcp *t)
{
	accept_on(t, true);
}

int
tcp_fd(const struct tcp *t)
{
	return t->epfd;
}

static bool
watch(struct tcp *t, struct conn *c, int op)
{
	struct epoll_event ev = {
		.events = c->blocked ? EPOLLOUT : EPOLLIN,
		.data.u64 = (uint64_t)c->serial << 32 | c->index,
	};

	c->told_blocked = c->blocked;
	return epoll_ctl(t->epfd, op, c->fd, &ev) == 0;
}

bool
tcp_watch_again(struct tcp *t, struct conn *c)
{
	return c->told_blocked == c->blocked || watch(t, c, EPOLL_CTL_MOD);
}

/* ---- accepting ---- */

/* No descriptors or no memory: make room, and leave the rest in the backlog until the next tick, so
 * that a listener that stays readable does not spin us. */
static void
accept_pause(struct tcp *t, int error)
{
	struct conn *victim = conntable_victim(&t->table);

	if (log_allowed(&t->log_limit, 1))
		log_warn(
		    "tcp.accept", "open=%u error=%s", t->table.open, log_quote(strerror(error)));
	if (victim != NULL)
		tcp_evict(t, victim);
	accept_on(t, false);
}

static void
admit(struct tcp *t, int fd, const struct sockaddr_storage *client, bool secure, uint64_t now)
{
	struct conn *c = conntable_crowd(&t->table);

	if (c != NULL)
		tcp_evict(t, c);
	c = conntable_take(&t->table, fd, client, secure, now);
	if (c == NULL) {
		tcp_evict(t, conntable_victim(&t->table));
		c = conntable_take(&t->table, fd, client, secure, now);
		assert(c != NULL);
	}
	word_add(&t->worker->page->tcp_accepted, 1);
	if (!watch(t, c, EPOLL_CTL_ADD))
		tcp_drop(t, c);
	count_open(t);
}

static void
accept_burst(struct tcp *t, const struct listener *l, uint64_t now)
{
	struct sockaddr_storage client;
	socklen_t len;
	int burst, fd;

	for (burst = 0; burst < TCP_ACCEPT_BURST; burst++) {
		len = sizeof client;
		fd = accept4(l->fd, (struct sockaddr *)&client, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			admit(t, fd, &client, l->secure, now);
			continue;
		}
		if (errno == EAGAIN || errno == EWOULDBLOCK)
			return;
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
			accept_pause(t, errno);
			return;
		}
		/* The rest is about one that died in the backlog (accept(2)): the next. */
	}
}

static void
ready(struct tcp *t, const struct epoll_event *ev, uint64_t now)
{
	uint32_t low = (uint32_t)ev->data.u64;
	struct conn *c;

	if ((low & IS_LISTENER) != 0) {
		accept_burst(t, &t->listeners[low & ~IS_LISTENER], now);
		return;
	}
	/* Evicted earlier in this turn: the serial tells. */
	c = conntable_find(&t->table, low, (uint32_t)(ev->data.u64 >> 32));
	if (c != NULL)
		tcp_conn_turn(t, c, now);
}

/* What time does not suffice for is ready in the next turn as well, and then comes first: the kernel
 * would tell of it in the same order. */
void
tcp_turn(struct tcp *t)
{
	struct epoll_event ev[TCP_EVENTS];
	uint64_t start = clock_mono_ns(), now = start / 1000000;
	int i = 0, n = epoll_wait(t->epfd, ev, TCP_EVENTS, 0);

	t->shakes = TCP_SHAKES;
	while (i < n) {
		ready(t, &ev[(t->first + (unsigned)i++) % (unsigned)n], now);
		if (clock_mono_ns() - start > TCP_TURN_NS)
			break;
	}
	t->first += (unsigned)i;
}

void
tcp_tick(struct tcp *t, uint64_t now_ms)
{
	struct conn *c = NULL, *next;

	for (c = conntable_expired(&t->table, NULL, now_ms); c != NULL;
	     c = next != NULL ? conntable_expired(&t->table, next, now_ms) : NULL) {
		next = conntable_newer(&t->table, c);
		word_add(&t->worker->page->tcp_timeout, 1);
		tcp_drop(t, c);
	}
	accept_on(t, true);
}

void
tcp_drain(struct tcp *t)
{
	uint64_t now = clock_mono_ms();
	struct conn *c;
	uint32_t i;

	t->shakes = 0;
	for (i = 0; i < t->table.fresh; i++) {
		c = &t->conns[i];
		if (c->fd >= 0)
			tcp_conn_turn(t, c, now);
	}
}
