/* udp - see udp.h.
 *
 * Message headers are prepared once and point at their query's memory, so that a batch costs two
 * system calls and, per datagram, what recvmmsg() itself overwrites.  Strides are an odd number
 * of cache lines: with a power of two all 32 headers of a batch would share one L1 set. */
#include "appliance/worker/udp.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "appliance/worker/tally.h"
#include "appliance/zonemap/word.h"
#include "ipc/base/clock.h"
#include "ipc/base/log.h"

#define STRIDE_IN  (UDP_QUERY_MAX + 64)
#define STRIDE_OUT (21 * 64)
_Static_assert(STRIDE_OUT >= SERVE_UDP_MAX, "a reply must fit its slot");

union udp_control {
	struct cmsghdr align;
	char octets[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

struct udp {
	struct worker *worker;
	const struct udp_socket *armed_for; /* the headers are prepared for this socket */
	struct log_limit log_limit;
	struct mmsghdr rx[SERVE_BATCH], tx[SERVE_BATCH];
	struct iovec rx_iov[SERVE_BATCH], tx_iov[SERVE_BATCH];
	union udp_control control[SERVE_BATCH];
	struct query query[SERVE_BATCH];
	uint8_t in[SERVE_BATCH][STRIDE_IN];
	uint8_t out[SERVE_BATCH][STRIDE_OUT];
};

/* Whole pages of its own, small ones: in a huge one a batch costs 1 % less, and a worker 1.8 MB more. */
static struct udp *
allocate(void)
{
	const size_t size = (sizeof(struct udp) + PAGE_OCTETS - 1) & ~(size_t)(PAGE_OCTETS - 1);
	struct udp *u = aligned_alloc(PAGE_OCTETS, size);

	if (u == NULL)
		fatal("udp.memory", "text=\"no memory for the buffers\"");
	memset(u, 0, sizeof *u);
	return u;
}

struct udp *
udp_new(struct worker *w)
{
	struct udp *u = allocate();
	size_t i;

	u->worker = w;
	for (i = 0; i < SERVE_BATCH; i++) {
		u->query[i].pkt = u->in[i];
		u->query[i].out = u->out[i];
		u->query[i].out_cap = SERVE_UDP_MAX;
		u->rx_iov[i] = (struct iovec){ u->in[i], UDP_QUERY_MAX };
		u->rx[i].msg_hdr.msg_iov = &u->rx_iov[i];
		u->rx[i].msg_hdr.msg_iovlen = 1;
		u->rx[i].msg_hdr.msg_name = &u->query[i].client;
		u->rx[i].msg_hdr.msg_control = &u->control[i];
		u->tx[i].msg_hdr.msg_iov = &u->tx_iov[i];
		u->tx[i].msg_hdr.msg_iovlen = 1;
	}
	return u;
}

void
udp_destroy(struct udp **u)
{
	free(*u);
	*u = NULL;
}

/* A socket with one address replies from it anyway; the look-up that the kernel makes for the
 * control message costs 2.5 % of all queries. */
static void
pktinfo_off(const struct udp_socket *s)
{
	const int off = 0;

	if (s->own.ss_family == AF_INET)
		(void)setsockopt(s->fd, IPPROTO_IP, IP_PKTINFO, &off, sizeof off);
	else
		(void)setsockopt(s->fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &off, sizeof off);
}

bool
udp_socket_init(struct udp_socket *s, struct udp *u, int fd)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)&s->own;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&s->own;
	socklen_t len = sizeof s->own;

	*s = (struct udp_socket){ .fd = fd, .udp = u };
	if (getsockname(fd, (struct sockaddr *)&s->own, &len) < 0)
		return false;
	if (s->own.ss_family == AF_INET)
		s->wildcard = in->sin_addr.s_addr == htonl(INADDR_ANY);
	else if (s->own.ss_family == AF_INET6)
		s->wildcard = IN6_IS_ADDR_UNSPECIFIED(&in6->sin6_addr);
	else
		return false;
	if (!s->wildcard)
		pktinfo_off(s);
	return true;
}

