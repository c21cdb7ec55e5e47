/* sock_test - transport between a real ROUTER and DEALERs over Unix sockets, in one loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zmq.h>

#include "ipc/base/clock.h"
#include "ipc/base/log.h"
#include "ipc/envelope.h"
#include "ipc/frame.h"
#include "ipc/guard.h"
#include "ipc/path.h"
#include "ipc/sock.h"
#include "tests/lib/sockdir.h"

#define MANY        10000u
#define PATIENCE_MS 20000u

struct end {
	struct ns_sock *sock;
	struct event_base *base;
	struct ns_peer peer; /* of the last message */
	uint64_t got, want;
	uint64_t ups, downs;
	bool echo, destroy_in_callback;
};

static void
on_message(void *arg, const struct ns_peer *peer, const Ns__Envelope *env)
{
	struct end *e = arg;

	e->got++;
	e->peer = *peer;
	if (e->echo)
		assert_int_equal(ns_send(e->sock, peer, env), NS_OK);
	if (e->destroy_in_callback)
		ns_sock_destroy(&e->sock);
	if (e->got >= e->want)
		event_base_loopbreak(e->base);
}

static void
on_link(void *arg, bool up)
{
	struct end *e = arg;

	e->ups += up;
	e->downs += !up;
	event_base_loopbreak(e->base);
}

/* Until the loop is broken, at most ms. */
static void
run(struct event_base *base, int ms)
{
	struct timeval tv = { ms / 1000, ms % 1000 * 1000 };

	event_base_loopexit(base, &tv);
	event_base_dispatch(base);
}

static void
run_until(struct event_base *base, const uint64_t *count, uint64_t want)
{
	uint64_t end = clock_mono_ms() + PATIENCE_MS;

	while (*count < want && clock_mono_ms() < end)
		run(base, 20);
	assert_int_equal(*count, want);
}

static Ns__Envelope
status_request(uint64_t id)
{
	static Ns__StatusRequest body = NS__STATUS_REQUEST__INIT;
	Ns__Envelope env = NS__ENVELOPE__INIT;

	env.id = id;
	env.body_case = NS__ENVELOPE__BODY_STATUS_REQUEST;
	env.status_request = &body;
	return env;
}

static void
open_pair(struct end *router, struct end *dealer)
{
	struct ns_why why = { 0 };

	router->base = dealer->base = event_base_new();
	router->want = dealer->want = UINT64_MAX;
	router->sock = ns_router_bind(router->base, sockdir_path, 0666, on_message, router, &why);
	if (router->sock == NULL)
		fail_msg("%s", why.text);
	dealer->sock = ns_dealer_connect(dealer->base, sockdir_path, on_message, dealer, &why);
	if (dealer->sock == NULL)
		fail_msg("%s", why.text);
}

/* libzmq closes in a thread of its own (and leaves the file). */
static void
wait_until_closed(void)
{
	uint64_t end = clock_mono_ms() + PATIENCE_MS;

	while (ns_path_probe(sockdir_path, NULL) == NS_OK && clock_mono_ms() < end)
		usleep(1000);
	assert_int_equal(ns_path_probe(sockdir_path, NULL), NS_UNAVAILABLE);
}

static void
close_pair(struct end *router, struct end *dealer)
{
	struct event_base *base = router->base;

	ns_sock_destroy(&router->sock);
	ns_sock_destroy(&dealer->sock);
	event_base_free(base);
	wait_until_closed();
}

/* A DEALER without any of our care, as a stranger would have. */
static zsock_t *
stranger(void)
{
	zsock_t *raw = zsock_new(ZMQ_DEALER);

	zsock_set_linger(raw, 0);
	assert_int_equal(zsock_connect(raw, "ipc://%s", sockdir_path), 0);
	return raw;
}

