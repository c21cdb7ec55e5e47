/* uiclient.c - see uiclient.h. */
#include "tests/lib/fake/uiclient.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ipc/base/xalloc.h"
#include "ipc/client/client.h"
#include "ipc/client/kinds.h"
#include "ipc/envelope.h"
#include "tests/lib/ui_fixture.h"

#define PENDING 16u
#define NAME    1100u

struct uiclient uiclient;

static struct {
	Ns__Envelope__BodyCase kind;
	ns_reply_fn *fn;
	void *arg;
	uint64_t id;
	char name[NAME], type[16]; /* of the RRset that is asked for */
} pending[PENDING];
static uint64_t next_id;

void
uiclient_reset(void)
{
	memset(pending, 0, sizeof pending);
	memset(&uiclient, 0, sizeof uiclient);
	uiclient.role = "operator";
}

uint64_t
ns_client_request(struct ns_client *c, Ns__Envelope *r, unsigned ms, ns_reply_fn *fn, void *arg)
{
	(void)c, (void)ms;
	uiclient.requests++;
	if (kind_writes(r->body_case)) {
		uiclient.writes++;
		uiclient.wrote = r->body_case;
	}
	for (unsigned i = 0; i < PENDING; i++)
		if (pending[i].fn == NULL) {
			pending[i].kind = r->body_case;
			pending[i].fn = fn;
			pending[i].arg = arg;
			bool rrset = r->body_case == NS__ENVELOPE__BODY_RECORD_LIST_REQUEST;

			snprintf(pending[i].type, sizeof pending[i].type, "%s",
			    rrset ? r->record_list_request->type : "");
			pending[i].name[0] = '\0';
			if (rrset)
				snprintf(pending[i].name, sizeof pending[i].name, "%s",
				    r->record_list_request->name);
			else if (r->body_case == NS__ENVELOPE__BODY_CHECK_LIST_REQUEST)
				snprintf(pending[i].name, sizeof pending[i].name, "%s",
				    r->check_list_request->name);
			else if (r->body_case == NS__ENVELOPE__BODY_HISTORY_LIST_REQUEST)
				snprintf(pending[i].name, sizeof pending[i].name, "%s%s",
				    r->history_list_request->filter,
				    r->history_list_request->cursor);
			else if (r->body_case == NS__ENVELOPE__BODY_ZONE_LIST_REQUEST)
				snprintf(pending[i].name, sizeof pending[i].name, "%s",
				    r->zone_list_request->filter);
			else if (r->body_case == NS__ENVELOPE__BODY_PRESENCE_REQUEST)
				snprintf(pending[i].name, sizeof pending[i].name, "%s",
				    r->presence_request->zone);
			else if (r->body_case == NS__ENVELOPE__BODY_STATUS_REQUEST)
				snprintf(pending[i].name, sizeof pending[i].name, "%s",
				    r->status_request->zone);
			else if (r->body_case == NS__ENVELOPE__BODY_STATS_REQUEST)
				snprintf(pending[i].name, sizeof pending[i].name, "%s %s",
				    r->stats_request->scope, r->stats_request->top);
			return pending[i].id = ++next_id;
		}
	abort();
}

void
ns_client_cancel(struct ns_client *c, uint64_t id)
{
	(void)c;
	for (unsigned i = 0; i < PENDING; i++)
		if (pending[i].id == id)
			pending[i].fn = NULL;
}

const Ns__HelloReply *
ns_client_hello(const struct ns_client *c)
{
	static Ns__HelloReply h = NS__HELLO_REPLY__INIT;

	(void)c;
	h.user = (char *)(uintptr_t) "alice";
	h.user_role = (char *)(uintptr_t)uiclient.role;
	h.appliance = (char *)(uintptr_t) "fra1-a";
	return uiclient.lost ? NULL : &h;
}

enum ns_err
ns_client_trouble(const struct ns_client *c, struct ns_why *why)
{
	(void)c;
	return uiclient.lost
		   ? ns_fail(why, NS_UNAVAILABLE, 9003, "the connection to /run/x was lost")
		   : NS_OK;
}