/* What recvmmsg() overwrote in the first n headers. */
static void
arm(struct udp *u, const struct udp_socket *s, size_t n)
{
	size_t i;

	if (u->armed_for != s) {
		u->armed_for = s;
		n = SERVE_BATCH;
	}
	for (i = 0; i < n; i++) {
		u->rx[i].msg_hdr.msg_namelen = sizeof u->query[i].client;
		u->rx[i].msg_hdr.msg_controllen = s->wildcard ? sizeof u->control[i] : 0;
	}
}

/* Makes the received control message one that picks the reply's source.  The interface is left to
 * the routing table (a link-local client carries its own scope).  False: no address of ours that a
 * reply could leave from. */
static bool
turn_control(const struct udp_socket *s, struct msghdr *h)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(h);
	struct in6_pktinfo in6;
	struct in_pktinfo in;

	if (c == NULL)
		return false;
	if (s->own.ss_family == AF_INET) {
		if (c->cmsg_level != IPPROTO_IP || c->cmsg_type != IP_PKTINFO)
			return false;
		memcpy(&in, CMSG_DATA(c), sizeof in);
		/* They differ for broadcast and multicast, of which every worker has a copy. */
		if (in.ipi_addr.s_addr != in.ipi_spec_dst.s_addr)
			return false;
		in.ipi_ifindex = 0;
		memcpy(CMSG_DATA(c), &in, sizeof in);
		h->msg_controllen = CMSG_SPACE(sizeof in);
		return true;
	}
	if (c->cmsg_level != IPPROTO_IPV6 || c->cmsg_type != IPV6_PKTINFO)
		return false;
	memcpy(&in6, CMSG_DATA(c), sizeof in6);
	if (IN6_IS_ADDR_MULTICAST(&in6.ipi6_addr))
		return false;
	in6.ipi6_ifindex = 0;
	memcpy(CMSG_DATA(c), &in6, sizeof in6);
	h->msg_controllen = CMSG_SPACE(sizeof in6);
	return true;
}

/* The source claims to be this very socket: a forged packet that would make us talk to ourselves.
 * Called for equal ports only. */
static bool
is_own(const struct udp_socket *s, const struct sockaddr_storage *client, struct msghdr *h)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)client;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)client;
	const struct sockaddr_in *own = (const struct sockaddr_in *)&s->own;
	const struct sockaddr_in6 *own6 = (const struct sockaddr_in6 *)&s->own;
	struct in6_pktinfo asked6;
	struct in_pktinfo asked;

	if (s->own.ss_family == AF_INET) {
		if (!s->wildcard)
			return in->sin_addr.s_addr == own->sin_addr.s_addr;
		memcpy(&asked, CMSG_DATA(CMSG_FIRSTHDR(h)), sizeof asked);
		return in->sin_addr.s_addr == asked.ipi_spec_dst.s_addr;
	}
	if (!s->wildcard)
		return IN6_ARE_ADDR_EQUAL(&in6->sin6_addr, &own6->sin6_addr);
	memcpy(&asked6, CMSG_DATA(CMSG_FIRSTHDR(h)), sizeof asked6);
	return IN6_ARE_ADDR_EQUAL(&in6->sin6_addr, &asked6.ipi6_addr);
}

/* Services that reply to whatever they get, with what may look like a query: echo, daytime, qotd, chargen,
 * time.  Nobody asks from there, and a FORMERR would begin a conversation without end. */
static bool
is_chatty(in_port_t port)
{
	switch (ntohs(port)) {
	case 7:
	case 13:
	case 17:
	case 19:
	case 37:
		return true;
	default:
		return false;
	}
}

/* Whether the datagram may be answered at all.  Both families have the port in the same place. */
static bool
admit(const struct udp_socket *s, const struct query *q, struct msghdr *h)
{
	in_port_t own = ((const struct sockaddr_in *)&s->own)->sin_port;
	in_port_t port = ((const struct sockaddr_in *)&q->client)->sin_port;

	if ((h->msg_flags & MSG_TRUNC) != 0 || port == 0 || is_chatty(port))
		return false;
	if (s->wildcard && !turn_control(s, h))
		return false;
	return port != own || !is_own(s, &q->client, h);
}

