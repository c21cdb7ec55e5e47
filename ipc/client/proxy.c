/* proxy.c - see proxy.h.  One thread, one loop; it waits in poll() alone. */
#include "ipc/client/proxy.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#include "ipc/base/source.h"
#include "ipc/client/kinds.h"
#include "ipc/client/stream.h"
#include "ipc/envelope.h"
#include "ipc/frame.h"
#include "ipc/monitor.h"
#include "ipc/path.h"

#define SAFETY_MS 250 /* a missed edge of ZeroMQ's descriptor costs no more */

struct proxy {
	const struct proxy_options *o;
	zsock_t *z;
	struct monitor monitor;
	struct stream in, out;
	zmq_msg_t held; /* did not fit into ZeroMQ's queue */
	bool holds, ended;
	struct ns_why *why;
	enum ns_err err;
};

static void
fails(struct proxy *p, enum ns_err err, uint16_t code, const char *text)
{
	p->ended = true;
	p->err = ns_fail(p->why, err, code, "%s", text);
}

/* ---- to the appliance ---- */
static void
send_held(struct proxy *p)
{
	void *raw = zsock_resolve(p->z);

	if (!p->holds || zmq_msg_send(&p->held, raw, ZMQ_DONTWAIT) < 0)
		return;
	zmq_msg_close(&p->held);
	p->holds = false;
}

/* The answer to what is not passed on. */
static void
refuse(struct proxy *p, uint64_t id)
{
	struct ns_why why = { 0 };
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__Error error;
	zmq_msg_t msg;

	(void)ns_fail(
	    &why, NS_DENIED, NS_CODE_READ_ONLY, "refused: this connection is --read-only");
	ns_error_from_why(&error, &why);
	env.id = id;
	env.body_case = NS__ENVELOPE__BODY_ERROR;
	env.error = &error;
	if (frame_pack(&env, &msg, NULL) != NS_OK)
		return;
	stream_put(&p->out, zmq_msg_data(&msg), zmq_msg_size(&msg));
	zmq_msg_close(&msg);
}

static bool
is_greeting(const Ns__Envelope *env)
{
	return env->body_case == NS__ENVELOPE__BODY_HELLO ||
	       env->body_case == NS__ENVELOPE__BODY_CANCEL;
}

static void
pass_on(struct proxy *p, Ns__Envelope *env)
{
	Ns__Hello *hello = env->body_case == NS__ENVELOPE__BODY_HELLO ? env->hello : NULL;
	char *person = NULL, *source = NULL, here[SOURCE_LEN];

	if (p->o->read_only && !is_greeting(env) && kind_writes(env->body_case)) {
		refuse(p, env->id);
		return;
	}
	if (hello != NULL) {
		source_session(here);
		person = hello->person;
		source = hello->source;
		hello->person = (char *)(uintptr_t)p->o->person;
		hello->source = here;
	}
	p->holds = frame_pack(env, &p->held, NULL) == NS_OK;
	if (hello != NULL) {
		hello->person = person;
		hello->source = source;
	}
	send_held(p);
}

static void
take_in(struct proxy *p)
{
	const uint8_t *at;
	size_t n;

	while (!p->ended && !p->holds) {
		enum stream_verdict v = stream_next(&p->in, &at, &n);
		struct ns_why why = { 0 };
		Ns__Envelope *env;

		if (v == STREAM_NONE)
			return;
		env = v == STREAM_MESSAGE ? ns_envelope_unpack(at, n, &why) : NULL;
		if (env == NULL) {
			fails(p, NS_USAGE, NS_CODE_MALFORMED,
			    "standard input is not what a NameServe client sends: this command is "
			    "for "
			    "--appliance ssh:HOST");
			return;
		}
		stream_eat(&p->in, n + 4);
		pass_on(p, env);
		ns__envelope__free_unpacked(env, NULL);
	}
}

static void
read_in(struct proxy *p)
{
	ssize_t n = read(p->o->in, stream_space(&p->in, STREAM_READ), STREAM_READ);

	if (n > 0)
		stream_grew(&p->in, (size_t)n);
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		p->ended = true; /* the client went */
}

