/* feed.c - see feed.h.  The signer's only thread. */
#include "appliance/signer/feed.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/signer/feed_internal.h"
#include "appliance/zonemap/image.h"
#include "ipc/base/xalloc.h"

struct feed *
feed_new(struct writer *w, const struct feed_calls *calls)
{
	struct feed *f = xcalloc(1, sizeof *f);

	f->w = w;
	f->calls = *calls;
	f->batch = names_new();
	f->lost = names_new();
	f->asked = names_new();
	f->gone = names_new();
	f->rekey = names_new();
	f->led = names_new();
	f->wrong = names_new();
	f->unfit = names_new();
	f->compiler = compiler_new(w, calls->file);
	compiler_on_work(f->compiler, calls->working, calls->arg);
	f->revision = f->claimed = writer_revision(w);
	return f;
}

static void
note_wrong(void *arg, const uint8_t *apex)
{
	names_add(((struct feed *)arg)->wrong, apex);
}

void
feed_batch_clear(struct feed *f)
{
	compile_cancel(&f->builder);
	names_clear(f->batch);
	make_forget_staged(f);
	compiler_each_wrong(f->compiler, note_wrong, f);
	names_clear(f->wrong);
	f->whole = f->failed = f->deferred = false;
	f->made = compiler_stats(f->compiler)->made;
	compiler_next_change(f->compiler);
}

void
feed_destroy(struct feed **fp)
{
	struct feed *f = *fp;

	if (f == NULL)
		return;
	make_drop_all(f);
	while (f->old_keys != NULL)
		make_drop_keys(f, f->old_keys->name);
	feed_batch_clear(f);
	names_destroy(&f->batch);
	names_destroy(&f->lost);
	names_destroy(&f->asked);
	names_destroy(&f->gone);
	names_destroy(&f->rekey);
	names_destroy(&f->led);
	names_destroy(&f->wrong);
	names_destroy(&f->unfit);
	compiler_destroy(&f->compiler);
	free(f);
	*fp = NULL;
}

static void
forget(struct feed *f)
{
	make_drop_all(f);
	feed_batch_clear(f);
	writer_abort(f->w);
	names_clear(f->lost);
	names_clear(f->asked);
	names_clear(f->gone);
	f->lost_whole = f->asking = f->full = false;
	f->revision = f->claimed = writer_revision(f->w);
	f->lost_late.n = 0;
}

void
feed_reset(struct feed *f)
{
	f->open = false;
	forget(f);
}

bool
feed_is_behind(const struct feed *f)
{
	return f->lost_whole || names_count(f->lost) > 0;
}

size_t
feed_lost(const struct feed *f)
{
	return names_count(f->lost);
}

bool
feed_is_held(const struct feed *f)
{
	return f->asking && names_count(f->lost) > 0;
}

static void
ask_broken(void *arg, const uint8_t *name)
{
	feed_lose(arg, name, "the image in the zone map is broken");
}

void
feed_welcome(struct feed *f)
{
	forget(f);
	f->open = true;
	writer_each_broken(f->w, ask_broken, f);
}

/* ---- publication ---- */

/* Deletions are changes of their own, and the only ones that make room: in a full map they do not
 * wait for what was lost before them. */
static void
publish_deletions(struct feed *f)
{
	size_t dropped = 0;

	if (f->lost_whole)
		return;
	for (const uint8_t *n = names_after(f->gone, NULL); n != NULL;
	     n = names_after(f->gone, n)) {
		map_off image = writer_zone_find(f->w, n);

		if (writer_zone_drop(f->w, n) == NS_OK)
			dropped++;
		if (image != 0)
			image_retire(f->w, image);
	}
	if (dropped == 0 || writer_publish(f->w, writer_revision(f->w), NULL) != NS_OK) {
		writer_abort(f->w);
		return;
	}
	for (const uint8_t *n = names_after(f->gone, NULL); n != NULL; n = names_after(f->gone, n))
		feed_settle(f, n);
}

void
feed_does_not_fit(struct feed *f)
{
	feed_batch_lose(f);
	publish_deletions(f);
	f->full = true;
	f->calls.published(
	    f->calls.arg, true, "zone map is full: nothing was published; raise [dns] map_limit");
}

/* What the root says is what a successor will go on from: nothing that is in the making is before it. */
static uint64_t
safe_revision(const struct feed *f)
{
	struct ranges late;

	feed_late(f, &late);
	return late.n > 0 && late.of[0].from <= f->revision ? late.of[0].from - 1 : f->revision;
}

static enum ns_err
sign_again(struct feed *f, const uint8_t *name)
{
	enum ns_err err = NS_OK;
	bool staged = false;

	if (make_is(f, name)) {
		err = make_health(f, name, &staged);
		if (err == NS_OK && !staged)
			make_touch(f, name);
		return err;
	}
	if (writer_zone_find(f->w, name) == 0)
		return NS_OK;
	if (!f->whole)
		names_add(f->batch, name);
	err = feed_again(f, name, FEED_HEALTH, &staged);
	if (f->later == NULL)
		return err;
	make_put(f, name, MAKE_BATCH, NULL);
	return make_health(f, name, &staged);
}

/* What ALIASes lead to is known when all of the batch is staged.  One that cannot be signed stays as it is. */
static enum ns_err
sign_aliases(struct feed *f)
{
	uint8_t name[NAME_MAX_WIRE];
	enum ns_err err = NS_OK;

	for (const uint8_t *n;
	     (err == NS_OK || err == NS_FAILED) && (n = names_after(f->led, NULL)) != NULL;) {
		memcpy(name, n, name_len(n));
		names_remove(f->led, name);
		err = sign_again(f, name);
	}
	return err == NS_FAILED ? NS_OK : err;
}

