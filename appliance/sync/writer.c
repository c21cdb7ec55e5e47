/* writer - see writer.h. */
#include "appliance/sync/writer.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/fleet/codes.h"
#include "appliance/sync/audit.h"
#include "appliance/sync/errors.h"
#include "appliance/sync/idem.h"
#include "appliance/sync/lost.h"
#include "appliance/sync/members.h"
#include "appliance/sync/released.h"
#include "appliance/sync/rewind.h"
#include "appliance/sync/restore.h"
#include "appliance/sync/window.h"
#include "ipc/base/clock.h"
#include "ipc/base/log.h"
#include "ipc/base/xalloc.h"

#define IDLE_US         1000000 /* then there is time to copy the WAL back */
#define SECRET_RETRY_NS 60000000000ull
#define SCRUB_RETRY_NS  1000000000ull /* somebody was reading */

/* ---- one request ---- */
enum ns_err
writer_is_primary(const struct writer_thread *w, struct ns_why *why)
{
	if (strcmp(w->head.role, "primary") == 0)
		return NS_OK;
	return ns_fail(why, NS_UNAVAILABLE, EF_NOT_PRIMARY,
	    "this appliance is not the primary any more: nothing was changed; try again");
}

static bool
too_late(const struct writer_thread *w, struct request *r)
{
	if (r->kind->write == window_save_write)
		return false;
	r->err = writer_is_primary(w, &r->why);
	return r->err != NS_OK;
}

static enum ns_err
apply(struct request *r, struct batch *b)
{
	enum ns_err err = idem_replay(r, b->store, b->now_ms);

	if (err != NS_NOTFOUND)
		return err;
	err = r->kind->write(r, b);
	if (err == NS_OK)
		err = idem_keep(r, b->store, b->now_ms);
	return err;
}

void
request_work(struct job *job, void *thread)
{
	struct request *r = (struct request *)job;
	struct writer_thread *w = thread;
	struct batch *b = w->batch;
	struct batch_mark mark;

	TAILQ_INSERT_TAIL(&b->done, r, waiting);
	if (b->edits++ == 0)
		b->first_edit_ns = clock_mono_ns();
	if (request_expired(r) || too_late(w, r))
		return;
	mark = batch_mark(b);
	r->err = store_mark(b->store, &r->why);
	if (r->err != NS_OK)
		return;
	r->err = apply(r, b);
	if (r->err == NS_OK)
		r->err = store_release(b->store, &r->why);
	if (r->err == NS_OK) {
		b->wrote = true;
		return;
	}
	batch_trouble(b, &r->why);
	store_undo(b->store);
	batch_undo(b, &mark);
	r->revision = 0;
}

/* ---- the cookie secret ---- */
static void
secret_committed(struct writer_thread *w, const struct secret *s)
{
	if (s->count == 0)
		return;
	w->secret = *s;
	w->secret_rolled_ns = clock_mono_ns();
	log_info("secret.rolled", "revision=%llu", (unsigned long long)w->head.revision);
}

static bool
secret_wanted(const struct writer_thread *w)
{
	uint64_t now = clock_mono_ns(), since = UINT64_MAX;

	if (strcmp(w->head.role, "primary") != 0)
		return false;
	/* The disk may be full: once a minute is enough to see that it is not. */
	if (w->secret_tried_ns != 0 && now - w->secret_tried_ns < SECRET_RETRY_NS)
		return false;
	if (w->secret_rolled_ns != 0)
		since = (now - w->secret_rolled_ns) / 1000000;
	return secret_due(&w->secret, clock_wall_ms(), since);
}

/* A change of its own in a batch that others may join. */
static void
secret_work(struct job *job, void *thread)
{
	struct writer_thread *w = thread;
	struct batch *b = w->batch;
	struct batch_mark mark = batch_mark(b);
	struct ns_why why = { 0 };
	enum ns_err err;

	(void)job;
	w->secret_tried_ns = clock_mono_ns();
	err = store_mark(b->store, &why);
	if (err != NS_OK)
		return;
	err = secret_commit(b, &why);
	if (err == NS_OK)
		err = store_release(b->store, &why);
	if (err == NS_OK) {
		b->wrote = true;
		return;
	}
	batch_trouble(b, &why);
	store_undo(b->store);
	batch_undo(b, &mark);
	b->secret.count = 0;
}

