/* client.c - requests, their ends and who drives them; see client.h.
 *
 * A request leaves the table before its last callback, so that a callback may ask, cancel or destroy.  Late
 * replies find no request and are dropped. */
#include "ipc/client/client.h"

#include <assert.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <zmq.h>

#include "ipc/base/clock.h"
#include "ipc/base/text.h"
#include "ipc/base/xalloc.h"
#include "ipc/client/kinds.h"
#include "ipc/client/link.h"
#include "ipc/client/request.h"
#include "ipc/envelope.h"

#define DEFAULT_SOCKET   "/run/nameserve/control"
#define DEFAULT_MESSAGES 64u

struct ns_client {
	struct link link;
	bool read_only;
	struct requests requests; /* in the order they were made */
	char to[64]; /* who is to answer; "": who we are connected to */
	uint64_t next_id;
	bool more_waits; /* dispatch stopped at its limit */
	bool blocked; /* the send queue is full; its end wakes the descriptor */
	bool keep_env; /* the callback took the reply over (call) */
	Ns__Envelope *refusal; /* the last one */
	unsigned busy; /* depth of dispatch */
	bool dead; /* destroyed within a callback */
};

struct ns_client *
ns_client_new(const char *socket, struct ns_why *why)
{
	return ns_client_open(&(struct ns_client_options){ .socket = socket }, why);
}

const char *
ns_client_socket(const char *socket)
{
	if (socket == NULL || socket[0] == '\0')
		socket = getenv("NAMESERVE_SOCKET");
	return socket != NULL && socket[0] != '\0' ? socket : DEFAULT_SOCKET;
}

struct ns_client *
ns_client_open(const struct ns_client_options *options, struct ns_why *why)
{
	struct ns_client_options o = *options;
	struct ns_client *c;

	o.socket = ns_client_socket(o.socket);
	ns_zmq_init();
	c = xcalloc(1, sizeof *c);
	TAILQ_INIT(&c->requests);
	c->read_only = o.read_only;
	if (link_init(&c->link, &o, why) != 0) {
		free(c);
		return NULL;
	}
	link_open(&c->link, clock_mono_ms(), ++c->next_id);
	return c;
}

static void
client_free(struct ns_client *c)
{
	struct request *r;

	while ((r = TAILQ_FIRST(&c->requests)) != NULL) {
		TAILQ_REMOVE(&c->requests, r, entry);
		request_free(r);
	}
	if (c->refusal != NULL)
		ns__envelope__free_unpacked(c->refusal, NULL);
	link_end(&c->link);
	free(c);
}

void
ns_client_destroy(struct ns_client **cp)
{
	struct ns_client *c = *cp;

	if (c == NULL)
		return;
	*cp = NULL;
	c->dead = true;
	if (c->busy == 0)
		client_free(c);
}

void
ns_client_to(struct ns_client *c, const char *name)
{
	text_copy(c->to, sizeof c->to, name != NULL ? name : "");
}

const char *
ns_client_at(const struct ns_client *c)
{
	return c->to;
}

int
ns_client_fd(struct ns_client *c)
{
	return c->link.epoll;
}

const Ns__HelloReply *
ns_client_hello(const struct ns_client *c)
{
	return c->link.state == LINK_READY ? c->link.hello->hello_reply : NULL;
}

enum ns_err
ns_client_trouble(const struct ns_client *c, struct ns_why *why)
{
	if (c->link.state != LINK_WAITING)
		return NS_OK;
	if (why != NULL)
		*why = c->link.why;
	return c->link.why.err;
}

unsigned
ns_client_outstanding(const struct ns_client *c)
{
	const struct request *r;
	unsigned n = 0;

	TAILQ_FOREACH(r, &c->requests, entry)
	n++;
	return n;
}

void
ns_client_backoff(struct ns_client *c, unsigned min_ms, unsigned cap_ms)
{
	c->link.backoff.min_ms = min_ms;
	c->link.backoff.cap_ms = cap_ms;
}

unsigned
ns_client_waits(const struct ns_client *c, unsigned *tries)
{
	*tries = c->link.backoff.failures;
	return c->link.state == LINK_WAITING ? backoff_wait(&c->link.backoff, clock_mono_ms()) : 0;
}

void
ns_client_retry(struct ns_client *c)
{
	c->link.backoff.next_ms = 0;
}

const Ns__Error *
ns_client_error(const struct ns_client *c)
{
	return c->refusal != NULL ? c->refusal->error : NULL;
}

uint64_t
ns_client_refused(const struct ns_client *c)
{
	return c->refusal != NULL ? c->refusal->id : 0;
}

static void
keep_refusal(struct ns_client *c, Ns__Envelope *env)
{
	if (c->refusal != NULL)
		ns__envelope__free_unpacked(c->refusal, NULL);
	c->refusal = env;
}

/* ---- ends of requests ---- */

/* The last callback; false: the client was destroyed in it. */
static bool
finish(struct ns_client *c, struct request *r, const Ns__Envelope *env, const struct ns_why *why)
{
	TAILQ_REMOVE(&c->requests, r, entry);
	r->fn(r->arg, env, why);
	request_free(r);
	return !c->dead;
}

