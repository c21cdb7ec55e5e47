/* fleetcall - a link of our own to every other appliance's fleet port.  Loop only.
 *
 * A replica follows the primary by another link.  These carry votes on checks (votes.c), and calls: the
 * primary calls every appliance that does not follow it ("I am the primary of term N"), so that all find a
 * new one by themselves and an old one that returns hears that it is none any more; a candidate asks all
 * where they stand, and a replica that misses its primary asks some of them in turn who it is now.  Who
 * answers is who has the member's key.
 * What was queued on a link that broke would come late, as if it were new: the socket goes with it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/sync/fleet.h"
#include "appliance/sync/gate.h"
#include "appliance/sync/relay.h"
#include "appliance/sync/testask.h"
#include "ipc/base/clock.h"
#include "ipc/base/log.h"
#include "ipc/base/xalloc.h"

#define CALL_PACE_NS 500000000ull
#define LOST_CALL_NS 4000000000ull /* no word of the primary for so long */
#define LOST_TURN_NS 2000000000ull
#define LOST_CALLS   4u
#define CALL_MISS_NS 2000000000ull /* who was heard since then needs no call */
/* libzmq does not try again after a refused handshake (whoever has just joined is not known everywhere
 * yet): we do, after twice so long, then four times, then FLEET_REDIAL_NS. */
#define DIAL_NS   500000000ull
#define DIAL_MOST 3u

struct call {
	struct sync *s;
	char name[FLEET_NAME], endpoint[ENDPOINT_MAX];
	uint8_t key[FLEET_KEY];
	zsock_t *z;
	struct ns_sock *sock;
	bool up, broke;
	unsigned dials; /* since it was up */
	uint64_t dialed_ns, sent_ns;
	struct call_said said;
};
struct calls {
	size_t count;
	struct call *list[FLEET_MEMBERS];
};

void
calls_start(struct sync *s)
{
	s->fleet->calls = xcalloc(1, sizeof *s->fleet->calls);
}

static void
call_destroy(struct call **cp)
{
	ns_sock_destroy(&(*cp)->sock);
	free(*cp);
	*cp = NULL;
}

void
calls_stop(struct sync *s)
{
	struct calls *c = s->fleet->calls;

	if (c == NULL)
		return;
	for (size_t i = 0; i < c->count; i++)
		call_destroy(&c->list[i]);
	free(c);
	s->fleet->calls = NULL;
}

void
fleet_newer(struct sync *s, const char *name, uint64_t term)
{
	struct fleet *f = s->fleet;

	if (term <= s->head.term || term <= f->newest_term)
		return;
	log_warn("fleet.newer", "name=%s term=%llu ours=%llu", name, (unsigned long long)term,
	    (unsigned long long)s->head.term);
	f->newest_term = term;
}

/* ---- what they say ---- */
/* It says that it is the primary of that term: of a newer one, or of ours where whom we follow is none in it. */
static bool
leads_us(const struct sync *s, const char *name, uint64_t term)
{
	const struct fleet *f = s->fleet;

	return term > s->head.term || (term == s->head.term && fleet_is_replica(s) &&
					  f->rep.misled && strcmp(f->facts.primary, name) != 0);
}

static void
take_position(struct call *c, const Ns__Envelope *env)
{
	const Ns__FleetPosition *in = env->fleet_position;
	struct sync *s = c->s;

	c->said.heard_ns = clock_mono_ns();
	c->said.term = env->term;
	c->said.at = (struct position){ in->log_term, in->revision };
	snprintf(c->said.role, sizeof c->said.role, "%.*s", (int)sizeof c->said.role - 1, in->role);
	fleet_newer(s, c->name, env->term);
	if (strcmp(in->role, "primary") == 0 && leads_us(s, c->name, env->term)) {
		const struct member *m = roster_find(s->fleet->roster, c->name);

		if (m != NULL)
			fleet_obey(s, m, env->term);
	}
	/* Without a standby anybody who agrees on the term will do. */
	if (!fleet_is_replica(s) && env->term == s->head.term && strcmp(in->role, "replica") == 0 &&
	    strcmp(in->primary, s->name) == 0)
		gate_heard(s, false);
}

static void
call_message(void *arg, zsock_t *z)
{
	struct call *c = arg;
	struct sync *s = c->s;
	struct fleet_from from = { .fd = -1 };
	struct ns_why why = { 0 };
	Ns__Envelope *env;

	if (fleet_recv(z, false, NULL, NULL, &from, &env, &why) != FLEET_OK)
		return;
	if (env->body_case == NS__ENVELOPE__BODY_FLEET_POSITION)
		take_position(c, env);
	else if (env->body_case == NS__ENVELOPE__BODY_FLEET_VOTES)
		votes_take(s, c->name, env->fleet_votes);
	else if (env->body_case == NS__ENVELOPE__BODY_FLEET_TESTED)
		testask_tested(s, c->name, env->fleet_tested);
	else if (env->body_case == NS__ENVELOPE__BODY_FLEET_RELAYED)
		relay_came(s, c->name, env->fleet_relayed);
	ns__envelope__free_unpacked(env, NULL);
}

