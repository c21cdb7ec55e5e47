/* forward - an edit at a replica is the primary's to do: there with the caller's name, and back when this
 * appliance serves it.  Loop only.
 *
 * The idempotency key goes along, so that a request whose answer was lost can be repeated anywhere.  An import's
 * session is at the primary: its messages are passed on one by one, each no larger than a chunk, and a lost one
 * is begun anew, which finds unchanged what went in. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/fleet/codes.h"
#include "appliance/sync/conn.h"
#include "appliance/sync/control.h"
#include "appliance/sync/errors.h"
#include "appliance/sync/fleet.h"
#include "appliance/sync/origin.h"
#include "appliance/sync/importaway.h"
#include "appliance/sync/receipts.h"
#include "ipc/base/clock.h"
#include "ipc/base/log.h"
#include "ipc/base/text.h"
#include "ipc/base/xalloc.h"
#include "ipc/envelope.h"

#define MARGIN_MS   200u /* the primary's answer must be here before the client gives up */
#define PARK_NS     8000000000ull /* a link is made anew in a second or two */
#define REQUEST_MAX (NS_MSG_MAX - 4096u)

/* ---- at the replica ---- */
static uint32_t
left_ms(const struct request *r)
{
	uint64_t now = clock_mono_ns(), margin = MARGIN_MS * 1000000ull;

	return r->deadline_ns > now + 2 * margin
		   ? (uint32_t)((r->deadline_ns - now - margin) / 1000000)
		   : 1;
}

enum ns_err
forward_say(struct sync *s, const struct caller *who, const Ns__Envelope *request, uint64_t id,
    uint32_t deadline_ms)
{
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__FleetForward out = NS__FLEET_FORWARD__INIT;
	enum ns_err err;

	out.id = id;
	out.deadline_ms = deadline_ms;
	out.principal = (char *)(uintptr_t)who->name;
	out.role = (char *)(uintptr_t)user_role_name(who->role);
	out.via = (char *)(uintptr_t)who->via;
	out.source = (char *)(uintptr_t)who->source;
	out.appliance = (char *)(uintptr_t)who->appliance;
	out.request.len = ns__envelope__get_packed_size(request);
	out.request.data = xmalloc(out.request.len + 1);
	ns__envelope__pack(request, out.request.data);
	env.body_case = NS__ENVELOPE__BODY_FLEET_FORWARD;
	env.fleet_forward = &out;
	err = rep_send(s, &env);
	free(out.request.data);
	return err;
}

static enum ns_err
send_forward(struct sync *s, struct request *r)
{
	size_t len = ns__envelope__get_packed_size(r->env);

	if (len > REQUEST_MAX)
		return ns_fail(&r->why, NS_INVALID, EF_SIZE,
		    "too large to be passed on (%zu octets): commit it in several steps, or at the "
		    "primary",
		    len);
	r->forward_id = ++s->fleet->forward_id;
	return forward_say(s, &r->caller, r->env, r->forward_id, left_ms(r));
}

/* A part of an import, and the session is lost: what has gone in stays. */
static bool
refuse_part(struct sync *s, struct request *r)
{
	if (r->kind->body != NS__ENVELOPE__BODY_IMPORT_DATA &&
	    r->kind->body != NS__ENVELOPE__BODY_IMPORT_END)
		return false;
	r->err = ns_fail(&r->why, NS_UNKNOWN, EF_UNKNOWN,
	    "the primary was lost in the middle of the import: import again, what went in is found "
	    "unchanged");
	request_finish(s, r);
	return true;
}

static void
refuse_away(struct sync *s, struct request *r)
{
	const char *name = s->fleet->facts.primary;

	if (refuse_part(s, r))
		return;
	ns_fail(&r->why, NS_UNAVAILABLE, EF_PRIMARY,
	    "the primary%s%s cannot be reached from %s: nothing was changed; DNS is answered all "
	    "the "
	    "same, try again when it is back, or at another appliance",
	    name[0] != '\0' ? " " : "", name, s->name);
	r->err = NS_UNAVAILABLE;
	request_finish(s, r);
}

