/* relay - see relay.h. */
#include "appliance/sync/relay.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/fleet/codes.h"
#include "appliance/sync/conn.h"
#include "appliance/sync/control.h"
#include "appliance/sync/errors.h"
#include "appliance/sync/everywhere.h"
#include "appliance/sync/fleet.h"
#include "appliance/sync/origin.h"
#include "ipc/base/clock.h"
#include "ipc/base/text.h"
#include "ipc/base/xalloc.h"
#include "ipc/envelope.h"

#define MARGIN_NS   200000000ull /* the answer must be here before the client gives up */
#define REQUEST_MAX (NS_MSG_MAX - 4096u)

struct relay {
	struct request_list asked;
	unsigned n_asked, n_taken;
	uint64_t last_id;
};

struct relay *
relay_new(void)
{
	struct relay *y = xcalloc(1, sizeof *y);

	TAILQ_INIT(&y->asked);
	return y;
}

void
relay_destroy(struct relay **yp)
{
	struct request *r;

	while ((r = TAILQ_FIRST(&(*yp)->asked)) != NULL) {
		TAILQ_REMOVE(&(*yp)->asked, r, waiting);
		conn_detach(r);
		request_destroy(&r);
	}
	free(*yp);
	*yp = NULL;
}

/* ---- where it is asked ---- */
uint64_t
relay_send(struct sync *s, const char *name, const struct caller *c, uint32_t deadline_ms,
    const Ns__Envelope *request)
{
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__FleetRelay out = NS__FLEET_RELAY__INIT;
	struct packet *packet;

	if (!s->fleet->on || !calls_linked(s, name))
		return 0;
	out.id = ++s->relay->last_id;
	out.deadline_ms = deadline_ms;
	out.principal = (char *)(uintptr_t)c->name;
	out.role = (char *)(uintptr_t)user_role_name(c->role);
	out.via = (char *)(uintptr_t)c->via;
	out.source = (char *)(uintptr_t)c->source;
	out.appliance = (char *)(uintptr_t)c->appliance;
	out.request.len = ns__envelope__get_packed_size(request);
	if (out.request.len > REQUEST_MAX)
		return 0;
	out.request.data = xmalloc(out.request.len + 1);
	ns__envelope__pack(request, out.request.data);
	env.term = s->head.term;
	env.body_case = NS__ENVELOPE__BODY_FLEET_RELAY;
	env.fleet_relay = &out;
	packet = packet_new(&env);
	free(out.request.data);
	if (packet == NULL)
		return 0;
	calls_send(s, name, packet);
	packet_unref(packet);
	return out.id;
}

static const char *
refuses(const struct sync *s, const struct request *r)
{
	const struct member *m = s->fleet->on ? roster_find(s->fleet->roster, r->env->to) : NULL;

	if (m == NULL || !m->enrolled || m->removed)
		return "there is no appliance of that name: fleet list";
	if (r->kind->primary_only || r->kind->relayed || r->kind->need == USER_ADMIN)
		return "this is not passed on: it is done on that appliance itself (ssh HOST "
		       "nameserve)";
	if (s->relay->n_asked == RELAY_ASKED_MAX)
		return "busy: too many requests are passed on at once";
	return NULL;
}

bool
relay_request(struct sync *s, struct request *r)
{
	const char *fault;
	uint64_t now = clock_mono_ns();
	uint32_t ms;
	char to[FLEET_NAME];

	if (r->env->to[0] == '\0' || strcmp(r->env->to, s->name) == 0)
		return false;
	fault = refuses(s, r);
	if (fault != NULL) {
		request_refuse(s, r, NS_USAGE, ES_REQUEST, fault);
		return true;
	}
	ms = r->deadline_ns > now + 2 * MARGIN_NS
		 ? (uint32_t)((r->deadline_ns - now - MARGIN_NS) / 1000000)
		 : 1;
	text_copy(to, sizeof to, r->env->to);
	r->env->to[0] = '\0'; /* there it is for "here" */
	r->forward_id = relay_send(s, to, &r->caller, ms, r->env);
	if (r->forward_id == 0) {
		request_refuse(s, r, NS_UNAVAILABLE, ES_NO_ANSWER,
		    "that appliance cannot be reached from here");
		return true;
	}
	TAILQ_INSERT_TAIL(&s->relay->asked, r, waiting);
	s->relay->n_asked++;
	return true;
}

