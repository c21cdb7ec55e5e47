/* checkreport - how checks are, for people. */
#include <stdlib.h>
#include <string.h>

#include "appliance/probe/checks_int.h"
#include "ipc/base/clock.h"
#include "ipc/base/text.h"
#include "ipc/base/xalloc.h"

static char *
time_text(int64_t wall_ms)
{
	char text[CLOCK_RFC3339_LEN];

	return xstrdup(wall_ms > 0 ? clock_rfc3339(wall_ms, text) : "");
}

static char *
clean(const char *text)
{
	char *out = xstrdup(text);

	text_scrub(out);
	return out;
}

static const char *
state_text(enum board_state s)
{
	static const char *const texts[] = { "unknown", "up", "down" };

	return texts[s];
}

static char *
vote_text(enum vote_state state, bool abstains)
{
	static const char *const texts[] = { "unknown", "up", "down" };

	return xstrdup(abstains ? "abstain" : texts[state]);
}

/* Of each that is asked, in the order in which they are. */
static Ns__CheckInfo__Vote *
vote(const struct checks *c, const struct entry *e, uint16_t slot, uint64_t now)
{
	Ns__CheckInfo__Vote *v = xmalloc(sizeof *v);
	const struct vote *theirs = slot != 0 ? ballot_vote(c, e, slot) : NULL;
	struct vote_row own = ballot_own(c, e, now);

	ns__check_info__vote__init(v);
	v->appliance = xstrdup(c->peers->list[slot].name);
	v->site = xstrdup(c->peers->list[slot].site);
	if (slot != 0 && theirs == NULL) {
		v->state = xstrdup("unknown");
		v->reason = xstrdup("nothing was heard of it");
	} else if (slot != 0) {
		v->heard_s = (double)clock_since(now, theirs->heard_ms) / 1000;
		v->state = vote_text(theirs->state, theirs->abstains);
		v->rtt_ms = theirs->rtt_us / 1000.0;
		v->age_s = theirs->age_ms / 1000.0 + v->heard_s;
		v->reason = clean(theirs->reason);
	} else {
		v->state = vote_text(own.state, own.abstains);
		v->rtt_ms = own.rtt_us / 1000.0;
		v->age_s = own.age_ms / 1000.0;
		v->reason = clean(own.reason);
	}
	return v;
}

static void
add_votes(const struct checks *c, const struct entry *e, Ns__CheckInfo *m)
{
	uint64_t now = clock_mono_ms();

	m->votes = xcalloc(e->nassigned + 1, sizeof *m->votes);
	for (size_t i = 0; i < e->nassigned; i++)
		m->votes[m->n_votes++] = vote(c, e, e->assigned[i], now);
}

static void
add_override(const Ns__Check__Said *said, Ns__CheckInfo *m)
{
	Ns__CheckInfo__Override *o = xmalloc(sizeof *o);

	ns__check_info__override__init(o);
	o->state = xstrdup(said->state);
	o->author = xstrdup(said->author);
	o->reason = xstrdup(said->reason);
	o->until = time_text(said->until_ms);
	m->override = o;
}

/* ---- flips ---- */
#define FLIPS_OF_ONE 16u
#define FLIPS_MOST   1000u

struct gather {
	uint64_t check; /* 0: of all */
	const char *name; /* of those of that name; empty: of all */
	size_t most, n;
	Ns__CheckInfo__Flip **list;
};

static bool
gather(void *arg, const struct flip *f)
{
	struct gather *g = arg;
	Ns__CheckInfo__Flip *out;

	if ((g->check != 0 && f->check != g->check) ||
	    (g->name[0] != '\0' && strcmp(f->name, g->name) != 0))
		return true;
	out = xmalloc(sizeof *out);
	ns__check_info__flip__init(out);
	out->at = time_text(f->at_ms);
	out->state = xstrdup(state_text((enum board_state)f->state));
	out->reason = clean(f->reason);
	out->check = clean(f->name);
	g->list[g->n++] = out;
	return g->n < g->most;
}

static void
add_flips(const struct checks *c, const struct entry *e, Ns__CheckInfo *m)
{
	struct gather g = { .check = e->id, .name = "", .most = FLIPS_OF_ONE };

	g.list = xcalloc(g.most, sizeof *g.list);
	flips_each(c->conf.flips, gather, &g);
	m->flips = g.list;
	m->n_flips = g.n;
}

static void
add_history(const struct checks *c, const Ns__CheckQuery *q, Ns__CheckReport *m)
{
	struct gather g = { .name = q->history_of,
		.most = q->history < FLIPS_MOST ? q->history : FLIPS_MOST };

	if (g.most == 0)
		return;
	g.list = xcalloc(g.most, sizeof *g.list);
	flips_each(c->conf.flips, gather, &g);
	m->history = g.list;
	m->n_history = g.n;
}

static Ns__CheckInfo *
info(const struct checks *c, const struct entry *e, bool flips)
{
	Ns__CheckInfo *m = xmalloc(sizeof *m);

	ns__check_info__init(m);
	m->id = e->id;
	m->state = xstrdup(state_text(e->state));
	m->since = time_text(e->since_ms);
	m->reason = clean(e->reason);
	m->initial = e->flags & BOARD_INITIAL;
	m->stale = e->flags & BOARD_STALE;
	m->frozen = e->flags & BOARD_FROZEN;
	add_votes(c, e, m);
	if (e->flags & BOARD_OVERRIDDEN && e->def->override != NULL)
		add_override(e->def->override, m);
	m->needed = e->nassigned > 0 ? (uint32_t)e->nassigned / 2 + 1 : 0;
	if (!flips)
		return m;
	add_flips(c, e, m);
	if (e->shared != NULL) {
		m->looks = xcalloc(LOOKS_KEPT, sizeof *m->looks);
		m->n_looks = looks_last(&e->shared->looks, LOOKS_KEPT, m->looks);
	}
	return m;
}

Ns__CheckReport *
checks_report(struct checks *c, const Ns__CheckQuery *q)
{
	Ns__CheckReport *m = xmalloc(sizeof *m);

	ns__check_report__init(m);
	add_history(c, q, m);
	m->frozen = c->peers->frozen;
	m->checks = xcalloc(q->n_ids + 1, sizeof *m->checks);
	for (size_t i = 0; i < q->n_ids; i++) {
		const struct entry *e = check_by_id(c, q->ids[i]);

		if (e != NULL)
			m->checks[m->n_checks++] = info(c, e, q->flips);
	}
	return m;
}
