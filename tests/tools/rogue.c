/* rogue - a client that does what no client should, for tests.  Speaks ZeroMQ and our messages, knows no
 * manners; every mode prints lines of JSON, those that stay end when their input does.
 *     rogue SOCKET kinds            hello, then every kind of message once: who is refused how
 *     rogue SOCKET deaf N ZONE      hello, N exports and lists of ZONE, reads nothing, stays
 *     rogue SOCKET flood N          hello, N status requests in one go, then counts the replies
 *     rogue SOCKET many N           N connections that say hello and ask for status, stay
 *     rogue SOCKET noise N SEED     N frames of noise: random, cut, of many parts
 *     rogue SOCKET role ROLE GEN    RoleHello, then what that role would say: what comes back */
#include <czmq.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ipc/nameserve.pb-c.h"

#define WAIT_MS 5000

static char software[] = "rogue";

static zsock_t *
dial(const char *path, int rcvhwm)
{
	char *endpoint = zsys_sprintf("ipc://%s", path);
	zsock_t *z = zsock_new(ZMQ_DEALER);

	zsock_set_rcvtimeo(z, WAIT_MS);
	zsock_set_sndtimeo(z, WAIT_MS);
	zsock_set_linger(z, 0);
	zsock_set_rcvhwm(z, rcvhwm);
	zsock_set_sndhwm(z, 0);
	if (zsock_connect(z, "%s", endpoint) != 0)
		exit(1);
	zstr_free(&endpoint);
	return z;
}

static bool
say(zsock_t *z, const Ns__Envelope *env)
{
	size_t len = ns__envelope__get_packed_size(env);
	zframe_t *frame = zframe_new(NULL, len);

	ns__envelope__pack(env, zframe_data(frame));
	return zframe_send(&frame, z, 0) == 0;
}

static Ns__Envelope *
hear(zsock_t *z)
{
	zframe_t *frame = zframe_recv(z);
	Ns__Envelope *env = NULL;

	if (frame != NULL)
		env = ns__envelope__unpack(NULL, zframe_size(frame), zframe_data(frame));
	zframe_destroy(&frame);
	return env;
}

static void
say_hello(zsock_t *z)
{
	Ns__Hello hello = NS__HELLO__INIT;
	Ns__Envelope env = NS__ENVELOPE__INIT;

	env.id = 1;
	env.body_case = NS__ENVELOPE__BODY_HELLO;
	hello.major = 1;
	hello.software = software;
	env.hello = &hello;
	say(z, &env);
}

static void
print_reply(const char *what, const Ns__Envelope *env)
{
	json_t *j = json_object();

	json_object_set_new(j, "sent", json_string(what));
	if (env == NULL)
		json_object_set_new(j, "got", json_string("silence"));
	else if (env->body_case == NS__ENVELOPE__BODY_ERROR) {
		json_object_set_new(j, "got", json_string("error"));
		json_object_set_new(j, "class", json_integer((json_int_t)env->error->err_class));
		json_object_set_new(j, "code", json_integer((json_int_t)env->error->code));
		json_object_set_new(j, "text", json_string(env->error->text));
	} else {
		json_object_set_new(j, "got", json_string("reply"));
		json_object_set_new(j, "body", json_integer((json_int_t)env->body_case));
	}
	json_dumpf(j, stdout, JSON_COMPACT);
	putchar('\n');
	fflush(stdout);
	json_decref(j);
}

static void
stay(void)
{
	while (getchar() != EOF)
		continue;
}