const Ns__Error *
ns_client_error(const struct ns_client *c)
{
	static Ns__Error e;

	(void)c;
	e = (Ns__Error)NS__ERROR__INIT;
	e.conflict = fixture_conflict();
	return &e;
}

uint64_t
ns_client_refused(const struct ns_client *c)
{
	(void)c;
	return 17;
}

unsigned
ns_client_waits(const struct ns_client *c, unsigned *tries)
{
	(void)c;
	*tries = 4;
	return uiclient.lost ? 7100 : 0;
}

void
ns_client_to(struct ns_client *c, const char *name)
{
	(void)c;
	snprintf(uiclient.at, sizeof uiclient.at, "%s", name);
}

const char *
ns_client_at(const struct ns_client *c)
{
	(void)c;
	return uiclient.at;
}

void
ns_client_retry(struct ns_client *c)
{
	(void)c;
}

void
ns_client_dispatch(struct ns_client *c, unsigned n)
{
	(void)c, (void)n;
}

int
ns_client_fd(struct ns_client *c)
{
	(void)c;
	return -1;
}

int
ns_client_timeout_ms(struct ns_client *c)
{
	(void)c;
	return -1;
}

/* What a hostile appliance may send: some octets of a good reply are others.  As in the client, what is no message or
 * another reply than was asked for never arrives. */
static void
answer_mutated(const Ns__Envelope *good, ns_reply_fn *fn, void *arg)
{
	size_t len = ns__envelope__get_packed_size(good);
	uint8_t *bytes = xmalloc(len + 1);
	struct ns_why why = { 0 };
	Ns__Envelope *env;

	ns__envelope__pack(good, bytes);
	for (int n = 1 + rand() % 8; n > 0 && len > 0; n--) {
		size_t at = (size_t)rand() % len;

		bytes[at] = (uint8_t)(rand() % 2 == 0 ? rand() : bytes[at] ^ 1 << rand() % 8);
	}
	env = ns_envelope_unpack(bytes, len, NULL);
	if (env != NULL && env->body_case == good->body_case) {
		env->more = false;
		fn(arg, env, NULL);
	} else {
		(void)ns_fail(
		    &why, NS_UNAVAILABLE, 1006, "the reply is of another kind than asked for");
		fn(arg, NULL, &why);
	}
	if (env != NULL)
		ns__envelope__free_unpacked(env, NULL);
	free(bytes);
}

void
uiclient_answer(void)
{
	for (bool some = true; some;) {
		some = false;
		for (unsigned i = 0; i < PENDING; i++) {
			Ns__Envelope e = NS__ENVELOPE__INIT;
			ns_reply_fn *fn = pending[i].fn;

			if (fn == NULL)
				continue;
			pending[i].fn = NULL;
			if (pending[i].kind == NS__ENVELOPE__BODY_PLAN_REQUEST &&
			    uiclient.plan_fails != NS_OK) {
				struct ns_why why = { 0 };

				(void)ns_fail(&why, uiclient.plan_fails,
				    uiclient.plan_fails == NS_CONFLICT ? 2104 : 1102,
				    uiclient.plan_fails == NS_CONFLICT
					? "stale: the zone has changed since, by bob"
					: "www.shop-000.example. A \"192.0.2.300\": "
					  "field \"address\": not an IPv4 address");
				snprintf(why.field, sizeof why.field, "address");
				fn(pending[i].arg, NULL, &why);
				continue;
			}
			if (uiclient.deaf != 0 && pending[i].kind == uiclient.deaf) {
				struct ns_why why = { 0 };

				(void)ns_fail(&why, NS_UNAVAILABLE, 9002, "no answer in time");
				fn(pending[i].arg, NULL, &why);
				continue;
			}
			if (uiclient.lost) {
				struct ns_why why = { 0 };

				(void)ns_fail(&why, NS_UNAVAILABLE, 9003, "the link was lost");
				fn(pending[i].arg, NULL, &why);
				continue;
			}
			fixture_answer(pending[i].kind, pending[i].name, pending[i].type, &e);
			if (uiclient.mutating && rand() % 4 == 0)
				answer_mutated(&e, fn, pending[i].arg);
			else
				fn(pending[i].arg, &e, NULL);
			some = true;
		}
	}
}