/* What was verified beside the loop: what is wrong is made anew, or not served. */
static enum ns_err
sign_wrong(struct feed *f)
{
	uint8_t name[NAME_MAX_WIRE];
	enum ns_err err = NS_OK;
	bool staged;

	compiler_each_wrong(f->compiler, note_wrong, f);
	for (const uint8_t *n; (n = names_after(f->wrong, NULL)) != NULL;) {
		memcpy(name, n, name_len(n));
		names_remove(f->wrong, name);
		if (err != NS_OK || writer_zone_find(f->w, name) == 0)
			continue;
		err = feed_again(f, name, FEED_ANEW, &staged);
		if (err == NS_FAILED) {
			map_off image = writer_zone_find(f->w, name);

			err = writer_zone_drop(f->w, name);
			image_retire(f->w, image);
		}
	}
	return err;
}

void
feed_publish(struct feed *f)
{
	bool complete = !feed_is_behind(f);
	enum ns_err err = sign_wrong(f);

	if (err == NS_OK)
		err = sign_aliases(f);

	if (err != NS_OK && err != NS_UNAVAILABLE) {
		feed_batch_broken(f);
		return;
	}
	if (err != NS_OK) {
		feed_does_not_fit(f);
		return;
	}
	if (complete) {
		make_late(f, f->claimed + 1, f->revision);
		f->lost_late.n = 0;
	}
	if (writer_publish(f->w, complete ? safe_revision(f) : writer_revision(f->w), NULL) !=
	    NS_OK) {
		feed_does_not_fit(f);
		return;
	}
	make_published(f);
	feed_batch_clear(f);
	if (complete) {
		make_batch_done(f);
		f->claimed = f->revision;
		f->full = f->asking = false;
		names_clear(f->gone);
	}
	f->calls.published(
	    f->calls.arg, f->full, complete ? "" : "zones that were lost are still to come");
}

static void
batch_end(struct feed *f, uint64_t revision)
{
	if (revision > f->revision || f->whole)
		f->revision = revision;
	if (f->builder != NULL) {
		/* Its later pieces never came: what there is of it may not be served. */
		compile_cancel(&f->builder);
		feed_lose(f, f->building, "its last piece is missing");
	}
	if (f->failed) {
		feed_does_not_fit(f);
		return;
	}
	if (feed_is_held(f)) {
		f->deferred = true;
		return;
	}
	feed_publish(f);
}

void
feed_held_too_long(struct feed *f)
{
	if (!feed_is_held(f))
		return;
	/* What is here is whole zones; better late ones than none. */
	f->asking = false;
	names_clear(f->asked);
	if (f->deferred)
		feed_publish(f);
}

/* ---- a later time ---- */

bool
feed_in_batch(const struct feed *f)
{
	return !f->open || f->whole || f->failed || f->builder != NULL || names_count(f->batch) > 0;
}

bool
feed_is_idle(const struct feed *f)
{
	return !feed_in_batch(f) && !feed_is_behind(f);
}

bool
feed_is_loading(const struct feed *f, uint64_t *zones)
{
	*zones = f->loaded;
	return f->whole;
}

bool
feed_refresh(struct feed *f, const uint8_t *apex, enum feed_why why)
{
	bool staged = false, making = make_is(f, apex), health = why == FEED_HEALTH;
	enum ns_err err = NS_OK;

	if (!feed_is_idle(f))
		return false;
	if (making ? !health : writer_zone_find(f->w, apex) == 0)
		return true;
	names_add(f->batch, apex);
	if (!making)
		err = feed_again(f, apex, why, &staged);
	if (!making && f->later != NULL)
		make_put(f, apex, MAKE_TIME, NULL);
	if (health && err == NS_OK && make_is(f, apex))
		err = make_health(f, apex, &staged);
	if (err == NS_UNAVAILABLE) {
		feed_does_not_fit(f);
	} else if (staged) {
		feed_publish(f);
	} else {
		feed_batch_clear(f);
		writer_abort(f->w);
	}
	return true;
}

uint64_t
feed_published(const struct feed *f)
{
	return f->claimed;
}

const struct compile_stats *
feed_signed(const struct feed *f)
{
	return compiler_stats(f->compiler);
}

/* Kept by the writer whatever becomes of the batch: the newest is always right. */
static void
take_cookie(struct feed *f, const Ns__Feed *feed)
{
	struct map_cookie c = { .until = feed->cookie_until };

	if (feed->cookie_secret.len != MAP_SECRET)
		return;
	memcpy(c.secret[0], feed->cookie_secret.data, MAP_SECRET);
	c.count = 1;
	if (feed->cookie_previous.len == MAP_SECRET) {
		memcpy(c.secret[1], feed->cookie_previous.data, MAP_SECRET);
		c.count = 2;
	}
	writer_cookie(f->w, &c);
}

void
feed_apply(struct feed *f, const Ns__Feed *feed)
{
	/* The tail of an earlier conversation: what it belongs to was forgotten. */
	if (!f->open)
		return;
	if (feed->start_over) {
		forget(f);
		writer_start_over(f->w, image_retire);
		f->whole = true;
		f->loaded = 0;
	}
	take_cookie(f, feed);
	/* It may close in the middle: when so much is lost that all is asked for. */
	for (size_t i = 0; f->open && i < feed->n_zones; i++)
		feed_zone(f, feed->zones[i]);
	if (!f->open)
		return;
	if (feed->publish)
		feed_rekey(f);
	if (feed->publish || (f->deferred && !feed_is_held(f)))
		batch_end(f, feed->revision);
}