/* ---- from the appliance ---- */
static void
write_out(struct proxy *p)
{
	while (!p->ended && stream_left(&p->out) > 0) {
		ssize_t n = write(p->o->out, p->out.base + p->out.at, stream_left(&p->out));

		if (n > 0)
			stream_eat(&p->out, (size_t)n);
		else if (errno == EAGAIN)
			return;
		else if (errno != EINTR)
			p->ended = true;
	}
}

static void
take_out(struct proxy *p)
{
	void *raw = zsock_resolve(p->z);

	while (!p->ended && stream_left(&p->out) == 0 && frame_readable(p->z)) {
		zmq_msg_t msg;
		bool whole;

		zmq_msg_init(&msg);
		if (zmq_msg_recv(&msg, raw, ZMQ_DONTWAIT) < 0) {
			zmq_msg_close(&msg);
			return;
		}
		whole = zmq_msg_more(&msg) == 0 && zmq_msg_size(&msg) > 0 &&
			zmq_msg_size(&msg) <= NS_MSG_MAX;
		if (whole)
			stream_put(&p->out, zmq_msg_data(&msg), zmq_msg_size(&msg));
		zmq_msg_close(&msg);
		write_out(p);
	}
}

/* ---- life ---- */
static enum ns_err
dial(struct proxy *p)
{
	char endpoint[NS_ENDPOINT_MAX];
	enum ns_err err = ns_path_endpoint(p->o->socket, endpoint, p->why);

	if (err == NS_OK)
		err = ns_path_probe(p->o->socket, p->why);
	if (err != NS_OK)
		return err;
	p->z = frame_socket(ZMQ_DEALER);
	if (p->z == NULL || monitor_open(&p->monitor, p->z, MONITOR_LINK) != 0 ||
	    zsock_connect(p->z, "%s", endpoint) != 0)
		return ns_fail(p->why, NS_FAILED, NS_CODE_SOCKET, "cannot connect to %s: %s",
		    p->o->socket, strerror(errno));
	return NS_OK;
}

static void
watch(struct proxy *p)
{
	enum link_event event;

	while ((event = monitor_next(&p->monitor)) != LINK_SAME)
		if (event != LINK_UP && !frame_readable(p->z))
			fails(p, NS_UNAVAILABLE, NS_CODE_LINK_LOST, "the appliance went away");
}

static void
turn(struct proxy *p)
{
	bool reads = !p->holds && stream_left(&p->out) == 0;
	struct pollfd fds[] = { { .fd = reads ? p->o->in : -1, .events = POLLIN },
		{ .fd = p->o->out, .events = stream_left(&p->out) > 0 ? POLLOUT : 0 },
		{ .fd = zsock_fd(p->z), .events = POLLIN },
		{ .fd = monitor_fd(&p->monitor), .events = POLLIN } };

	/* ZeroMQ's descriptor wakes once: what is left of the last turn is not waited for. */
	int ms = stream_left(&p->out) == 0 && frame_readable(p->z) ? 0 : SAFETY_MS;
	poll(fds, sizeof fds / sizeof *fds, ms);
	if ((fds[1].revents & (POLLERR | POLLNVAL)) != 0)
		p->ended = true;
	write_out(p);
	send_held(p);
	if (fds[0].revents != 0)
		read_in(p);
	take_in(p);
	take_out(p);
	if (!p->ended)
		watch(p);
}

enum ns_err
proxy_run(const struct proxy_options *o, struct ns_why *why)
{
	struct proxy p = { .o = o, .why = why, .in = { .greeted = true } };

	ns_zmq_init();
	signal(SIGPIPE, SIG_IGN);
	p.err = dial(&p);
	if (p.err == NS_OK) {
		fcntl(o->in, F_SETFL, fcntl(o->in, F_GETFL) | O_NONBLOCK);
		fcntl(o->out, F_SETFL, fcntl(o->out, F_GETFL) | O_NONBLOCK);
		memcpy(stream_space(&p.out, STREAM_GREETING_LEN), STREAM_GREETING,
		    STREAM_GREETING_LEN);
		stream_grew(&p.out, STREAM_GREETING_LEN);
		while (!p.ended)
			turn(&p);
	}
	if (p.holds)
		zmq_msg_close(&p.held);
	if (p.z != NULL) {
		monitor_close(&p.monitor);
		zsock_destroy(&p.z);
	}
	stream_free(&p.in);
	stream_free(&p.out);
	return p.err;
}
