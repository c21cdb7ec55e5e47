/* ballot - the votes on our checks: ours to the others, theirs in, and what all of them make of a check.
 *
 * Pure parts: peers.h who there is, votewire.h the octets, quorum.h the verdict.  Ours leave when one
 * changes (and twice more, a second apart: who has not heard of a new check yet passes them over), and all
 * of them every 10 s and whenever a link comes up.  Each look, each vote and each second settles a check
 * anew (checkstate.c). */
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/probe/checks_int.h"
#include "appliance/probe/votewire.h"
#include "ipc/base/clock.h"
#include "ipc/base/log.h"
#include "ipc/base/xalloc.h"

#define ALL_MS    10000u
#define SPREAD_MS 1000u /* appliances do not march in step */
#define PACE_US   10000 /* between two messages of changes */
#define REPEATS   3u
#define KEEP_MS   300000u /* a vote of one that is not asked any more is shown no longer */
#define SLICES    4u /* of all checks, one a second */

/* ---- who is asked ---- */
static size_t
wanted(const Ns__Check *def)
{
	return strcmp(def->probers, "all") == 0 ? 0 : (size_t)strtoul(def->probers, NULL, 10);
}

void
ballot_assign(struct checks *c, struct entry *e)
{
	uint16_t out[QUORUM_MEMBERS];
	bool was = e->mine;

	e->assigned_round = c->peers->round;
	e->nassigned = 0;
	e->mine = false;
	if (prober_of(e->def->type) != NULL)
		e->nassigned =
		    quorum_assign(c->peers->members, c->peers->count, e->id, wanted(e->def), out);
	e->assigned = xreallocarray(e->assigned, e->nassigned + 1, sizeof *e->assigned);
	memcpy(e->assigned, out, e->nassigned * sizeof *out);
	for (size_t i = 0; i < e->nassigned; i++)
		e->mine = e->mine || out[i] == 0;
	c->assigned += e->mine;
	c->assigned -= was;
	if (!e->mine)
		e->told = VOTE_NONE;
}

static void
assign_all(struct checks *c)
{
	struct entry *e;

	for (size_t i = 0; i < CHECK_BUCKETS; i++)
		LIST_FOREACH(e, &c->by_id[i], by_id)
		{
			ballot_assign(c, e);
			shared_hurry(c, e);
			if (!c->loading)
				check_settle(c, e);
		}
}

/* ---- what we say ---- */
/* Of a look that is that old nobody knows any more what it is worth. */
static uint64_t
patience_ms(const Ns__Check *def)
{
	return (uint64_t)(3 * def->interval * 1000 + 2 * def->timeout * 1000) + HYST_RECHECK_MS;
}

struct vote_row
ballot_own(const struct checks *c, const struct entry *e, uint64_t now)
{
	const struct shared *s = e->shared;
	struct vote_row r = { .check = e->id, .abstains = true, .reason = "" };

	if (e->refused != NULL)
		r.reason = e->refused;
	if (s == NULL)
		return r;
	r.looked = s->last_ms != 0;
	r.age_ms = r.looked ? (uint32_t)clock_since(now, s->last_ms) : 0;
	r.rtt_us = s->last.rtt_us;
	r.abstains = s->last.abstain;
	r.state = r.looked && !r.abstains ? s->hyst.state : VOTE_NONE;
	r.reason = r.looked ? s->last.reason : "not looked at yet";
	if (c->cut_off && !e->def->control) {
		r.abstains = true;
		r.state = VOTE_NONE;
		r.reason = "no control target is reached from here";
	}
	return r;
}

static void
flush(struct checks *c, const char *to)
{
	uint8_t *octets;
	size_t len;

	if (c->draft.m.n_checks == 0 && to == NULL)
		return;
	octets = votes_pack(&c->draft, &len);
	c->conf.send(c->conf.send_arg, to != NULL ? to : "", octets, len);
	free(octets);
	votes_begin(&c->draft, c->epoch, ++c->seq);
}

static void
say(struct checks *c, struct entry *e, const char *to, uint64_t now)
{
	struct vote_row r = ballot_own(c, e, now);

	if (!votes_add(&c->draft, &r)) {
		flush(c, to);
		(void)votes_add(&c->draft, &r);
	}
	if (to == NULL)
		e->told = r.state;
}

