/* sockets - the DNS sockets: one per worker, address and transport, bound while we still may.
 *
 * They belong to the supervisor for its whole life, so a query that waits in a dead worker's socket
 * is answered by its successor.  SO_REUSEPORT spreads the load over the workers, and would also let
 * a foreign process of our user share the port in silence; therefore each address is bound once
 * without it first, and a port in use is an error that names the address. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "appliance/supervisor/supervisor.h"
#include "ipc/base/xalloc.h"

#define SOCKETS_CODE 6050
#define UDP_BUFFER   (8 << 20) /* a burst of 10 ms at a million queries a second */
#define TCP_BACKLOG  1024

struct endpoint {
	union {
		struct sockaddr any;
		struct sockaddr_in four;
		struct sockaddr_in6 six;
	} sa;
	socklen_t len;
	const char *text;
	bool tls;
};

/* The configuration has checked the form: ADDRESS@PORT, port from 1. */
static void
read_endpoint(const char *text, bool tls, struct endpoint *e)
{
	char address[INET6_ADDRSTRLEN];
	const char *at = strchr(text, '@');
	uint16_t port = (uint16_t)strtoul(at + 1, NULL, 10);

	*e = (struct endpoint){ .text = text, .tls = tls };
	snprintf(address, sizeof address, "%.*s", (int)(at - text), text);
	if (inet_pton(AF_INET, address, &e->sa.four.sin_addr) == 1) {
		e->sa.four.sin_family = AF_INET;
		e->sa.four.sin_port = htons(port);
		e->len = sizeof e->sa.four;
		return;
	}
	(void)inet_pton(AF_INET6, address, &e->sa.six.sin6_addr);
	e->sa.six.sin6_family = AF_INET6;
	e->sa.six.sin6_port = htons(port);
	e->len = sizeof e->sa.six;
}

static bool
turn_on(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof value) == 0;
}

static int
fail_closed(int fd)
{
	int saved = errno;

	if (fd >= 0)
		close(fd);
	errno = saved;
	return -1;
}