static void
test_many_messages_both_ways(void **state)
{
	struct end router = { .echo = true }, dealer = { 0 };
	struct ns_sock_stats stats;
	uint64_t sent = 0, end = clock_mono_ms() + PATIENCE_MS;

	(void)state;
	open_pair(&router, &dealer);
	while (dealer.got < MANY && clock_mono_ms() < end) {
		while (sent < MANY && sent - dealer.got < 400) {
			Ns__Envelope env = status_request(sent + 1);

			if (ns_send(dealer.sock, NULL, &env) != NS_OK)
				break;
			sent++;
		}
		run(router.base, 2);
	}
	assert_int_equal(dealer.got, MANY);
	assert_int_equal(router.got, MANY);
	ns_sock_stats(router.sock, &stats);
	assert_int_equal(stats.in, MANY);
	assert_int_equal(stats.out, MANY);
	assert_int_equal(stats.malformed + stats.dropped, 0);
	close_pair(&router, &dealer);
}

/* A missed edge costs up to 250 ms until the tick finds it: the time tells whether edges are handled
 * or the tick saves us. */
static void
test_no_missed_edge(void **state)
{
	struct end router = { .echo = true }, dealer = { 0 };
	uint64_t start = 0;

	(void)state;
	open_pair(&router, &dealer);
	for (unsigned round = 0; round < 200; round++) {
		/* Bursts around the size of a turn. */
		unsigned burst = round % 3 == 0 ? 1 : 63 + round % 3;

		if (round == 1)
			start = clock_mono_ms(); /* the first one waits for the connection */
		dealer.want += dealer.want == UINT64_MAX ? 1 + burst : burst;
		for (unsigned i = 0; i < burst; i++) {
			Ns__Envelope env = status_request(i + 1);

			assert_int_equal(ns_send(dealer.sock, NULL, &env), NS_OK);
		}
		while (dealer.got < dealer.want)
			run(router.base, 1000);
	}
	assert_in_range(clock_mono_ms() - start, 0, 8000);
	close_pair(&router, &dealer);
}