/* To one, or to all (NULL).  Also when there is nothing to say: it says that we are. */
static void
say_all(struct checks *c, const char *to)
{
	uint64_t now = clock_mono_ms();
	struct entry *e;

	if (c->peers->others == 0 || c->loading)
		return;
	votes_begin(&c->draft, c->epoch, ++c->seq);
	for (size_t i = 0; i < CHECK_BUCKETS; i++)
		LIST_FOREACH(e, &c->by_id[i], by_id)
	if (e->mine)
		say(c, e, to, now);
	flush(c, to != NULL ? to : "");
}

static void
say_changes(struct checks *c, bool again)
{
	uint64_t now = clock_mono_ms();
	struct entry *e, *next;

	if (c->peers->others == 0)
		return;
	votes_begin(&c->draft, c->epoch, ++c->seq);
	for (e = TAILQ_FIRST(&c->outbox); e != NULL; e = next) {
		next = TAILQ_NEXT(e, outbox);
		if (!again && e->repeats < REPEATS)
			continue;
		if (e->mine)
			say(c, e, NULL, now);
		if (--e->repeats == 0)
			TAILQ_REMOVE(&c->outbox, e, outbox);
	}
	flush(c, NULL);
}

static void
on_post(evutil_socket_t fd, short what, void *arg)
{
	struct checks *c = arg;

	(void)fd;
	(void)what;
	c->posted_ns = clock_mono_ns();
	say_changes(c, false);
}

/* Our vote may be another one: it leaves with those of the same moment. */
void
ballot_cast(struct checks *c, struct entry *e)
{
	struct timeval wait = { 0, 0 };

	if (!e->mine || c->peers->others == 0 ||
	    (!e->asked && ballot_own(c, e, clock_mono_ms()).state == e->told))
		return;
	e->asked = false;
	if (e->repeats == 0)
		TAILQ_INSERT_TAIL(&c->outbox, e, outbox);
	e->repeats = REPEATS;
	if (c->post == NULL)
		c->post = evtimer_new(c->conf.probers->base, on_post, c);
	if (clock_since(clock_mono_ns(), c->posted_ns) < PACE_US * 1000ull)
		wait.tv_usec = PACE_US;
	if (!evtimer_pending(c->post, NULL))
		(void)event_add(c->post, &wait);
}

unsigned
ballot_ask(struct checks *c, const struct entry *e)
{
	unsigned others = (unsigned)e->nassigned - e->mine;

	if (others == 0)
		return 0;
	votes_begin(&c->draft, c->epoch, ++c->seq);
	c->draft.m.look = e->id;
	flush(c, "");
	return others;
}

void
ballot_anew(struct checks *c)
{
	struct entry *e;

	say_all(c, NULL);
	for (size_t i = 0; i < CHECK_BUCKETS && !c->loading; i++)
		LIST_FOREACH(e, &c->by_id[i], by_id)
	check_settle(c, e);
}

/* ---- what they say ---- */
static struct vote *
vote_of(struct entry *e, uint16_t slot)
{
	for (size_t i = 0; i < e->nvotes; i++)
		if (e->votes[i].slot == slot)
			return &e->votes[i];
	return NULL;
}

const struct vote *
ballot_vote(const struct checks *c, const struct entry *e, uint16_t slot)
{
	for (size_t i = 0; i < e->nvotes; i++)
		if (e->votes[i].slot == slot &&
		    e->votes[i].heard_ms >= c->peers->list[slot].since_ms)
			return &e->votes[i];
	return NULL;
}

static void
keep(struct entry *e, uint16_t slot, const struct vote_row *r, uint64_t now)
{
	struct vote *v = vote_of(e, slot);

	if (v == NULL) {
		e->votes = xreallocarray(e->votes, e->nvotes + 1, sizeof *e->votes);
		v = &e->votes[e->nvotes++];
		*v = (struct vote){ .slot = slot };
	}
	v->state = r->state;
	v->abstains = r->abstains;
	v->looked = r->looked;
	v->rtt_us = r->rtt_us;
	v->age_ms = r->age_ms;
	v->heard_ms = now;
	if (v->reason == NULL || strcmp(v->reason, r->reason) != 0) {
		free(v->reason);
		v->reason = xstrdup(r->reason);
	}
}

