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

#define BACKOFF_MIN_MS     20
#define BACKOFF_CAP_MS     2000
#define BACKOFF_HEALTHY_MS 1000
#define HELLO_MS           10000
#define NEVER_MS           (24 * 3600 * 1000) /* libzmq shall not reconnect by itself */

int
link_init(struct link *l, const char *path, struct ns_why *why)
{
	char endpoint[NS_ENDPOINT_MAX];

	*l = (struct link){ .epoll = -1 };
	if (ns_path_endpoint(path, endpoint, why) != NS_OK)
		return -1;
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (l->epoll < 0) {
		ns_fail(why, NS_FAILED, NS_CODE_SOCKET, "epoll: %s", strerror(errno));
		return -1;
	}
	l->path = xstrdup(path);
	l->seed = clock_mono_ns() ^ (uint64_t)getpid() << 32 ^ 0x9e3779b97f4a7c15u;
	backoff_init(&l->backoff, BACKOFF_MIN_MS, BACKOFF_CAP_MS, BACKOFF_HEALTHY_MS);
	return 0;
}

static void
link_close(struct link *l)
{
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
	enum ns_err err = ns_path_probe(l->path, &l->why);

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
	static char software[] = "nameserve " NS_RELEASE;
	Ns__Hello hello = NS__HELLO__INIT;
	Ns__Envelope env = NS__ENVELOPE__INIT;
	zmq_msg_t msg;

	hello.major = NS_PROTO_MAJOR;
	hello.minor = NS_PROTO_MINOR;
	hello.software = software;
	env.id = l->hello_id = hello_id;
	env.body_case = NS__ENVELOPE__BODY_HELLO;
	env.hello = &hello;
	l->state = LINK_GREETING;
	l->hello_until_ms = now_ms + HELLO_MS;
	/* When the queue is full the time above runs out, and the link is made anew. */
	if (frame_pack(&env, &msg, NULL) == NS_OK)
		(void)frame_send(l->z, NULL, &msg);
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

	while ((event = monitor_next(&l->monitor)) != LINK_SAME)
		if (event != LINK_UP)
			l->gone = true;
}