/* Before anybody is told what the head is.  No signer is there to be told yet. */
static enum ns_err
secret_open(struct writer_thread *w, struct ns_why *why)
{
	enum ns_err err = secret_load(w->store, &w->secret, why);
	struct batch *b;

	if (err != NS_OK || !secret_wanted(w))
		return err;
	w->secret_tried_ns = clock_mono_ns();
	if ((err = store_begin(w->store, why)) != NS_OK)
		return err;
	b = batch_new(w->store, w->head.revision, w->head.term, w->head.zones);
	err = secret_commit(b, why);
	if (err == NS_OK)
		err = store_commit(w->store, why);
	else
		store_rollback(w->store);
	if (err == NS_OK) {
		w->head.revision = b->revision;
		secret_committed(w, &b->secret);
	}
	batch_destroy(&b);
	/* Zones are served without cookies too. */
	if (err == NS_UNAVAILABLE)
		log_error("secret.open", "text=%s", log_quote(why->text));
	return err == NS_UNAVAILABLE ? NS_OK : err;
}

/* ---- one transaction ---- */
/* No tombstone is left to tell a signer of what went: under this supervisor its map is not believed. */
static enum ns_err
forget_map(const struct writer_thread *w, struct ns_why *why)
{
	char started[24];

	snprintf(started, sizeof started, "%llu", (unsigned long long)w->conf.started_ms);
	return store_fact_put(w->store, RESTORED_FACT, started, why);
}

static enum ns_err
rolled_back(struct writer_thread *w, enum ns_err err)
{
	store_rollback(w->store);
	return err;
}

static void
commit_batch(struct writer_thread *w)
{
	struct batch *b = w->batch;
	struct ns_why why = { 0 };
	enum ns_err err = NS_OK;

	if (b->doomed.err != NS_OK) {
		store_rollback(w->store);
		batch_refuse(b, b->doomed.err, &b->doomed);
		return;
	}
	if (!b->wrote) {
		store_rollback(w->store);
		return;
	}
	if (b->revision != w->head.revision || b->ntouched > 0)
		err = batch_build_feed(b, &why);
	if (err != NS_OK) {
		store_rollback(w->store);
		log_error("store.unreadable", "zone=%s text=%s", log_quote(why.zone),
		    log_quote(why.text));
		batch_refuse(b, err, &why);
		return;
	}
	if (b->windows_changed && window_list(w->store, &b->windows) != NS_OK)
		b->windows_changed = false; /* the loop goes on with what it knows */
	err = b->scrub ? forget_map(w, &why) : NS_OK;
	if (err == NS_OK)
		err = released_settle(w, b, &why);
	err = err == NS_OK ? store_commit(w->store, &why) : rolled_back(w, err);
	if (err != NS_OK && err != NS_UNAVAILABLE)
		fatal("store.commit", "outcome=unknown err=%d text=%s", err, log_quote(why.text));
	if (err == NS_OK) {
		b->used = b->revision > w->head.revision &&
			  b->revision - w->head.revision > (b->secret.count > 0 ? 1 : 0);
		w->head.used = w->head.used || b->used;
		w->head.revision = b->revision;
		w->head.zones = b->zones;
		if (b->users_changed)
			b->people = people_load(w->store, NULL);
		if (b->log_term == 0 && b->wrote)
			b->log_term = strcmp(w->head.role, "primary") == 0 ? b->term : 0;
		secret_committed(w, &b->secret);
		b->aliases_changed = store_mentions(w->store) != b->mentions;
		if (b->members)
			b->roster = members_load(w->store);
		w->scrub = w->scrub || b->scrub;
		w->look_lost = w->look_lost || b->residency || b->rewound;
		return;
	}
	/* The first failure says why; later ones only that there was one. */
	if (b->trouble.err != NS_OK)
		why = b->trouble;
	log_error("store.full", "changes=%zu text=%s", b->edits, log_quote(why.text));
	if (why.code == 0)
		why.code = ES_DISK;
	batch_refuse(b, err, &why);
}

