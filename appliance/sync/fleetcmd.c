/* fleetcmd - fleet invite, list, remove; and what status and history say of the fleet. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/fleet/codes.h"
#include "appliance/sync/batch.h"
#include "appliance/sync/change.h"
#include "appliance/sync/control.h"
#include "appliance/sync/errors.h"
#include "appliance/sync/fleet.h"
#include "appliance/sync/receipts.h"
#include "appliance/sync/status.h"
#include "appliance/sync/writer.h"
#include "ipc/base/clock.h"
#include "ipc/base/text.h"
#include "ipc/base/xalloc.h"

/* ---- invite ---- */
struct invitation {
	struct member self, member;
	struct token token;
};

static enum ns_err
invite_check(const struct sync *s, const Ns__FleetInviteRequest *in, struct ns_why *why)
{
	if (s->fleet->router == NULL)
		return ns_fail(why, NS_UNAVAILABLE, EF_NO_FLEET,
		    "this appliance has no fleet port: set [fleet] listen (and advertise) and "
		    "restart it");
	/* The line would hold a key that is about to be refused. */
	if (roll_now(s) != ROLL_NONE)
		return ns_fail(why, NS_CONFLICT, EF_ROLLING,
		    "the key of %s, which an invitation holds, is being replaced: invite when that "
		    "is done (fleet list)",
		    s->name);
	if (!member_name_ok(in->name) || strcmp(in->name, s->name) == 0)
		return ns_fail(why, NS_USAGE, EF_NAME,
		    "not the name of another appliance: letters, digits, - . and _, at most %u",
		    FLEET_NAME - 1);
	if (in->trust[0] != '\0' && !member_trust_ok(in->trust))
		return ns_fail(why, NS_USAGE, EF_TRUST, "--trust is viewer or operator");
	if (strlen(in->site) >= FLEET_NAME)
		return ns_fail(why, NS_USAGE, EF_NAME, "the site's name is too long");
	return NS_OK;
}

static enum ns_err
invite_make(const struct sync *s, const Ns__FleetInviteRequest *in, struct invitation *v,
    struct ns_why *why)
{
	struct fleet_keys one;

	if (!fleet_keys_make(&one))
		return ns_fail(why, NS_FAILED, EF_KEY, "libzmq makes no CURVE keys here");
	snprintf(v->self.name, sizeof v->self.name, "%s", s->name);
	text_copy(v->self.site, sizeof v->self.site, s->start->config->site);
	snprintf(v->self.trust, sizeof v->self.trust, "operator");
	snprintf(v->self.endpoint, sizeof v->self.endpoint, "%s", fleet_advertise(s));
	v->self.enrolled = true;
	memcpy(v->self.key, s->fleet->keys.public_key, FLEET_KEY);
	snprintf(v->member.name, sizeof v->member.name, "%s", in->name);
	snprintf(v->member.site, sizeof v->member.site, "%s", in->site);
	snprintf(v->member.trust, sizeof v->member.trust, "%s",
	    in->trust[0] != '\0' ? in->trust : "operator");
	v->member.invited = true;
	memcpy(v->member.invite_key, one.public_key, FLEET_KEY);
	v->member.invite_until_ms = clock_wall_ms() + FLEET_INVITE_MS;
	snprintf(v->token.name, sizeof v->token.name, "%s", in->name);
	snprintf(v->token.endpoint, sizeof v->token.endpoint, "%s", fleet_advertise(s));
	memcpy(v->token.primary, s->fleet->keys.public_key, FLEET_KEY);
	memcpy(v->token.secret, one.secret_key, FLEET_KEY);
	return NS_OK;
}

void
fleet_invite_request(struct sync *s, struct request *r)
{
	const Ns__FleetInviteRequest *in = r->env->fleet_invite_request;
	struct invitation *v = xcalloc(1, sizeof *v);

	r->state = v;
	r->free_state = free;
	r->err = invite_check(s, in, &r->why);
	if (r->err == NS_OK)
		r->err = invite_make(s, in, v, &r->why);
	if (r->err != NS_OK)
		request_finish(s, r);
	else
		control_to_writer(s, r);
}

