/* client_test - the client library against an appliance that behaves as told, in a thread. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#include "ipc/base/clock.h"
#include "ipc/client/client.h"
#include "ipc/envelope.h"
#include "tests/lib/mock.h"
#include "tests/lib/sockdir.h"

#define B(name) NS__ENVELOPE__BODY_##name

/* ---- requests ---- */
static Ns__StatusRequest status_body = NS__STATUS_REQUEST__INIT;
static Ns__ZoneListRequest list_body = NS__ZONE_LIST_REQUEST__INIT;
static Ns__ZoneShowRequest show_body = NS__ZONE_SHOW_REQUEST__INIT;
static Ns__ZoneExportRequest export_body = NS__ZONE_EXPORT_REQUEST__INIT;
static Ns__SettingsGetRequest get_body = NS__SETTINGS_GET_REQUEST__INIT;
static Ns__SettingsSetRequest set_body = NS__SETTINGS_SET_REQUEST__INIT;
static Ns__RecordListRequest record_body = NS__RECORD_LIST_REQUEST__INIT;
static Ns__CommitRequest commit_body = NS__COMMIT_REQUEST__INIT;
static Ns__HistoryListRequest history_body = NS__HISTORY_LIST_REQUEST__INIT;

#define REQUEST(kind, member, body)                                                   \
	(Ns__Envelope)                                                                \
	{                                                                             \
		.base = { &ns__envelope__descriptor, 0, NULL }, .body_case = B(kind), \
		.member = &(body)                                                     \
	}
#define STATUS  REQUEST(STATUS_REQUEST, status_request, status_body)
#define LIST    REQUEST(ZONE_LIST_REQUEST, zone_list_request, list_body)
#define SHOW    REQUEST(ZONE_SHOW_REQUEST, zone_show_request, show_body)
#define EXPORT  REQUEST(ZONE_EXPORT_REQUEST, zone_export_request, export_body)
#define GET     REQUEST(SETTINGS_GET_REQUEST, settings_get_request, get_body)
#define SET     REQUEST(SETTINGS_SET_REQUEST, settings_set_request, set_body)
#define RECORDS REQUEST(RECORD_LIST_REQUEST, record_list_request, record_body)
#define COMMIT  REQUEST(COMMIT_REQUEST, commit_request, commit_body)
#define HISTORY REQUEST(HISTORY_LIST_REQUEST, history_list_request, history_body)

/* What a callback saw. */
struct seen {
	struct ns_client **client;
	unsigned calls, ends;
	struct ns_why why;
	char text[16];
	bool done;
	bool destroy, ask_again;
};

static void
on_reply(void *arg, const Ns__Envelope *env, const struct ns_why *why)
{
	struct seen *s = arg;

	s->calls++;
	if (why != NULL)
		s->why = *why;
	if (env != NULL && env->body_case == B(TEXT_CHUNK))
		strncat(
		    s->text, (const char *)env->text_chunk->text.data, env->text_chunk->text.len);
	if (env == NULL || !env->more) {
		s->ends++;
		s->done = true;
	}
	if (s->ask_again && s->calls < 50)
		ns_client_request(*s->client, &STATUS, 0, on_reply, s);
	if (s->destroy)
		ns_client_destroy(s->client);
}

static struct ns_client *
client(void)
{
	struct ns_why why = { 0 };
	struct ns_client *c = ns_client_new(sockdir_path, &why);

	if (c == NULL)
		fail_msg("%s", why.text);
	return c;
}

static void
assert_status(struct ns_client *c)
{
	struct ns_why why = { 0 };
	Ns__Envelope *reply = ns_client_call(c, &STATUS, 5000, &why);

	if (reply == NULL)
		fail_msg("%s", why.text);
	assert_int_equal(reply->body_case, B(STATUS_REPLY));
	assert_string_equal(reply->status_reply->name, "mock");
	ns__envelope__free_unpacked(reply, NULL);
}

