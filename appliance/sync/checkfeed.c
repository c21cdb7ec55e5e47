/* checkfeed - the checks on their way to the probe: all of them at its hello, then what changes.
 *
 * Loop, and one job in a reader thread that reads them all; while changes wait for the standby (gate.h), as they
 * were before those.  They are sent as the bus takes them: what it does not take now goes with the next tick.  What
 * is committed meanwhile is kept and sent after them; versions make it harmless when the job saw it too. */
#include <stdlib.h>
#include <string.h>

#include "appliance/sync/aliases.h"
#include "appliance/sync/asof.h"
#include "appliance/sync/bus.h"
#include "appliance/sync/checks.h"
#include "appliance/sync/gate.h"
#include "appliance/sync/parentcheck.h"
#include "appliance/sync/status.h"
#include "ipc/base/log.h"
#include "ipc/base/xalloc.h"
#include "ipc/envelope.h"

#define PIECE_CHECKS 64u /* of one message: 512 KiB when each is as long as can be */

/* ---- loop ---- */
struct load_job {
	struct job job;
	uint64_t round;
	uint64_t upto; /* as they were there: nobody hears of what is newer yet */
	struct check_deltas *all;
};

static uint64_t round_now; /* each hello begins one */
static bool loading; /* all are being read, or sent: */
static struct check_deltas *sending; /* NULL: not yet */
static size_t sent; /* of them */
static struct check_deltas *later; /* committed meanwhile */
static Ns__ProbeNotice *notice;

/* False: the bus takes nothing now. */
static bool
send_piece(struct sync *s, const struct check_deltas *d, size_t from, bool begin, bool end)
{
	Ns__Envelope env = NS__ENVELOPE__INIT;
	Ns__CheckFeed m = NS__CHECK_FEED__INIT;

	m.begin = begin;
	m.end = end;
	m.checks = d->list + from;
	m.n_checks = d->count - from < PIECE_CHECKS ? d->count - from : PIECE_CHECKS;
	env.body_case = NS__ENVELOPE__BODY_CHECK_FEED;
	env.check_feed = &m;
	return bus_send(s, ROLE_PROBE, &env) == NS_OK;
}

static bool
send_deltas(struct sync *s, const struct check_deltas *d)
{
	bool ok = true;

	for (size_t at = 0; at < d->count && ok; at += PIECE_CHECKS)
		ok = send_piece(s, d, at, false, false);
	return ok;
}

/* All of them, from where the bus stopped; an empty list is one piece, too. */
static void
go_on(struct sync *s)
{
	struct check_deltas *d;

	do {
		if (!send_piece(s, sending, sent, sent == 0, sent + PIECE_CHECKS >= sending->count))
			return;
		sent += PIECE_CHECKS;
	} while (sent < sending->count);
	check_deltas_destroy(&sending);
	loading = false;
	d = later;
	later = NULL;
	checkfeed_deltas(s, &d);
	check_deltas_destroy(&d);
}

static void
keep(struct check_deltas *d, Ns__CheckFeed__Entry *e, const void *body, size_t len)
{
	if ((e->check = ns__check__unpack(NULL, len, body)) != NULL) {
		check_deltas_add(d, e);
		return;
	}
	log_warn(
	    "check.body", "check=%s text=\"cannot be read: it is not done\"", log_quote(e->name));
	protobuf_c_message_free_unpacked(&e->base, NULL);
}

struct load {
	struct check_deltas *all;
	struct asof asof;
};

static bool
keep_stored(void *arg, const struct store_object *o, const void *body, size_t len)
{
	struct load *l = arg;

	if (asof_object(&l->asof, CHECK_KIND, o->name) == NULL)
		keep(l->all, check_entry_new(o->id, o->version, o->name), body, len);
	return true;
}

static void
keep_earlier(struct load *l)
{
	for (size_t i = 0; i < l->asof.nobjects; i++) {
		const struct asof_object *o = &l->asof.objects[i];

		if (o->there && strcmp(o->kind, CHECK_KIND) == 0)
			keep(l->all, check_entry_new(o->id, o->version, o->name), o->body.base,
			    o->body.len);
	}
}

static enum ns_err
load_all(struct store *store, struct load *l, uint64_t upto, struct ns_why *why)
{
	uint8_t hash[STORE_HASH];
	uint64_t head, term;
	enum ns_err err = store_head(store, &head, &term, hash);

	if (err == NS_OK && head > upto)
		err = asof_load(&l->asof, store, upto, head, why);
	if (err == NS_OK)
		err = store_object_each(store, CHECK_KIND, keep_stored, l);
	keep_earlier(l);
	asof_free(&l->asof);
	return err;
}

