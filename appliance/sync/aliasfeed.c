/* aliasfeed.c - the targets of all ALIASes on their way to the probe; see aliases.h.
 *
 * Always all of them: a list of names is small, and one that is whole cannot drift.  A reader thread reads it
 * from the index of the store, in the order of the names' octets, each once. */
#include <stdlib.h>
#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/sync/aliases.h"
#include "appliance/sync/bus.h"
#include "ipc/base/clock.h"
#include "ipc/base/log.h"
#include "ipc/base/xalloc.h"

#define PIECE    1000u /* targets of one message: 256 KiB when each is as long as can be */
#define PAUSE_NS 100000000ull /* between two lists, however fast edits come */
#define LIST_MAX (ALIAS_TARGETS * 260ull)

struct load_job {
	struct job job;
	uint64_t round;
	bool ok;
	size_t count, room;
	Ns__AliasFeed__Target *list;
	struct wbuf names;
};

static uint64_t round_now; /* a probe that went, or said hello again, begins another */
static bool loading, wanted;
static uint64_t next_ns;

/* ---- reader ---- */
bool
alias_is_ours(struct store *s, const uint8_t *name)
{
	struct store_zone z;

	for (;; name = name_parent(name)) {
		if (store_zone_find(s, name, &z) == NS_OK)
			return true;
		if (*name == 0)
			return false;
	}
}

struct load {
	struct load_job *l;
	struct store *store;
	size_t last, last_len; /* in names */
};

static bool
take(void *arg, const struct store_mentioned *m)
{
	struct load *ld = arg;
	struct load_job *l = ld->l;
	Ns__AliasFeed__Target *t;

	if (l->count > 0 && m->len == ld->last_len &&
	    memcmp(l->names.base + ld->last, m->name, m->len) == 0)
		return true;
	if (l->count == l->room) {
		l->room = l->room * 2 + 64;
		l->list = xreallocarray(l->list, l->room, sizeof *l->list);
	}
	ld->last = l->names.len;
	ld->last_len = m->len;
	wbuf_put(&l->names, m->name, m->len);
	t = &l->list[l->count++];
	ns__alias_feed__target__init(t);
	t->name.len = m->len;
	t->ours = alias_is_ours(ld->store, m->name);
	/* One more than there is room for: the probe counts what it refuses. */
	return wbuf_ok(&l->names) && l->count <= ALIAS_TARGETS;
}

static void
load_work(struct job *job, void *store)
{
	struct load_job *l = (struct load_job *)job;
	struct load ld = { .l = l, .store = store };
	size_t at = 0;

	l->names = wbuf_grow(LIST_MAX);
	l->ok = store_mention_each(store, STORE_ALIASES, NULL, 0, take, &ld) == NS_OK;
	if (!l->ok)
		log_error("alias.store", "text=\"the targets cannot be read from the store\"");
	for (size_t i = 0; i < l->count; i++) {
		l->list[i].name.data = l->names.base + at;
		at += l->list[i].name.len;
	}
}

/* ---- loop ---- */
static bool
send_piece(struct sync *s, const struct load_job *l, size_t from)
{
	Ns__AliasFeed__Target *pointers[PIECE];
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__AliasFeed m = NS__ALIAS_FEED__INIT;

	m.begin = from == 0;
	while (m.n_targets < PIECE && from + m.n_targets < l->count) {
		pointers[m.n_targets] = &l->list[from + m.n_targets];
		m.n_targets++;
	}
	m.end = from + m.n_targets == l->count;
	m.targets = pointers;
	env.body_case = NS__ENVELOPE__BODY_ALIAS_FEED;
	env.alias_feed = &m;
	return bus_send(s, ROLE_PROBE, &env) == NS_OK;
}

static void
load_done(struct job *job, struct sync *s)
{
	struct load_job *l = (struct load_job *)job;
	size_t at = 0;
	bool ok = true;

	if (l->round == round_now) {
		loading = false;
		if (l->ok)
			do {
				ok = send_piece(s, l, at);
				at += PIECE;
			} while (ok && at < l->count);
		if (!ok)
			log_warn("alias.feed", "text=\"the probe takes nothing\"");
		wanted = wanted || !ok || !l->ok;
	}
	wbuf_free(&l->names);
	free(l->list);
	free(l);
}

static void
load(struct sync *s)
{
	struct load_job *l = xcalloc(1, sizeof *l);

	l->job.work = load_work;
	l->job.done = load_done;
	l->round = round_now;
	wanted = false;
	next_ns = clock_mono_ns() + PAUSE_NS;
	loading = queue_push(s->reads, LANE_BULK, &l->job);
	if (loading)
		return;
	wanted = true; /* the readers are busy: the next tick */
	free(l);
}

void
aliasfeed_hello(struct sync *s)
{
	round_now++;
	load(s);
}

void
aliasfeed_gone(void)
{
	round_now++;
	loading = wanted = false;
}

void
aliasfeed_changed(struct sync *s)
{
	wanted = true;
	aliasfeed_tick(s, clock_mono_ns());
}

void
aliasfeed_tick(struct sync *s, uint64_t now_ns)
{
	if (wanted && !loading && now_ns >= next_ns && bus_has(s->bus, ROLE_PROBE))
		load(s);
}
