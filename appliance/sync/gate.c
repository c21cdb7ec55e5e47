/* gate - see gate.h. */
#include "appliance/sync/gate.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/fleet/codes.h"
#include "appliance/sync/aliases.h"
#include "appliance/sync/batch.h"
#include "appliance/sync/checks.h"
#include "appliance/sync/control.h"
#include "appliance/sync/feed.h"
#include "appliance/sync/fleet.h"
#include "appliance/sync/handover.h"
#include "appliance/sync/keysched.h"
#include "appliance/sync/released.h"
#include "ipc/base/clock.h"
#include "ipc/base/log.h"
#include "ipc/base/xalloc.h"

#define REPLY_MARGIN_NS 300000000ull /* the answer must be there before the client gives up */

struct gate {
	struct batch *first, **last; /* by job.next */
	uint64_t released; /* newest change that all may know of */
	uint64_t
	    tail; /* changes up to this one wait without a batch: only the store has them; 0: none */
	uint64_t marked; /* the store knows that they may be told (released.h) */
	bool marking;
	enum gate_state said; /* in the log */
};

static struct batch *
after(const struct batch *b)
{
	return (struct batch *)b->job.next;
}

struct gate *
gate_new(void)
{
	return xcalloc(1, sizeof(struct gate));
}

/* ---- what is known ---- */
static const struct follower *
standby_of(const struct sync *s, const struct member **m)
{
	*m = roster_standby(s->fleet->roster);
	if (*m != NULL && strcmp((*m)->name, s->name) == 0)
		*m = NULL;
	return *m != NULL ? pub_follower(s->fleet, (*m)->name) : NULL;
}

bool
gate_others(const struct sync *s)
{
	const struct roster *r = s->fleet->roster;

	for (size_t i = 0; i < r->count; i++)
		if (r->members[i].enrolled && !r->members[i].removed &&
		    strcmp(r->members[i].name, s->name) != 0)
			return true;
	return false;
}

/* Who can have been promoted while we were away: who can be called has not said yet that it was not. */
static bool
some_unheard(const struct sync *s)
{
	const struct roster *r = s->fleet->roster;

	for (size_t i = 0; i < r->count; i++) {
		const struct member *m = &r->members[i];
		const struct follower *fo = pub_follower(s->fleet, m->name);

		if (m->enrolled && !m->removed && m->endpoint[0] != '\0' &&
		    strcmp(m->name, s->name) != 0 && (fo == NULL || !fo->ever) &&
		    call_said(s, m->name, s->fleet->started_ns) == NULL)
			return true;
	}
	return false;
}

void
gate_heard(struct sync *s, bool enough)
{
	struct fleet *f = s->fleet;

	f->anyone = true;
	if (enough || !some_unheard(s) ||
	    clock_since(clock_mono_ns(), f->started_ns) > GATE_HEAR_NS)
		f->heard = true;
}

enum gate_state
gate_state(const struct sync *s)
{
	const struct fleet *f = s->fleet;
	const struct member *m;
	const struct follower *fo = standby_of(s, &m);
	uint64_t now = clock_mono_ns();
	struct gate_view v = { .primary = !fleet_is_replica(s),
		.term = s->head.term,
		.newest_term = f->newest_term,
		.held = now < f->held_until_ns,
		.others = gate_others(s),
		.standby = m != NULL,
		.heard = f->heard };

	if (fo != NULL) {
		v.standby_ever = fo->ever;
		v.standby_now = fo->present && clock_since(now, fo->heard_ns) < STANDBY_SILENT_NS;
	}
	handover_look(s, &v);
	return gate_judge(&v);
}

static bool
passes(const struct sync *s, uint64_t revision)
{
	const struct member *m;
	const struct follower *fo = standby_of(s, &m);
	enum gate_state state = gate_state(s);

	if (state == GATE_REPLICA)
		return true; /* a replica's batches are the primary's changes */
	return gate_passes(state, m != NULL, fo != NULL ? fo->stored : 0, revision) &&
	       !handover_waits(s, revision);
}