void
ballot_forget(struct checks *c, struct entry *e)
{
	for (size_t i = 0; i < e->nvotes; i++)
		free(e->votes[i].reason);
	free(e->votes);
	free(e->assigned);
	free(e->refused);
	if (e->repeats > 0)
		TAILQ_REMOVE(&c->outbox, e, outbox);
	c->assigned -= e->mine;
}

static void
take(struct checks *c, uint16_t slot, const Ns__Votes *m)
{
	uint64_t now = clock_mono_ms();

	for (size_t i = 0; i < m->n_checks; i++) {
		struct vote_row r;
		struct entry *e = NULL;

		if (votes_row(m, i, &r))
			e = check_by_id(c, r.check);
		if (e == NULL || e->nassigned == 0) {
			c->votes_dropped++;
			continue;
		}
		c->votes++;
		keep(e, slot, &r, now);
		if (!c->loading)
			check_settle(c, e);
	}
}

static void
look_asked(struct checks *c, struct entry *e)
{
	if (e != NULL && e->mine && e->shared != NULL)
		look_now(c, e);
}

void
checks_votes(struct checks *c, const Ns__VotesIn *in)
{
	uint64_t round = c->peers->round;
	struct peer *p = peers_find(c->peers, in->from);
	const char *why = "not of the fleet";
	Ns__Votes *m = NULL;

	if (p != NULL)
		m = votes_read(in->votes.data, in->votes.len, &why);
	if (m != NULL && !peers_heard(c->peers, p, m->epoch, m->seq, clock_mono_ms())) {
		ns__votes__free_unpacked(m, NULL);
		m = NULL;
		why = "older than the last one";
	}
	if (m == NULL) {
		c->votes_dropped++;
		if (log_allowed(&c->limit, 1))
			log_warn("votes.dropped", "from=%s text=%s", log_quote(in->from),
			    log_quote(why));
		return;
	}
	if (c->peers->round != round)
		assign_all(c);
	take(c, (uint16_t)(p - c->peers->list), m);
	if (m->look != 0 && !c->loading)
		look_asked(c, check_by_id(c, m->look));
	ns__votes__free_unpacked(m, NULL);
}

void
checks_fleet(struct checks *c, const Ns__ProbeFleet *m)
{
	struct peer_row rows[QUORUM_MEMBERS];
	size_t n = 0;

	for (size_t i = 0; i < m->n_members && n < QUORUM_MEMBERS; i++)
		rows[n++] = (struct peer_row){ m->members[i]->name, m->members[i]->site,
			m->members[i]->out };
	peers_set(c->peers, rows, n, clock_mono_ms());
	assign_all(c);
}

void
checks_peer(struct checks *c, const Ns__ProbePeer *m)
{
	if (peers_find(c->peers, m->name) != NULL)
		say_all(c, m->name);
}

/* ---- what it makes ---- */
/* How each of the assigned votes. */
static void
gather(const struct checks *c, const struct entry *e, uint64_t now, struct quorum_vote *out)
{
	uint64_t patience = patience_ms(e->def);

	for (size_t i = 0; i < e->nassigned; i++) {
		struct vote_row own;
		const struct vote *v;

		out[i] = (struct quorum_vote){ VOTE_NONE, 0 };
		if (e->assigned[i] == 0) {
			own = ballot_own(c, e, now);
			if (own.age_ms <= patience)
				out[i].state = own.state;
		} else if ((v = ballot_vote(c, e, e->assigned[i])) != NULL &&
			   v->age_ms <= patience) {
			out[i] = (struct quorum_vote){ v->state, clock_since(now, v->heard_ms) };
		}
	}
}

struct ballot_count
ballot_count(const struct checks *c, const struct entry *e)
{
	struct quorum_vote votes[QUORUM_MEMBERS];
	struct ballot_count n = { 0, 0 };

	gather(c, e, clock_mono_ms(), votes);
	for (size_t i = 0; i < e->nassigned; i++)
		if (votes[i].age_ms <= QUORUM_FRESH_MS) {
			n.up += votes[i].state == VOTE_UP;
			n.down += votes[i].state == VOTE_DOWN;
		}
	return n;
}

