/* promote - this appliance becomes the primary, or learns that another one has.  Loop; the jobs at the end
 * are the writer's.
 *
 *   ask all (hold: the primary acknowledges nothing for some seconds) → fetch from whoever has more
 *   → one change of term + 1 in our log, with the role in the same transaction → call everybody
 *
 * Without --confirm nothing is held: the answer says where everybody stands and what can be lost. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/fleet/codes.h"
#include "appliance/sync/residency.h"
#include "appliance/sync/batch.h"
#include "appliance/sync/change.h"
#include "appliance/sync/control.h"
#include "appliance/sync/fleet.h"
#include "appliance/sync/gate.h"
#include "appliance/sync/keysched.h"
#include "appliance/sync/receipts.h"
#include "appliance/sync/writer.h"
#include "ipc/base/clock.h"
#include "ipc/base/log.h"
#include "ipc/base/xalloc.h"

#define ASK_NS   1500000000ull /* who has not answered by then is not reachable */
#define FETCH_NS 6000000000ull /* with ASK_NS well below GATE_HOLD_NS */

enum step { ASKING, FETCHING, WRITING };
struct promotion {
	struct request *r;
	enum step step;
	bool confirmed;
	uint64_t began_ns, until_ns;
	struct position target; /* FETCHING: be there */
};

bool
promote_asks(const struct sync *s, bool *hold)
{
	const struct promotion *p = s->fleet->promotion;

	*hold = p != NULL && p->confirmed;
	return p != NULL;
}

static void
end(struct sync *s)
{
	struct promotion *p = s->fleet->promotion;
	struct request *r = p->r;

	s->fleet->promotion = NULL;
	free(p);
	request_finish(s, r);
}

/* Not now: back to where we were. */
static void
give_up(struct sync *s)
{
	struct fleet *f = s->fleet;

	f->promotion->r->err = f->promotion->r->why.err;
	if (fleet_is_replica(s) && f->rep.candidate) {
		f->rep.candidate = false;
		rep_follow(s, f->facts.endpoint, f->facts.key);
	}
	end(s);
}

/* ---- who is where ---- */
struct peers {
	size_t n;
	struct candidate_peer list[FLEET_MEMBERS];
	const struct member *members[FLEET_MEMBERS];
};

/* Who has not answered yet, too. */
static size_t
look(const struct sync *s, struct peers *out)
{
	const struct roster *r = s->fleet->roster;
	const struct member *standby = roster_standby(r);
	size_t silent = 0;

	out->n = 0;
	for (size_t i = 0; i < r->count; i++) {
		const struct member *m = &r->members[i];
		struct candidate_peer *p = &out->list[out->n];
		const struct call_said *said;

		if (!m->enrolled || m->removed || strcmp(m->name, s->name) == 0)
			continue;
		out->members[out->n++] = m;
		said = call_said(s, m->name, s->fleet->promotion->began_ns);
		*p = (struct candidate_peer){ .reachable = said != NULL, .standby = m == standby };
		if (said != NULL) {
			p->term = said->term;
			p->at = said->at;
		}
		silent += said == NULL;
	}
	return silent;
}

static struct position
own_position(const struct sync *s)
{
	return (struct position){ s->head.log_term, s->head.revision };
}

/* ---- what is told before --confirm ---- */
static void
describe(const struct sync *s, const struct peers *p, struct ns_why *why)
{
	const struct member *standby = roster_standby(s->fleet->roster);
	bool safe = standby != NULL && strcmp(standby->name, s->name) == 0, all = true;
	char *text = xasprintf("last known position here: change %llu of term %llu",
	    (unsigned long long)s->head.revision, (unsigned long long)s->head.log_term);
	char *keys = keysched_promoted();

	for (size_t i = 0; i < p->n; i++) {
		const struct candidate_peer *c = &p->list[i];
		char *more = c->reachable
				 ? xasprintf("%s; %s: change %llu of term %llu", text,
				       p->members[i]->name, (unsigned long long)c->at.revision,
				       (unsigned long long)c->at.log_term)
				 : xasprintf("%s; %s: not reachable", text, p->members[i]->name);

		all = all && c->reachable;
		free(text);
		text = more;
	}
	ns_fail(why, NS_CONFIRM, EF_CONFIRM, "%s%s%s. %s: --confirm=%s", keys != NULL ? keys : "",
	    keys != NULL ? ". " : "", text,
	    all    ? "All are reachable, nothing that was acknowledged is lost"
	    : safe ? "This is the standby: it has all that was acknowledged"
		   : "What an unreachable primary acknowledged after the newest of these is lost",
	    s->name);
	free(keys);
	free(text);
}