/* A bound socket, or -1 with errno. */
static int
bind_one(const struct endpoint *e, bool tcp, bool share)
{
	int fd = socket(e->sa.any.sa_family,
	    (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	/* A wildcard of IPv6 is not one of IPv4.  REUSEADDR on TCP only passes over connections in
	 * TIME_WAIT of a run before; on UDP it would let two servers share a port. */
	if ((e->sa.any.sa_family == AF_INET6 && !turn_on(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1)) ||
	    (tcp && !turn_on(fd, SOL_SOCKET, SO_REUSEADDR, 1)) ||
	    (share && !turn_on(fd, SOL_SOCKET, SO_REUSEPORT, 1)) ||
	    bind(fd, &e->sa.any, e->len) != 0)
		return fail_closed(fd);
	return fd;
}

/* Nobody else may have it: not even one who shares. */
static enum ns_err
prove_free(const struct endpoint *e, bool tcp, struct ns_why *why)
{
	int fd = bind_one(e, tcp, false);

	if (fd >= 0 && tcp && listen(fd, 1) != 0)
		fd = fail_closed(fd);
	if (fd >= 0) {
		close(fd);
		return NS_OK;
	}
	return ns_fail(why, NS_USAGE, SOCKETS_CODE, "[dns] %s: %s over %s: %s%s",
	    e->tls ? "tls" : "listen", e->text, tcp ? "TCP" : "UDP", strerror(errno),
	    errno == EADDRINUSE      ? " (another server has this port)"
	    : errno == EACCES        ? " (ports below 1024 need root or CAP_NET_BIND_SERVICE)"
	    : errno == EADDRNOTAVAIL ? " (no interface has this address)"
				     : "");
}

static void
tune_udp(struct supervisor *s, int fd, bool six)
{
	int got = 0;
	socklen_t len = sizeof got;

	/* Replies leave from the address that was asked. */
	if (!turn_on(fd, six ? IPPROTO_IPV6 : IPPROTO_IP, six ? IPV6_RECVPKTINFO : IP_PKTINFO, 1))
		status_problem(
		    s, "pktinfo", "replies may leave from another address: %s", strerror(errno));
	/* Path MTU messages can be forged: they shall not decide how we fragment. */
	if (six) {
#ifdef IPV6_PMTUDISC_OMIT
		(void)(turn_on(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_OMIT) ||
		       turn_on(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DONT));
#endif
	} else {
#ifdef IP_PMTUDISC_OMIT
		(void)(turn_on(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_OMIT) ||
		       turn_on(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT));
#endif
	}
	if (turn_on(fd, SOL_SOCKET, SO_RCVBUFFORCE, UDP_BUFFER))
		return;
	(void)turn_on(fd, SOL_SOCKET, SO_RCVBUF, UDP_BUFFER);
	/* The kernel answers with twice what it allowed. */
	if (getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &got, &len) != 0 || got / 2 < UDP_BUFFER)
		status_problem(s, "rcvbuf",
		    "UDP receive buffers: the kernel allowed %d KiB of %d KiB; bursts may be lost "
		    "(raise net.core.rmem_max, or start as root)",
		    got / 2 / 1024, UDP_BUFFER / 1024);
}

static enum ns_err
open_socket(struct supervisor *s, const struct endpoint *e, bool tcp, struct ns_why *why)
{
	int fd = bind_one(e, tcp, true);
	struct dns_socket *d;

	if (fd >= 0 && tcp && listen(fd, TCP_BACKLOG) != 0)
		fd = fail_closed(fd);
	fd = fd_keep(fd);
	if (fd < 0)
		return ns_fail(why, NS_USAGE, SOCKETS_CODE, "[dns] %s over %s: %s%s", e->text,
		    tcp ? "TCP" : "UDP", strerror(errno),
		    errno == EMFILE || errno == EINVAL ? " (too few descriptors for so many "
							 "workers and addresses: raise ulimit -n)"
						       : "");
	if (!tcp)
		tune_udp(s, fd, e->sa.any.sa_family == AF_INET6);
	d = &s->sockets.all[s->sockets.count++];
	*d = (struct dns_socket){ .fd = fd, .tcp = tcp, .tls = e->tls, .address = e->text };
	return NS_OK;
}

/* DNS is UDP and TCP at each address; TLS has TCP alone. */
static enum ns_err
each(struct supervisor *s, const struct endpoint *e, bool prove, struct ns_why *why)
{
	enum ns_err err = NS_OK;
	int tcp;

	for (tcp = e->tls ? 1 : 0; err == NS_OK && tcp <= 1; tcp++)
		err = prove ? prove_free(e, tcp != 0, why) : open_socket(s, e, tcp != 0, why);
	return err;
}

enum ns_err
sockets_bind(struct supervisor *s, struct ns_why *why)
{
	const Ns__Config *c = &s->config.pb;
	size_t n = c->n_dns_listen + c->n_dns_tls, i, w;
	struct endpoint *all = xcalloc(n, sizeof *all);
	enum ns_err err = NS_OK;

	for (i = 0; i < c->n_dns_listen; i++)
		read_endpoint(c->dns_listen[i], false, &all[i]);
	for (i = 0; i < c->n_dns_tls; i++)
		read_endpoint(c->dns_tls[i], true, &all[c->n_dns_listen + i]);
	s->sockets.per_worker = 2 * c->n_dns_listen + c->n_dns_tls;
	s->sockets.all = xcalloc(s->sockets.per_worker * c->workers, sizeof *s->sockets.all);
	for (i = 0; err == NS_OK && i < n; i++)
		err = each(s, &all[i], true, why);
	for (w = 0; err == NS_OK && w < c->workers; w++)
		for (i = 0; err == NS_OK && i < n; i++)
			err = each(s, &all[i], false, why);
	free(all);
	return err;
}
