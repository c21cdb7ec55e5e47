/* feeder - see feeder.h. */
#include "appliance/sync/feeder.h"

#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/store/store.h"
#include "appliance/sync/asof.h"
#include "appliance/sync/keyfeed.h"
#include "appliance/sync/sync.h"
#include "ipc/base/log.h"
#include "ipc/base/xalloc.h"

struct order {
	TAILQ_ENTRY(order) link;
	struct feeder_order what;
};

struct feeder {
	struct feeder_conf conf;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t more;
	TAILQ_HEAD(, order) orders;
	uint64_t cancels; /* counts feeder_cancel() */
	size_t out;
	bool closed;
	/* of the thread */
	struct store *store;
	struct feeder_order now;
	uint64_t cancels_seen;
	bool first;
};

/* ---- the thread ---- */
static bool
cancelled(struct feeder *f)
{
	bool yes;

	pthread_mutex_lock(&f->lock);
	yes = f->closed || f->cancels != f->cancels_seen;
	pthread_mutex_unlock(&f->lock);
	return yes;
}

static void
emit(void *arg, struct feed_block *b)
{
	struct feeder *f = arg;
	bool drop;

	b->stream = f->now.stream;
	b->start_over = f->first && f->now.start_over;
	f->first = false;
	b->job.done = f->conf.arrived;
	pthread_mutex_lock(&f->lock);
	while (f->out > FEEDER_OUT && !f->closed && f->cancels == f->cancels_seen)
		pthread_cond_wait(&f->more, &f->lock);
	drop = f->closed || f->cancels != f->cancels_seen;
	if (!drop)
		f->out += feed_block_size(b);
	pthread_mutex_unlock(&f->lock);
	if (drop)
		feed_block_destroy(&b);
	else
		wake_post(f->conf.wake, &b->job);
}

struct walk {
	struct feeder *feeder;
	struct feed_out out;
	struct asof *asof; /* NULL: all that is there may be told */
	const uint8_t *name; /* this one only; NULL: all */
	bool given;
};

/* What it was; nothing is said of one that was not there. */
static void
give_earlier(struct walk *w, const struct asof_zone *z)
{
	struct wbuf zwire = wbuf_grow(SIZE_MAX / 2);
	struct store_zone row;
	struct ns_why why = { 0 };
	char name[NAME_MAX_TEXT];

	if (!z->there)
		return;
	if (asof_content(w->asof, z, &row, &zwire, &why) == NS_OK)
		feed_out_replace(&w->out, &row, zwire.base, zwire.len);
	else
		log_error("feed.unreadable", "zone=%s text=%s",
		    log_quote(name_to_text(z->name, name)), log_quote(why.text));
	wbuf_free(&zwire);
}

static void
give_zone(struct walk *w, const struct store_zone *z)
{
	const struct asof_zone *earlier = w->asof != NULL ? asof_zone(w->asof, z->id) : NULL;
	char name[NAME_MAX_TEXT];

	if (earlier != NULL)
		give_earlier(w, earlier);
	else if (z->deleted)
		feed_out_delete(&w->out, z->name, z->version);
	else if (feed_out_stored(&w->out, w->feeder->store, z) != NS_OK)
		/* One damaged zone keeps nobody else from being served; verify names it too. */
		log_error("feed.unreadable", "zone=%s", log_quote(name_to_text(z->name, name)));
}

static bool
each_zone(void *arg, const struct store_zone *z)
{
	struct walk *w = arg;

	if (w->name != NULL && !name_equal(w->name, z->name))
		return true;
	if (w->feeder->now.start_over && z->deleted &&
	    (w->asof == NULL || asof_zone(w->asof, z->id) == NULL))
		return true;
	w->given = true;
	give_zone(w, z);
	return !cancelled(w->feeder);
}

static void
give_one(struct walk *w)
{
	const uint8_t *name = w->feeder->now.zone;
	struct store_zone z;
	enum ns_err err = NS_OK;

	w->name = name;
	if (w->asof != NULL)
		err = store_zones_since(w->feeder->store, w->asof->revision, each_zone, w);
	if (err != NS_OK || w->given)
		return;
	err = store_zone_find(w->feeder->store, name, &z);
	if (err == NS_OK)
		give_zone(w, &z);
	else if (err == NS_NOTFOUND)
		feed_out_delete(&w->out, name, w->out.revision);
}

/* Everything newer than what may be told is as it was.  A log that cannot be read keeps nobody from being served. */
static void
limit(struct walk *w, struct asof *asof)
{
	uint64_t upto = w->feeder->now.upto;
	struct ns_why why = { 0 };

	if (w->out.revision <= upto)
		return;
	log_info("feed.earlier", "revision=%llu head=%llu", (unsigned long long)upto,
	    (unsigned long long)w->out.revision);
	if (asof_load(asof, w->feeder->store, upto, w->out.revision, &why) != NS_OK) {
		log_error("feed.unreadable", "text=%s", log_quote(why.text));
		return;
	}
	w->asof = asof;
	w->out.revision = upto;
}

