/* link.c - see link.h. */
#include "ipc/client/link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>
#include <zmq.h>

#include "ipc/base/clock.h"
#include "ipc/base/xalloc.h"
#include "ipc/envelope.h"
#include "ipc/path.h"

#define BACKOFF_MIN_MS      20
#define BACKOFF_CAP_MS      2000
#define BACKOFF_HEALTHY_MS  1000
#define PIPE_BACKOFF_MIN_MS 1000 /* sshd counts who knocks */
#define PIPE_BACKOFF_CAP_MS 30000
#define HELLO_MS            10000
#define PIPE_HELLO_MS       20000 /* ssh asks the other host first */
#define NEVER_MS            (24 * 3600 * 1000) /* libzmq shall not reconnect by itself */

int
link_init(struct link *l, const struct ns_client_options *o, struct ns_why *why)
{
	char endpoint[NS_ENDPOINT_MAX];

	*l = (struct link){ .epoll = -1 };
	if ((pipe_is(o->socket) ? pipe_check(o->socket, why)
				: ns_path_endpoint(o->socket, endpoint, why)) != NS_OK)
		return -1;
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (l->epoll < 0) {
		ns_fail(why, NS_FAILED, NS_CODE_SOCKET, "epoll: %s", strerror(errno));
		return -1;
	}
	l->path = xstrdup(o->socket);
	l->person = xstrdup(o->person != NULL ? o->person : "");
	source_session(l->source);
	l->software = xasprintf("nameserve %s", o->software != NULL ? o->software : NS_RELEASE);
	l->seed = clock_mono_ns() ^ (uint64_t)getpid() << 32 ^ 0x9e3779b97f4a7c15u;
	if (pipe_is(o->socket))
		backoff_init(
		    &l->backoff, PIPE_BACKOFF_MIN_MS, PIPE_BACKOFF_CAP_MS, BACKOFF_HEALTHY_MS);
	else
		backoff_init(&l->backoff, BACKOFF_MIN_MS, BACKOFF_CAP_MS, BACKOFF_HEALTHY_MS);
	return 0;
}

static void
link_close(struct link *l)
{
	pipe_close(&l->pipe);
	if (l->z != NULL) {
		/* The descriptors are libzmq's and closed later, in its thread. */
		epoll_ctl(l->epoll, EPOLL_CTL_DEL, zsock_fd(l->z), NULL);
		if (l->monitor.pair != NULL)
			epoll_ctl(l->epoll, EPOLL_CTL_DEL, monitor_fd(&l->monitor), NULL);
		monitor_close(&l->monitor);
		zsock_destroy(&l->z);
	}
	if (l->hello != NULL)
		ns__envelope__free_unpacked(l->hello, NULL);
	l->hello = NULL;
	l->gone = false;
}

void
link_end(struct link *l)
{
	link_close(l);
	if (l->epoll >= 0)
		close(l->epoll);
	free(l->path);
	free(l->person);
	free(l->software);
	*l = (struct link){ .epoll = -1 };
}

/* xorshift64*: for jitter only. */
static uint32_t
jitter(struct link *l)
{
	l->seed ^= l->seed >> 12;
	l->seed ^= l->seed << 25;
	l->seed ^= l->seed >> 27;
	return (uint32_t)((l->seed * 0x2545f4914f6cdd1du) >> 32);
}

void
link_lose(struct link *l, uint64_t now_ms, const struct ns_why *why)
{
	if (why != &l->why)
		l->why = *why;
	link_close(l);
	l->state = LINK_WAITING;
	l->refused = l->why.err == NS_DENIED || l->why.err == NS_VERSION;
	backoff_failed(&l->backoff, now_ms, jitter(l));
}

static int
watch_fd(struct link *l, int fd)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.fd = fd };

	return epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &ev);
}

static enum ns_err
connect_socket(struct link *l)
{
	char endpoint[NS_ENDPOINT_MAX];
	enum ns_err err;

	if (pipe_is(l->path)) {
		l->pipe = pipe_open(l->path, l->epoll, &l->why);
		return l->pipe != NULL ? NS_OK : NS_FAILED;
	}
	err = ns_path_probe(l->path, &l->why);
	if (err != NS_OK)
		return err;
	ns_path_endpoint(l->path, endpoint, NULL);
	l->z = frame_socket(ZMQ_DEALER);
	if (l->z == NULL)
		return ns_fail(&l->why, NS_FAILED, NS_CODE_SOCKET, "no ZeroMQ socket: %s",
		    zmq_strerror(errno));
	zsock_set_reconnect_ivl_max(l->z, 0);
	zsock_set_reconnect_ivl(l->z, NEVER_MS);
	if (monitor_open(&l->monitor, l->z, MONITOR_LINK) != 0 ||
	    watch_fd(l, zsock_fd(l->z)) != 0 || watch_fd(l, monitor_fd(&l->monitor)) != 0 ||
	    zsock_connect(l->z, "%s", endpoint) != 0)
		return ns_fail(&l->why, NS_FAILED, NS_CODE_SOCKET, "cannot connect to %s: %s",
		    l->path, strerror(errno));
	return NS_OK;
}

