/* prober_icmp - one echo request from the kernel's unprivileged ping socket (net.ipv4.ping_group_range).
 *
 * One socket a family for all; an answer counts when sequence, token and sender fit. */
#include <errno.h>
#include <event2/event.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/random.h>
#include <unistd.h>

#include "appliance/probe/prober.h"
#include "ipc/base/clock.h"
#include "ipc/base/xalloc.h"

#define TOKEN    16u
#define TURN_MAX 256 /* replies read before others have their turn */

struct probe_run {
	LIST_ENTRY(probe_run) link;
	struct target target;
	struct probe_end end;
	struct event *timer;
	uint64_t began_ns;
	uint16_t seq;
	uint8_t token[TOKEN];
};
struct echo { /* the same in both families */
	uint8_t type, code;
	uint16_t sum, id, seq;
	uint8_t token[TOKEN];
};

#define BUCKETS 1024u
static LIST_HEAD(runs, probe_run) waiting[BUCKETS];
static uint16_t last_seq;
static struct {
	int fd;
	struct event *io;
} sockets[2] = { { -1, NULL }, { -1, NULL } };

static void
cancel(struct probe_run *p)
{
	LIST_REMOVE(p, link);
	event_free(p->timer);
	free(p);
}

static void
finish(struct probe_run *p, bool good, const char *reason)
{
	prober_finish(cancel, p, &p->end, good, reason);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct probe_run *p = arg;

	(void)fd;
	(void)what;
	finish(p, false, p->end.result.reason[0] != '\0' ? NULL : "no echo in time");
}

static bool
same_address(const struct target *t, const struct sockaddr_storage *from)
{
	if (t->sa.ss_family != from->ss_family)
		return false;
	if (t->sa.ss_family == AF_INET)
		return ((const struct sockaddr_in *)&t->sa)->sin_addr.s_addr ==
		       ((const struct sockaddr_in *)from)->sin_addr.s_addr;
	return memcmp(&((const struct sockaddr_in6 *)&t->sa)->sin6_addr,
		   &((const struct sockaddr_in6 *)from)->sin6_addr, 16) == 0;
}

static void
take(const struct echo *e, const struct sockaddr_storage *from)
{
	uint16_t seq = ntohs(e->seq);
	struct probe_run *p;

	LIST_FOREACH(p, &waiting[seq % BUCKETS], link)
	if (p->seq == seq && memcmp(p->token, e->token, TOKEN) == 0 &&
	    same_address(&p->target, from))
		break;
	if (p == NULL)
		return;
	p->end.result.rtt_us = (uint32_t)((clock_mono_ns() - p->began_ns) / 1000);
	finish(p, true, "echo");
}

static void
on_reply(evutil_socket_t fd, short what, void *arg)
{
	struct sockaddr_storage from;
	socklen_t len = sizeof from;
	struct echo e;
	ssize_t n;

	(void)what;
	(void)arg;
	for (int i = 0; i < TURN_MAX; i++, len = sizeof from) {
		n = recvfrom(fd, &e, sizeof e, 0, (struct sockaddr *)&from, &len);
		if (n < 0)
			return;
		if ((size_t)n == sizeof e &&
		    (e.type == ICMP_ECHOREPLY || e.type == ICMP6_ECHO_REPLY))
			take(&e, &from);
	}
}

static int
socket_of(const struct prober_conf *conf, bool six)
{
	if (sockets[six].fd >= 0)
		return sockets[six].fd;
	sockets[six].fd = socket(six ? AF_INET6 : AF_INET,
	    SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, six ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
	if (sockets[six].fd < 0)
		return -1;
	sockets[six].io =
	    event_new(conf->base, sockets[six].fd, EV_READ | EV_PERSIST, on_reply, NULL);
	if (sockets[six].io == NULL || event_add(sockets[six].io, NULL) != 0)
		abort(); /* out of memory: we stop */
	return sockets[six].fd;
}

static struct probe_run *
start(const struct prober_conf *conf, const Ns__Check *check, const struct target *target,
    prober_fn *fn, void *arg)
{
	bool six = target->sa.ss_family == AF_INET6;
	struct timeval late = prober_time(check->timeout);
	struct probe_run *p = xcalloc(1, sizeof *p);
	struct echo e = { .type = six ? ICMP6_ECHO_REQUEST : ICMP_ECHO };
	int sock = socket_of(conf, six);

	p->target = *target;
	p->end.fn = fn;
	p->end.arg = arg;
	p->seq = ++last_seq;
	if (getrandom(p->token, TOKEN, 0) != (ssize_t)TOKEN)
		abort(); /* never for 16 octets */
	e.seq = htons(p->seq);
	memcpy(e.token, p->token, TOKEN);
	p->timer = evtimer_new(conf->base, on_timer, p);
	if (p->timer == NULL)
		abort(); /* out of memory: we stop */
	LIST_INSERT_HEAD(&waiting[p->seq % BUCKETS], p, link);
	p->began_ns = clock_mono_ns();
	/* The kernel puts id and checksum in. */
	if (sock < 0 || sendto(sock, &e, sizeof e, MSG_NOSIGNAL,
			    (const struct sockaddr *)&target->sa, target->len) < 0) {
		p->end.result.abstain = sock < 0;
		snprintf(p->end.result.reason, sizeof p->end.result.reason, "%s: %s",
		    sock < 0 ? "no ping socket here (net.ipv4.ping_group_range)" : "cannot be sent",
		    strerror(errno));
		late = (struct timeval){ 0, 0 };
	}
	(void)event_add(p->timer, &late);
	return p;
}

const struct prober prober_icmp = { "icmp", start, cancel };