/* A reason of one who says so, ours before others. */
static const char *
reason_for(const struct entry *e, enum vote_state state)
{
	if (e->mine && e->shared != NULL && e->shared->hyst.state == state)
		return e->shared->last.reason;
	for (size_t i = 0; i < e->nvotes; i++)
		if (e->votes[i].state == state)
			return e->votes[i].reason;
	return "";
}

/* Where nobody else is asked, what we have seen. */
static const char *
own_reason(const struct checks *c, const struct entry *e)
{
	if (e->refused != NULL)
		return e->refused;
	if (e->nassigned == 0 || e->shared == NULL)
		return "nobody is left to look";
	if (c->cut_off && !e->def->control)
		return "no control target is reached from here";
	if (e->shared->last_ms == 0)
		return e->verdict == VOTE_NONE ? "not looked at yet" : "as before the restart";
	return e->shared->last.reason;
}

static void
explain(const struct checks *c, const struct entry *e, const struct quorum_vote *votes,
    const struct quorum_verdict *v, char reason[REASON_MAX])
{
	unsigned fresh = 0, agree = 0;

	for (size_t i = 0; i < e->nassigned; i++) {
		bool counts = votes[i].state != VOTE_NONE && votes[i].age_ms <= QUORUM_FRESH_MS;

		fresh += counts;
		agree += counts && votes[i].state == v->state;
	}
	if (c->peers->frozen)
		snprintf(reason, REASON_MAX, "frozen: too few sites of the fleet are heard");
	else if (e->nassigned == 0 || (e->nassigned == 1 && e->mine))
		snprintf(reason, REASON_MAX, "%s", own_reason(c, e));
	else if (v->stale)
		snprintf(reason, REASON_MAX, "%u of %zu vote: too few to change anything", fresh,
		    e->nassigned);
	else
		snprintf(reason, REASON_MAX, "%u of %zu: %.100s", agree, e->nassigned,
		    reason_for(e, v->state));
}

struct quorum_verdict
ballot_judge(struct checks *c, const struct entry *e, char reason[REASON_MAX])
{
	struct quorum_vote votes[QUORUM_MEMBERS];
	struct quorum_verdict v;

	gather(c, e, clock_mono_ms(), votes);
	v = quorum_judge(
	    c->peers->members, c->peers->count, e->assigned, e->nassigned, votes, e->verdict);
	explain(c, e, votes, &v, reason);
	return v;
}

/* ---- time ---- */
static void
prune(struct entry *e, uint64_t now)
{
	for (size_t i = 0; i < e->nvotes; i++)
		if (clock_since(now, e->votes[i].heard_ms) > KEEP_MS) {
			free(e->votes[i].reason);
			e->votes[i--] = e->votes[--e->nvotes];
		}
}

/* Votes grow old by themselves. */
static void
settle_slice(struct checks *c, uint64_t now)
{
	size_t slice = CHECK_BUCKETS / SLICES;
	size_t from = c->slice++ % SLICES * slice;
	struct entry *e;

	for (size_t i = from; i < from + slice; i++)
		LIST_FOREACH(e, &c->by_id[i], by_id)
		{
			prune(e, now);
			check_settle(c, e);
		}
}

void
ballot_second(struct checks *c)
{
	uint64_t now = clock_mono_ms(), round = c->peers->round;
	bool frozen = c->peers->frozen;

	peers_look(c->peers, now);
	if (c->peers->round != round || c->peers->frozen != frozen)
		assign_all(c);
	if (c->peers->frozen != frozen)
		log_warn("checks.frozen", "frozen=%d", c->peers->frozen);
	settle_slice(c, now);
	say_changes(c, true);
	if (now < c->all_ms)
		return;
	c->all_ms = now + ALL_MS - SPREAD_MS / 2 + c->epoch % SPREAD_MS;
	say_all(c, NULL);
}

void
ballot_stop(struct checks *c)
{
	if (c->post != NULL)
		event_free(c->post);
	votes_free(&c->draft);
	free(c->peers);
}