/* The link is lost: what was sent has no reply to wait for.  Callbacks may cancel and ask anew, so the
 * list is walked from its head each time; what is asked meanwhile (ids grow) is not looked at. */
static bool
fail_sent(struct ns_client *c)
{
	uint64_t last = c->next_id;
	struct request *r = TAILQ_FIRST(&c->requests);

	while (r != NULL && r->id <= last) {
		struct ns_why why = { 0 };

		if (!r->sent) {
			r = TAILQ_NEXT(r, entry);
			continue;
		}
		request_unclear(r, NS_CODE_LINK_LOST, c->link.why.text, &why);
		if (!finish(c, r, NULL, &why))
			return false;
		r = TAILQ_FIRST(&c->requests);
	}
	return true;
}

static bool
lose_link(struct ns_client *c, uint64_t now, const struct ns_why *why)
{
	link_lose(&c->link, now, why);
	return fail_sent(c);
}

static void
send_cancel(struct ns_client *c, uint64_t id)
{
	Ns__Cancel cancel = NS__CANCEL__INIT;
	Ns__Envelope env = NS__ENVELOPE__INIT;
	zmq_msg_t msg;

	if (c->link.state != LINK_READY)
		return;
	cancel.request = id;
	env.id = ++c->next_id;
	env.body_case = NS__ENVELOPE__BODY_CANCEL;
	env.cancel = &cancel;
	if (frame_pack(&env, &msg, NULL) == NS_OK)
		(void)link_send(&c->link, &msg);
}

static bool
fail_overdue(struct ns_client *c, uint64_t now)
{
	uint64_t last = c->next_id;
	struct request *r = TAILQ_FIRST(&c->requests);

	while (r != NULL && r->id <= last) {
		struct ns_why why = { 0 };

		if (!request_is_over(r, &c->link, now, &why)) {
			r = TAILQ_NEXT(r, entry);
			continue;
		}
		if (r->sent)
			send_cancel(c, r->id);
		if (!finish(c, r, NULL, &why))
			return false;
		r = TAILQ_FIRST(&c->requests);
	}
	return true;
}

/* ---- sending ---- */

/* In order; what does not fit now waits for the socket to become writable. */
static void
send_waiting(struct ns_client *c)
{
	struct request *r;

	c->blocked = false;
	if (c->link.state != LINK_READY)
		return;
	TAILQ_FOREACH(r, &c->requests, entry)
	{
		zmq_msg_t copy;

		if (r->sent || !r->packed)
			continue;
		zmq_msg_init(&copy);
		zmq_msg_copy(&copy, &r->msg); /* shares the bytes */
		if (link_send(&c->link, &copy) != NS_OK) {
			c->blocked = true;
			break;
		}
		r->sent = true;
	}
	/* Sending may have swallowed the edge of what came in meanwhile. */
	if (link_readable(&c->link))
		c->more_waits = true;
}

uint64_t
ns_client_request(
    struct ns_client *c, Ns__Envelope *req, unsigned timeout_ms, ns_reply_fn *fn, void *arg)
{
	struct request *r;

	if (c->to[0] != '\0' && req->to[0] == '\0')
		req->to = c->to;
	r = request_new(++c->next_id, req, c->read_only, timeout_ms, clock_mono_ms());
	r->fn = fn;
	r->arg = arg;
	TAILQ_INSERT_TAIL(&c->requests, r, entry);
	send_waiting(c);
	return r->id;
}

void
ns_client_cancel(struct ns_client *c, uint64_t id)
{
	struct request *r;

	TAILQ_FOREACH(r, &c->requests, entry)
	{
		if (r->id != id)
			continue;
		TAILQ_REMOVE(&c->requests, r, entry);
		if (r->sent)
			send_cancel(c, id);
		request_free(r);
		return;
	}
}

/* ---- receiving ---- */

/* The appliance restarted behind our back, or forgot us among many: say hello, then this again. */
static bool
hello_again(struct ns_client *c, struct request *r, const Ns__Error *error, uint64_t now)
{
	if (error->code != NS_CODE_HELLO_FIRST || error->err_class != NS_VERSION || r->resent)
		return false;
	r->sent = false;
	r->resent = true;
	if (c->link.state == LINK_READY)
		link_greet(&c->link, now, ++c->next_id);
	return true;
}

static bool
take_reply(struct ns_client *c, struct request *r, Ns__Envelope *env, uint64_t now)
{
	struct ns_why why = { 0 };

	if (!kind_answers(r->kind, env->body_case)) {
		request_unclear(
		    r, NS_CODE_MALFORMED, "the reply is of another kind than asked for", &why);
		return finish(c, r, NULL, &why);
	}
	if (env->body_case == NS__ENVELOPE__BODY_ERROR) {
		if (hello_again(c, r, env->error, now))
			return true;
		ns_why_from_error(&why, env->error);
		keep_refusal(c, env);
		bool alive = finish(c, r, NULL, &why);
		c->keep_env = true; /* the client is there until dispatch ends, in any case */
		return alive;
	}
	if (!env->more)
		return finish(c, r, env, NULL);
	r->deadline_ms = now + r->timeout_ms;
	r->fn(r->arg, env, NULL); /* may cancel: r is not touched again */
	return !c->dead;
}