static void
pass_on(struct sync *s, struct request *r)
{
	struct fleet *f = s->fleet;

	if (f->rep.state != REP_FOLLOW) {
		refuse_away(s, r);
		return;
	}
	r->err = send_forward(s, r);
	if (r->err == NS_UNAVAILABLE)
		refuse_away(s, r);
	else if (r->err != NS_OK)
		request_finish(s, r);
	else
		TAILQ_INSERT_TAIL(&f->forwarded, r, waiting);
}

bool
forward_request(struct sync *s, struct request *r)
{
	const struct request_kind *k = r->kind;
	struct fleet *f = s->fleet;

	if (!fleet_is_replica(s) || (k->on != ON_WRITER && !k->primary_only && !k->relayed))
		return false;
	if (k->primary_only) {
		ns_fail(&r->why, NS_UNAVAILABLE, EF_ONLY_PRIMARY,
		    "%s is done at the primary (%s) only", k->name, f->facts.primary);
		r->err = NS_UNAVAILABLE;
		request_finish(s, r);
		return true;
	}
	if (f->rep.paused_ns != 0)
		TAILQ_INSERT_TAIL(&f->parked, r, waiting);
	else
		pass_on(s, r);
	return true;
}

/* ---- while the link is made anew ---- */
void
forward_pause(struct sync *s, uint64_t now_ns)
{
	if (s->fleet->rep.paused_ns == 0)
		s->fleet->rep.paused_ns = now_ns;
}

void
forward_resume(struct sync *s)
{
	struct request *r;

	s->fleet->rep.paused_ns = 0;
	while ((r = TAILQ_FIRST(&s->fleet->parked)) != NULL) {
		TAILQ_REMOVE(&s->fleet->parked, r, waiting);
		pass_on(s, r);
	}
}

/* Who cannot wait longer is refused: nothing of it was done. */
static void
parked_tick(struct sync *s, uint64_t now_ns)
{
	struct request *r, *next;

	if (s->fleet->rep.paused_ns != 0 && clock_since(now_ns, s->fleet->rep.paused_ns) > PARK_NS)
		forward_resume(s);
	for (r = TAILQ_FIRST(&s->fleet->parked); r != NULL; r = next) {
		next = TAILQ_NEXT(r, waiting);
		if (now_ns + 2 * MARGIN_MS * 1000000ull < r->deadline_ns)
			continue;
		TAILQ_REMOVE(&s->fleet->parked, r, waiting);
		refuse_away(s, r);
	}
}

static void
drop_served(Ns__CommitReply *m)
{
	for (size_t i = 0; i < m->n_served; i++)
		protobuf_c_message_free_unpacked(&m->served[i]->base, NULL);
	free(m->served);
	m->served = NULL;
	m->n_served = 0;
}

/* What its client waits for here. */
static void
note_revision(struct request *r, Ns__Envelope *reply)
{
	if (reply->body_case == NS__ENVELOPE__BODY_IMPORT_REPLY)
		r->revision = reply->import_reply->revision;
	if (reply->body_case != NS__ENVELOPE__BODY_COMMIT_REPLY)
		return;
	r->revision = reply->commit_reply->revision;
	/* "served" lists this appliance, unless all were asked for. */
	if (!receipts_wants_all(r))
		drop_served(reply->commit_reply);
}

static void
take_reply(struct sync *s, struct request *r, Ns__Envelope *env)
{
	if (env == NULL)
		r->err =
		    ns_fail(&r->why, NS_UNKNOWN, EF_UNKNOWN, "the primary's answer cannot be read");
	else
		request_hear(r, env);
	if (r->err == NS_OK)
		note_revision(r, r->reply);
	importaway_heard(s, r);
	/* Read your writes: not before this appliance serves it. */
	if (r->err == NS_OK && r->revision != 0)
		receipts_wait(s, r);
	else
		request_finish(s, r);
}