/* ---- steps ---- */
static void become_primary(struct sync *);

static void
fetch(struct sync *s, const struct member *m, struct position at)
{
	struct promotion *p = s->fleet->promotion;

	log_info("promote.fetch", "from=%s revision=%llu have=%llu", m->name,
	    (unsigned long long)at.revision, (unsigned long long)s->head.revision);
	p->step = FETCHING;
	p->target = at;
	p->until_ns = clock_mono_ns() + FETCH_NS;
	s->fleet->rep.candidate = true;
	rep_follow(s, m->endpoint, m->key);
}

static void
decide(struct sync *s)
{
	struct promotion *p = s->fleet->promotion;
	struct ns_why *why = &p->r->why;
	struct peers *peers = xcalloc(1, sizeof *peers);
	enum promote_verdict v;
	size_t which = 0;

	(void)look(s, peers);
	v = promote_judge(s->head.term, own_position(s), peers->list, peers->n, &which);
	if (v == PROMOTE_HIGHER_TERM)
		ns_fail(why, NS_CONFLICT, EF_PROMOTE,
		    "%s knows term %llu, %s is of term %llu: let it follow first",
		    peers->members[which]->name, (unsigned long long)peers->list[which].term,
		    s->name, (unsigned long long)s->head.term);
	else if (v == PROMOTE_NOT_STANDBY)
		ns_fail(why, NS_CONFLICT, EF_PROMOTE,
		    "%s is the standby and reachable: promote it, or name another one first",
		    peers->members[which]->name);
	else if (!p->confirmed)
		describe(s, peers, why);
	else if (v == PROMOTE_FETCH && !fleet_is_replica(s))
		ns_fail(why, NS_CONFLICT, EF_PROMOTE,
		    "%s has changes that %s has not, though this is the primary",
		    peers->members[which]->name, s->name);
	if (why->err != NS_OK)
		give_up(s);
	else if (v == PROMOTE_FETCH)
		fetch(s, peers->members[which], peers->list[which].at);
	else
		become_primary(s);
	free(peers);
}

void
promote_tick(struct sync *s, uint64_t now_ns)
{
	struct promotion *p = s->fleet->promotion;
	struct peers *peers;
	bool all;

	if (p == NULL || p->step == WRITING)
		return;
	if (p->step == FETCHING) {
		if (position_cmp(own_position(s), p->target) >= 0 && !rep_busy(s)) {
			decide(s);
		} else if (now_ns > p->until_ns) {
			ns_fail(&p->r->why, NS_UNAVAILABLE, EF_PROMOTE,
			    "what others have and %s has not could not be fetched%s%s", s->name,
			    s->fleet->rep.trouble[0] != '\0' ? ": " : " in time",
			    s->fleet->rep.trouble);
			give_up(s);
		}
		return;
	}
	peers = xcalloc(1, sizeof *peers);
	all = look(s, peers) == 0;
	free(peers);
	if ((all || now_ns > p->until_ns) && !rep_busy(s))
		decide(s);
}

void
promote_refused(struct sync *s)
{
	struct promotion *p = s->fleet->promotion;

	if (p != NULL && p->step == FETCHING)
		p->until_ns = 0;
}

void
promote_stop(struct sync *s)
{
	struct promotion *p = s->fleet->promotion;

	if (p != NULL)
		request_destroy(&p->r);
	free(p);
	s->fleet->promotion = NULL;
}