static bool
same_member(const struct member *a, const struct member *b)
{
	return a != NULL && !a->removed && strcmp(a->endpoint, b->endpoint) == 0 &&
	       strcmp(a->site, b->site) == 0 && memcmp(a->key, b->key, FLEET_KEY) == 0;
}

static enum ns_err
invite_store(struct request *r, struct batch *b, const struct roster *roster)
{
	const struct invitation *v = r->state;
	const struct member *old = roster_find(roster, v->member.name);
	const struct member *was = roster_find(roster, v->self.name);
	struct member self = v->self;
	struct change c;
	enum ns_err err = NS_OK;
	char comment[512];

	if (old != NULL && old->enrolled && !old->removed)
		return ns_fail(&r->why, NS_CONFLICT, EF_MEMBER_EXISTS,
		    "%s is in the fleet: remove it first (fleet remove)", v->member.name);
	if (old == NULL && roster->count + 1 >= FLEET_MEMBERS)
		return ns_fail(&r->why, NS_INVALID, EF_FULL, "a fleet has at most %u appliances",
		    FLEET_MEMBERS);
	snprintf(comment, sizeof comment, "%s",
	    r->env->fleet_invite_request->comment[0] != '\0' ? r->env->fleet_invite_request->comment
							     : "an invitation");
	change_begin(&c, &r->caller, "fleet", comment, b->now_ms, b->term);
	if (was != NULL && !was->removed) {
		self.drained = was->drained;
		self.drain = was->drain;
	}
	if (!same_member(was, &self))
		err = member_put(b, &c, &self, &r->why);
	if (err == NS_OK)
		err = member_put(b, &c, &v->member, &r->why);
	if (err == NS_OK)
		err = change_end(&c, b->store, &r->why);
	if (err == NS_OK)
		b->revision = r->revision = c.row.revision;
	members_free(&c);
	change_free(&c);
	return err;
}

enum ns_err
fleet_invite_write(struct request *r, struct batch *b)
{
	const struct invitation *v = r->state;
	struct roster *roster = members_load(b->store);
	enum ns_err err = invite_store(r, b, roster);
	Ns__FleetInviteReply *m;

	roster_free(roster);
	free(roster);
	if (err != NS_OK)
		return err;
	m = xmalloc(sizeof *m);
	ns__fleet_invite_reply__init(m);
	m->token = xmalloc(TOKEN_TEXT);
	token_write(&v->token, m->token);
	m->revision = b->revision;
	m->until = reply_time(v->member.invite_until_ms);
	request_reply(r, NS__ENVELOPE__BODY_FLEET_INVITE_REPLY, m);
	return NS_OK;
}

/* ---- remove ---- */
enum ns_err
fleet_remove_text(struct request *r)
{
	const Ns__FleetRemoveRequest *in = r->env->fleet_remove_request;

	if (strcmp(in->confirm, in->name) != 0)
		return ns_fail(&r->why, NS_CONFIRM, EF_CONFIRM,
		    "removing an appliance takes its name a second time: --confirm=NAME");
	return NS_OK;
}

static enum ns_err
remove_store(struct request *r, struct batch *b, const struct member *old)
{
	const Ns__FleetRemoveRequest *in = r->env->fleet_remove_request;
	struct member gone = *old;
	enum ns_err err;

	gone.removed = true;
	gone.enrolled = gone.invited = false;
	err = member_commit(b, &r->caller, &gone,
	    in->comment[0] != '\0' ? in->comment : "removed an appliance", &r->why);
	if (err == NS_OK)
		r->revision = b->revision;
	return err;
}

enum ns_err
fleet_remove_write(struct request *r, struct batch *b)
{
	const char *name = r->env->fleet_remove_request->name;
	struct roster *roster = members_load(b->store);
	const struct member *old = roster_find(roster, name);
	enum ns_err err;

	if (old == NULL || old->removed)
		err = ns_fail(
		    &r->why, NS_NOTFOUND, EF_MEMBER, "there is no appliance named %s", name);
	else if (strcmp(name, r->own_name) == 0)
		err = ns_fail(&r->why, NS_INVALID, EF_SELF, "an appliance does not remove itself");
	else
		err = remove_store(r, b, old);
	roster_free(roster);
	free(roster);
	if (err == NS_OK)
		commit_reply_new(r)->revision = r->revision;
	return err;
}

