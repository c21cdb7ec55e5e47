/* lookup.c - see lookup.h. */
#include "appliance/probe/lookup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include <event2/event.h>

#include "ipc/base/xalloc.h"

#define ROUNDS 2u
#define STRAYS_MAX \
	32u /* wrong packets on one socket: somebody guesses; the next try has another port */
#define ANSWERED  "it answered "
#define QUERY_MAX 512u
#define SERVFAIL  2
#define NOTIMP    4
#define REFUSED   5

struct lookup {
	struct event_base *base;
	struct lookup_ask ask;
	lookup_fn *fn;
	void *arg;
	unsigned try; /* server try % nservers */
	int fd;
	struct event *io, *timer;
	bool tcp;
	uint16_t id;
	unsigned strays;
	uint8_t out[2 + QUERY_MAX]; /* TCP: length first */
	size_t out_len, out_at;
	uint8_t *in; /* TCP: length and message; UDP: message */
	size_t in_len;
	char fault[96];
};

static unsigned under_way;

static void try_next(struct lookup *);
static void try_begin(struct lookup *, bool tcp);
static void on_tcp(evutil_socket_t, short, void *);

/* ---- ends ---- */

static void
socket_close(struct lookup *l)
{
	if (l->io != NULL)
		event_free(l->io);
	l->io = NULL;
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
}

void
lookup_cancel(struct lookup **lp)
{
	struct lookup *l = *lp;

	if (l == NULL)
		return;
	*lp = NULL;
	socket_close(l);
	event_free(l->timer);
	free(l->in);
	free(l);
	under_way--;
}

static void
finish(struct lookup *l, const struct packet *packet)
{
	lookup_fn *fn = l->fn;
	void *arg = l->arg;
	char fault[sizeof l->fault];

	memcpy(fault, l->fault, sizeof fault);
	lookup_cancel(&l);
	fn(arg, packet, packet != NULL ? NULL : fault);
}

static void
fault(struct lookup *l, const char *what)
{
	snprintf(l->fault, sizeof l->fault, "%s", what);
}

bool
lookup_was_answered(const char *fault)
{
	return strncmp(fault, ANSWERED, strlen(ANSWERED)) == 0;
}

static void
wait_ms(struct lookup *l, unsigned ms)
{
	const struct timeval tv = { ms / 1000, (suseconds_t)(ms % 1000) * 1000 };

	(void)event_add(l->timer, &tv);
}

/* ---- replies ---- */

/* True when it was the last word of this try, good or not. */
static bool
take_reply(struct lookup *l, const uint8_t *data, size_t len)
{
	struct packet packet;
	char text[48];

	switch (packet_read(data, len, l->id, &l->ask.question, &packet)) {
	case PACKET_STRAY:
		if (++l->strays < STRAYS_MAX && !l->tcp)
			return false;
		fault(l, "it answered something else than was asked");
		break;
	case PACKET_CUT:
		if (!l->tcp) {
			try_begin(l, true);
			return true;
		}
		fault(l, "its answer over TCP is cut off");
		break;
	case PACKET_BROKEN:
		fault(l, "its answer cannot be read");
		break;
	case PACKET_GOOD:
		if (packet.rcode != SERVFAIL && packet.rcode != REFUSED && packet.rcode != NOTIMP) {
			finish(l, &packet);
			packet_free(&packet);
			return true;
		}
		snprintf(text, sizeof text, ANSWERED "%s",
		    packet.rcode == SERVFAIL  ? "SERVFAIL"
		    : packet.rcode == REFUSED ? "REFUSED"
					      : "NOTIMP");
		fault(l, text);
		packet_free(&packet);
		break;
	}
	try_next(l);
	return true;
}

static void
on_udp(evutil_socket_t fd, short what, void *arg)
{
	struct lookup *l = arg;
	ssize_t n;

	(void)what;
	while ((n = recv(fd, l->in, PACKET_UDP, MSG_TRUNC)) >= 0)
		if (take_reply(l, l->in, (size_t)n < PACKET_UDP ? (size_t)n : PACKET_UDP))
			return;
	if (errno == EAGAIN || errno == EINTR)
		return;
	fault(l, errno == ECONNREFUSED ? "nobody listens there" : strerror(errno));
	try_next(l);
}

/* ---- TCP ---- */

