/* testaway.c - `nameserve test --at`: the same question at another appliance, or at all; see testask.h.
 *
 * It goes over our link to each of them (fleetcall.c), of any term and past the primary, and is asked there as
 * it is asked here.  Who cannot be reached, or does not answer in time, is named with the reason. */
#include <stdlib.h>
#include <string.h>

#include "appliance/fleet/codes.h"
#include "appliance/sync/conn.h"
#include "appliance/sync/control.h"
#include "appliance/sync/errors.h"
#include "appliance/sync/fleet.h"
#include "appliance/sync/testask.h"
#include "ipc/base/clock.h"
#include "ipc/base/xalloc.h"
#include "ipc/envelope.h"

#define WAIT_MS 2000u /* of the asked one; who asks has the client's deadline */

struct peer {
	char name[FLEET_NAME];
	uint64_t id; /* of what it was asked; 0: it has answered, or cannot */
};
struct away {
	bool all, here; /* here: this appliance's own answer is still to come */
	size_t n, open;
	struct peer peers[FLEET_MEMBERS];
	Ns__TestReply
	    *reply; /* all: of this appliance, with the others'; else the one that was asked for */
};

static void
away_free(void *state)
{
	struct away *a = state;

	if (a->reply != NULL)
		ns__test_reply__free_unpacked(a->reply, NULL);
	free(a);
}

static Ns__TestReply *
reply_new(const char *name, const char *fault)
{
	Ns__TestReply *m = xmalloc(sizeof *m);

	ns__test_reply__init(m);
	m->appliance = xstrdup(name);
	m->fault = xstrdup(fault);
	return m;
}

static Ns__TestElsewhere *
elsewhere_new(const char *name, const char *fault)
{
	Ns__TestElsewhere *m = xmalloc(sizeof *m);

	ns__test_elsewhere__init(m);
	m->appliance = xstrdup(name);
	m->fault = xstrdup(fault);
	return m;
}

static void
add_other(struct away *a, Ns__TestElsewhere *m)
{
	Ns__TestReply *to = a->reply;

	to->others = xreallocarray(to->others, to->n_others + 1, sizeof(Ns__TestElsewhere *));
	to->others[to->n_others++] = m;
}

/* ---- asking ---- */
static bool
send_test(struct sync *s, struct request *r, struct peer *p)
{
	Ns__TestRequest ask = *r->env->test_request;
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__FleetTest m = NS__FLEET_TEST__INIT;
	struct packet *packet;

	if (!calls_linked(s, p->name))
		return false;
	ask.at = (char *)(uintptr_t) "";
	m.id = p->id = testask_id(s);
	m.request = &ask;
	env.term = s->head.term;
	env.body_case = NS__ENVELOPE__BODY_FLEET_TEST;
	env.fleet_test = &m;
	packet = packet_new(&env);
	if (packet == NULL)
		return false;
	calls_send(s, p->name, packet);
	packet_unref(packet);
	return true;
}

static void
ask_all(struct sync *s, struct request *r, struct away *a)
{
	const struct roster *roster = s->fleet->roster;

	a->all = a->here = true;
	a->reply = reply_new(s->name, "");
	for (size_t i = 0; s->fleet->on && i < roster->count; i++) {
		const struct member *m = &roster->members[i];
		struct peer *p = &a->peers[a->n];

		if (!m->enrolled || m->removed || strcmp(m->name, s->name) == 0)
			continue;
		memcpy(p->name, m->name, sizeof p->name);
		if (send_test(s, r, p)) {
			a->n++;
			a->open++;
		} else {
			add_other(a, elsewhere_new(m->name, "it cannot be reached from here"));
		}
	}
}

/* The one that is asked for; false: it was refused. */
static bool
ask_one(struct sync *s, struct request *r, struct away *a)
{
	const char *name = r->env->test_request->at;
	const struct member *m = s->fleet->on ? roster_find(s->fleet->roster, name) : NULL;

	if (m == NULL || !m->enrolled || m->removed) {
		request_refuse(s, r, NS_USAGE, ES_REQUEST,
		    "--at: there is no appliance of that name: fleet list");
		return false;
	}
	memcpy(a->peers[0].name, m->name, sizeof a->peers[0].name);
	if (!send_test(s, r, &a->peers[0])) {
		request_refuse(s, r, NS_UNAVAILABLE, ES_NO_ANSWER,
		    "--at: that appliance cannot be reached from here");
		return false;
	}
	a->n = a->open = 1;
	return true;
}

bool
testaway_begin(struct sync *s, struct request *r)
{
	struct away *a = xcalloc(1, sizeof *a);

	r->state = a;
	r->free_state = away_free;
	if (strcmp(r->env->test_request->at, "all") != 0)
		return ask_one(s, r, a);
	ask_all(s, r, a);
	return true;
}

bool
testaway_asks_here(const struct request *r)
{
	const struct away *a = r->state;

	return a == NULL || a->here;
}