static int
left_us(uint64_t now, uint64_t until)
{
	return now < until ? (int)((until - now) / 1000) + 1 : 0;
}

/* How long to wait for the next job, or -1: the batch is done. */
static int
patience_us(const struct writer_thread *w)
{
	const struct batch *b = w->batch;
	uint64_t now = clock_mono_ns(), gather = w->last_sync_ns / BATCH_GATHER_PART;

	if (b->doomed.err != NS_OK || b->trouble.err != NS_OK || b->edits >= BATCH_EDITS ||
	    (b->edits > 0 && now - b->first_edit_ns > BATCH_EDIT_NS) ||
	    b->bulk_bytes > BATCH_BULK_BYTES || b->bulk_ns > BATCH_BULK_MAX_NS)
		return -1;
	if (gather > BATCH_GATHER_NS)
		gather = BATCH_GATHER_NS;
	if (b->edits > 0)
		return b->edits < w->last_edits ? left_us(now, b->began_ns + gather) : 0;
	return w->open != NULL ? left_us(now, w->opened_ns + BATCH_LINGER_NS) : 0;
}

static unsigned
lanes_now(const struct batch *b)
{
	return b->edits > 0 && b->bulk_ns > BATCH_BULK_NS ? LANES(LANE_FAST) : LANES_ALL;
}

static void
run_batch(struct writer_thread *w, struct job *job)
{
	struct ns_why why = { 0 };
	struct sync_head before = w->head;
	struct batch *b;
	enum ns_err err = store_begin(w->store, &why);
	uint64_t began;
	int wait;

	if (err != NS_OK)
		fatal("store.begin", "err=%d text=%s", err, log_quote(why.text));
	b = w->batch = batch_new(w->store, w->head.revision, w->head.term, w->head.zones);
	b->job.done = w->conf.batch;
	b->appliance = w->conf.appliance;
	while (job != NULL) {
		bool bulk = job->work != request_work;

		began = clock_mono_ns();
		if (job->work != import_zone_work) /* it has the only savepoint */
			import_change_close(w);
		job->work(job, w);
		if (bulk)
			b->bulk_ns += clock_mono_ns() - began;
		wait = patience_us(w);
		job = wait < 0 ? NULL : queue_pop(w->conf.queue, lanes_now(b), wait);
	}
	import_change_close(w);
	began = clock_mono_ns();
	commit_batch(w);
	released_settled(w, b->wrote && b->err == NS_OK);
	if (b->err != NS_OK)
		w->head = before; /* role and term, too */
	w->last_edits = b->edits;
	w->last_sync_ns = clock_mono_ns() - began;
	w->batch = NULL;
	batch_shrink(b);
	wake_post(w->conf.wake, &b->job);
}

/* ---- zones that may not be here ---- */
/* Nor in what is kept of a history that lost. */
static enum ns_err
scrub_lost(struct store *s, struct ns_why *why)
{
	char *ids = NULL;
	enum ns_err err = store_fact_get(s, SCRUB_FACT, &ids);

	err = err == NS_OK ? lost_withhold(s, ids, why) : NS_OK;
	free(ids);
	return err;
}

static void
look_lost(struct writer_thread *w)
{
	struct ns_why why = { 0 };
	bool found = false;
	enum ns_err err;

	if (!w->look_lost)
		return;
	err = store_begin(w->store, &why);
	if (err == NS_OK) {
		err = lost_look(w->store, w->conf.appliance, &found, &why);
		if (err == NS_OK)
			err = store_commit(w->store, &why);
		else
			store_rollback(w->store);
	}
	w->look_lost = err != NS_OK;
	w->scrub = w->scrub || (found && err == NS_OK);
	if (err != NS_OK)
		log_error("store.scrub", "text=%s", log_quote(why.text));
}