static enum ns_err
may_begin(const struct sync *s, const Ns__FleetPromoteRequest *in, struct ns_why *why)
{
	const struct fleet *f = s->fleet;

	if (!f->on || f->listen_fd < 0)
		return ns_fail(why, NS_UNAVAILABLE, EF_NO_FLEET,
		    "this appliance has no fleet port: set [fleet] listen (and advertise) and "
		    "restart it");
	if (strcmp(in->name, s->name) != 0)
		return ns_fail(why, NS_USAGE, EF_PROMOTE,
		    "this is %s: an appliance is promoted on its own socket, on its own host",
		    s->name);
	if (fleet_is_replica(s) && !f->facts.joined)
		return ns_fail(why, NS_UNAVAILABLE, EF_PROMOTE, "it is not enrolled yet");
	if (f->promotion != NULL)
		return ns_fail(why, NS_UNAVAILABLE, EF_PROMOTE, "a promotion is under way already");
	if (in->confirm[0] != '\0' && strcmp(in->confirm, in->name) != 0)
		return ns_fail(
		    why, NS_CONFIRM, EF_CONFIRM, "--confirm takes the name: %s", s->name);
	return NS_OK;
}

void
fleet_promote_request(struct sync *s, struct request *r)
{
	const Ns__FleetPromoteRequest *in = r->env->fleet_promote_request;
	struct promotion *p;

	r->err = may_begin(s, in, &r->why);
	if (r->err != NS_OK) {
		request_finish(s, r);
		return;
	}
	p = s->fleet->promotion = xcalloc(1, sizeof *p);
	p->r = r;
	p->confirmed = in->confirm[0] != '\0';
	p->began_ns = clock_mono_ns();
	p->until_ns = p->began_ns + ASK_NS;
	calls_now(s, p->began_ns);
	promote_tick(s, p->began_ns);
}

/* ---- the writer's part ---- */
struct role_job {
	struct write_job w;
	char name[FLEET_NAME]; /* ours */
	uint64_t term;
	uint8_t hash[STORE_HASH]; /* of the head */
	struct fleet_facts facts; /* as a replica: whom to follow */
	/* as the primary */
	struct caller caller;
	struct member self;
	char comment[512];
	uint64_t revision;
};

static void
take_role(struct writer_thread *w, const struct role_job *j, const char *role)
{
	snprintf(w->head.role, sizeof w->head.role, "%s", role);
	w->head.term = w->batch->term = j->term;
	w->batch->role_changed = w->batch->wrote = true;
	w->batch->replica = strcmp(role, "replica") == 0;
}

/* ---- becoming the primary ---- */
static enum ns_err
promotion_members(struct batch *b, struct change *c, const struct role_job *j, struct ns_why *why)
{
	struct roster *r = members_load(b->store);
	enum ns_err err = member_put(b, c, &j->self, why);

	for (size_t i = 0; i < r->count && err == NS_OK; i++) {
		if (!r->members[i].standby || strcmp(r->members[i].name, j->self.name) == 0)
			continue;
		r->members[i].standby = false;
		err = member_put(b, c, &r->members[i], why);
	}
	roster_free(r);
	free(r);
	return err;
}

static enum ns_err
promotion_change(struct batch *b, struct role_job *j)
{
	struct ns_why *why = &j->w.why;
	struct change c;
	char number[24];
	enum ns_err err;

	change_begin(&c, &j->caller, "promote", j->comment, b->now_ms, j->term);
	err = promotion_members(b, &c, j, why);
	if (err == NS_OK)
		err = change_end(&c, b->store, why);
	if (err == NS_OK) {
		b->revision = j->revision = c.row.revision;
		b->log_term = j->term;
	}
	members_free(&c);
	change_free(&c);
	snprintf(number, sizeof number, "%llu", (unsigned long long)j->term);
	if (err == NS_OK)
		err = store_fact_put(b->store, "term", number, why);
	if (err == NS_OK)
		err = store_fact_put(b->store, "role", "primary", why);
	return err;
}

