/* sock.c - see sock.h.
 *
 * Control processes only (sync, signer, answer, probe, api), in the thread of their event_base.
 * libzmq's descriptor becomes readable when the state *may* have changed, once; what counts is
 * ZMQ_EVENTS, and every call into the socket may swallow the edge.  So each path that touches the
 * socket ends in drain() or in a wake-up of it. */
#include "ipc/sock.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zmq.h>

#include "ipc/base/log.h"
#include "ipc/base/xalloc.h"
#include "ipc/envelope.h"
#include "ipc/frame.h"
#include "ipc/guard.h"
#include "ipc/monitor.h"
#include "ipc/path.h"

#define TURN_MESSAGES  64 /* then the loop looks at everybody else */
#define MISSED_EDGE_US 250000
#define LOG_BURST      5 /* lines a second that strangers can cause */
#define LOG_AGAIN_S    60 /* a link that is refused is tried ten times a second */

struct ns_sock {
	zsock_t *z;
	bool router;
	struct event *readable, *link_readable, *turn, *tick;
	ns_recv_fn *recv; /* or, of a wrapped socket: */
	ns_take_fn *take;
	void *recv_arg;
	struct monitor monitor; /* DEALER only */
	struct guard guard; /* ROUTER only */
	bool was_up, up;
	ns_link_fn *on_link;
	void *link_arg;
	struct ns_sock_stats stats;
	struct log_limit limit;
	bool draining, dead; /* dead: destroyed within its own callback */
};

void
ns_zmq_init(void)
{
	/* SIGINT and SIGTERM are the role's. */
	setenv("ZSYS_SIGHANDLER", "false", 1);
	if (zsys_init() == NULL)
		fatal("zmq.init", "text=%s", log_quote(zmq_strerror(errno)));
}

static void
sock_free(struct ns_sock *s)
{
	monitor_close(&s->monitor);
	guard_close(&s->guard);
	zsock_destroy(&s->z);
	free(s);
}

void
ns_sock_destroy(struct ns_sock **sp)
{
	struct ns_sock *s = *sp;
	struct event **events[] = { NULL, NULL, NULL, NULL };

	if (s == NULL)
		return;
	*sp = NULL;
	events[0] = &s->readable;
	events[1] = &s->link_readable;
	events[2] = &s->turn;
	events[3] = &s->tick;
	for (size_t i = 0; i < 4; i++) {
		if (*events[i] != NULL)
			event_free(*events[i]);
		*events[i] = NULL;
	}
	s->dead = true;
	if (!s->draining)
		sock_free(s);
}

/* Look again, but let the loop look at everybody else first. */
static void
wake(struct ns_sock *s)
{
	static const struct timeval now = { 0, 0 };

	if (!s->dead)
		event_add(s->turn, &now);
}

static void
take_one(struct ns_sock *s)
{
	struct ns_why why = { 0 };
	struct ns_peer peer;
	Ns__Envelope *env;

	if (s->take != NULL) {
		s->stats.in++;
		s->take(s->recv_arg, s->z);
		return;
	}
	switch (frame_recv(s->z, s->router, &peer, &env, &why)) {
	case FRAME_NONE:
		return;
	case FRAME_MALFORMED:
		s->stats.malformed++;
		if (log_allowed(&s->limit, LOG_BURST))
			log_warn("message.malformed", "uid=%lld pid=%d text=%s",
			    peer.local ? (long long)peer.uid : -1, peer.local ? peer.pid : -1,
			    log_quote(why.text));
		return;
	case FRAME_OK:
		s->stats.in++;
		s->recv(s->recv_arg, &peer, env);
		ns__envelope__free_unpacked(env, NULL);
		return;
	}
}

static void
take_connections(struct ns_sock *s)
{
	uint32_t uid;

	while (guard_next(&s->guard, &uid))
		if (log_allowed(&s->limit, LOG_BURST))
			log_warn("connection.refused", "uid=%u limit=%u", uid, GUARD_PER_USER);
}