/* Turn the loop for so long, or until *until. */
static void
turn(struct ns_client *c, unsigned ms, const bool *until)
{
	uint64_t end = clock_mono_ms() + ms;

	while (clock_mono_ms() < end && (until == NULL || !*until)) {
		struct pollfd pfd = { .fd = ns_client_fd(c), .events = POLLIN };
		int wait = ns_client_timeout_ms(c);

		poll(&pfd, 1, wait < 0 || wait > 10 ? 10 : wait);
		ns_client_dispatch(c, 0);
	}
}

static void
test_call(void **state)
{
	struct mock m = { 0 };
	struct ns_client *c;

	(void)state;
	mock_start(&m, sockdir_path);
	c = client();
	assert_null(ns_client_hello(c));
	for (int i = 0; i < 100; i++)
		assert_status(c);
	assert_string_equal(ns_client_hello(c)->user, "tester");
	assert_int_equal(ns_client_trouble(c, NULL), NS_OK);
	assert_int_equal(m.hellos, 1);
	ns_client_destroy(&c);
	assert_null(c);
	ns_client_destroy(&c);
	mock_end(&m);
}

/* Nobody there: a clear word within a moment, also for a write, which surely did not happen. */
static void
test_nobody_there(void **state)
{
	static const char *const leftover[] = { NULL, "file" };

	(void)state;
	unlink(sockdir_path);
	for (size_t i = 0; i < 2; i++) {
		struct ns_why why = { 0 };
		uint64_t start = clock_mono_ms();
		struct ns_client *c;

		if (leftover[i] != NULL) { /* a socket file that its owner left behind */
			struct mock m = { 0 };

			mock_start(&m, sockdir_path);
			mock_end(&m);
		}
		c = client();
		start = clock_mono_ms();
		assert_null(ns_client_call(c, &COMMIT, 0, &why));
		assert_in_range(clock_mono_ms() - start, 0, 4000);
		assert_int_equal(why.err, NS_UNAVAILABLE);
		assert_int_equal(why.code, NS_CODE_NO_APPLIANCE);
		assert_non_null(strstr(why.text, sockdir_path));
		assert_int_equal(ns_client_trouble(c, &why), NS_UNAVAILABLE);
		ns_client_destroy(&c);
	}
}

/* A listener that takes the probe and then no more, as one that dies between the two: libzmq would wait for
 * its reconnect timer, which never comes. */
static void
test_listener_goes_after_the_probe(void **state)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct ns_why why = { 0 };
	struct ns_client *c;
	uint64_t start;

	(void)state;
	snprintf(un.sun_path, sizeof un.sun_path, "%s", sockdir_path);
	unlink(sockdir_path);
	assert_int_equal(bind(fd, (const struct sockaddr *)&un, sizeof un), 0);
	assert_int_equal(listen(fd, 0), 0);
	c = client();
	start = clock_mono_ms();
	assert_null(ns_client_call(c, &COMMIT, 5000, &why));
	assert_int_equal(why.err, NS_UNAVAILABLE);
	assert_in_range(clock_mono_ms() - start, 0, 4000);
	ns_client_destroy(&c);
	close(fd);
	unlink(sockdir_path);
}

static void
test_appliance_comes_in_time(void **state)
{
	struct mock m = { .start_after_ms = 120 };
	struct ns_client *c;

	(void)state;
	c = client();
	mock_start(&m, sockdir_path);
	assert_status(c);
	ns_client_destroy(&c);
	mock_end(&m);
}

static void
test_deadline(void **state)
{
	struct mock m = { 0 };
	struct ns_client *c;
	struct ns_why why = { 0 };
	uint64_t start;

	(void)state;
	mock_start(&m, sockdir_path);
	c = client();
	assert_status(c);
	start = clock_mono_ms();
	assert_null(ns_client_call(c, &LIST, 100, &why));
	assert_in_range(clock_mono_ms() - start, 100, 4000);
	assert_int_equal(why.err, NS_UNAVAILABLE);
	assert_int_equal(why.code, NS_CODE_DEADLINE);
	assert_null(ns_client_call(c, &SET, 50, &why));
	assert_int_equal(why.err, NS_UNKNOWN);
	turn(c, 100, NULL);
	assert_int_equal(m.cancels, 2);
	assert_status(c);
	ns_client_destroy(&c);
	mock_end(&m);
}