/* What may not be here any more is to be in no free page either.  Edits wait for it. */
static void
scrub(struct writer_thread *w)
{
	uint64_t now = clock_mono_ns();
	struct ns_why why = { 0 };
	enum ns_err err;

	if ((!w->scrub && !w->look_lost) ||
	    (w->scrub_tried_ns != 0 && now - w->scrub_tried_ns < SCRUB_RETRY_NS))
		return;
	w->scrub_tried_ns = now;
	look_lost(w);
	if (!w->scrub)
		return;
	err = scrub_lost(w->store, &why);
	if (err == NS_OK)
		err = store_scrub(w->store, &why);
	if (err == NS_OK)
		err = store_begin(w->store, &why);
	if (err == NS_OK) {
		err = store_fact_put(w->store, SCRUB_FACT, "", &why);
		if (err == NS_OK)
			err = store_commit(w->store, &why);
		else
			store_rollback(w->store);
	}
	w->scrub = err != NS_OK;
	if (err == NS_OK)
		log_info("store.scrubbed", "ms=%llu",
		    (unsigned long long)(clock_mono_ns() - now) / 1000000);
	else
		log_info("store.scrub", "text=%s", log_quote(why.text));
}

static bool
scrub_wanted(struct store *s)
{
	char *text = NULL;
	bool yes = store_fact_get(s, SCRUB_FACT, &text) == NS_OK && text[0] != '\0';

	free(text);
	return yes;
}

/* ---- the thread ---- */
static void
read_lost(struct store *s, struct writer_opened *o)
{
	char *fact = NULL, *text;

	if (store_fact_get(s, LOST_FACT, &fact) == NS_OK && (text = strchr(fact, '\n')) != NULL) {
		*text++ = '\0';
		snprintf(o->lost_file, sizeof o->lost_file, "%s", fact);
		snprintf(o->lost_text, sizeof o->lost_text, "%s", text);
	}
	free(fact);
}

static void
open_store(struct writer_thread *w)
{
	struct writer_opened *o = xcalloc(1, sizeof *o);

	o->job.done = w->conf.opened;
	o->err = store_open(w->conf.dir, STORE_WRITE, sync_vfs(), &w->store, &o->why);
	if (o->err == NS_OK)
		o->err = facts_load(w->store, &w->conf, &w->head, &o->why);
	if (o->err == NS_OK)
		o->err = secret_open(w, &o->why);
	if (o->err == NS_OK)
		released_open(w);
	if (o->err == NS_OK)
		o->err = fleet_facts_load(w->store, &o->facts, &o->why);
	if (o->err == NS_OK)
		o->roster = members_load(w->store);
	if (o->err == NS_OK)
		handover_load(w->store, &o->handover);
	if (o->err == NS_OK)
		o->err = window_list(w->store, &o->windows);
	if (o->err == NS_OK)
		w->scrub = scrub_wanted(w->store);
	w->look_lost = o->err == NS_OK;
	o->head = w->head;
	if (o->err == NS_OK)
		read_lost(w->store, o);
	if (o->err == NS_OK)
		o->people = people_load(w->store, NULL);
	wake_post(w->conf.wake, &o->job);
}

static void *
writer_main(void *arg)
{
	struct writer_thread *w = arg;
	struct job *job;

	open_store(w);
	while (w->store != NULL) {
		if (secret_wanted(w))
			run_batch(w, &w->secret_job);
		scrub(w);
		job = queue_pop(w->conf.queue, LANES_ALL, IDLE_US);
		if (job != NULL && !released_mark(w, job) && !audit_write(w, job))
			run_batch(w, job);
		else if (job != NULL)
			continue;
		else if (queue_closed(w->conf.queue))
			break;
		else
			store_idle(w->store);
	}
	if (w->store != NULL)
		store_close(&w->store);
	return NULL;
}

struct writer_thread *
writer_start(const struct writer_conf *conf)
{
	struct writer_thread *w = xcalloc(1, sizeof *w);
	sigset_t all, old;
	int rc;

	w->conf = *conf;
	TAILQ_INIT(&w->opened);
	w->secret_job.work = secret_work;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&w->thread, NULL, writer_main, w);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc != 0)
		fatal("writer.thread", "errno=%d", rc);
	return w;
}

bool
writer_join(struct writer_thread **wp)
{
	struct writer_thread *w = *wp;
	bool used;

	if (w == NULL)
		return false;
	pthread_join(w->thread, NULL);
	used = w->head.used;
	free(w);
	*wp = NULL;
	return used;
}