static void
take_link_events(struct ns_sock *s)
{
	/* Of all sockets together: each try may have one of its own. */
	static _Thread_local struct log_limit refusals;
	enum link_event event;

	while (!s->dead && (event = monitor_next(&s->monitor)) != LINK_SAME) {
		bool up = event == LINK_UP;

		if (event == LINK_REFUSED && log_seldom(&refusals, LOG_AGAIN_S))
			log_warn("link.refused", "endpoint=%s text=%s",
			    log_quote(s->monitor.endpoint),
			    log_quote("the other side is not ours"));
		if (up == s->up)
			continue;
		s->up = up;
		s->was_up = s->was_up || up;
		if (s->on_link != NULL)
			s->on_link(s->link_arg, up);
	}
}

static void
drain(evutil_socket_t fd, short what, void *arg)
{
	struct ns_sock *s = arg;
	bool left = false;

	(void)fd;
	(void)what;
	assert(!s->draining);
	s->draining = true;
	if (s->guard.monitor.pair != NULL)
		take_connections(s);
	if (s->monitor.pair != NULL)
		take_link_events(s);
	for (unsigned n = 0; !s->dead && (left = frame_readable(s->z)) && n < TURN_MESSAGES; n++)
		take_one(s);
	s->draining = false;
	if (s->dead)
		sock_free(s);
	else if (left)
		wake(s);
}

static int
add_events(struct ns_sock *s, struct event_base *base)
{
	static const struct timeval every = { 0, MISSED_EDGE_US };

	s->readable = event_new(base, zsock_fd(s->z), EV_READ | EV_PERSIST, drain, s);
	s->turn = event_new(base, -1, 0, drain, s);
	s->tick = event_new(base, -1, EV_PERSIST, drain, s);
	if (s->readable == NULL || s->turn == NULL || s->tick == NULL ||
	    event_add(s->readable, NULL) != 0 || event_add(s->tick, &every) != 0)
		return -1;
	if (s->guard.monitor.pair == NULL && s->monitor.pair == NULL)
		return 0;
	s->link_readable = event_new(base, monitor_fd(s->router ? &s->guard.monitor : &s->monitor),
	    EV_READ | EV_PERSIST, drain, s);
	return s->link_readable != NULL ? event_add(s->link_readable, NULL) : -1;
}

static struct ns_sock *
sock_new(int type, ns_recv_fn *fn, void *arg, struct ns_why *why)
{
	struct ns_sock *s;
	zsock_t *z = frame_socket(type);

	if (z == NULL) {
		ns_fail(
		    why, NS_FAILED, NS_CODE_SOCKET, "no ZeroMQ socket: %s", zmq_strerror(errno));
		return NULL;
	}
	s = xcalloc(1, sizeof *s);
	s->z = z;
	s->router = type == ZMQ_ROUTER;
	s->recv = fn;
	s->recv_arg = arg;
	if ((s->router ? guard_open(&s->guard, z) : monitor_open(&s->monitor, z, MONITOR_LINK)) !=
	    0) {
		ns_fail(why, NS_FAILED, NS_CODE_SOCKET, "no monitor: %s", zmq_strerror(errno));
		ns_sock_destroy(&s);
	}
	return s;
}

static enum ns_err
bind_path(zsock_t *z, const char *path, unsigned mode, struct ns_why *why)
{
	char endpoint[NS_ENDPOINT_MAX];
	enum ns_err err = ns_path_endpoint(path, endpoint, why);

	if (err != NS_OK)
		return err;
	/* libzmq would unlink the file of a living listener and take its place. */
	if (ns_path_taken(path))
		return ns_fail(why, NS_CONFLICT, NS_CODE_SOCKET,
		    "another process listens at %s: is an appliance running with this run "
		    "directory?",
		    path);
	if (zsock_bind(z, "%s", endpoint) < 0)
		return ns_fail(why, NS_FAILED, NS_CODE_SOCKET, "cannot listen at %s: %s", path,
		    zmq_strerror(errno));
	if (chmod(path, (mode_t)mode) != 0)
		return ns_fail(why, NS_FAILED, NS_CODE_SOCKET, "cannot set mode %o of %s: %s", mode,
		    path, strerror(errno));
	return NS_OK;
}