const struct call_said *
call_said(const struct sync *s, const char *name, uint64_t since_ns)
{
	const struct calls *c = s->fleet->calls;

	for (size_t i = 0; c != NULL && i < c->count; i++)
		if (strcmp(c->list[i]->name, name) == 0 && c->list[i]->said.heard_ns >= since_ns)
			return &c->list[i]->said;
	return NULL;
}

/* ---- whom to call ---- */
/* A replica that the new primary cannot call (it has no address of its own) looks for it, at a few members
 * at a time: the whole fleet may be doing so. */
static bool
asks_now(const struct sync *s, const struct member *m, uint64_t now_ns)
{
	const struct rep *rep = &s->fleet->rep;
	const struct roster *r = s->fleet->roster;
	size_t groups = (r->count + LOST_CALLS - 1) / LOST_CALLS;

	return (size_t)(m - r->members) % groups == now_ns / LOST_TURN_NS % groups &&
	       s->fleet->facts.joined && !fleet_reachable(s) &&
	       clock_since(now_ns, rep->heard ? rep->heard_ns : s->fleet->started_ns) >
		   LOST_CALL_NS;
}

static bool
linked(const struct sync *s, const struct member *m)
{
	return m->enrolled && !m->removed && m->endpoint[0] != '\0' &&
	       strcmp(m->name, s->name) != 0;
}

static bool
called(struct sync *s, const struct member *m, uint64_t now_ns)
{
	const struct follower *fo = pub_follower(s->fleet, m->name);
	bool hold;

	if (promote_asks(s, &hold))
		return true;
	if (fleet_is_replica(s))
		return asks_now(s, m, now_ns);
	return fo == NULL || !fo->present || clock_since(now_ns, fo->heard_ns) > CALL_MISS_NS;
}

static struct call *
call_find(const struct calls *c, const struct member *m)
{
	for (size_t i = 0; i < c->count; i++)
		if (strcmp(c->list[i]->name, m->name) == 0 &&
		    strcmp(c->list[i]->endpoint, m->endpoint) == 0 &&
		    (memcmp(c->list[i]->key, m->key, FLEET_KEY) == 0 ||
			(m->roll.announced &&
			    memcmp(c->list[i]->key, m->roll.key, FLEET_KEY) == 0)))
			return c->list[i];
	return NULL;
}

/* Its port may have the new key before we hear so: one, then the other. */
static void
key_choose(struct call *c, const struct member *m, uint64_t now_ns)
{
	bool other = m->roll.announced && now_ns / FLEET_REDIAL_NS % 2 != 0;

	memcpy(c->key, other ? m->roll.key : m->key, FLEET_KEY);
}

static void
on_link(void *arg, bool up)
{
	struct call *c = arg;

	c->broke = c->broke || (c->up && !up);
	c->up = up;
	if (!up)
		return;
	c->dials = 0;
	votes_linked(c->s, c->name);
}

static void
dial(struct call *c, uint64_t now_ns)
{
	struct sync *s = c->s;
	struct ns_why why = { 0 };

	ns_sock_destroy(&c->sock);
	c->up = c->broke = false;
	c->sent_ns = 0;
	c->dialed_ns = now_ns;
	c->dials += c->dials < DIAL_MOST;
	c->z = fleet_socket(ZMQ_DEALER, &s->fleet->keys, c->key);
	c->sock = c->z != NULL ? ns_sock_wrap(s->role->base, c->z, call_message, c, &why) : NULL;
	if (c->sock == NULL) {
		log_error("fleet.call", "name=%s text=%s", c->name, log_quote(why.text));
		return;
	}
	ns_sock_on_link(c->sock, on_link, c);
	if (fleet_connect(c->z, c->endpoint, &why) != NS_OK)
		log_error("fleet.call", "name=%s text=%s", c->name, log_quote(why.text));
	ns_sock_look(c->sock);
}

static void
call_add(struct sync *s, const struct member *m, uint64_t now_ns)
{
	struct calls *list = s->fleet->calls;
	struct call *c;

	if (list->count == FLEET_MEMBERS)
		return;
	c = xcalloc(1, sizeof *c);
	c->s = s;
	memcpy(c->name, m->name, sizeof c->name);
	memcpy(c->endpoint, m->endpoint, sizeof c->endpoint);
	memcpy(c->key, m->key, FLEET_KEY);
	list->list[list->count++] = c;
	dial(c, now_ns);
}

bool
calls_linked(const struct sync *s, const char *name)
{
	const struct calls *list = s->fleet->calls;

	for (size_t i = 0; list != NULL && i < list->count; i++)
		if (list->list[i]->up && strcmp(name, list->list[i]->name) == 0)
			return true;
	return false;
}

void
calls_send(struct sync *s, const char *to, struct packet *p)
{
	struct calls *list = s->fleet->calls;

	for (size_t i = 0; list != NULL && i < list->count; i++) {
		struct call *c = list->list[i];

		if (!c->up || (to[0] != '\0' && strcmp(to, c->name) != 0))
			continue;
		(void)fleet_send(c->z, NULL, p);
		ns_sock_look(c->sock);
	}
}

