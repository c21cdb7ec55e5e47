/* origin - see origin.h. */
#include "appliance/sync/origin.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/sync/control.h"
#include "ipc/base/source.h"
#include "ipc/base/text.h"
#include "ipc/base/xalloc.h"
#include "ipc/envelope.h"

/* ---- there ---- */
static void
send_back(struct sync *s, const struct origin *o, Ns__Envelope *inner)
{
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__FleetForwardReply forwarded = NS__FLEET_FORWARD_REPLY__INIT;
	Ns__FleetRelayed relayed = NS__FLEET_RELAYED__INIT;
	ProtobufCBinaryData packed = { .len = ns__envelope__get_packed_size(inner) };

	packed.data = xmalloc(packed.len + 1);
	ns__envelope__pack(inner, packed.data);
	env.body_case = o->reply;
	if (o->reply == NS__ENVELOPE__BODY_FLEET_RELAYED) {
		relayed.id = o->id;
		relayed.reply = packed;
		env.fleet_relayed = &relayed;
	} else {
		forwarded.id = o->id;
		forwarded.reply = packed;
		env.fleet_forward_reply = &forwarded;
	}
	pub_send(s, &o->from, &env);
	free(packed.data);
}

static void
refuse(struct sync *s, const struct origin *o, struct ns_why *why, Ns__Conflict *conflict)
{
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__Error error;

	ns_error_from_why(&error, why);
	error.conflict = why->err == NS_CONFLICT ? conflict : NULL;
	env.body_case = NS__ENVELOPE__BODY_ERROR;
	env.error = &error;
	send_back(s, o, &env);
}

void
origin_refuse(struct sync *s, const struct origin *o, struct ns_why *why)
{
	refuse(s, o, why, NULL);
}

void
origin_answer(struct sync *s, struct request *r)
{
	struct origin *o = r->origin;

	if (r->err != NS_OK || r->reply == NULL) {
		if (r->why.err == NS_OK)
			ns_fail(&r->why, r->err != NS_OK ? r->err : NS_FAILED, 0, "no reply");
		refuse(s, o, &r->why, r->conflict);
	} else {
		send_back(s, o, r->reply);
	}
	free(o);
	r->origin = NULL;
	request_destroy(&r);
}

/* ---- here ---- */
static enum user_role
role_named(const char *name)
{
	for (enum user_role r = USER_ADMIN; r > USER_UNKNOWN; r--)
		if (strcmp(user_role_name(r), name) == 0)
			return r;
	return USER_UNKNOWN;
}

static void
caller_of(struct caller *c, const struct roster *all, const struct origin_caller *from)
{
	const struct member *m = from->member;
	enum user_role cap = role_named(m->trust), said = role_named(from->role);

	*c = (struct caller){ .role = said < cap ? said : cap, .uid = UINT32_MAX };
	text_copy(c->name, sizeof c->name, from->principal);
	text_copy(c->via, sizeof c->via, from->via);
	source_take(from->source, c->source);
	text_copy(c->appliance, sizeof c->appliance,
	    roster_find(all, from->appliance) != NULL ? from->appliance : m->name);
	text_copy(c->relay, sizeof c->relay, m->name);
	text_copy(c->relay_site, sizeof c->relay_site, m->site_claimed ? "" : m->site);
}

void
origin_start(struct sync *s, const struct origin *o, const struct origin_caller *from,
    const struct request_kind *kind, Ns__Envelope *env,
    void (*finish)(struct sync *, struct request *))
{
	struct ns_peer peer = { 0 };
	struct request *r;

	env->deadline_ms = from->deadline_ms;
	r = request_new(&peer, env);
	caller_of(&r->caller, s->fleet->roster, from);
	r->kind = kind;
	r->store_dir = s->store_dir;
	r->reads = s->reads;
	r->finish = finish;
	r->origin = xmalloc(sizeof *o);
	memcpy(r->origin, o, sizeof *o);
	control_start(s, r, from->member->name);
}