void
forward_reply(struct sync *s, const Ns__FleetForwardReply *in)
{
	struct ns_why why = { 0 };
	struct request *r;

	TAILQ_FOREACH(r, &s->fleet->forwarded, waiting)
	{
		if (r->forward_id != in->id)
			continue;
		TAILQ_REMOVE(&s->fleet->forwarded, r, waiting);
		take_reply(s, r, ns_envelope_unpack(in->reply.data, in->reply.len, &why));
		return;
	}
}

static void
end_unknown(struct sync *s, struct request *r, const char *text)
{
	TAILQ_REMOVE(&s->fleet->forwarded, r, waiting);
	if (refuse_part(s, r))
		return;
	r->err = ns_fail(&r->why, NS_UNKNOWN, EF_UNKNOWN,
	    "%s: the outcome is unknown; repeat it with the same --idempotency-key", text);
	request_finish(s, r);
}

void
forward_lost(struct sync *s)
{
	struct request *r;

	while ((r = TAILQ_FIRST(&s->fleet->forwarded)) != NULL)
		end_unknown(s, r, "the link to the primary broke");
	importaway_forget(s);
}

void
forward_stop(struct sync *s)
{
	struct request *r;

	importaway_forget(s);
	TAILQ_CONCAT(&s->fleet->forwarded, &s->fleet->parked, waiting);
	while ((r = TAILQ_FIRST(&s->fleet->forwarded)) != NULL) {
		TAILQ_REMOVE(&s->fleet->forwarded, r, waiting);
		conn_detach(r);
		request_destroy(&r);
	}
}

void
forward_tick(struct sync *s, uint64_t now_ns)
{
	struct request *r, *next;

	parked_tick(s, now_ns);
	importaway_tick(s, now_ns);
	for (r = TAILQ_FIRST(&s->fleet->forwarded); r != NULL; r = next) {
		next = TAILQ_NEXT(r, waiting);
		if (now_ns + MARGIN_MS * 1000000ull / 2 > r->deadline_ns)
			end_unknown(s, r, "the primary did not answer in time");
	}
}

/* ---- at the primary ---- */
/* Instead of the control socket. */
static void
finish_forward(struct sync *s, struct request *r)
{
	s->fleet->relaying--;
	origin_answer(s, r);
}

static struct origin
origin_of(const struct follower *fo, const Ns__FleetForward *in)
{
	return (struct origin){ fo->peer, in->id, NS__ENVELOPE__BODY_FLEET_FORWARD_REPLY };
}

void
forward_refuse(struct sync *s, const struct follower *fo, const Ns__FleetForward *in, uint64_t term)
{
	struct origin o = origin_of(fo, in);
	struct ns_why why = { 0 };

	ns_fail(&why, NS_UNAVAILABLE, EF_TERM,
	    "sent to the primary of term %llu, and %s is in term %llu: nothing was changed; try "
	    "again in a moment",
	    (unsigned long long)term, s->name, (unsigned long long)s->head.term);
	origin_refuse(s, &o, &why);
}

void
forward_take(
    struct sync *s, const struct follower *fo, const struct member *m, const Ns__FleetForward *in)
{
	struct origin o = origin_of(fo, in);
	const struct request_kind *k;
	struct ns_why why = { 0 };
	Ns__Envelope *env = ns_envelope_unpack(in->request.data, in->request.len, &why);

	if (env == NULL) {
		origin_refuse(s, &o, &why);
		return;
	}
	k = control_kind(env->body_case);
	if (k == NULL || (k->on != ON_WRITER && !k->relayed) || k->primary_only) {
		ns_fail(&why, NS_DENIED, EF_ONLY_PRIMARY,
		    "this is done on the primary's own socket only");
		origin_refuse(s, &o, &why);
	} else {
		s->fleet->relaying++;
		origin_start(s, &o,
		    &(struct origin_caller){ m, in->principal, in->role, in->via, in->source,
			in->appliance, in->deadline_ms },
		    k, env, finish_forward);
	}
	ns__envelope__free_unpacked(env, NULL);
}