/* ---- list ---- */
static Ns__FleetListReply__Appliance *
entry(Ns__FleetListReply *m, const char *name, const char *site, const char *role)
{
	Ns__FleetListReply__Appliance *a = xmalloc(sizeof *a);

	ns__fleet_list_reply__appliance__init(a);
	a->name = xstrdup(name);
	a->site = xstrdup(site);
	a->role = xstrdup(role);
	m->appliances = xreallocarray(m->appliances, m->n_appliances + 1, sizeof *m->appliances);
	m->appliances[m->n_appliances++] = a;
	return a;
}

const Ns__FleetBeat__Peer *
peer_find(const Ns__FleetBeat *b, const char *name)
{
	for (size_t i = 0; b != NULL && i < b->n_peers; i++)
		if (strcmp(b->peers[i]->name, name) == 0)
			return b->peers[i];
	return NULL;
}

static void
fill_peer(Ns__FleetListReply__Appliance *a, const Ns__FleetBeat__Peer *p, uint64_t head, double age)
{
	double silent = p->silent_s + age;
	struct vitals vitals;
	bool living = !p->never && silent * 1e9 < (double)FLEET_SILENT_NS;

	vitals_read(&vitals, p->vitals);
	vitals_show(&vitals, a);
	a->version = xstrdup(p->version);
	a->stored = p->stored;
	a->revision = p->served;
	a->qps = p->qps;
	a->p99_us = p->p99_us;
	a->error_percent = p->error_percent;
	a->p50_us = p->p50_us;
	a->uptime_s = p->uptime_s > 0 ? p->uptime_s + silent : 0;
	a->silent_s = p->never ? -1 : silent;
	a->lag_changes = head > p->served ? head - p->served : 0;
	a->lag_s = p->lag_s + (a->lag_changes > 0 || !living ? age : 0);
	a->state = xstrdup(!living                                 ? "silent"
			   : a->lag_s * 1e9 > (double)FLEET_LAG_NS ? "lag"
								   : "ok");
}

static void
fill_self(const struct sync *s, Ns__FleetListReply__Appliance *a, uint64_t head)
{
	uint64_t served = receipts_revision(s->receipts);
	const Ns__FleetBeat__Peer *own = peer_find(s->fleet->rep.beat, s->name);
	struct vitals vitals = s->fleet->vitals;

	/* A clock is told against the primary's, which is right by definition. */
	vitals.clocked =
	    !fleet_is_replica(s) || (own != NULL && own->vitals != NULL && own->vitals->clocked);
	vitals.clock_us = fleet_is_replica(s) && vitals.clocked ? own->vitals->clock_us : 0;
	vitals_show(&vitals, a);
	a->version = xstrdup(NS_RELEASE);
	a->stored = s->head.revision;
	a->revision = served;
	a->qps = s->fleet->qps;
	a->p99_us = s->fleet->p99_us;
	a->error_percent = s->fleet->error_percent;
	a->p50_us = s->fleet->p50_us;
	a->uptime_s = status_uptime_s(s);
	a->lag_changes = head > served ? head - served : 0;
	a->lag_s = fleet_lag_s(s);
	a->state = xstrdup(a->lag_s * 1e9 > (double)FLEET_LAG_NS ? "lag" : "ok");
}

static void
fill_member(const struct sync *s, const struct member *m, Ns__FleetListReply__Appliance *a,
    uint64_t head, double age)
{
	static const Ns__FleetBeat__Peer unknown = NS__FLEET_BEAT__PEER__INIT;
	const struct rep *rep = &s->fleet->rep;
	const Ns__FleetBeat__Peer *p;
	Ns__FleetBeat__Peer *own;

	a->endpoint = xstrdup(m->endpoint);
	a->trust = xstrdup(m->trust);
	a->drained = drained_message(m);
	a->key_roll = roll_message(m);
	if (!m->enrolled) {
		vitals_show(&(const struct vitals){ 0 }, a);
		a->version = xstrdup("");
		a->state = xstrdup("invited");
	} else if (strcmp(m->name, s->name) == 0) {
		fill_self(s, a, head);
	} else if (fleet_is_replica(s)) {
		p = peer_find(rep->beat, m->name);
		fill_peer(a, p != NULL ? p : &unknown, head, p != NULL ? age : 1e6);
	} else {
		own = pub_peer(s, m, clock_mono_ns());
		fill_peer(a, own, head, 0);
		free(own);
	}
	/* Who is silent is silent first of all. */
	if (m->drained && (strcmp(a->state, "ok") == 0 || strcmp(a->state, "lag") == 0)) {
		free(a->state);
		a->state = xstrdup("drained");
	}
}