void
link_greet(struct link *l, uint64_t now_ms, uint64_t hello_id)
{
	Ns__Hello hello = NS__HELLO__INIT;
	Ns__Envelope env = NS__ENVELOPE__INIT;
	zmq_msg_t msg;

	hello.major = NS_PROTO_MAJOR;
	hello.minor = NS_PROTO_MINOR;
	hello.software = l->software;
	hello.person = l->person;
	hello.source = l->source;
	env.id = l->hello_id = hello_id;
	env.body_case = NS__ENVELOPE__BODY_HELLO;
	env.hello = &hello;
	l->state = LINK_GREETING;
	l->hello_until_ms = now_ms + (l->pipe != NULL ? PIPE_HELLO_MS : HELLO_MS);
	/* When the queue is full the time above runs out, and the link is made anew. */
	if (frame_pack(&env, &msg, NULL) == NS_OK)
		(void)link_send(l, &msg);
}

void
link_open(struct link *l, uint64_t now_ms, uint64_t hello_id)
{
	l->why = (struct ns_why){ 0 };
	if (connect_socket(l) != NS_OK) {
		link_lose(l, now_ms, &l->why);
		return;
	}
	link_greet(l, now_ms, hello_id);
}

bool
link_greeted(struct link *l, Ns__Envelope *env, uint64_t now_ms)
{
	const Ns__HelloReply *reply = env->hello_reply;

	if (env->body_case == NS__ENVELOPE__BODY_ERROR) {
		ns_why_from_error(&l->why, env->error);
		link_lose(l, now_ms, &l->why);
		return false;
	}
	if (env->body_case != NS__ENVELOPE__BODY_HELLO_REPLY) {
		ns_fail(&l->why, NS_CORRUPT, NS_CODE_MALFORMED,
		    "%s answers a hello with something else", l->path);
		link_lose(l, now_ms, &l->why);
		return false;
	}
	if (reply->major != NS_PROTO_MAJOR) {
		ns_fail(&l->why, NS_VERSION, NS_CODE_OTHER_MAJOR,
		    "the appliance (%s) speaks version %u.%u, this program (nameserve %s) %u.%u: "
		    "use the program that came with the appliance",
		    reply->software, reply->major, reply->minor, NS_RELEASE, NS_PROTO_MAJOR,
		    NS_PROTO_MINOR);
		link_lose(l, now_ms, &l->why);
		return false;
	}
	if (l->hello != NULL)
		ns__envelope__free_unpacked(l->hello, NULL);
	l->hello = env;
	l->state = LINK_READY;
	l->refused = false;
	backoff_up(&l->backoff, now_ms);
	return true;
}

void
link_watch(struct link *l)
{
	enum link_event event;

	if (l->pipe != NULL)
		l->gone |= pipe_gone(l->pipe, NULL);
	while (l->z != NULL && (event = monitor_next(&l->monitor)) != LINK_SAME)
		if (event != LINK_UP)
			l->gone = true;
}

bool
link_is_open(const struct link *l)
{
	return l->z != NULL || l->pipe != NULL;
}

void
link_gone_why(const struct link *l, struct ns_why *why)
{
	if (l->pipe != NULL && pipe_gone(l->pipe, why))
		return;
	ns_fail(why, NS_UNAVAILABLE, NS_CODE_LINK_LOST,
	    l->state == LINK_READY ? "the connection to %s was lost"
				   : "%s does not speak NameServe's protocol, or went away",
	    l->path);
}

/* ---- messages ---- */
bool
link_readable(struct link *l)
{
	return l->pipe != NULL ? pipe_readable(l->pipe) : l->z != NULL && frame_readable(l->z);
}

bool
link_recv(struct link *l, Ns__Envelope **env)
{
	struct ns_peer peer;

	if (l->pipe != NULL)
		return (*env = pipe_recv(l->pipe)) != NULL;
	return frame_recv(l->z, false, &peer, env, NULL) == FRAME_OK;
}

enum ns_err
link_send(struct link *l, zmq_msg_t *msg)
{
	enum ns_err err;

	if (l->pipe == NULL)
		return frame_send(l->z, NULL, msg);
	err = pipe_send(l->pipe, zmq_msg_data(msg), zmq_msg_size(msg));
	zmq_msg_close(msg);
	return err;
}
