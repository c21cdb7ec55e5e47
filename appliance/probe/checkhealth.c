/* checkhealth - all checks at a glance, the worst first; and a look at one of them now. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/probe/checks_int.h"
#include "appliance/probe/health.h"
#include "ipc/base/clock.h"
#include "ipc/base/text.h"
#include "ipc/base/xalloc.h"

#define LIMIT_DEFAULT 200u
#define LIMIT_MAX     1000u
#define LOOKS_SHOWN   20u
#define AGAIN_MS      1000u /* a look that is asked for comes at most so often */

/* ---- the list ---- */
struct place {
	enum health_level level;
	const struct entry *entry;
	struct ballot_count votes;
};

static struct place
place_of(const struct checks *c, const struct entry *e)
{
	struct place p = { .entry = e, .votes = ballot_count(c, e) };

	p.level = health_level(
	    e->state, e->flags, e->state == BOARD_UP ? p.votes.down > 0 : p.votes.up > 0);
	return p;
}

static int
by_place(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return health_cmp(x->level, x->entry->name, y->level, y->entry->name);
}

static void
count_level(Ns__HealthListReply *m, enum health_level level)
{
	uint64_t *const counts[HEALTH_LEVELS] = { &m->crit, &m->warn, &m->none, &m->ok };

	(*counts[level])++;
}

/* Those that match, in order; the others are counted. */
static struct place *
matching(struct checks *c, const Ns__HealthListRequest *q, Ns__HealthListReply *m, size_t *n)
{
	struct place *list = xcalloc(c->count + 1, sizeof *list);
	struct entry *e;

	*n = 0;
	for (size_t i = 0; i < CHECK_BUCKETS; i++)
		LIST_FOREACH(e, &c->by_id[i], by_id)
		{
			struct place p = place_of(c, e);

			count_level(m, p.level);
			if ((q->problems && p.level == HEALTH_OK) ||
			    strstr(e->name, q->filter) == NULL)
				continue;
			list[(*n)++] = p;
		}
	qsort(list, *n, sizeof *list, by_place);
	return list;
}

static uint32_t
median_rtt(const struct checks *c, const struct entry *e)
{
	uint32_t list[QUORUM_MEMBERS];
	size_t n = 0;

	for (size_t i = 0; i < e->nassigned; i++) {
		const struct vote *v = ballot_vote(c, e, e->assigned[i]);
		struct vote_row own = { .state = VOTE_NONE };

		if (e->assigned[i] == 0)
			own = ballot_own(c, e, clock_mono_ms());
		if (own.state == VOTE_UP && own.rtt_us > 0)
			list[n++] = own.rtt_us;
		else if (e->assigned[i] != 0 && v != NULL && v->state == VOTE_UP && v->rtt_us > 0)
			list[n++] = v->rtt_us;
	}
	return health_median(list, n);
}

char *
check_target(const Ns__Check *def)
{
	const char *open = strchr(def->target, ':') != NULL ? "[" : "",
		   *close = open[0] != '\0' ? "]" : "";
	char *text;

	if (def->n_of > 0)
		text = xasprintf("%u of %zu checks", def->at_least, def->n_of);
	else if (def->port != 0)
		text = xasprintf("%s%s%s:%u%s", open, def->target, close, def->port, def->path);
	else
		text = xstrdup(def->target);
	text_scrub(text);
	return text;
}

static Ns__HealthListReply__Row *
row(const struct checks *c, const struct place *p)
{
	Ns__HealthListReply__Row *m = xmalloc(sizeof *m);
	const struct entry *e = p->entry;
	char at[CLOCK_RFC3339_LEN];

	ns__health_list_reply__row__init(m);
	m->name = xstrdup(e->name);
	m->type = xstrdup(e->def->type);
	m->target = check_target(e->def);
	m->level = xstrdup(health_level_name(p->level));
	m->since = xstrdup(e->since_ms > 0 ? clock_rfc3339(e->since_ms, at) : "");
	m->up = p->votes.up;
	m->assigned = (uint32_t)e->nassigned;
	m->rtt_us = median_rtt(c, e);
	m->note = xstrdup(health_note(e->state, e->flags));
	m->reason = xstrdup(e->reason);
	text_scrub(m->reason);
	if (e->shared != NULL) {
		m->looks = xcalloc(LOOKS_SHOWN, sizeof *m->looks);
		m->n_looks = looks_last(&e->shared->looks, LOOKS_SHOWN, m->looks);
	}
	return m;
}