static void
say(struct sync *s, struct call *c, uint64_t now_ns)
{
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__FleetCall out = NS__FLEET_CALL__INIT;
	bool hold = false;
	struct packet *p;

	out.major = NS_PROTO_MAJOR;
	if (promote_asks(s, &hold))
		out.what = hold ? NS__FLEET_CALL__WHAT__HOLD : NS__FLEET_CALL__WHAT__ASK;
	else
		out.what =
		    fleet_is_replica(s) ? NS__FLEET_CALL__WHAT__ASK : NS__FLEET_CALL__WHAT__PRIMARY;
	env.term = s->head.term;
	env.body_case = NS__ENVELOPE__BODY_FLEET_CALL;
	env.fleet_call = &out;
	p = packet_new(&env);
	if (p == NULL)
		return;
	c->sent_ns = now_ns;
	(void)fleet_send(c->z, NULL, p);
	packet_unref(p);
	ns_sock_look(c->sock);
}

static void
call_tick(struct sync *s, struct call *c, const struct member *m, uint64_t now_ns)
{
	uint64_t wait = c->dials < DIAL_MOST ? DIAL_NS << c->dials : FLEET_REDIAL_NS;

	if (c->broke || (!c->up && clock_since(now_ns, c->dialed_ns) > wait)) {
		key_choose(c, m, now_ns);
		dial(c, now_ns);
	}
	if (c->up && called(s, m, now_ns) && clock_since(now_ns, c->sent_ns) > CALL_PACE_NS)
		say(s, c, now_ns);
}

void
calls_tick(struct sync *s, uint64_t now_ns)
{
	struct fleet *f = s->fleet;
	struct calls *c = f->calls;

	for (size_t i = 0; i < f->roster->count; i++) {
		const struct member *m = &f->roster->members[i];

		if (linked(s, m) && call_find(c, m) == NULL)
			call_add(s, m, now_ns);
	}
	for (size_t i = 0; i < c->count; i++) {
		const struct member *m = roster_find(f->roster, c->list[i]->name);

		if (m == NULL || !linked(s, m) || call_find(c, m) != c->list[i]) {
			call_destroy(&c->list[i]);
			c->list[i--] = c->list[--c->count];
		} else {
			call_tick(s, c->list[i], m, now_ns);
		}
	}
}

void
calls_now(struct sync *s, uint64_t now_ns)
{
	for (size_t i = 0; i < s->fleet->calls->count; i++)
		s->fleet->calls->list[i]->sent_ns = 0;
	calls_tick(s, now_ns);
}

/* ---- being called ---- */
static void
answer(struct sync *s, const struct fleet_from *from)
{
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__FleetPosition out = NS__FLEET_POSITION__INIT;

	out.role = s->head.role;
	out.revision = s->head.revision;
	out.log_term = s->head.log_term;
	out.primary = fleet_is_replica(s) ? s->fleet->facts.primary : (char *)(uintptr_t)s->name;
	env.body_case = NS__ENVELOPE__BODY_FLEET_POSITION;
	env.fleet_position = &out;
	pub_send(s, from, &env);
}

static void
heard_primary(struct sync *s, const struct member *m, uint64_t term)
{
	struct fleet *f = s->fleet;

	fleet_newer(s, m->name, term);
	if (leads_us(s, m->name, term)) {
		fleet_obey(s, m, term);
		return;
	}
	/* Two promotions that did not see each other: a person decides. */
	if (term == s->head.term && !fleet_is_replica(s) && strcmp(f->rival, m->name) != 0) {
		snprintf(f->rival, sizeof f->rival, "%s", m->name);
		log_error("fleet.rival", "name=%s term=%llu", m->name, (unsigned long long)term);
	}
}

static void
call_take(
    struct sync *s, const struct member *m, const struct fleet_from *from, const Ns__Envelope *env)
{
	struct fleet *f = s->fleet;

	if (env->fleet_call->major != NS_PROTO_MAJOR)
		return;
	if (env->fleet_call->what == NS__FLEET_CALL__WHAT__PRIMARY)
		heard_primary(s, m, env->term);
	else
		fleet_newer(s, m->name, env->term);
	if (env->fleet_call->what == NS__FLEET_CALL__WHAT__HOLD && !fleet_is_replica(s)) {
		log_warn("fleet.hold", "by=%s", m->name);
		f->held_until_ns = clock_mono_ns() + GATE_HOLD_NS;
	}
	answer(s, from);
}

bool
call_asks(
    struct sync *s, const struct member *m, const struct fleet_from *from, const Ns__Envelope *env)
{
	switch (env->body_case) {
	case NS__ENVELOPE__BODY_FLEET_CALL:
		call_take(s, m, from, env);
		return true;
	case NS__ENVELOPE__BODY_FLEET_VOTES:
		votes_called(s, m, from, env->fleet_votes);
		return true;
	case NS__ENVELOPE__BODY_FLEET_TEST:
		testaway_called(s, from, env->fleet_test);
		return true;
	case NS__ENVELOPE__BODY_FLEET_RELAY:
		relay_take(s, m, from, env->fleet_relay);
		return true;
	default:
		return false;
	}
}