static void
test_silent_appliance(void **state)
{
	struct mock m = { .greeting = GREET_SILENT };
	struct ns_client *c;
	struct ns_why why = { 0 };

	(void)state;
	mock_start(&m, sockdir_path);
	c = client();
	assert_null(ns_client_call(c, &COMMIT, 400, &why));
	assert_int_equal(why.err, NS_UNAVAILABLE); /* it was not even sent */
	assert_int_equal(m.requests, 0);
	ns_client_destroy(&c);
	mock_end(&m);
}

static void
test_late_reply_is_dropped(void **state)
{
	struct mock m = { 0 };
	struct seen show = { 0 };
	struct ns_client *c;

	(void)state;
	mock_start(&m, sockdir_path);
	c = client();
	ns_client_request(c, &SHOW, 20, on_reply, &show);
	ns_client_wait(c, &show.done);
	assert_int_equal(show.why.err, NS_UNAVAILABLE);
	turn(c, 400, NULL);
	assert_int_equal(show.calls, 1);
	assert_status(c);
	ns_client_destroy(&c);
	mock_end(&m);
}

static void
test_cancel(void **state)
{
	struct mock m = { 0 };
	struct seen list = { 0 };
	struct ns_client *c;
	uint64_t id;

	(void)state;
	mock_start(&m, sockdir_path);
	c = client();
	assert_status(c);
	id = ns_client_request(c, &LIST, 0, on_reply, &list);
	turn(c, 50, NULL);
	ns_client_cancel(c, id);
	ns_client_cancel(c, id);
	ns_client_cancel(c, 12345);
	turn(c, 100, NULL);
	assert_int_equal(list.calls, 0);
	assert_int_equal(m.cancels, 1);
	assert_int_equal(m.cancelled, id);
	ns_client_destroy(&c);
	mock_end(&m);
}

static void
test_appliance_vanishes(void **state)
{
	struct mock m = { 0 }, next = { 0 };
	struct seen list = { 0 }, commit = { 0 };
	struct ns_client *c;
	uint64_t start = clock_mono_ms();

	(void)state;
	mock_start(&m, sockdir_path);
	c = client();
	assert_status(c);
	ns_client_request(c, &LIST, 0, on_reply, &list);
	ns_client_request(c, &COMMIT, 0, on_reply, &commit);
	turn(c, 5000, &commit.done);
	assert_in_range(clock_mono_ms() - start, 0, 4000);
	assert_int_equal(list.ends, 1);
	assert_int_equal(list.why.err, NS_UNAVAILABLE);
	assert_int_equal(commit.ends, 1);
	assert_int_equal(commit.why.err, NS_UNKNOWN);
	assert_int_equal(commit.why.code, NS_CODE_LINK_LOST);
	assert_non_null(strstr(commit.why.text, "idempotency key"));
	mock_end(&m);

	/* Its successor knows nothing of us. */
	turn(c, 100, NULL);
	assert_null(ns_client_hello(c));
	mock_start(&next, sockdir_path);
	turn(c, 3000, NULL);
	assert_non_null(ns_client_hello(c));
	assert_status(c);
	assert_int_equal(next.requests, 1);
	ns_client_destroy(&c);
	mock_end(&next);
}

/* What it said before it died counts. */
static void
test_reply_then_vanishes(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++) {
		struct mock m = { 0 };
		struct ns_client *c;
		struct ns_why why = { 0 };
		Ns__Envelope *reply;

		mock_start(&m, sockdir_path);
		c = client();
		reply = ns_client_call(c, &HISTORY, 0, &why);
		if (reply == NULL)
			fail_msg("%d: %s", i, why.text);
		ns__envelope__free_unpacked(reply, NULL);
		ns_client_destroy(&c);
		mock_end(&m);
	}
}