/* One message; false: the client was destroyed in a callback. */
static bool
take_message(struct ns_client *c, uint64_t now)
{
	struct request *r;
	Ns__Envelope *env;
	bool alive = true;

	/* A malformed message has no id that we could believe: its request runs into its deadline. */
	if (!link_recv(&c->link, &env))
		return true;
	c->keep_env = false;
	if (c->link.state == LINK_GREETING && env->id == c->link.hello_id) {
		if (link_greeted(&c->link, env, now))
			return true;
		alive = fail_sent(c);
	} else if ((r = request_find(&c->requests, env->id)) != NULL) {
		alive = take_reply(c, r, env, now);
	}
	if (!c->keep_env)
		ns__envelope__free_unpacked(env, NULL);
	c->keep_env = false;
	return alive;
}

/* Everything that is there, up to max; then what is to be said about the link. */
static bool
receive(struct ns_client *c, unsigned max, uint64_t now)
{
	struct link *l = &c->link;
	struct ns_why why = { 0 };

	link_watch(l);
	c->more_waits = false;
	while (link_readable(l)) {
		if (max-- == 0) {
			c->more_waits = true;
			return true;
		}
		if (!take_message(c, now))
			return false;
	}
	if (!link_is_open(l))
		return true;
	/* Only now: what it had said before it went is read. */
	link_watch(l);
	if (l->gone) {
		link_gone_why(l, &why);
		return lose_link(c, now, &why);
	}
	if (l->state == LINK_GREETING && now >= l->hello_until_ms) {
		ns_fail(&why, NS_UNAVAILABLE, NS_CODE_DEADLINE,
		    "%s takes connections but does not answer", l->path);
		return lose_link(c, now, &why);
	}
	return true;
}

/* ---- driving ---- */

static void
dispatch(struct ns_client *c, unsigned max)
{
	uint64_t now = clock_mono_ms();

	if (c->link.state == LINK_WAITING && backoff_wait(&c->link.backoff, now) == 0)
		link_open(&c->link, now, ++c->next_id);
	if (!receive(c, max > 0 ? max : DEFAULT_MESSAGES, now))
		return;
	send_waiting(c);
	if (!fail_overdue(c, now))
		return;
	link_watch(&c->link);
	if (c->link.gone || link_readable(&c->link))
		c->more_waits = true;
}

void
ns_client_dispatch(struct ns_client *c, unsigned max_messages)
{
	c->busy++;
	dispatch(c, max_messages);
	c->busy--;
	if (c->dead && c->busy == 0)
		client_free(c);
}

int
ns_client_timeout_ms(struct ns_client *c)
{
	uint64_t now = clock_mono_ms(), first = UINT64_MAX;
	struct request *r;

	if (c->more_waits)
		return 0;
	if (c->link.state == LINK_WAITING)
		first = now + backoff_wait(&c->link.backoff, now);
	else if (c->link.state == LINK_GREETING)
		first = c->link.hello_until_ms;
	TAILQ_FOREACH(r, &c->requests, entry)
	{
		uint64_t at = request_due(r, &c->link, c->blocked);

		if (at < first)
			first = at;
	}
	if (first == UINT64_MAX)
		return -1;
	if (first <= now)
		return 0;
	return first - now < INT_MAX ? (int)(first - now) : INT_MAX;
}

void
ns_client_wait(struct ns_client *c, const bool *until)
{
	/* Held, so that a callback that destroys us does not take c away from under this loop. */
	c->busy++;
	while (!c->dead && !*until && !TAILQ_EMPTY(&c->requests)) {
		struct pollfd pfd = { .fd = c->link.epoll, .events = POLLIN };

		dispatch(c, 0);
		if (c->dead || *until || TAILQ_EMPTY(&c->requests))
			break;
		poll(&pfd, 1, ns_client_timeout_ms(c));
	}
	c->busy--;
	if (c->dead && c->busy == 0)
		client_free(c);
}

struct call {
	struct ns_client *client;
	Ns__Envelope *reply;
	struct ns_why *why;
	bool done;
};

static void
call_ended(void *arg, const Ns__Envelope *env, const struct ns_why *why)
{
	struct call *call = arg;

	if (env == NULL) {
		if (call->why != NULL)
			*call->why = *why;
		call->done = true;
		return;
	}
	if (env->more)
		return; /* of a stream only the last one is kept */
	call->reply = (Ns__Envelope *)(uintptr_t)env;
	call->client->keep_env = true;
	call->done = true;
}

Ns__Envelope *
ns_client_call(struct ns_client *c, Ns__Envelope *req, unsigned timeout_ms, struct ns_why *why)
{
	struct call call = { .client = c, .why = why };

	assert(c->busy == 0);
	ns_client_request(c, req, timeout_ms, call_ended, &call);
	ns_client_wait(c, &call.done);
	return call.reply;
}