static void
load_work(struct job *job, void *store)
{
	struct load_job *j = (struct load_job *)job;
	struct load l = { .all = j->all };
	struct ns_why why = { 0 };
	enum ns_err err = store_begin(store, &why);

	if (err == NS_OK) {
		err = load_all(store, &l, j->upto, &why);
		store_rollback(store);
	}
	if (err != NS_OK) {
		log_error("check.store", "err=%d text=\"the checks cannot be read from the store\"",
		    (int)err);
		check_deltas_destroy(&j->all);
	}
}

static void
load_done(struct job *job, struct sync *s)
{
	struct load_job *l = (struct load_job *)job;

	if (l->round == round_now && l->all != NULL) {
		sending = l->all;
		sent = 0;
		l->all = NULL;
		go_on(s);
	}
	check_deltas_destroy(&l->all);
	free(l);
}

static void
forget(void)
{
	loading = false;
	check_deltas_destroy(&later);
	check_deltas_destroy(&sending);
}

void
checkfeed_tick(struct sync *s)
{
	if (sending != NULL)
		go_on(s);
}

void
checkfeed_hello(struct sync *s)
{
	struct load_job *l = xcalloc(1, sizeof *l);

	forget();
	l->job.work = load_work;
	l->job.done = load_done;
	l->round = ++round_now;
	l->upto = gate_fed(s);
	l->all = xcalloc(1, sizeof *l->all);
	loading = queue_push(s->reads, LANE_BULK, &l->job);
	if (loading)
		return;
	log_warn("check.feed", "text=\"the readers are busy: checks wait for the next hello\"");
	check_deltas_destroy(&l->all);
	free(l);
}

void
checkfeed_anew(struct sync *s)
{
	if (bus_has(s->bus, ROLE_PROBE))
		checkfeed_hello(s);
}

void
checkfeed_gone(struct sync *s)
{
	round_now++;
	forget();
	if (notice != NULL)
		ns__probe_notice__free_unpacked(notice, NULL);
	notice = NULL;
	parentcheck_gone(s);
	check_list_tick(s, UINT64_MAX);
	health_tick(s, UINT64_MAX);
}

void
checkfeed_deltas(struct sync *s, struct check_deltas **dp)
{
	struct check_deltas *d = *dp;

	if (d == NULL || !bus_has(s->bus, ROLE_PROBE))
		return;
	if (!loading) {
		/* More than the bus takes at once: all of them, as it takes them. */
		if (!send_deltas(s, d))
			checkfeed_hello(s);
		return;
	}
	if (later == NULL)
		later = xcalloc(1, sizeof *later);
	for (size_t i = 0; i < d->count; i++)
		check_deltas_add(later, d->list[i]);
	d->count = 0;
}

/* ---- what the probe says ---- */
void
checkfeed_notice(struct sync *s, const Ns__Envelope *env)
{
	(void)s;
	if (notice != NULL)
		ns__probe_notice__free_unpacked(notice, NULL);
	notice = ns_message_copy(&env->probe_notice->base);
}

void
checkfeed_status(Ns__StatusReply *m)
{
	if (notice == NULL)
		return;
	m->frozen = notice->frozen;
	m->checks = notice->checks;
	m->checks_down = notice->down;
	m->probes = notice->probes;
	m->flips = notice->flips;
	m->checks_assigned = notice->assigned;
	m->votes = notice->votes;
	m->votes_dropped += notice->votes_dropped;
	m->aliases = notice->aliases;
	m->alias_faults = notice->alias_faults;
	if (notice->alias_faults > 0)
		status_problem(m, "aliases",
		    xasprintf(
			"%llu of %llu ALIAS targets cannot be resolved: see nameserve alias list",
			(unsigned long long)notice->alias_faults,
			(unsigned long long)notice->aliases));
	if (notice->alias_refused > 0)
		status_problem(m, "aliases",
		    xasprintf("%llu ALIAS targets are too many: there is room for %u",
			(unsigned long long)notice->alias_refused, ALIAS_TARGETS));
	for (size_t i = 0; i < notice->n_problems; i++)
		status_problem(m, "checks", xstrdup(notice->problems[i]));
}