static void
promotion_work(struct job *job, void *thread)
{
	struct role_job *j = (struct role_job *)job;
	struct writer_thread *w = thread;
	struct batch_mark mark = batch_mark(w->batch);

	batch_job(w->batch, &j->w);
	j->w.err = store_mark(w->store, &j->w.why);
	if (j->w.err != NS_OK)
		return;
	j->w.err = residency_may_lead(
	    w->store, j->self.name, j->self.site_claimed ? "" : j->self.site, &j->w.why);
	if (j->w.err == NS_OK)
		j->w.err = promotion_change(w->batch, j);
	if (j->w.err == NS_OK)
		j->w.err = store_release(w->store, &j->w.why);
	if (j->w.err == NS_OK) {
		take_role(w, j, "primary");
		return;
	}
	store_undo(w->store);
	batch_undo(w->batch, &mark);
}

static void
promotion_reply(struct sync *s, const struct role_job *j)
{
	struct peers *peers = xcalloc(1, sizeof *peers);
	Ns__FleetPromoteReply *m = xmalloc(sizeof *m);
	char *keys;

	(void)look(s, peers);
	ns__fleet_promote_reply__init(m);
	m->primary = xstrdup(s->name);
	m->term = j->term;
	m->revision = j->revision;
	m->unreachable = xcalloc(peers->n + 1, sizeof *m->unreachable);
	for (size_t i = 0; i < peers->n; i++)
		if (!peers->list[i].reachable)
			m->unreachable[m->n_unreachable++] = xstrdup(peers->members[i]->name);
	if ((keys = keysched_promoted()) != NULL)
		m->keys = keys;
	request_reply(s->fleet->promotion->r, NS__ENVELOPE__BODY_FLEET_PROMOTE_REPLY, m);
	free(peers);
}

static void
promotion_done(struct job *job, struct sync *s)
{
	struct role_job *j = (struct role_job *)job;
	struct fleet *f = s->fleet;

	if (j->w.err != NS_OK) {
		if (f->promotion != NULL)
			f->promotion->r->why = j->w.why;
		f->rep.candidate = fleet_is_replica(s);
		if (f->promotion != NULL)
			give_up(s);
		free(j);
		return;
	}
	snprintf(s->head.role, sizeof s->head.role, "primary");
	s->head.term = f->newest_term = j->term;
	gate_heard(s, true);
	receipts_term(s, j->revision - 1);
	f->held_until_ns = 0;
	f->rival[0] = '\0';
	ring_clear(&f->pub.ring);
	f->pub.tail = (struct cursor){ s->head.revision + 1, 0 };
	for (size_t i = 0; i < f->pub.count; i++)
		f->pub.followers[i].present = false;
	log_warn("fleet.promoted", "term=%llu revision=%llu", (unsigned long long)j->term,
	    (unsigned long long)j->revision);
	if (f->promotion != NULL) {
		promotion_reply(s, j);
		end(s);
	}
	calls_now(s, clock_mono_ns());
	free(j);
}

static void
fill_self(const struct sync *s, struct member *m)
{
	const struct member *old = roster_find(s->fleet->roster, s->name);

	if (old != NULL)
		*m = *old;
	snprintf(m->name, sizeof m->name, "%s", s->name);
	if (old == NULL) {
		snprintf(m->site, sizeof m->site, "%.*s", (int)sizeof m->site - 1,
		    s->start->config->site);
		snprintf(m->trust, sizeof m->trust, "operator");
		m->enrolled = true;
		memcpy(m->key, s->fleet->keys.public_key, FLEET_KEY);
	}
	snprintf(m->endpoint, sizeof m->endpoint, "%s", fleet_advertise(s));
	m->removed = m->standby = false;
}