static void
test_stream(void **state)
{
	struct mock m = { 0 };
	struct seen export = { 0 };
	struct ns_client *c;

	(void)state;
	mock_start(&m, sockdir_path);
	c = client();
	ns_client_request(c, &EXPORT, 0, on_reply, &export);
	ns_client_wait(c, &export.done);
	assert_int_equal(export.calls, 3);
	assert_int_equal(export.ends, 1);
	assert_string_equal(export.text, "abc");
	ns_client_destroy(&c);
	mock_end(&m);
}

static void
test_error_has_every_field(void **state)
{
	struct mock m = { 0 };
	struct ns_client *c;
	struct ns_why why = { 0 };

	(void)state;
	mock_start(&m, sockdir_path);
	c = client();
	assert_null(ns_client_call(c, &GET, 0, &why));
	assert_int_equal(why.err, mock_refusal.err);
	assert_int_equal(why.code, mock_refusal.code);
	assert_int_equal(why.line, mock_refusal.line);
	assert_string_equal(why.zone, mock_refusal.zone);
	assert_string_equal(why.owner, mock_refusal.owner);
	assert_string_equal(why.type, mock_refusal.type);
	assert_string_equal(why.field, mock_refusal.field);
	assert_string_equal(why.text, mock_refusal.text);
	ns_client_destroy(&c);
	mock_end(&m);
}