enum ns_err
gate_refuses(const struct sync *s, struct ns_why *why)
{
	const struct fleet *f = s->fleet;
	const struct member *m, *before;
	const struct follower *fo = standby_of(s, &m), *its;

	if ((before = handover_silent(s, &its)) != NULL) {
		m = before;
		fo = its;
	}
	switch (gate_state(s)) {
	case GATE_OPEN:
	case GATE_REPLICA:
		return NS_OK;
	case GATE_SILENT:
		return ns_fail(why, NS_UNAVAILABLE, EF_STANDBY,
		    "the standby %s has been silent for %.0f s: nothing was changed; edits go on "
		    "when "
		    "it is back, or after nameserve fleet standby none",
		    m->name, (double)clock_since(clock_mono_ns(), fo->heard_ns) / 1e9);
	case GATE_UNHEARD:
		return ns_fail(why, NS_UNAVAILABLE, EF_UNHEARD,
		    "%s has not heard %s%s since it started: nothing was changed; edits go on "
		    "then, or "
		    "after nameserve fleet promote %s --confirm=%s",
		    s->name, m != NULL ? "its standby " : "any other appliance",
		    m != NULL ? m->name : "", s->name, s->name);
	case GATE_SUPERSEDED:
		return ns_fail(why, NS_UNAVAILABLE, EF_SUPERSEDED,
		    "term %llu is over, another appliance is the primary of term %llu: nothing was "
		    "changed",
		    (unsigned long long)s->head.term, (unsigned long long)f->newest_term);
	case GATE_HELD:
		return ns_fail(why, NS_UNAVAILABLE, EF_HELD,
		    "another appliance is being promoted: nothing was changed, try again");
	}
	return NS_OK;
}

/* ---- what may be told ---- */
uint64_t
gate_released(const struct sync *s)
{
	return s->gate->released;
}

uint64_t
gate_fed(const struct sync *s)
{
	const struct gate *g = s->gate;
	const struct member *m;

	(void)standby_of(s, &m);
	if (g->first != NULL || g->tail != 0 || (m != NULL && !fleet_is_replica(s)))
		return g->released;
	return UINT64_MAX;
}

void
gate_begin(struct sync *s)
{
	struct gate *g = s->gate;

	g->released = g->marked = s->head.released;
	if (g->released == s->head.revision)
		return;
	g->tail = s->head.revision;
	log_info("gate.waits", "released=%llu head=%llu", (unsigned long long)g->released,
	    (unsigned long long)g->tail);
}

void
gate_served(struct sync *s, uint64_t revision)
{
	if (revision > s->gate->released && revision <= s->head.revision)
		s->gate->released = revision;
	if (s->gate->released == s->gate->tail)
		s->gate->tail = 0;
}

/* ---- batches ---- */
static void
release_first(struct sync *s)
{
	struct gate *g = s->gate;
	struct batch *b = g->first;

	g->first = after(b);
	if (b->revision > g->released || b->rewound)
		g->released = b->revision;
	sync_release(s, &b);
}

/* What it says is in no batch: whoever feeds others reads the store again. */
static void
release_tail(struct sync *s)
{
	struct gate *g = s->gate;
	uint64_t before = g->released;

	log_info("gate.released", "from=%llu to=%llu", (unsigned long long)before + 1,
	    (unsigned long long)g->tail);
	g->released = g->tail;
	g->tail = 0;
	feed_since(s, before);
	checkfeed_anew(s);
	aliasfeed_changed(s);
	keysched_load(s);
}

static void
mark_done(struct job *job, struct sync *s)
{
	struct mark_job *j = (struct mark_job *)job;

	s->gate->marking = false;
	if (j->revision > s->gate->marked)
		s->gate->marked = j->revision;
	free(j);
	gate_pump(s);
}

/* True: the store knows that changes up to there are told, or need not. */
static bool
is_marked(struct sync *s, uint64_t revision)
{
	struct gate *g = s->gate;
	const struct member *m;
	struct mark_job *j;

	(void)standby_of(s, &m);
	if (m == NULL || fleet_is_replica(s) || revision <= g->released || revision <= g->marked)
		return true;
	if (g->marking)
		return false;
	/* All that may go by now. */
	for (struct batch *b = g->first; b != NULL && passes(s, b->revision); b = after(b))
		revision = b->revision > revision ? b->revision : revision;
	j = mark_job_new(revision, mark_done);
	g->marking = queue_push(s->writes, LANE_FAST, &j->job);
	if (!g->marking)
		free(j); /* the tick tries again */
	return false;
}

/* A primary's wait for their standby, one that is none any more for what the new one says next. */
static bool
tail_may_go(struct sync *s)
{
	const struct gate *g = s->gate;

	if (fleet_is_replica(s))
		return g->first != NULL && g->first->revision > g->tail;
	return passes(s, g->tail) && is_marked(s, g->tail);
}

static bool
release_ready(struct sync *s)
{
	struct gate *g = s->gate;
	bool any = false;

	if (g->tail != 0 && tail_may_go(s)) {
		release_tail(s);
		any = true;
	}
	if (g->tail != 0 && !fleet_is_replica(s))
		return any;
	while (
	    g->first != NULL && passes(s, g->first->revision) && is_marked(s, g->first->revision)) {
		release_first(s);
		any = true;
	}
	return any;
}