/* ---- modes ---- */
static int
mode_kinds(const char *path, char **args)
{
	const ProtobufCMessageDescriptor *d = &ns__envelope__descriptor;
	zsock_t *z = dial(path, 1000);
	Ns__Envelope *reply;

	(void)args;
	say_hello(z);
	reply = hear(z);
	print_reply("hello", reply);
	zsock_set_rcvtimeo(z, 300);
	for (unsigned i = 0; i < d->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &d->fields[i];
		const ProtobufCMessageDescriptor *body = f->descriptor;
		Ns__Envelope env = NS__ENVELOPE__INIT;
		ProtobufCMessage *m;

		if (f->type != PROTOBUF_C_TYPE_MESSAGE || f->id == NS__ENVELOPE__BODY_HELLO)
			continue;
		m = calloc(1, body->sizeof_message);
		body->message_init(m);
		env.id = 100 + i;
		env.body_case = (Ns__Envelope__BodyCase)f->id;
		memcpy((char *)&env + f->offset, &m, sizeof m);
		say(z, &env);
		reply = hear(z);
		print_reply(f->name, reply);
		if (reply != NULL)
			ns__envelope__free_unpacked(reply, NULL);
		free(m);
	}
	zsock_destroy(&z);
	return 0;
}

static void
ask_for_much(zsock_t *z, uint64_t id, char *zone)
{
	Ns__ZoneExportRequest ex = NS__ZONE_EXPORT_REQUEST__INIT;
	Ns__RecordListRequest list = NS__RECORD_LIST_REQUEST__INIT;
	Ns__Envelope env = NS__ENVELOPE__INIT;

	env.id = id;
	env.deadline_ms = 600000;
	ex.zone = list.zone = zone;
	list.limit = 10000;
	if (id % 2 == 0) {
		env.body_case = NS__ENVELOPE__BODY_ZONE_EXPORT_REQUEST;
		env.zone_export_request = &ex;
	} else {
		env.body_case = NS__ENVELOPE__BODY_RECORD_LIST_REQUEST;
		env.record_list_request = &list;
	}
	say(z, &env);
}

static int
mode_deaf(const char *path, char **args)
{
	zsock_t *z = dial(path, 1);
	Ns__Envelope *reply;

	say_hello(z);
	reply = hear(z);
	print_reply("hello", reply);
	for (int i = 0; i < atoi(args[0]); i++)
		ask_for_much(z, 10 + (uint64_t)i, args[1]);
	printf("{\"sent\":%d}\n", atoi(args[0]));
	fflush(stdout);
	stay();
	zsock_destroy(&z);
	return 0;
}

static void
ask_status(zsock_t *z, uint64_t id)
{
	Ns__StatusRequest status = NS__STATUS_REQUEST__INIT;
	Ns__Envelope env = NS__ENVELOPE__INIT;

	env.id = id;
	env.body_case = NS__ENVELOPE__BODY_STATUS_REQUEST;
	env.status_request = &status;
	say(z, &env);
}

static int
mode_flood(const char *path, char **args)
{
	int n = atoi(args[0]), replies = 0, busy = 0;
	zsock_t *z = dial(path, 1000);
	Ns__Envelope *reply;

	say_hello(z);
	reply = hear(z);
	for (int i = 0; i < n; i++)
		ask_status(z, 10 + (uint64_t)i);
	for (int i = 0; i < n && (reply = hear(z)) != NULL; i++) {
		replies += reply->body_case == NS__ENVELOPE__BODY_STATUS_REPLY;
		busy += reply->body_case == NS__ENVELOPE__BODY_ERROR;
		ns__envelope__free_unpacked(reply, NULL);
	}
	printf("{\"sent\":%d,\"replies\":%d,\"refused\":%d}\n", n, replies, busy);
	zsock_destroy(&z);
	return 0;
}

static int
mode_many(const char *path, char **args)
{
	int n = atoi(args[0]), replies = 0;
	zsock_t **z = calloc((size_t)n, sizeof(zsock_t *));
	Ns__Envelope *reply;

	for (int i = 0; i < n; i++) {
		z[i] = dial(path, 10);
		say_hello(z[i]);
		ask_status(z[i], 2);
	}
	for (int i = 0; i < n; i++)
		for (int k = 0; k < 2 && (reply = hear(z[i])) != NULL; k++) {
			replies += reply->body_case == NS__ENVELOPE__BODY_STATUS_REPLY;
			ns__envelope__free_unpacked(reply, NULL);
		}
	printf("{\"connections\":%d,\"replies\":%d}\n", n, replies);
	fflush(stdout);
	stay();
	for (int i = 0; i < n; i++)
		zsock_destroy(&z[i]);
	return 0;
}