static void
test_sender_is_what_the_kernel_says(void **state)
{
	struct end router = { 0 }, dealer = { 0 };
	Ns__Envelope env = status_request(1);
	struct stat st;

	(void)state;
	open_pair(&router, &dealer);
	assert_int_equal(stat(sockdir_path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0666);
	assert_int_equal(ns_send(dealer.sock, NULL, &env), NS_OK);
	run_until(router.base, &router.got, 1);
	assert_true(router.peer.local);
	assert_int_equal(router.peer.uid, geteuid());
	assert_int_equal(router.peer.gid, getegid());
	assert_int_equal(router.peer.pid, getpid());
	close_pair(&router, &dealer);
}

static void
test_peer_address_is_parsed_strictly(void **state)
{
	static const struct {
		const char *text;
		bool local;
		uint32_t uid, gid;
		int32_t pid;
	} cases[] = {
		{ "host:0:0:1", true, 0, 0, 1 },
		{ "localhost:1000:100:4294", true, 1000, 100, 4294 },
		{ "host:4294967294:1:0", true, 4294967294u, 1, 0 },
		{ NULL, false, 0, 0, 0 },
		{ "", false, 0, 0, 0 },
		{ "127.0.0.1", false, 0, 0, 0 },
		{ "fe80::1:2:3", false, 0, 0, 0 },
		{ "::1:2:3", false, 0, 0, 0 },
		{ ":0:0:1", false, 0, 0, 0 },
		{ "host:0:0", false, 0, 0, 0 },
		{ "host:0:0:", false, 0, 0, 0 },
		{ "host:0:0:1:2", false, 0, 0, 0 },
		{ "host: 0:0:1", false, 0, 0, 0 },
		{ "host:-1:0:1", false, 0, 0, 0 },
		{ "host:+0:0:1", false, 0, 0, 0 },
		{ "host::0:1", false, 0, 0, 0 },
		{ "host:0:0:1x", false, 0, 0, 0 },
		{ "host:4294967295:0:1", false, 0, 0, 0 },
		{ "host:4294967296:0:1", false, 0, 0, 0 },
		{ "host:0:0:4294967295", false, 0, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct ns_peer peer;

		frame_parse_peer(cases[i].text, &peer);
		if (peer.local != cases[i].local)
			fail_msg("%s", cases[i].text != NULL ? cases[i].text : "NULL");
		assert_int_equal(peer.uid, cases[i].local ? cases[i].uid : UINT32_MAX);
		assert_int_equal(peer.gid, cases[i].local ? cases[i].gid : UINT32_MAX);
		assert_int_equal(peer.pid, cases[i].local ? cases[i].pid : -1);
	}
}

/* What a stranger may throw at the socket; nothing arrives, all is counted, and the next good message
 * still comes. */
static void
test_malformed_is_counted_and_dropped(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} junk[] = {
		{ "\xff\xff\xff\xff\xff\xff", 6 }, /* a tag without end */
		{ "\x52\x7f", 2 }, /* Error of 127 octets that are not there */
		{ "\x52\x04\x1a\x02\xc3\x28", 6 }, /* Error.text is not UTF-8 */
		{ "\x52\x04\x1a\x02"
		  "a\n",
		    6 }, /* Error.text has a newline */
		{ "\x52\x04\x1a\x02"
		  "a\0",
		    6 }, /* Error.text has a NUL */
		{ "\x0b", 1 }, /* a group */
		{ "\x50\x01", 2 }, /* Error as a number */
		{ "\x00\x01", 2 }, /* field 0 */
	};
	struct end router = { 0 }, dealer = { 0 };
	struct ns_sock_stats stats;
	Ns__Envelope env = status_request(1);
	zsock_t *raw;

	(void)state;
	open_pair(&router, &dealer);
	raw = stranger();
	for (size_t i = 0; i < sizeof junk / sizeof junk[0]; i++)
		zmq_send(zsock_resolve(raw), junk[i].bytes, junk[i].len, 0);
	zmq_send(zsock_resolve(raw), "", 0, ZMQ_SNDMORE); /* as a REQ socket frames it */
	zmq_send(zsock_resolve(raw), "", 0, 0);
	run(router.base, 300);
	assert_int_equal(router.got, 0);
	ns_sock_stats(router.sock, &stats);
	assert_int_equal(stats.malformed, sizeof junk / sizeof junk[0] + 1);

	assert_int_equal(ns_send(dealer.sock, NULL, &env), NS_OK);
	run_until(router.base, &router.got, 1);
	zsock_destroy(&raw);
	close_pair(&router, &dealer);
}

/* An envelope of an unknown kind is not malformed: its receiver says what it thinks of it. */
static void
test_unknown_body_arrives(void **state)
{
	struct end router = { 0 }, dealer = { 0 };
	zsock_t *raw;

	(void)state;
	open_pair(&router, &dealer);
	raw = stranger();
	zmq_send(zsock_resolve(raw), "\x08\x07\xc2\x3e\x00", 5, 0); /* id 7, field 1000 */
	run_until(router.base, &router.got, 1);
	zsock_destroy(&raw);
	close_pair(&router, &dealer);
}

static void
test_too_large_is_refused_on_both_sides(void **state)
{
	struct end router = { 0 }, dealer = { 0 };
	Ns__TextChunk chunk = NS__TEXT_CHUNK__INIT;
	Ns__Envelope env = NS__ENVELOPE__INIT, good = status_request(1);
	size_t len = NS_MSG_MAX + 1;
	uint8_t *big = calloc(1, len);
	zsock_t *raw;

	(void)state;
	open_pair(&router, &dealer);
	env.body_case = NS__ENVELOPE__BODY_TEXT_CHUNK;
	env.text_chunk = &chunk;
	chunk.text.data = big;
	chunk.text.len = NS_MSG_MAX;
	assert_int_equal(ns_send(dealer.sock, NULL, &env), NS_INVALID);
	chunk.text.len = NS_MSG_MAX - 64;
	assert_int_equal(ns_send(dealer.sock, NULL, &env), NS_OK);
	run_until(router.base, &router.got, 1);

	raw = stranger();
	zmq_send(zsock_resolve(raw), big, len, 0); /* libzmq ends this connection */
	run(router.base, 200);
	assert_int_equal(router.got, 1);
	assert_int_equal(ns_send(dealer.sock, NULL, &good), NS_OK);
	run_until(router.base, &router.got, 2);
	zsock_destroy(&raw);
	free(big);
	close_pair(&router, &dealer);
}

static void
test_unclean_text_is_not_sent(void **state)
{
	struct end router = { 0 }, dealer = { 0 };
	Ns__Hello hello = NS__HELLO__INIT;
	Ns__Envelope env = NS__ENVELOPE__INIT;
	char bad[] = "a\tb";

	(void)state;
	open_pair(&router, &dealer);
	env.body_case = NS__ENVELOPE__BODY_HELLO;
	env.hello = &hello;
	hello.software = bad;
	assert_int_equal(ns_send(dealer.sock, NULL, &env), NS_INVALID);
	close_pair(&router, &dealer);
}

static void
test_vanished_peer_is_an_error(void **state)
{
	struct end router = { 0 }, dealer = { 0 };
	Ns__Envelope env = status_request(1);
	struct ns_peer nobody = { .route = { 0, 1, 2, 3, 4 }, .route_len = 5 };
	uint64_t end = clock_mono_ms() + PATIENCE_MS;

	(void)state;
	open_pair(&router, &dealer);
	assert_int_equal(ns_send(router.sock, &nobody, &env), NS_NOTFOUND);
	assert_int_equal(ns_send(dealer.sock, NULL, &env), NS_OK);
	run_until(router.base, &router.got, 1);
	ns_sock_destroy(&dealer.sock);
	while (ns_send(router.sock, &router.peer, &env) == NS_OK && clock_mono_ms() < end)
		run(router.base, 10);
	assert_int_equal(ns_send(router.sock, &router.peer, &env), NS_NOTFOUND);
	close_pair(&router, &dealer);
}

static void
test_link_is_told(void **state)
{
	struct end router = { 0 }, dealer = { 0 };
	Ns__Envelope env = status_request(1);

	(void)state;
	open_pair(&router, &dealer);
	ns_sock_on_link(dealer.sock, on_link, &dealer);
	run_until(router.base, &dealer.ups, 1);
	ns_sock_destroy(&router.sock);
	run_until(dealer.base, &dealer.downs, 1);
	wait_until_closed();
	assert_int_equal(ns_send(dealer.sock, NULL, &env), NS_UNAVAILABLE);

	router.sock = ns_router_bind(router.base, sockdir_path, 0660, on_message, &router, NULL);
	assert_non_null(router.sock);
	run_until(router.base, &dealer.ups, 2);
	assert_int_equal(ns_send(dealer.sock, NULL, &env), NS_OK);
	run_until(router.base, &router.got, 1);
	close_pair(&router, &dealer);
}

static void
test_second_listener_is_refused(void **state)
{
	struct end router = { 0 }, dealer = { 0 };
	struct ns_why why = { 0 };
	struct stat before, after;

	(void)state;
	open_pair(&router, &dealer);
	assert_int_equal(stat(sockdir_path, &before), 0);
	assert_null(ns_router_bind(router.base, sockdir_path, 0666, on_message, &router, &why));
	assert_int_equal(why.err, NS_CONFLICT);
	assert_non_null(strstr(why.text, sockdir_path));
	assert_int_equal(stat(sockdir_path, &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	close_pair(&router, &dealer);
}

static void
test_bad_paths_are_refused(void **state)
{
	char longer[200];
	const char *bad[] = { "relative", longer, "/nonexistent/dir/socket" };
	struct event_base *base = event_base_new();

	(void)state;
	memset(longer, 'a', sizeof longer);
	longer[0] = '/';
	longer[sizeof longer - 1] = '\0';
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct ns_why why = { 0 };

		assert_null(ns_router_bind(base, bad[i], 0666, on_message, NULL, &why));
		assert_int_not_equal(why.err, NS_OK);
		assert_true(why.text[0] != '\0');
	}
	event_base_free(base);
}

static void
test_destroy_within_callback(void **state)
{
	struct end router = { .destroy_in_callback = true }, dealer = { 0 };
	Ns__Envelope env = status_request(1);

	(void)state;
	open_pair(&router, &dealer);
	for (int i = 0; i < 3; i++)
		assert_int_equal(ns_send(dealer.sock, NULL, &env), NS_OK);
	run_until(router.base, &router.got, 1);
	assert_null(router.sock);
	close_pair(&router, &dealer);
}

/* A local user who opens one connection after the other: libzmq would abort us when the descriptors
 * are gone.  Needs root, to be somebody else. */
static pid_t
flood_as_nobody(unsigned connections)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	if (chmod(sockdir, 0755) != 0 || setgid(65534) != 0 || setuid(65534) != 0)
		_exit(2);
	for (unsigned i = 0; i < connections; i++) {
		struct sockaddr_un un = { .sun_family = AF_UNIX };
		int fd = socket(AF_UNIX, SOCK_STREAM, 0);

		snprintf(un.sun_path, sizeof un.sun_path, "%s", sockdir_path);
		if (fd < 0 || connect(fd, (const struct sockaddr *)&un, sizeof un) != 0)
			_exit(3);
		usleep(100);
	}
	pause();
	_exit(0);
}

static void
test_one_user_cannot_take_all_descriptors(void **state)
{
	struct end router = { .echo = true }, dealer = { 0 };
	struct rlimit before, low = { 700, 700 };
	struct ns_sock_stats stats = { 0 };
	Ns__Envelope env = status_request(1);
	uint64_t end = clock_mono_ms() + PATIENCE_MS;
	pid_t pid;

	(void)state;
	if (geteuid() != 0)
		skip();
	open_pair(&router, &dealer);
	pid = flood_as_nobody(900);
	getrlimit(RLIMIT_NOFILE, &before);
	low.rlim_max = before.rlim_max;
	setrlimit(RLIMIT_NOFILE, &low);
	while (stats.refused < 900 - GUARD_PER_USER && clock_mono_ms() < end) {
		run(router.base, 20);
		ns_sock_stats(router.sock, &stats);
	}
	assert_int_equal(stats.refused, 900 - GUARD_PER_USER);
	assert_int_equal(ns_send(dealer.sock, NULL, &env), NS_OK);
	run_until(router.base, &dealer.got, 1);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	setrlimit(RLIMIT_NOFILE, &before);

	/* What was closed is counted back. */
	run(router.base, 100);
	pid = flood_as_nobody(100);
	run(router.base, 300);
	ns_sock_stats(router.sock, &stats);
	assert_int_equal(stats.refused, 900 - GUARD_PER_USER);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close_pair(&router, &dealer);
}

static int
setup(void **state)
{
	/* Malformed input is logged, which is right and no news here. */
	log_init("test", 0, LOG_LEVEL_ERROR);
	return sockdir_setup(state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_many_messages_both_ways),
		cmocka_unit_test(test_no_missed_edge),
		cmocka_unit_test(test_sender_is_what_the_kernel_says),
		cmocka_unit_test(test_peer_address_is_parsed_strictly),
		cmocka_unit_test(test_malformed_is_counted_and_dropped),
		cmocka_unit_test(test_unknown_body_arrives),
		cmocka_unit_test(test_too_large_is_refused_on_both_sides),
		cmocka_unit_test(test_unclean_text_is_not_sent),
		cmocka_unit_test(test_vanished_peer_is_an_error),
		cmocka_unit_test(test_link_is_told),
		cmocka_unit_test(test_second_listener_is_refused),
		cmocka_unit_test(test_bad_paths_are_refused),
		cmocka_unit_test(test_destroy_within_callback),
		cmocka_unit_test(test_one_user_cannot_take_all_descriptors),
	};

	return cmocka_run_group_tests_name("sock", tests, setup, sockdir_teardown);
}