/* Waits a moment for room; what the network card does not take in that time is lost, as it would be
 * a moment later. */
static bool
send_wait(int fd, unsigned *waits)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	if ((*waits)++ >= UDP_SEND_WAITS)
		return false;
	(void)poll(&p, 1, 1);
	return true;
}

/* Each message of the batch gets its chance: one that the kernel refuses (no route, a filter) must
 * not take those behind it along. */
static void
send_replies(struct udp *u, int fd, unsigned n)
{
	unsigned done = 0, failed = 0, waits = 0;
	int sent;

	while (done < n) {
		sent = sendmmsg(fd, u->tx + done, n - done, MSG_DONTWAIT);
		if (sent > 0) {
			done += (unsigned)sent;
			continue;
		}
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS) &&
		    send_wait(fd, &waits))
			continue;
		done++;
		failed++;
	}
	if (failed > 0)
		word_add(&u->worker->page->send_failed, failed);
}

/* Headers of the replies, without gaps. */
static unsigned
queue_replies(struct udp *u, const struct udp_socket *s, size_t n)
{
	unsigned k = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		const struct query *q = &u->query[i];
		struct msghdr *from = &u->rx[i].msg_hdr, *to = &u->tx[k].msg_hdr;

		if (q->verdict != SERVE_REPLY)
			continue;
		u->tx_iov[k] = (struct iovec){ q->out, q->out_len };
		to->msg_name = from->msg_name;
		to->msg_namelen = from->msg_namelen;
		to->msg_control = s->wildcard ? from->msg_control : NULL;
		to->msg_controllen = s->wildcard ? from->msg_controllen : 0;
		k++;
	}
	return k;
}

static size_t
receive(struct udp_socket *s)
{
	struct udp *u = s->udp;
	int n = recvmmsg(s->fd, u->rx, SERVE_BATCH, MSG_DONTWAIT, NULL);

	if (n > 0)
		return (size_t)n;
	if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR &&
	    log_allowed(&u->log_limit, 1))
		log_warn("udp.receive", "fd=%d error=%s", s->fd, log_quote(strerror(errno)));
	return 0;
}

/* One batch; returns how many datagrams it took. */
static size_t
batch(struct udp_socket *s)
{
	struct udp *u = s->udp;
	struct worker *w = u->worker;
	uint64_t start, end;
	size_t n, i;

	arm(u, s, 0);
	n = receive(s);
	if (n == 0)
		return 0;
	start = clock_mono_ns();
	for (i = 0; i < n; i++) {
		/* A query of no octets is one that serve drops: it keeps its place in the batch. */
		u->query[i].len = admit(s, &u->query[i], &u->rx[i].msg_hdr) ? u->rx[i].msg_len : 0;
		u->query[i].transport = SERVE_UDP;
	}
	guard_begin(&w->guard, n, start);
	worker_answer(w, u->query, n);
	guard_limit(&w->guard, &w->conf, u->query, n);
	guard_count(&w->guard, u->query, n);
	send_replies(u, s->fd, queue_replies(u, s, n));
	end = clock_mono_ns();
	atomic_store_explicit(&w->page->heartbeat_ns, end, memory_order_relaxed);
	tally_batch(w->page, u->query, n, end - start);
	sampler_batch(&w->guard.sampler, u->query, n, end, end - start);
	arm(u, s, n);
	return n;
}

bool
udp_turn(struct udp_socket *s)
{
	unsigned round;

	for (round = 0; round < UDP_ROUNDS; round++)
		if (batch(s) < SERVE_BATCH)
			return round > 0;
	return true;
}

bool
udp_poll(struct udp_socket *s)
{
	unsigned round;

	for (round = 0; round < UDP_ROUNDS; round++)
		if (batch(s) == 0)
			return false;
	return true;
}