/* ---- answers ---- */
static bool
complete(struct request *r)
{
	struct away *a = r->state;

	if (a->open > 0 || a->here)
		return false;
	request_reply(r, NS__ENVELOPE__BODY_TEST_REPLY, a->reply);
	a->reply = NULL;
	return true;
}

bool
testaway_here(struct request *r, Ns__TestReply *m)
{
	struct away *a = r->state;

	a->here = false;
	m->others = a->reply->others;
	m->n_others = a->reply->n_others;
	a->reply->others = NULL;
	a->reply->n_others = 0;
	ns__test_reply__free_unpacked(a->reply, NULL);
	a->reply = m;
	return complete(r);
}

/* As a message of another kind that has the same fields, or some of them. */
static ProtobufCMessage *
copy_as(const ProtobufCMessageDescriptor *kind, const Ns__TestReply *in)
{
	size_t len = ns__test_reply__get_packed_size(in);
	uint8_t *buf = xmalloc(len + 1);
	ProtobufCMessage *m;

	ns__test_reply__pack(in, buf);
	m = protobuf_c_message_unpack(kind, NULL, len, buf);
	free(buf);
	return m;
}

/* Whose it is says the key of the link, not the message. */
static void
name_it(char **appliance, const char *name)
{
	if (*appliance != (const char *)protobuf_c_empty_string)
		free(*appliance);
	*appliance = xstrdup(name);
}

static const char *
fault_of(const Ns__FleetTested *in)
{
	return in->error != NULL ? in->error->text : "no answer";
}

static Ns__TestReply *
take(const struct peer *p, const Ns__FleetTested *in)
{
	Ns__TestReply *m = in->reply != NULL && in->reply->n_others == 0
			       ? (Ns__TestReply *)copy_as(&ns__test_reply__descriptor, in->reply)
			       : NULL;

	if (m == NULL)
		return reply_new(p->name, fault_of(in));
	name_it(&m->appliance, p->name);
	return m;
}

static Ns__TestElsewhere *
take_other(const struct peer *p, const Ns__FleetTested *in)
{
	Ns__TestElsewhere *m = in->reply != NULL ? (Ns__TestElsewhere *)copy_as(
						       &ns__test_elsewhere__descriptor, in->reply)
						 : NULL;

	if (m == NULL)
		return elsewhere_new(p->name, fault_of(in));
	name_it(&m->appliance, p->name);
	return m;
}

bool
testaway_take(struct request *r, const char *from, const Ns__FleetTested *in, bool *done)
{
	struct away *a = r->state;

	*done = false;
	for (size_t i = 0; a != NULL && i < a->n; i++) {
		struct peer *p = &a->peers[i];

		if (p->id == 0 || p->id != in->id || strcmp(p->name, from) != 0)
			continue;
		p->id = 0;
		a->open--;
		if (a->all)
			add_other(a, take_other(p, in));
		else
			a->reply = take(p, in);
		*done = complete(r);
		return true;
	}
	return false;
}

bool
testaway_late(struct request *r)
{
	struct away *a = r->state;

	if (a == NULL || a->here || !a->all)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (a->peers[i].id != 0)
			add_other(a, elsewhere_new(a->peers[i].name, "it did not answer in time"));
	a->open = 0;
	return complete(r);
}

/* ---- at the one that is asked ---- */
struct origin {
	struct fleet_from from;
	uint64_t id;
};

static void
send_tested(struct sync *s, struct request *r)
{
	struct origin *o = r->origin;
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__FleetTested m = NS__FLEET_TESTED__INIT;
	Ns__Error error;

	m.id = o->id;
	if (r->err == NS_OK && r->reply != NULL) {
		m.reply = r->reply->test_reply;
	} else {
		if (r->why.err == NS_OK)
			ns_fail(&r->why, NS_FAILED, 0, "no reply");
		ns_error_from_why(&error, &r->why);
		m.error = &error;
	}
	env.body_case = NS__ENVELOPE__BODY_FLEET_TESTED;
	env.fleet_tested = &m;
	pub_send(s, &o->from, &env);
	free(o);
	r->origin = NULL;
	request_destroy(&r);
}

void
testaway_called(struct sync *s, const struct fleet_from *from, const Ns__FleetTest *in)
{
	Ns__Envelope env = NS__ENVELOPE__INIT;
	struct ns_peer peer = { 0 };
	struct origin *o;
	struct request *r;

	if (in->request == NULL || in->request->at[0] != '\0')
		return;
	env.deadline_ms = WAIT_MS;
	env.body_case = NS__ENVELOPE__BODY_TEST_REQUEST;
	env.test_request = in->request;
	r = request_new(&peer, &env);
	if (r == NULL)
		return;
	o = xmalloc(sizeof *o);
	*o = (struct origin){ *from, in->id };
	r->kind = control_kind(NS__ENVELOPE__BODY_TEST_REQUEST);
	r->own_name = s->name;
	r->deadline_ns = clock_mono_ns() + WAIT_MS * 1000000ull;
	r->finish = send_tested;
	r->origin = o;
	testask_request(s, r);
}