static void
wait_no_more(struct sync *s, struct request *r)
{
	TAILQ_REMOVE(&s->relay->asked, r, waiting);
	s->relay->n_asked--;
}

static void
give_back(struct sync *s, struct request *r, Ns__Envelope *env)
{
	wait_no_more(s, r);
	request_hear(r, env);
	request_finish(s, r);
}

void
relay_came(struct sync *s, const char *from, const Ns__FleetRelayed *in)
{
	struct ns_why why = { 0 };
	Ns__Envelope *env = ns_envelope_unpack(in->reply.data, in->reply.len, &why);
	struct request *r;

	if (env == NULL)
		return; /* it ends by its deadline */
	TAILQ_FOREACH(r, &s->relay->asked, waiting)
	if (r->forward_id == in->id)
		break;
	if (r != NULL)
		give_back(s, r, env);
	else
		everywhere_take(s, in->id, from, env);
}

void
relay_tick(struct sync *s, uint64_t now_ns)
{
	struct request *r, *next;

	for (r = TAILQ_FIRST(&s->relay->asked); r != NULL; r = next) {
		next = TAILQ_NEXT(r, waiting);
		if (now_ns + MARGIN_NS / 2 < r->deadline_ns)
			continue;
		wait_no_more(s, r);
		request_refuse(s, r, r->kind->write != NULL ? NS_UNKNOWN : NS_UNAVAILABLE,
		    ES_NO_ANSWER,
		    r->kind->write != NULL ? "that appliance did not answer in time: the outcome "
					     "is unknown; repeat it "
					     "with the same --idempotency-key"
					   : "that appliance did not answer in time");
	}
}

/* ---- where it is answered ---- */
/* Instead of the control socket. */
static void
finish_relay(struct sync *s, struct request *r)
{
	s->relay->n_taken--;
	if (r->err == NS_OK && r->again)
		r->err = ns_fail(&r->why, NS_INVALID, ES_REQUEST,
		    "it is too large to be passed on: ask %s itself", s->name);
	if (r->err == NS_OK && r->reply != NULL)
		control_completes(s, r);
	origin_answer(s, r);
}

void
relay_take(
    struct sync *s, const struct member *m, const struct fleet_from *from, const Ns__FleetRelay *in)
{
	struct origin o = { *from, in->id, NS__ENVELOPE__BODY_FLEET_RELAYED };
	struct ns_why why = { 0 };
	Ns__Envelope *env = ns_envelope_unpack(in->request.data, in->request.len, &why);
	const struct request_kind *k = env != NULL ? control_kind(env->body_case) : NULL;

	if (env != NULL && (k == NULL || k->primary_only || k->relayed || env->to[0] != '\0'))
		ns_fail(&why, NS_DENIED, EF_ONLY_PRIMARY,
		    "this is done on the appliance's own socket only");
	else if (env != NULL && s->relay->n_taken == RELAY_TAKEN_MAX)
		ns_fail(&why, NS_UNAVAILABLE, ES_BUSY, "busy: too many requests of others");
	if (why.err != NS_OK) {
		origin_refuse(s, &o, &why);
	} else if (env != NULL) {
		s->relay->n_taken++;
		origin_start(s, &o,
		    &(struct origin_caller){ m, in->principal, in->role, in->via, in->source,
			in->appliance, in->deadline_ms },
		    k, env, finish_relay);
	}
	ns__envelope__free_unpacked(env, NULL);
}
