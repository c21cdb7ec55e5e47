/* aliasfeed.c - the targets of all ALIASes on their way to the probe; see aliases.h.
 *
 * Always all of them: a list of names is small, and one that is whole cannot drift.  A reader thread reads it
 * from the index of the store, adds the names outside that CNAMEs of ours lead to from them (aliasway.c), and sorts
 * it by the names' octets, each once.  While changes wait for the standby (gate.h) it is the list from before those:
 * zones are served that need it, and nobody is asked for a name that may never be one.  Where a target is ours, any edit may change that way: then the list is read
 * again, and sent when it is another. */
#include <stdlib.h>
#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/dns/rrtype.h"
#include "appliance/dns/zwire.h"
#include "appliance/sync/aliases.h"
#include "appliance/sync/asof.h"
#include "appliance/sync/bus.h"
#include "appliance/sync/gate.h"
#include "ipc/base/clock.h"
#include "ipc/base/log.h"
#include "ipc/base/xalloc.h"

#define PIECE       1000u /* targets of one message: 256 KiB when each is as long as can be */
#define PAUSE_NS    100000000ull /* between two lists, however fast edits come, */
#define PAUSE_TIMES 20u /* and so many times what the last one took */
#define LIST_MAX    (ALIAS_TARGETS * 260ull)

struct target {
	size_t at, len; /* in names */
	bool ours;
};
struct load_job {
	struct job job;
	uint64_t round, took_ns;
	uint64_t upto; /* as they were there */
	struct asof asof;
	bool ok;
	size_t count, room;
	struct target *list;
	struct wbuf names;
};

static uint64_t round_now; /* a probe that went, or said hello again, begins another */
static bool loading, wanted;
static uint64_t next_ns;
static struct load_job *sent; /* the last one; NULL: none to this probe */

/* ---- reader ---- */
static void
add(struct load_job *l, const uint8_t *name, size_t len, bool ours)
{
	if (l->count == l->room) {
		l->room = l->room * 2 + 64;
		l->list = xreallocarray(l->list, l->room, sizeof *l->list);
	}
	l->list[l->count++] = (struct target){ l->names.len, len, ours };
	wbuf_put(&l->names, name, len);
}

static bool
take(void *arg, const struct store_mentioned *m)
{
	struct load_job *l = arg;
	const struct target *last = l->count > 0 ? &l->list[l->count - 1] : NULL;

	if (asof_zone(&l->asof, m->zone) != NULL)
		return true;
	if (last == NULL || last->len != m->len ||
	    memcmp(l->names.base + last->at, m->name, m->len) != 0)
		add(l, m->name, m->len, false);
	/* One more than there is room for: the probe counts what it refuses. */
	return wbuf_ok(&l->names) && l->count <= ALIAS_TARGETS;
}

static void
take_outside(void *arg, const uint8_t *name)
{
	add(arg, name, name_len(name), false);
}

static struct wbuf *sorted_names; /* of the one list that is being sorted */

static int
by_octets(const void *pa, const void *pb)
{
	const struct target *a = pa, *b = pb;
	size_t len = a->len < b->len ? a->len : b->len;
	int c = memcmp(sorted_names->base + a->at, sorted_names->base + b->at, len);

	return c != 0 ? c : (a->len > b->len) - (a->len < b->len);
}

/* Each once. */
static void
sort(struct load_job *l)
{
	size_t n = 0;

	sorted_names = &l->names;
	if (l->count > 1)
		qsort(l->list, l->count, sizeof *l->list, by_octets);
	for (size_t i = 0; i < l->count; i++)
		if (n == 0 || by_octets(&l->list[n - 1], &l->list[i]) != 0)
			l->list[n++] = l->list[i];
	l->count = n;
}

static void
take_set(struct load_job *l, const struct rrset *set)
{
	struct rbuf r = rbuf_init(set->rdata, set->rdata_len);
	uint8_t name[NAME_MAX_WIRE];
	const uint8_t *rdata;
	size_t len;

	while (set->type == RR_ALIAS && (rdata = rrset_next_rdata(&r, &len)) != NULL) {
		if (len == 0 || len > sizeof name || name_check(rdata, len) != len)
			continue;
		name_lower(name, rdata, len);
		add(l, name, len, false);
	}
}

/* Of a zone that waiting changes touched. */
static enum ns_err
take_earlier(struct load_job *l, const struct asof_zone *z, struct ns_why *why)
{
	struct wbuf zwire = wbuf_grow(SIZE_MAX / 2);
	struct store_zone row;
	struct zwire_iter it;
	struct rrset set;
	enum ns_err err = asof_content(&l->asof, z, &row, &zwire, why);

	it = zwire_iter(zwire.base, zwire.len);
	while (err == NS_OK && zwire_next(&it, &set))
		take_set(l, &set);
	wbuf_free(&zwire);
	return err;
}