static void
test_refused_hello(void **state)
{
	static const struct {
		enum greeting greeting;
		enum ns_err err;
		const char *text;
	} cases[] = {
		{ GREET_OTHER_MAJOR, NS_VERSION, "mock 9" },
		{ GREET_DENIED, NS_DENIED, "uid 7 is unknown" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct mock m = { .greeting = cases[i].greeting };
		struct ns_client *c;

		mock_start(&m, sockdir_path);
		c = client();
		for (int round = 0; round < 3; round++) {
			struct ns_why why = { 0 };
			uint64_t start = clock_mono_ms();

			assert_null(ns_client_call(c, &STATUS, 5000, &why));
			assert_int_equal(why.err, cases[i].err);
			assert_non_null(strstr(why.text, cases[i].text));
			assert_in_range(clock_mono_ms() - start, 0, 4000);
		}
		assert_int_equal(m.requests, 0);
		ns_client_destroy(&c);
		mock_end(&m);
	}
}

static void
test_hello_forgotten(void **state)
{
	struct mock m = { .forget = 1 }, hopeless = { .forget = 1000 };
	struct ns_client *c;
	struct ns_why why = { 0 };

	(void)state;
	mock_start(&m, sockdir_path);
	c = client();
	assert_status(c);
	assert_int_equal(m.hellos, 2);
	assert_int_equal(m.requests, 2);
	ns_client_destroy(&c);
	mock_end(&m);

	mock_start(&hopeless, sockdir_path);
	c = client();
	assert_null(ns_client_call(c, &STATUS, 2000, &why));
	assert_int_equal(why.err, NS_VERSION);
	assert_int_equal(hopeless.requests, 2);
	ns_client_destroy(&c);
	mock_end(&hopeless);
}

static void
test_unsendable_is_told_later(void **state)
{
	static char bad[] = "two\nlines";
	struct mock m = { 0 };
	struct seen commit = { 0 };
	struct ns_client *c;
	Ns__CommitRequest body = NS__COMMIT_REQUEST__INIT;

	(void)state;
	mock_start(&m, sockdir_path);
	c = client();
	body.comment = bad;
	ns_client_request(c, &REQUEST(COMMIT_REQUEST, commit_request, body), 0, on_reply, &commit);
	assert_int_equal(commit.calls, 0);
	assert_int_equal(ns_client_timeout_ms(c), 0);
	ns_client_wait(c, &commit.done);
	assert_int_equal(commit.why.err, NS_INVALID);
	assert_non_null(strstr(commit.why.text, "comment"));
	assert_int_equal(m.requests, 0);
	ns_client_destroy(&c);
	mock_end(&m);
}

static void
test_reply_of_another_kind(void **state)
{
	struct mock m = { 0 };
	struct ns_client *c;
	struct ns_why why = { 0 };

	(void)state;
	mock_start(&m, sockdir_path);
	c = client();
	assert_null(ns_client_call(c, &RECORDS, 1000, &why));
	assert_int_equal(why.code, NS_CODE_MALFORMED);
	ns_client_destroy(&c);
	mock_end(&m);
}

static void
test_many_at_once(void **state)
{
	struct mock m = { 0 };
	struct seen s = { 0 };
	struct ns_client *c;

	(void)state;
	mock_start(&m, sockdir_path);
	c = client();
	for (int i = 0; i < 3000; i++) /* more than the high-water marks hold */
		ns_client_request(c, &STATUS, 20000, on_reply, &s);
	for (uint64_t end = clock_mono_ms() + 20000; s.ends < 3000 && clock_mono_ms() < end;)
		turn(c, 20, NULL);
	assert_int_equal(s.ends, 3000);
	assert_int_equal(s.why.err, NS_OK);
	ns_client_destroy(&c);
	mock_end(&m);
}

static void
test_callbacks_may_ask_and_destroy(void **state)
{
	struct mock m = { 0 };
	struct ns_client *c;
	struct seen again = { .client = &c, .ask_again = true };
	struct seen destroy = { .client = &c, .destroy = true };
	const bool never = false;

	(void)state;
	mock_start(&m, sockdir_path);
	c = client();
	ns_client_request(c, &STATUS, 0, on_reply, &again);
	ns_client_wait(c, &never);
	assert_int_equal(again.ends, 50);

	for (int i = 0; i < 5; i++)
		ns_client_request(c, &STATUS, 0, on_reply, &destroy);
	ns_client_wait(c, &never);
	assert_null(c);
	assert_int_equal(destroy.calls, 1);
	mock_end(&m);

	/* And when the end is a failure: nobody is there, and every callback asks again. */
	c = client();
	again = (struct seen){ .client = &c, .ask_again = true };
	ns_client_request(c, &STATUS, 0, on_reply, &again);
	turn(c, 500, NULL);
	assert_in_range(again.calls, 1, 5);
	destroy = (struct seen){ .client = &c, .destroy = true };
	ns_client_request(c, &STATUS, 0, on_reply, &destroy);
	ns_client_wait(c, &never);
	assert_null(c);
}

static void
test_bad_path(void **state)
{
	struct ns_why why = { 0 };

	(void)state;
	assert_null(ns_client_new("relative/control", &why));
	assert_int_equal(why.err, NS_USAGE);
	setenv("NAMESERVE_SOCKET", "also/relative", 1);
	assert_null(ns_client_new(NULL, &why));
	assert_non_null(strstr(why.text, "also/relative"));
	unsetenv("NAMESERVE_SOCKET");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_call),
		cmocka_unit_test(test_nobody_there),
		cmocka_unit_test(test_listener_goes_after_the_probe),
		cmocka_unit_test(test_appliance_comes_in_time),
		cmocka_unit_test(test_deadline),
		cmocka_unit_test(test_silent_appliance),
		cmocka_unit_test(test_late_reply_is_dropped),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_appliance_vanishes),
		cmocka_unit_test(test_reply_then_vanishes),
		cmocka_unit_test(test_stream),
		cmocka_unit_test(test_error_has_every_field),
		cmocka_unit_test(test_refused_hello),
		cmocka_unit_test(test_hello_forgotten),
		cmocka_unit_test(test_unsendable_is_told_later),
		cmocka_unit_test(test_reply_of_another_kind),
		cmocka_unit_test(test_many_at_once),
		cmocka_unit_test(test_callbacks_may_ask_and_destroy),
		cmocka_unit_test(test_bad_path),
	};

	return cmocka_run_group_tests_name("client", tests, sockdir_setup, sockdir_teardown);
}
