/* checks.c - see checks.h: the table. */
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "appliance/probe/checks_int.h"
#include "ipc/base/clock.h"
#include "ipc/base/log.h"
#include "ipc/base/xalloc.h"
#include "ipc/envelope.h"

uint32_t
check_hash(const void *data, size_t len)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < len; i++)
		h = (h ^ ((const uint8_t *)data)[i]) * 16777619u;
	return (h ^ h >> 16) % CHECK_BUCKETS;
}

struct entry *
check_by_id(struct checks *c, uint64_t id)
{
	struct entry *e;

	LIST_FOREACH(e, &c->by_id[id % CHECK_BUCKETS], by_id)
	if (e->id == id)
		return e;
	return NULL;
}

struct entry *
check_by_name(struct checks *c, const char *name)
{
	struct entry *e;

	LIST_FOREACH(e, &c->by_name[check_hash(name, strlen(name))], by_name)
	if (strcmp(e->name, name) == 0)
		return e;
	return NULL;
}

static void
entry_drop(struct checks *c, struct entry *e)
{
	shared_leave(c, e);
	check_forget(c, e);
	ballot_forget(c, e);
	if (e->is_special)
		TAILQ_REMOVE(&c->special, e, special);
	if (e->is_calculated)
		TAILQ_REMOVE(&c->calculated, e, calculated);
	LIST_REMOVE(e, by_id);
	LIST_REMOVE(e, by_name);
	ns__check__free_unpacked(e->def, NULL);
	free(e->name);
	free(e);
	c->count--;
}

static void
make_special(struct checks *c, struct entry *e)
{
	bool special = e->shared == NULL || e->def->override != NULL;

	if (special && !e->is_special)
		TAILQ_INSERT_TAIL(&c->special, e, special);
	else if (!special && e->is_special)
		TAILQ_REMOVE(&c->special, e, special);
	e->is_special = special;
}

static void
make_calculated(struct checks *c, struct entry *e)
{
	bool calculated = e->def->n_of > 0;

	if (calculated && !e->is_calculated)
		TAILQ_INSERT_TAIL(&c->calculated, e, calculated);
	else if (!calculated && e->is_calculated)
		TAILQ_REMOVE(&c->calculated, e, calculated);
	e->is_calculated = calculated;
}

static struct entry *
entry_new(struct checks *c, const Ns__CheckFeed__Entry *m)
{
	struct entry *e = xcalloc(1, sizeof *e);

	e->id = m->id;
	e->name = xstrdup(m->name);
	LIST_INSERT_HEAD(&c->by_id[e->id % CHECK_BUCKETS], e, by_id);
	LIST_INSERT_HEAD(&c->by_name[check_hash(e->name, strlen(e->name))], e, by_name);
	c->count++;
	check_remember(c, e);
	return e;
}

static void
take(struct checks *c, const Ns__CheckFeed__Entry *m)
{
	struct entry *e = check_by_id(c, m->id);
	Ns__Check *def = m->check != NULL ? ns_message_copy(&m->check->base) : NULL;

	/* All of them again may be of a store that went back. */
	if (e != NULL && m->version < e->version && !c->loading) {
		if (def != NULL)
			ns__check__free_unpacked(def, NULL);
		return;
	}
	if (def == NULL) {
		if (e != NULL)
			entry_drop(c, e);
		return;
	}
	if (e == NULL)
		e = entry_new(c, m);
	if (e->def != NULL)
		ns__check__free_unpacked(e->def, NULL);
	e->def = def;
	e->version = m->version;
	e->round = c->round;
	ballot_assign(c, e);
	shared_move(c, e);
	make_special(c, e);
	make_calculated(c, e);
	ballot_cast(c, e);
	if (!c->loading)
		check_settle(c, e);
}

/* All have come: those that did not are no more, and calculated ones can be made. */
static void
end(struct checks *c)
{
	struct entry *e, *next;

	c->loading = false;
	c->all_ms = 0; /* links that came up meanwhile were told nothing */
	for (size_t i = 0; i < CHECK_BUCKETS; i++)
		for (e = LIST_FIRST(&c->by_id[i]); e != NULL; e = next) {
			next = LIST_NEXT(e, by_id);
			if (e->round != c->round)
				entry_drop(c, e);
		}
	check_settle_all(c);
	log_info("checks.loaded", "checks=%zu", c->count);
}

void
checks_feed(struct checks *c, const Ns__CheckFeed *m)
{
	if (m->begin) {
		c->round++;
		c->loading = true;
	}
	for (size_t i = 0; i < m->n_checks; i++)
		take(c, m->checks[i]);
	if (m->end && c->loading)
		end(c);
	shared_start(c);
}

void
checks_second(struct checks *c)
{
	struct entry *e;

	if (c->loading)
		return;
	TAILQ_FOREACH(e, &c->special, special)
	check_settle(c, e);
	controls_look(c);
	ballot_second(c);
}

void
checks_notice(const struct checks *c, Ns__ProbeNotice *m)
{
	m->checks = c->count;
	m->probes = c->probes;
	m->flips = c->flips;
	m->down = c->down;
	m->frozen = c->peers->frozen;
	m->votes = c->votes;
	m->votes_dropped = c->votes_dropped;
	m->assigned = c->assigned;
}

struct checks *
checks_new(const struct checks_conf *conf)
{
	struct checks *c = xcalloc(1, sizeof *c);

	c->conf = *conf;
	if (conf->states_fd >= 0 && conf->board != NULL)
		states_restore(conf->board, conf->states_fd);
	TAILQ_INIT(&c->special);
	TAILQ_INIT(&c->calculated);
	TAILQ_INIT(&c->outbox);
	(void)!getrandom(&c->epoch, sizeof c->epoch, 0);
	c->peers = xcalloc(1, sizeof *c->peers);
	peers_init(c->peers, conf->appliance, conf->site, clock_mono_ms());
	return c;
}

void
checks_destroy(struct checks **cp)
{
	struct checks *c = *cp;
	struct entry *e;

	if (c == NULL)
		return;
	c->conf.board = NULL; /* what it says stays */
	c->conf.states_fd = -1;
	for (size_t i = 0; i < CHECK_BUCKETS; i++)
		while ((e = LIST_FIRST(&c->by_id[i])) != NULL)
			entry_drop(c, e);
	trials_stop(c);
	shared_stop(c);
	ballot_stop(c);
	free(c);
	*cp = NULL;
}