/* NULL: go on; else what is wrong. */
static const char *
tcp_write(struct lookup *l)
{
	while (l->out_at < l->out_len) {
		ssize_t n = send(l->fd, l->out + l->out_at, l->out_len - l->out_at, MSG_NOSIGNAL);

		if (n < 0)
			return errno == EAGAIN || errno == EINTR ? NULL : "no connection over TCP";
		l->out_at += (size_t)n;
	}
	event_free(l->io);
	l->io = event_new(l->base, l->fd, EV_READ | EV_PERSIST, on_tcp, l);
	return l->io != NULL && event_add(l->io, NULL) == 0 ? NULL : "it cannot be waited for";
}

static void
on_tcp(evutil_socket_t fd, short what, void *arg)
{
	struct lookup *l = arg;
	const char *trouble = what & EV_WRITE ? tcp_write(l) : NULL;
	size_t want = 2;
	ssize_t n = 0;

	while (trouble == NULL && what & EV_READ) {
		if (l->in_len >= 2)
			want = 2 + (size_t)get_u16(l->in);
		if (l->in_len == want && want > 2)
			break;
		n = read(fd, l->in + l->in_len, want - l->in_len);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0 || (l->in_len + (size_t)n == 2 && get_u16(l->in) == 0))
			trouble = "the connection over TCP ended without an answer";
		else
			l->in_len += (size_t)n;
	}
	if (trouble == NULL && !(what & EV_READ))
		return;
	if (trouble == NULL) {
		(void)take_reply(l, l->in + 2, want - 2);
		return;
	}
	fault(l, trouble);
	try_next(l);
}

/* ---- tries ---- */

static void
make_query(struct lookup *l)
{
	struct wbuf w = wbuf_init(l->out + 2, QUERY_MAX);

	if (getrandom(&l->id, sizeof l->id, 0) != (ssize_t)sizeof l->id)
		abort(); /* never for two octets */
	packet_query(&w, l->id, &l->ask.question);
	put_u16(l->out, (uint16_t)w.len);
	l->out_len = 2 + w.len;
}

static void
try_begin(struct lookup *l, bool tcp)
{
	const struct target *server = &l->ask.servers[l->try % l->ask.nservers];
	int type = (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC;
	bool ok;

	socket_close(l);
	l->tcp = tcp;
	l->strays = 0;
	l->in_len = 0;
	l->out_at = tcp ? 0 : 2;
	make_query(l);
	l->in = xreallocarray(l->in, tcp ? 2 + 65535u : PACKET_UDP, 1);
	l->fd = socket(server->sa.ss_family, type, 0);
	ok =
	    l->fd >= 0 && (connect(l->fd, (const struct sockaddr *)&server->sa, server->len) == 0 ||
			      errno == EINPROGRESS);
	if (ok && !tcp)
		ok = send(l->fd, l->out + 2, l->out_len - 2, MSG_NOSIGNAL) >= 0;
	if (ok) {
		l->io = event_new(l->base, l->fd, (tcp ? EV_WRITE : EV_READ) | EV_PERSIST,
		    tcp ? on_tcp : on_udp, l);
		ok = l->io != NULL && event_add(l->io, NULL) == 0;
	}
	if (!ok)
		fault(l, strerror(errno));
	/* What failed at once goes on in the loop like what is silent. */
	wait_ms(l, !ok ? 0 : tcp ? LOOKUP_TCP_MS : LOOKUP_UDP_MS);
}

static void
try_next(struct lookup *l)
{
	socket_close(l);
	if (++l->try == ROUNDS * l->ask.nservers)
		finish(l, NULL);
	else
		try_begin(l, false);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct lookup *l = arg;

	(void)fd;
	(void)what;
	if (l->io != NULL)
		fault(l, l->tcp ? "it does not answer over TCP" : "it does not answer");
	try_next(l);
}

struct lookup *
lookup_start(struct event_base *base, const struct lookup_ask *ask, lookup_fn *fn, void *arg)
{
	struct lookup *l;

	if (under_way >= LOOKUPS_MAX || ask->nservers == 0 || ask->nservers > LOOKUP_SERVERS)
		return NULL;
	under_way++;
	l = xcalloc(1, sizeof *l);
	l->base = base;
	l->ask = *ask;
	l->fn = fn;
	l->arg = arg;
	l->fd = -1;
	l->timer = evtimer_new(base, on_timer, l);
	if (l->timer == NULL)
		abort(); /* out of memory: we stop */
	try_begin(l, false);
	return l;
}