Ns__FleetListReply *
fleet_list_reply(const struct sync *s)
{
	const struct fleet *f = s->fleet;
	bool replica = fleet_is_replica(s), self = false;
	uint64_t head = replica && f->rep.head > s->head.revision ? f->rep.head : s->head.revision;
	uint64_t said_ns = f->rep.beat != NULL ? f->rep.beat_ns : f->started_ns;
	double age = replica ? (double)clock_since(clock_mono_ns(), said_ns) / 1e9 : 0;
	Ns__FleetListReply *m = xmalloc(sizeof *m);
	const char *primary = replica ? f->facts.primary : s->name;

	ns__fleet_list_reply__init(m);
	m->age_s = age;
	for (size_t i = 0; i < f->roster->count; i++) {
		const struct member *mb = &f->roster->members[i];

		if (mb->removed)
			continue;
		self = self || strcmp(mb->name, s->name) == 0;
		fill_member(s, mb,
		    entry(m, mb->name, mb->site,
			strcmp(mb->name, primary) == 0 ? "primary"
			: mb->standby                  ? "standby"
						       : "replica"),
		    head, age);
	}
	if (!self) {
		Ns__FleetListReply__Appliance *a =
		    entry(m, s->name, s->start->config->site, s->head.role);

		a->endpoint = xstrdup(fleet_advertise(s));
		a->trust = xstrdup("operator");
		fill_self(s, a, head);
	}
	return m;
}

void
fleet_remember(struct sync *s, uint64_t now_ns)
{
	Ns__FleetListReply *m = fleet_list_reply(s);

	for (size_t i = 0; i < m->n_appliances; i++) {
		const Ns__FleetListReply__Appliance *a = m->appliances[i];

		if (strcmp(a->state, "invited") != 0)
			loadpast_add(&s->fleet->loads, a->name,
			    strcmp(a->state, "silent") != 0 ? a->qps : -1, now_ns);
	}
	ns__fleet_list_reply__free_unpacked(m, NULL);
}

static void
add_past(const struct sync *s, Ns__FleetListReply *m)
{
	for (size_t i = 0; i < m->n_appliances; i++) {
		Ns__FleetListReply__Appliance *a = m->appliances[i];
		const float *points = loadpast_of(&s->fleet->loads, a->name);

		if (points == NULL)
			continue;
		a->past = xmalloc(LOAD_POINTS * sizeof *a->past);
		memcpy(a->past, points, LOAD_POINTS * sizeof *a->past);
		a->n_past = LOAD_POINTS;
	}
}

void
fleet_list_request(struct sync *s, struct request *r)
{
	Ns__FleetListReply *m = fleet_list_reply(s);

	if (r->env->fleet_list_request->past)
		add_past(s, m);
	request_reply(r, NS__ENVELOPE__BODY_FLEET_LIST_REPLY, m);
	request_finish(s, r);
}

/* ---- status, history, receipts ---- */
double
fleet_lag_s(const struct sync *s)
{
	const struct rep *rep = &s->fleet->rep;
	uint64_t now = clock_mono_ns();

	if (!fleet_is_replica(s))
		return 0;
	if (!fleet_reachable(s))
		return (double)clock_since(now, rep->heard ? rep->heard_ns : s->fleet->started_ns) /
		       1e9;
	return rep->behind_ns != 0 && receipts_revision(s->receipts) < rep->head
		   ? (double)clock_since(now, rep->behind_ns) / 1e9
		   : 0;
}