static void
become_primary(struct sync *s)
{
	struct fleet *f = s->fleet;
	struct promotion *p = f->promotion;
	struct role_job *j = xcalloc(1, sizeof *j);
	const char *comment = p->r->env->fleet_promote_request->comment;
	uint64_t newest = f->newest_term > s->head.term ? f->newest_term : s->head.term;

	p->step = WRITING;
	if (fleet_is_replica(s))
		rep_leave(s);
	j->w.job.work = promotion_work;
	j->w.job.done = promotion_done;
	j->term = newest + 1;
	j->caller = p->r->caller;
	fill_self(s, &j->self);
	if (comment[0] != '\0')
		snprintf(j->comment, sizeof j->comment, "%s", comment);
	else
		snprintf(j->comment, sizeof j->comment, "%s is the primary of term %llu", s->name,
		    (unsigned long long)j->term);
	if (queue_push(s->writes, LANE_FAST, &j->w.job))
		return;
	free(j);
	ns_fail(&p->r->why, NS_UNAVAILABLE, EF_PROMOTE, "busy: too many requests are waiting");
	f->rep.candidate = fleet_is_replica(s);
	give_up(s);
}

/* ---- another one is ---- */
static void
obey_work(struct job *job, void *thread)
{
	struct role_job *j = (struct role_job *)job;
	struct writer_thread *w = thread;
	uint64_t revision, term;

	batch_job(w->batch, &j->w);
	if (j->term < w->head.term)
		return; /* a newer one was heard meanwhile */
	j->w.err = store_head(w->store, &revision, &term, j->hash);
	if (j->w.err == NS_OK)
		j->w.err = fleet_facts_join(w->store, j->name, j->term, &j->facts, &j->w.why);
	if (j->w.err == NS_OK)
		take_role(w, j, "replica");
}

static void
obey_done(struct job *job, struct sync *s)
{
	struct role_job *j = (struct role_job *)job;
	struct fleet *f = s->fleet;

	if (j->w.err != NS_OK || j->term < s->head.term) {
		log_error("fleet.obey", "text=%s", log_quote(j->w.why.text));
		free(j);
		return;
	}
	if (!fleet_is_replica(s))
		log_warn("fleet.demoted", "term=%llu primary=%s", (unsigned long long)j->term,
		    j->facts.primary);
	else
		log_info("fleet.primary", "term=%llu primary=%s", (unsigned long long)j->term,
		    j->facts.primary);
	snprintf(s->head.role, sizeof s->head.role, "replica");
	s->head.term = j->term;
	f->facts = j->facts;
	f->rival[0] = '\0';
	f->held_until_ns = 0;
	memcpy(f->rep.stored_hash, j->hash, STORE_HASH);
	for (size_t i = 0; i < f->pub.count; i++)
		f->pub.followers[i].present = false;
	forward_lost(s);
	receipts_term(s, 0);
	rep_follow(s, f->facts.endpoint, f->facts.key);
	free(j);
}

void
fleet_obey(struct sync *s, const struct member *m, uint64_t term)
{
	struct role_job *j;

	if (s->fleet->promotion != NULL && s->fleet->promotion->step == WRITING)
		return; /* it calls again */
	if (s->fleet->promotion != NULL) {
		ns_fail(&s->fleet->promotion->r->why, NS_CONFLICT, EF_PROMOTE,
		    "%s was promoted to term %llu meanwhile", m->name, (unsigned long long)term);
		give_up(s);
	}
	if (fleet_is_replica(s))
		rep_leave(s);
	j = xcalloc(1, sizeof *j);
	j->w.job.work = obey_work;
	j->w.job.done = obey_done;
	j->term = term;
	snprintf(j->name, sizeof j->name, "%s", s->name);
	j->facts.joined = true;
	memcpy(j->facts.primary, m->name, sizeof j->facts.primary);
	memcpy(j->facts.endpoint, m->endpoint, sizeof j->facts.endpoint);
	memcpy(j->facts.key, m->key, FLEET_KEY);
	if (!queue_push(s->writes, LANE_FAST, &j->w.job))
		free(j); /* it calls again */
}