static enum ns_err
give_all(struct walk *w, struct ns_why *why)
{
	struct feeder *f = w->feeder;
	/* The newest, even one that waits for the standby: it says nothing of anybody's zones, the one before is good
	 * as well, and should it be taken back, a client gets a new cookie. */
	enum ns_err err = secret_load(f->store, &w->out.secret, why);

	if (err == NS_OK)
		err = keyfeed_all(f->store, f->conf.appliance, w->asof, &w->out);
	if (err == NS_OK)
		err =
		    store_zones_since(f->store, f->now.start_over ? 0 : f->now.since, each_zone, w);
	return err;
}

static void
run_order(struct feeder *f)
{
	struct walk w = { .feeder = f, .out = { .emit = emit, .arg = f } };
	struct asof asof = { 0 };
	uint8_t hash[STORE_HASH];
	struct ns_why why = { 0 };
	enum ns_err err;
	uint64_t term;

	f->first = true;
	err = store_begin(f->store, &why);
	if (err == NS_OK)
		err = store_head(f->store, &w.out.revision, &term, hash);
	if (err == NS_OK)
		limit(&w, &asof);
	if (err == NS_OK && f->now.one)
		give_one(&w);
	else if (err == NS_OK)
		err = give_all(&w, &why);
	if (err != NS_OK)
		fatal("feed.store", "err=%d text=%s", err, log_quote(why.text));
	feed_out_end(&w.out, true);
	asof_free(&asof);
	store_rollback(f->store);
	if (f->now.start_over) { /* it went through everything, and will not for long */
		store_shrink(f->store);
		(void)malloc_trim(0);
	}
}

static bool
next_order(struct feeder *f)
{
	struct order *o;

	pthread_mutex_lock(&f->lock);
	while ((o = TAILQ_FIRST(&f->orders)) == NULL && !f->closed)
		pthread_cond_wait(&f->more, &f->lock);
	if (f->closed)
		o = NULL;
	if (o != NULL) {
		TAILQ_REMOVE(&f->orders, o, link);
		f->now = o->what;
		f->cancels_seen = f->cancels;
	}
	pthread_mutex_unlock(&f->lock);
	if (o == NULL)
		return false;
	free(o);
	return true;
}

static void *
feeder_main(void *arg)
{
	struct feeder *f = arg;
	struct ns_why why = { 0 };

	if (store_open(f->conf.dir, STORE_READ, sync_vfs(), &f->store, &why) != NS_OK)
		fatal("feed.store", "text=%s", log_quote(why.text));
	while (next_order(f))
		run_order(f);
	store_close(&f->store);
	return NULL;
}

/* ---- the loop's side ---- */
struct feeder *
feeder_start(const struct feeder_conf *conf)
{
	struct feeder *f = xcalloc(1, sizeof *f);
	sigset_t all, old;
	int rc;

	f->conf = *conf;
	TAILQ_INIT(&f->orders);
	pthread_mutex_init(&f->lock, NULL);
	pthread_cond_init(&f->more, NULL);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&f->thread, NULL, feeder_main, f);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc != 0)
		fatal("feeder.thread", "errno=%d", rc);
	return f;
}

static void
forget_orders(struct feeder *f)
{
	struct order *o;

	while ((o = TAILQ_FIRST(&f->orders)) != NULL) {
		TAILQ_REMOVE(&f->orders, o, link);
		free(o);
	}
}

void
feeder_stop(struct feeder **fp)
{
	struct feeder *f = *fp;

	if (f == NULL)
		return;
	pthread_mutex_lock(&f->lock);
	f->closed = true;
	pthread_cond_broadcast(&f->more);
	pthread_mutex_unlock(&f->lock);
	pthread_join(f->thread, NULL);
	forget_orders(f);
	pthread_cond_destroy(&f->more);
	pthread_mutex_destroy(&f->lock);
	free(f);
	*fp = NULL;
}

void
feeder_order(struct feeder *f, const struct feeder_order *what)
{
	struct order *o = xcalloc(1, sizeof *o);

	o->what = *what;
	pthread_mutex_lock(&f->lock);
	TAILQ_INSERT_TAIL(&f->orders, o, link);
	pthread_cond_broadcast(&f->more);
	pthread_mutex_unlock(&f->lock);
}

void
feeder_cancel(struct feeder *f)
{
	pthread_mutex_lock(&f->lock);
	forget_orders(f);
	f->cancels++;
	pthread_cond_broadcast(&f->more);
	pthread_mutex_unlock(&f->lock);
}

void
feeder_release(struct feeder *f, size_t octets)
{
	pthread_mutex_lock(&f->lock);
	f->out -= octets;
	pthread_cond_broadcast(&f->more);
	pthread_mutex_unlock(&f->lock);
}