static void
send_noise(zsock_t *z)
{
	static uint8_t valid[4096];
	Ns__Hello hello = NS__HELLO__INIT;
	Ns__Envelope env = NS__ENVELOPE__INIT;
	int parts = rand() % 8 == 0 ? 1 + rand() % 50 : 1;
	size_t len;

	env.body_case = NS__ENVELOPE__BODY_HELLO;
	hello.major = 1;
	hello.software = software;
	env.hello = &hello;
	len = ns__envelope__pack(&env, valid);
	if (rand() % 2 == 0) { /* a valid one, cut or with a broken octet */
		len = (size_t)rand() % (len + 1);
		if (len > 0 && rand() % 2 == 0)
			valid[(size_t)rand() % len] ^= (uint8_t)(1 << rand() % 8);
	} else {
		len = (size_t)rand() % (rand() % 16 == 0 ? sizeof valid : 64u);
		for (size_t i = 0; i < len; i++)
			valid[i] = (uint8_t)rand();
	}
	for (int i = 0; i < parts; i++) {
		zframe_t *frame = zframe_new(valid, len);

		zframe_send(&frame, z, i + 1 < parts ? ZFRAME_MORE : 0);
	}
}

static int
mode_noise(const char *path, char **args)
{
	int n = atoi(args[0]), replies = 0;
	zsock_t *z = dial(path, 0);
	Ns__Envelope *reply;

	srand((unsigned)atoi(args[1]));
	for (int i = 0; i < n; i++)
		send_noise(z);
	say_hello(z);
	zsock_set_rcvtimeo(z, 1000);
	while ((reply = hear(z)) != NULL) {
		replies++;
		ns__envelope__free_unpacked(reply, NULL);
	}
	printf("{\"sent\":%d,\"replies\":%d}\n", n, replies);
	zsock_destroy(&z);
	return 0;
}

static int
mode_role(const char *path, char **args)
{
	zsock_t *z = dial(path, 1000);
	Ns__RoleHello hello = NS__ROLE_HELLO__INIT;
	Ns__Published published = NS__PUBLISHED__INIT;
	Ns__Served served = NS__SERVED__INIT;
	Ns__FeedAck ack = NS__FEED_ACK__INIT;
	Ns__Envelope env = NS__ENVELOPE__INIT;

	hello.major = 1;
	hello.role = args[0];
	hello.generation = strtoull(args[1], NULL, 10);
	env.id = 1;
	env.body_case = NS__ENVELOPE__BODY_ROLE_HELLO;
	env.role_hello = &hello;
	say(z, &env);
	published.revision = served.revision = ack.seq = UINT64_MAX;
	env.body_case = NS__ENVELOPE__BODY_PUBLISHED;
	env.published = &published;
	say(z, &env);
	env.body_case = NS__ENVELOPE__BODY_SERVED;
	env.served = &served;
	say(z, &env);
	env.body_case = NS__ENVELOPE__BODY_FEED_ACK;
	env.feed_ack = &ack;
	say(z, &env);
	zsock_set_rcvtimeo(z, 1000);
	print_reply("role_hello", hear(z));
	zsock_destroy(&z);
	return 0;
}

static const struct {
	const char *name;
	int args;
	int (*run)(const char *path, char **args);
} modes[] = {
	{ "kinds", 0, mode_kinds },
	{ "deaf", 2, mode_deaf },
	{ "flood", 1, mode_flood },
	{ "many", 1, mode_many },
	{ "noise", 2, mode_noise },
	{ "role", 2, mode_role },
};

int
main(int argc, char **argv)
{
	for (size_t i = 0; argc >= 3 && i < sizeof modes / sizeof modes[0]; i++)
		if (strcmp(argv[2], modes[i].name) == 0 && argc == 3 + modes[i].args)
			return modes[i].run(argv[1], argv + 3);
	fprintf(stderr, "usage: rogue SOCKET kinds|deaf|flood|many|noise|role ...\n");
	return 2;
}