static enum ns_err
load_named(struct load_job *l, struct store *store, struct ns_why *why)
{
	uint8_t hash[STORE_HASH];
	uint64_t head, term;
	enum ns_err err = store_head(store, &head, &term, hash);

	if (err == NS_OK && head > l->upto)
		err = asof_load(&l->asof, store, l->upto, head, why);
	if (err == NS_OK)
		err = store_mention_each(store, STORE_ALIASES, NULL, 0, take, l);
	for (size_t i = 0; i < l->asof.nzones && err == NS_OK; i++)
		if (l->asof.zones[i].there)
			err = take_earlier(l, &l->asof.zones[i], why);
	asof_free(&l->asof);
	return err;
}

static void
load_work(struct job *job, void *store)
{
	struct load_job *l = (struct load_job *)job;
	uint64_t began = clock_mono_ns();
	struct ns_why why = { 0 };
	size_t n;

	l->names = wbuf_grow(LIST_MAX);
	l->ok = store_begin(store, &why) == NS_OK;
	if (l->ok) {
		l->ok = load_named(l, store, &why) == NS_OK;
		store_rollback(store);
	}
	if (!l->ok)
		log_error("alias.store", "text=%s",
		    log_quote(why.text[0] != '\0' ? why.text
						  : "the targets cannot be read from the store"));
	n = l->count;
	for (size_t i = 0; i < n && wbuf_ok(&l->names); i++) {
		uint8_t name[NAME_MAX_WIRE];

		memcpy(name, l->names.base + l->list[i].at, l->list[i].len);
		l->list[i].ours = alias_is_ours(store, name);
		if (l->list[i].ours)
			alias_way_out(store, name, take_outside, l);
	}
	sort(l);
	l->took_ns = clock_mono_ns() - began;
}

/* ---- loop ---- */
static bool
send_piece(struct sync *s, const struct load_job *l, size_t from)
{
	static Ns__AliasFeed__Target targets[PIECE], *pointers[PIECE];
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__AliasFeed m = NS__ALIAS_FEED__INIT;

	m.begin = from == 0;
	while (m.n_targets < PIECE && from + m.n_targets < l->count) {
		const struct target *t = &l->list[from + m.n_targets];
		Ns__AliasFeed__Target *to = &targets[m.n_targets];

		ns__alias_feed__target__init(to);
		to->name = (ProtobufCBinaryData){ t->len, l->names.base + t->at };
		to->ours = t->ours;
		pointers[m.n_targets++] = to;
	}
	m.end = from + m.n_targets == l->count;
	m.targets = pointers;
	env.body_case = NS__ENVELOPE__BODY_ALIAS_FEED;
	env.alias_feed = &m;
	return bus_send(s, ROLE_PROBE, &env) == NS_OK;
}

static void
job_free(struct load_job **lp)
{
	struct load_job *l = *lp;

	*lp = NULL;
	if (l == NULL)
		return;
	wbuf_free(&l->names);
	free(l->list);
	free(l);
}

static bool
is_as_sent(const struct load_job *l)
{
	if (sent == NULL || sent->count != l->count || sent->names.len != l->names.len ||
	    memcmp(sent->names.base, l->names.base, l->names.len) != 0)
		return false;
	for (size_t i = 0; i < l->count; i++)
		if (sent->list[i].at != l->list[i].at || sent->list[i].ours != l->list[i].ours)
			return false;
	return true;
}

static bool
send_all(struct sync *s, const struct load_job *l)
{
	size_t at = 0;
	bool ok;

	do {
		ok = send_piece(s, l, at);
		at += PIECE;
	} while (ok && at < l->count);
	if (!ok)
		log_warn("alias.feed", "text=\"the probe takes nothing\"");
	return ok;
}

static void
load_done(struct job *job, struct sync *s)
{
	struct load_job *l = (struct load_job *)job;

	if (l->round == round_now) {
		loading = false;
		/* Others use the readers, too. */
		if (next_ns < clock_mono_ns() + PAUSE_TIMES * l->took_ns)
			next_ns = clock_mono_ns() + PAUSE_TIMES * l->took_ns;
		if (l->ok && (is_as_sent(l) || send_all(s, l))) {
			job_free(&sent);
			sent = l;
			return;
		}
		wanted = true;
	}
	job_free(&l);
}

static void
load(struct sync *s)
{
	struct load_job *l = xcalloc(1, sizeof *l);

	l->job.work = load_work;
	l->job.done = load_done;
	l->round = round_now;
	l->upto = gate_fed(s);
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
	job_free(&sent);
	load(s);
}

void
aliasfeed_gone(void)
{
	round_now++;
	loading = wanted = false;
	job_free(&sent);
}

void
aliasfeed_changed(struct sync *s)
{
	wanted = true;
	aliasfeed_tick(s, clock_mono_ns());
}

void
aliasfeed_zones(struct sync *s)
{
	for (size_t i = 0; sent != NULL && i < sent->count; i++)
		if (sent->list[i].ours) {
			aliasfeed_changed(s);
			return;
		}
}

void
aliasfeed_tick(struct sync *s, uint64_t now_ns)
{
	if (wanted && !loading && now_ns >= next_ns && bus_has(s->bus, ROLE_PROBE))
		load(s);
}