bool
fleet_reachable(const struct sync *s)
{
	const struct rep *rep = &s->fleet->rep;

	return !fleet_is_replica(s) ||
	       (rep->heard && rep->state == REP_FOLLOW &&
		   clock_since(clock_mono_ns(), rep->heard_ns) < FLEET_LOST_NS);
}

static void
replica_problems(const struct sync *s, Ns__StatusReply *m)
{
	const struct rep *rep = &s->fleet->rep;
	const char *primary = s->fleet->facts.primary;

	if (rep->state == REP_ENROL || rep->state == REP_REFUSED)
		status_problem(m, "fleet",
		    xasprintf("not enrolled yet: %s",
			rep->trouble[0] != '\0' ? rep->trouble
						: "the primary has not answered (is the invitation "
						  "used, expired, or its address not reachable?)"));
	else if (rep->trouble[0] != '\0')
		status_problem(m, "fleet", xasprintf("not following: %s", rep->trouble));
	else if (!fleet_reachable(s))
		status_problem(m, "fleet",
		    xasprintf(
			"no word of the primary %s for %.0f s: DNS is answered from what is here",
			primary, fleet_lag_s(s)));
	if (rep->repaired > 0)
		status_problem(m, "repaired",
		    xasprintf(
			"%llu differed from the primary's and were fetched again, last %s; the log "
			"says when",
			(unsigned long long)rep->repaired, rep->repaired_last));
}

void
fleet_status(struct sync *s, Ns__StatusReply *m)
{
	const struct fleet *f = s->fleet;
	char *strangers = fleet_door_trouble(s);

	if (strangers != NULL)
		status_problem(m, "strangers", strangers);
	m->primary->name = xstrdup(fleet_is_replica(s) ? f->facts.primary : s->name);
	m->primary->reachable = fleet_reachable(s);
	m->primary->lag_s = fleet_lag_s(s);
	m->drained = drained_message(roster_find(f->roster, s->name));
	roll_status(s, m);
	m->votes_dropped += f->votes_dropped;
	standby_status(s, m);
	if (fleet_is_replica(s)) {
		replica_problems(s, m);
		return;
	}
	for (size_t i = 0; i < f->roster->count; i++) {
		const struct member *mb = &f->roster->members[i];
		Ns__FleetBeat__Peer *p;

		if (!mb->enrolled || mb->removed || strcmp(mb->name, s->name) == 0)
			continue;
		p = pub_peer(s, mb, clock_mono_ns());
		if (p->never || p->silent_s * 1e9 >= (double)FLEET_SILENT_NS)
			status_problem(m, "fleet",
			    p->never
				? xasprintf("%s has not been heard of since the start", mb->name)
				: xasprintf(
				      "%s has been silent for %.0f s", mb->name, p->silent_s));
		else if (p->lag_s * 1e9 > (double)FLEET_LAG_NS)
			status_problem(m, "fleet",
			    xasprintf("%s is %llu changes behind", mb->name,
				(unsigned long long)(s->head.revision - p->served)));
		free(p);
	}
}

static void
add_name(char ***list, size_t *n, const char *name)
{
	*list = xreallocarray(*list, *n + 1, sizeof **list);
	(*list)[(*n)++] = xstrdup(name);
}

void
fleet_history(struct sync *s, Ns__HistoryShowReply *m)
{
	const struct fleet *f = s->fleet;
	uint64_t revision = m->change != NULL ? m->change->revision : 0;

	if (receipts_revision(s->receipts) >= revision)
		add_name(&m->served_by, &m->n_served_by, s->name);
	else
		add_name(&m->behind, &m->n_behind, s->name);
	for (size_t i = 0; i < f->roster->count; i++) {
		const struct member *mb = &f->roster->members[i];
		const Ns__FleetBeat__Peer *p;
		Ns__FleetBeat__Peer *own = NULL;

		if (!mb->enrolled || mb->removed || strcmp(mb->name, s->name) == 0)
			continue;
		p = fleet_is_replica(s) ? peer_find(f->rep.beat, mb->name)
					: (own = pub_peer(s, mb, clock_mono_ns()));
		if (p != NULL && !p->never && p->served >= revision)
			add_name(&m->served_by, &m->n_served_by, mb->name);
		else
			add_name(&m->behind, &m->n_behind, mb->name);
		free(own);
	}
}