static void
unknown(struct sync *s, struct request *r)
{
	const struct member *m = NULL;

	(void)standby_of(s, &m);
	if (r->err == NS_OK)
		r->err = ns_fail(&r->why, NS_UNKNOWN, EF_UNSTORED,
		    "committed at %s, but not stored by %s%s: the outcome is unknown; repeat it "
		    "with "
		    "the same --idempotency-key when edits go on",
		    s->name, m != NULL ? "the standby " : "another appliance",
		    m != NULL ? m->name : "");
	request_finish(s, r);
}

/* The changes stay where they are; those who wait for them have waited long enough. */
static void
answer_waiting(struct sync *s, uint64_t now_ns, bool all)
{
	for (struct batch *b = s->gate->first; b != NULL; b = after(b)) {
		struct request *r, *next;

		for (r = TAILQ_FIRST(&b->done); r != NULL; r = next) {
			next = TAILQ_NEXT(r, waiting);
			if (!all && now_ns + REPLY_MARGIN_NS < r->deadline_ns)
				continue;
			TAILQ_REMOVE(&b->done, r, waiting);
			unknown(s, r);
		}
	}
}

void
gate_pump(struct sync *s)
{
	bool any = release_ready(s);

	handover_settle(s);
	if (any)
		pub_committed(s);
}

/* An import's zones: nobody knows whether they stay. */
static void
fail_imports(struct batch *b)
{
	struct import_tally *t;

	TAILQ_FOREACH(t, &b->tallies, link)
	{
		struct import_zone *z;

		if (t->zones == 0)
			continue;
		z = import_zone_new(t->session, "");
		z->outcome = IMPORT_FAILED;
		ns_fail(&z->why, NS_UNKNOWN, EF_UNSTORED,
		    "%llu zones were committed, but this appliance is not the primary any more: "
		    "the "
		    "outcome is unknown, import again",
		    (unsigned long long)t->zones);
		TAILQ_INSERT_TAIL(&t->failed, z, link);
		t->zones = t->records = 0;
	}
}

static void
release_all(struct sync *s)
{
	while (s->gate->first != NULL)
		release_first(s);
}

/* It came about before this appliance became a replica: whether it stays is for the new primary to say. */
static void
withhold(struct sync *s)
{
	struct gate *g = s->gate;
	uint64_t released = g->released;

	for (struct batch *b = g->first; b != NULL; b = after(b)) {
		if (b->revision <= released || b->err != NS_OK)
			continue;
		b->withheld = true;
		g->tail = b->revision;
	}
	release_all(s);
	g->released = released;
}

/* Who waits is told that nobody knows. */
static void
gate_fail(struct sync *s, bool replica)
{
	answer_waiting(s, 0, true);
	for (struct batch *b = s->gate->first; b != NULL; b = after(b))
		fail_imports(b);
	if (replica) {
		withhold(s);
		return;
	}
	if (s->gate->tail != 0)
		release_tail(s);
	release_all(s);
}

void
gate_batch(struct sync *s, struct batch *b)
{
	struct gate *g = s->gate;
	bool waited = g->first != NULL || g->tail != 0;

	b->job.next = NULL;
	if (b->err != NS_OK)
		b->revision = s->head.revision; /* nothing of it is there */
	if (g->first == NULL)
		g->last = &g->first;
	*g->last = b;
	g->last = (struct batch **)(void *)&b->job.next;
	if (b->rewound)
		g->tail = 0;
	if (b->role_changed && !(b->replica && fleet_is_replica(s)))
		gate_fail(s, b->replica);
	else if (release_ready(s) && waited)
		pub_committed(s);
}

void
gate_tick(struct sync *s, uint64_t now_ns)
{
	enum gate_state state;
	struct ns_why why = { 0 };

	if (s->fleet->anyone && !s->fleet->heard)
		gate_heard(s, false);
	state = gate_state(s);
	gate_pump(s);
	answer_waiting(s, now_ns, state != GATE_OPEN);
	if (state == s->gate->said)
		return;
	s->gate->said = state;
	if (gate_refuses(s, &why) != NS_OK)
		log_warn("gate.closed", "code=%u text=%s", why.code, log_quote(why.text));
	else
		log_info("gate.open", "revision=%llu", (unsigned long long)s->head.revision);
}

void
gate_stop(struct sync *s)
{
	struct gate *g = s->gate;
	struct batch *b;

	while ((b = g->first) != NULL) {
		struct request *r;

		g->first = after(b);
		while ((r = TAILQ_FIRST(&b->done)) != NULL) {
			TAILQ_REMOVE(&b->done, r, waiting);
			request_destroy(&r);
		}
		batch_destroy(&b);
	}
	free(g);
	s->gate = NULL;
}
