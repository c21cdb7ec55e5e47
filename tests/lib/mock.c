/* mock.c - see mock.h. */
#include "tests/lib/mock.h"

#include <stdlib.h>
#include <unistd.h>
#include <zmq.h>

#include "ipc/base/clock.h"
#include "ipc/envelope.h"
#include "ipc/path.h"

#define B(name) NS__ENVELOPE__BODY_##name

static void
mock_send(struct mock *m, const struct ns_peer *peer, Ns__Envelope *env, uint64_t id)
{
	zmq_msg_t msg;

	env->id = id;
	if (frame_pack(env, &msg, NULL) != NS_OK)
		abort();
	(void)frame_send(m->z, peer, &msg);
}

static void
mock_error(struct mock *m, const struct ns_peer *peer, uint64_t id, struct ns_why why)
{
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__Error error;

	ns_error_from_why(&error, &why);
	env.body_case = B(ERROR);
	env.error = &error;
	mock_send(m, peer, &env, id);
}

static void
mock_status(struct mock *m, const struct ns_peer *peer, uint64_t id)
{
	static char name[] = "mock";
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__StatusReply status = NS__STATUS_REPLY__INIT;

	status.name = name;
	env.body_case = B(STATUS_REPLY);
	env.status_reply = &status;
	mock_send(m, peer, &env, id);
}

static void
mock_hello(struct mock *m, const struct ns_peer *peer, uint64_t id)
{
	static char software[] = "mock 9", user[] = "tester", role[] = "admin";
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__HelloReply hello = NS__HELLO_REPLY__INIT;
	struct ns_why denied = { .err = NS_DENIED, .code = 2001, .text = "uid 7 is unknown" };

	m->hellos++;
	if (m->greeting == GREET_SILENT)
		return;
	if (m->greeting == GREET_DENIED) {
		mock_error(m, peer, id, denied);
		return;
	}
	hello.major = NS_PROTO_MAJOR + (m->greeting == GREET_OTHER_MAJOR);
	hello.software = software;
	hello.user = user;
	hello.user_role = role;
	env.body_case = B(HELLO_REPLY);
	env.hello_reply = &hello;
	mock_send(m, peer, &env, id);
}

static void
mock_export(struct mock *m, const struct ns_peer *peer, uint64_t id)
{
	for (uint8_t i = 0; i < 3; i++) {
		Ns__Envelope env = NS__ENVELOPE__INIT;
		Ns__TextChunk chunk = NS__TEXT_CHUNK__INIT;
		uint8_t text = (uint8_t)('a' + i);

		chunk.text.data = &text;
		chunk.text.len = 1;
		env.more = i < 2;
		env.body_case = B(TEXT_CHUNK);
		env.text_chunk = &chunk;
		mock_send(m, peer, &env, id);
	}
}

const struct ns_why mock_refusal = { .err = NS_INVALID,
	.code = 1102,
	.line = 17,
	.zone = "example.org.",
	.owner = "www.example.org.",
	.type = "A",
	.field = "address",
	.text = "octet 4 is 300" };

static void
mock_request(struct mock *m, const struct ns_peer *peer, const Ns__Envelope *env)
{
	Ns__Envelope reply = NS__ENVELOPE__INIT;
	Ns__HistoryListReply history = NS__HISTORY_LIST_REPLY__INIT;
	struct ns_why hello_first = { .err = NS_VERSION, .code = 1001, .text = "say hello first" };

	m->requests++;
	if (m->forget > 0) {
		m->forget--;
		mock_error(m, peer, env->id, hello_first);
		return;
	}
	switch (env->body_case) {
	case B(STATUS_REQUEST):
	case B(RECORD_LIST_REQUEST):
		mock_status(m, peer, env->id);
		break;
	case B(ZONE_SHOW_REQUEST):
		m->late_peer = *peer;
		m->late_id = env->id;
		m->late_at = clock_mono_ms() + 300;
		break;
	case B(ZONE_EXPORT_REQUEST):
		mock_export(m, peer, env->id);
		break;
	case B(SETTINGS_GET_REQUEST):
		mock_error(m, peer, env->id, mock_refusal);
		break;
	case B(HISTORY_LIST_REQUEST):
		reply.body_case = B(HISTORY_LIST_REPLY);
		reply.history_list_reply = &history;
		mock_send(m, peer, &reply, env->id);
		m->vanish = true;
		break;
	case B(COMMIT_REQUEST):
		m->vanish = true;
		break;
	default:
		break;
	}
}

static void
mock_turn(struct mock *m)
{
	zmq_pollitem_t item = { zsock_resolve(m->z), 0, ZMQ_POLLIN, 0 };
	struct ns_peer peer;
	Ns__Envelope *env;

	zmq_poll(&item, 1, 10);
	while (!m->vanish && frame_recv(m->z, true, &peer, &env, NULL) == FRAME_OK) {
		if (env->body_case == B(HELLO)) {
			mock_hello(m, &peer, env->id);
		} else if (env->body_case == B(CANCEL)) {
			m->cancelled = env->cancel->request;
			m->cancels++;
		} else {
			mock_request(m, &peer, env);
		}
		ns__envelope__free_unpacked(env, NULL);
	}
	if (m->late_at != 0 && clock_mono_ms() >= m->late_at) {
		m->late_at = 0;
		mock_status(m, &m->late_peer, m->late_id);
	}
}

static void *
mock_main(void *arg)
{
	struct mock *m = arg;

	usleep(m->start_after_ms * 1000);
	m->z = frame_socket(ZMQ_ROUTER);
	zsock_set_sndhwm(
	    m->z, 0); /* it has no queue to keep a reply in for a client that is slow */
	if (zsock_bind(m->z, "ipc://%s", m->path) != 0)
		abort();
	m->bound = true;
	while (!m->stop && !m->vanish)
		mock_turn(m);
	zsock_destroy(&m->z);
	return NULL;
}

void
mock_start(struct mock *m, const char *path)
{
	m->path = path;
	pthread_create(&m->thread, NULL, mock_main, m);
	while (!m->bound && m->start_after_ms == 0)
		usleep(1000);
}

void
mock_end(struct mock *m)
{
	m->stop = true;
	pthread_join(m->thread, NULL);
	while (ns_path_taken(m->path))
		usleep(1000);
}