static enum ns_err
connect_path(zsock_t *z, const char *path, struct ns_why *why)
{
	char endpoint[NS_ENDPOINT_MAX];
	enum ns_err err = ns_path_endpoint(path, endpoint, why);

	if (err == NS_OK && zsock_connect(z, "%s", endpoint) < 0)
		return ns_fail(why, NS_FAILED, NS_CODE_SOCKET, "cannot connect to %s: %s", path,
		    zmq_strerror(errno));
	return err;
}

static struct ns_sock *
sock_start(struct ns_sock *s, struct event_base *base, enum ns_err err, struct ns_why *why)
{
	if (err == NS_OK && add_events(s, base) != 0)
		err = ns_fail(why, NS_FAILED, NS_CODE_SOCKET, "libevent refuses the socket");
	if (err != NS_OK)
		ns_sock_destroy(&s);
	else
		wake(s); /* what came before the loop looked */
	return s;
}

struct ns_sock *
ns_router_bind(struct event_base *base, const char *path, unsigned mode, ns_recv_fn *fn, void *arg,
    struct ns_why *why)
{
	struct ns_sock *s = sock_new(ZMQ_ROUTER, fn, arg, why);

	return s != NULL ? sock_start(s, base, bind_path(s->z, path, mode, why), why) : NULL;
}

struct ns_sock *
ns_dealer_connect(
    struct event_base *base, const char *path, ns_recv_fn *fn, void *arg, struct ns_why *why)
{
	struct ns_sock *s = sock_new(ZMQ_DEALER, fn, arg, why);

	return s != NULL ? sock_start(s, base, connect_path(s->z, path, why), why) : NULL;
}

struct ns_sock *
ns_sock_wrap(struct event_base *base, zsock_t *z, ns_take_fn *take, void *arg, struct ns_why *why)
{
	struct ns_sock *s = xcalloc(1, sizeof *s);
	int type = zsock_type(z);

	s->z = z;
	s->router = type != ZMQ_DEALER;
	s->take = take;
	s->recv_arg = arg;
	if (type == ZMQ_DEALER && monitor_open(&s->monitor, z, MONITOR_LINK) != 0) {
		ns_fail(why, NS_FAILED, NS_CODE_SOCKET, "no monitor: %s", zmq_strerror(errno));
		ns_sock_destroy(&s);
		return NULL;
	}
	return sock_start(s, base, NS_OK, why);
}

void
ns_sock_look(struct ns_sock *s)
{
	if (!s->draining)
		wake(s);
}

void
ns_sock_on_link(struct ns_sock *s, ns_link_fn *fn, void *arg)
{
	s->on_link = fn;
	s->link_arg = arg;
}

void
ns_sock_limit_send(struct ns_sock *s, unsigned messages)
{
	zsock_set_sndhwm(s->z, (int)messages);
}

enum ns_err
ns_send(struct ns_sock *s, const struct ns_peer *peer, const Ns__Envelope *env)
{
	struct ns_why why = { 0 };
	enum ns_err err;
	zmq_msg_t msg;

	assert(s->router == (peer != NULL));
	if (s->dead || (!s->router && s->was_up && !s->up)) {
		s->stats.dropped++;
		return NS_UNAVAILABLE;
	}
	err = frame_pack(env, &msg, &why);
	if (err != NS_OK) {
		s->stats.dropped++;
		if (log_allowed(&s->limit, LOG_BURST))
			log_error("message.refused", "body=%u text=%s", (unsigned)env->body_case,
			    log_quote(why.text));
		return err;
	}
	err = frame_send(s->z, peer, &msg);
	if (err == NS_OK)
		s->stats.out++;
	else
		s->stats.dropped++;
	/* Sending processes ZeroMQ's commands too, and with them the edge of what came in. */
	if (!s->draining && frame_readable(s->z))
		wake(s);
	return err;
}

void
ns_sock_stats(const struct ns_sock *s, struct ns_sock_stats *out)
{
	*out = s->stats;
	out->refused = s->guard.refused;
}