Ns__HealthListReply *
checks_health(struct checks *c, const Ns__HealthListRequest *q)
{
	Ns__HealthListReply *m = xmalloc(sizeof *m);
	size_t n, limit = q->limit == 0 ? LIMIT_DEFAULT : q->limit;
	struct place *list;
	enum health_level level;
	const char *after;
	bool from = health_cursor(q->cursor, &level, &after);

	ns__health_list_reply__init(m);
	if (limit > LIMIT_MAX)
		limit = LIMIT_MAX;
	list = matching(c, q, m, &n);
	m->total = n;
	m->frozen = c->peers->frozen;
	m->rows = xcalloc(limit, sizeof *m->rows);
	for (size_t i = 0; i < n; i++) {
		if (from && health_cmp(list[i].level, list[i].entry->name, level, after) <= 0)
			continue;
		if (m->n_rows == limit) {
			m->next =
			    xasprintf("%d%s", (int)list[i - 1].level, m->rows[m->n_rows - 1]->name);
			break;
		}
		m->rows[m->n_rows++] = row(c, &list[i]);
	}
	free(list);
	return m;
}

/* ---- a look now ---- */
void
look_tell(struct checks *c, const struct look_told *t)
{
	Ns__CheckProbeReply *m = xmalloc(sizeof *m);

	ns__check_probe_reply__init(m);
	m->name = xstrdup(t->name);
	m->appliance = xstrdup(c->conf.appliance);
	m->fault = xstrdup(t->fault != NULL ? t->fault : "");
	if (t->by != NULL) {
		m->good = t->by->good;
		m->abstain = t->by->abstain;
		m->rtt_ms = t->by->rtt_us / 1000.0;
		m->reason = xstrdup(t->by->reason);
		text_scrub(m->reason);
		m->assigned = t->assigned;
		m->others = t->others;
	}
	c->conf.looked(c->conf.send_arg, t->id, m);
	ns__check_probe_reply__free_unpacked(m, NULL);
}

static void
tell(struct checks *c, uint64_t id, const struct entry *e, unsigned others)
{
	look_tell(c, &(struct look_told){ id, e->name, NULL, &e->shared->last, e->mine, others });
}

static void
refuse(struct checks *c, uint64_t id, const char *name, const char *why)
{
	look_tell(c, &(struct look_told){ .id = id, .name = name, .fault = why });
}

const char *
look_never(const Ns__Check *def)
{
	return def->n_of > 0 ? "it is calculated from other checks"
			     : "nobody looks at a check of that type";
}

static const char *
cannot(const struct entry *e)
{
	if (e == NULL)
		return "there is no such check here";
	if (e->refused != NULL)
		return e->refused;
	return e->shared == NULL ? look_never(e->def) : NULL;
}

static bool
was_just_done(const struct entry *e)
{
	return e->shared->run == NULL && e->shared->last_ms != 0 &&
	       clock_since(clock_mono_ms(), e->shared->last_ms) < AGAIN_MS;
}

void
look_now(struct checks *c, struct entry *e)
{
	if (was_just_done(e))
		return;
	e->asked = true;
	shared_now(c, e->shared);
}

void
checks_probe(struct checks *c, uint64_t id, const char *name)
{
	struct entry *e = check_by_name(c, name);
	const char *why = cannot(e);

	if (why == NULL && c->nasked == ASKED_MAX)
		why = "too many looks are asked for at once";
	if (why != NULL) {
		refuse(c, id, name, why);
		return;
	}
	if (was_just_done(e)) {
		tell(c, id, e, 0);
		return;
	}
	c->asked[c->nasked++] = (struct asked_look){ id, e->id, ballot_ask(c, e) };
	look_now(c, e);
}

/* A look has ended, or never will: whoever asked for it is told. */
void
looks_tell(struct checks *c, const struct shared *s, bool gone)
{
	for (size_t i = 0; i < c->nasked;) {
		struct asked_look a = c->asked[i];
		const struct entry *e = check_by_id(c, a.check);

		if (e != NULL && e->shared != NULL && e->shared != s) {
			i++;
			continue;
		}
		c->asked[i] = c->asked[--c->nasked];
		if (e == NULL || e->shared == NULL || gone)
			refuse(
			    c, a.id, e != NULL ? e->name : "", "it became another check meanwhile");
		else
			tell(c, a.id, e, a.others);
	}
}
