/* feed - see feed.h.  The signer's only thread. */
#include "appliance/signer/feed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/signer/aliasbook.h"
#include "appliance/signer/compile.h"
#include "appliance/signer/names.h"
#include "appliance/zonemap/image.h"
#include "appliance/zonemap/image_format.h"
#include "ipc/base/log.h"
#include "ipc/base/xalloc.h"

/* More lost zones than this, and the whole store is asked for instead of one by one. */
#define LOST_MAX 10000u
/* Zones asked for at once: sync takes more than twice as many for a wish to start over. */
#define ASK_MAX 24u

#define CODE_FEED_NAME 5010
#define CODE_FEED_BASE 5011
#define CODE_FEED_FULL 5012

struct feed {
	struct writer *w;
	struct compiler *compiler;
	struct feed_calls calls;
	bool open; /* feed_welcome() came after the last feed_reset() */

	/* the zone that is coming in pieces */
	struct compile_whole *builder;
	uint8_t building[NAME_MAX_WIRE];
	uint64_t building_version;

	/* the batch */
	struct names *batch; /* its zones, unless it is the whole store */
	bool whole; /* it began with start_over */
	bool failed; /* it does not fit: staging is over */
	bool deferred; /* "publish" was said while it was held */
	uint64_t revision; /* newest that was to be published */

	/* what the staged state lacks */
	struct names *lost, *asked; /* asked: a part of lost */
	struct names *rekey; /* zones whose keys changed */
	struct names
	    *unfit; /* zones that could not be signed: what is served is older, or nothing */
	struct names
	    *led; /* zones whose ALIASes may lead elsewhere: signed with the next publish */
	struct names *gone; /* zones whose last word was DELETE, while not all is published */
	const char *why; /* told with what is asked */
	bool lost_whole;
	bool asking; /* batches wait for the lost zones */
	bool full;
	struct log_limit log_limit;
};

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
	f->unfit = names_new();
	f->compiler = compiler_new(w, calls->file);
	compiler_on_work(f->compiler, calls->working, calls->arg);
	f->revision = writer_revision(w);
	return f;
}

static void
batch_clear(struct feed *f)
{
	compile_cancel(&f->builder);
	names_clear(f->batch);
	f->whole = f->failed = f->deferred = false;
	compiler_next_change(f->compiler);
}

void
feed_destroy(struct feed **fp)
{
	struct feed *f = *fp;

	if (f == NULL)
		return;
	batch_clear(f);
	names_destroy(&f->batch);
	names_destroy(&f->lost);
	names_destroy(&f->asked);
	names_destroy(&f->gone);
	names_destroy(&f->rekey);
	names_destroy(&f->led);
	names_destroy(&f->unfit);
	compiler_destroy(&f->compiler);
	free(f);
	*fp = NULL;
}

static void
forget(struct feed *f)
{
	batch_clear(f);
	writer_abort(f->w);
	names_clear(f->lost);
	names_clear(f->asked);
	names_clear(f->gone);
	f->lost_whole = f->asking = f->full = false;
	f->revision = writer_revision(f->w);
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

/* ---- asking ---- */

static void
ask_more(struct feed *f)
{
	const uint8_t *n = names_after(f->lost, NULL);

	for (; n != NULL && names_count(f->asked) < ASK_MAX; n = names_after(f->lost, n))
		if (names_add(f->asked, n))
			f->calls.ask(f->calls.arg, n, f->why);
}

static void
lose(struct feed *f, const uint8_t *name, const char *why)
{
	names_add(f->lost, name);
	f->asking = true;
	f->why = why;
	ask_more(f);
}

/* It is here, or it never will be. */
static void
settle(struct feed *f, const uint8_t *name)
{
	if (!names_remove(f->lost, name))
		return;
	names_remove(f->asked, name);
	if (f->asking)
		ask_more(f);
}

static void
ask_broken(void *arg, const uint8_t *name)
{
	lose(arg, name, "the image in the zone map is broken");
}

void
feed_welcome(struct feed *f)
{
	forget(f);
	f->open = true;
	writer_each_broken(f->w, ask_broken, f);
}

/* The batch is no more; all that it held must come again. */
static void
batch_lose(struct feed *f)
{
	f->lost_whole = f->lost_whole || f->whole;
	for (const uint8_t *n = names_after(f->batch, NULL); n != NULL;
	     n = names_after(f->batch, n))
		names_add(f->lost, n);
	if (names_count(f->lost) > LOST_MAX)
		f->lost_whole = true;
	if (f->lost_whole)
		names_clear(f->lost);
	names_clear(f->asked);
	batch_clear(f);
	writer_abort(f->w);
	f->asking = false;
}

static void
ask_lost(struct feed *f, const char *why)
{
	if (f->lost_whole) {
		f->calls.ask_all(f->calls.arg);
		return;
	}
	f->asking = true;
	f->why = why;
	ask_more(f);
}

void
feed_retry(struct feed *f)
{
	if (feed_is_behind(f))
		ask_lost(f, f->full ? "the zone map was full" : "it did not arrive");
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
		settle(f, n);
}

static void
does_not_fit(struct feed *f)
{
	batch_lose(f);
	publish_deletions(f);
	f->full = true;
	f->calls.published(
	    f->calls.arg, true, "zone map is full: nothing was published; raise [dns] map_limit");
}

static enum ns_err make_again(struct feed *, const uint8_t *name, bool health, bool *staged);

/* What ALIASes lead to is known when all of the batch is staged.  False: it does not fit. */
static bool
sign_aliases(struct feed *f)
{
	uint8_t name[NAME_MAX_WIRE];
	bool staged;

	for (const uint8_t *n; (n = names_after(f->led, NULL)) != NULL;) {
		memcpy(name, n, name_len(n));
		names_remove(f->led, name);
		if (writer_zone_find(f->w, name) == 0)
			continue;
		if (!f->whole)
			names_add(f->batch, name);
		if (make_again(f, name, true, &staged) == NS_UNAVAILABLE)
			return false;
	}
	return true;
}

static void
publish(struct feed *f)
{
	bool complete = !feed_is_behind(f);
	uint64_t claim = complete ? f->revision : writer_revision(f->w);

	if (!sign_aliases(f) || writer_publish(f->w, claim, NULL) != NS_OK) {
		does_not_fit(f);
		return;
	}
	batch_clear(f);
	if (complete) {
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
		lose(f, f->building, "its last piece is missing");
	}
	if (f->failed) {
		does_not_fit(f);
		return;
	}
	if (feed_is_held(f)) {
		f->deferred = true;
		return;
	}
	publish(f);
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
		publish(f);
}

/* ---- zones ---- */

struct arrival {
	const Ns__FeedZone *zone;
	uint8_t name[NAME_MAX_WIRE];
	map_off image; /* what we have; 0: none */
	uint64_t version; /* of that */
	uint32_t account;
};

static void
know_image(const struct feed *f, struct arrival *a)
{
	struct map_view view;
	const struct image *img;
	size_t len;

	a->image = writer_zone_find(f->w, a->name);
	if (a->image == 0)
		return;
	(void)writer_view(f->w, &view);
	img = map_block_at(&view, a->image, &len);
	if (img == NULL || len < sizeof *img)
		return;
	a->version = img->version;
	a->account = img->account;
}

static void
note_led(void *arg, const uint8_t *apex)
{
	names_add(((struct feed *)arg)->led, apex);
}

/* The zone's content is another: so may be what ALIASes lead to, its own and those of zones that follow names in it. */
static void
note_change(struct feed *f, const struct arrival *a, map_off image)
{
	struct map_view view;
	const struct image *img;
	size_t len;

	if (f->calls.book == NULL || a->zone == NULL)
		return;
	(void)writer_view(f->w, &view);
	img = image != 0 ? map_block_at(&view, image, &len) : NULL;
	if (img != NULL && (img->flags & (IMAGE_HERE | IMAGE_ALIAS)) == (IMAGE_HERE | IMAGE_ALIAS))
		note_led(f, a->name);
	aliasbook_changed(f->calls.book, a->name, note_led, f);
}

static enum ns_err
put(struct feed *f, const struct arrival *a, map_off image, bool retire)
{
	enum ns_err err = writer_zone_put(f->w, a->name, image);

	if (err != NS_OK)
		return err;
	if (retire && a->image != 0)
		image_retire(f->w, a->image);
	settle(f, a->name);
	names_remove(f->unfit, a->name);
	note_change(f, a, image);
	f->calls.staged(f->calls.arg, a->name);
	return NS_OK;
}

static bool
builder_is_for(const struct feed *f, const struct arrival *a)
{
	return f->builder != NULL && name_equal(f->building, a->name) &&
	       f->building_version == a->zone->version;
}

/* With the zone's keys as they are now, a reference. */
static enum ns_err
how_to_compile(
    struct feed *f, const struct arrival *a, struct compile_zone *how, struct ns_why *why)
{
	enum keys_found found = KEYS_NONE;

	*how = (struct compile_zone){ .apex = a->name,
		.version = a->version,
		.account = a->account,
		.old = a->image,
		.now = f->calls.now != NULL ? f->calls.now(f->calls.arg) : 0,
		.board = f->calls.board,
		.check = f->calls.check,
		.arg = f->calls.arg };
	if (a->zone != NULL) {
		how->version = a->zone->version;
		how->account = a->zone->account;
	} else {
		how->book = f->calls.book;
	}
	if (f->calls.keys != NULL)
		found = f->calls.keys(f->calls.arg, a->name, &how->keys, why);
	if (found != KEYS_FOUND)
		how->keys = NULL;
	return found == KEYS_LOCKED ? NS_FAILED : NS_OK;
}

static enum ns_err
begin_whole(struct feed *f, const struct arrival *a, struct ns_why *why)
{
	struct compile_zone how;
	enum ns_err err;

	if (f->builder != NULL) {
		compile_cancel(&f->builder);
		lose(f, f->building, "its last piece is missing");
	}
	err = how_to_compile(f, a, &how, why);
	if (err != NS_OK)
		return err;
	f->builder = compile_begin(f->compiler, &how);
	zone_keys_unref(&how.keys);
	memcpy(f->building, a->name, sizeof f->building);
	f->building_version = a->zone->version;
	return NS_OK;
}

static enum ns_err
zone_replace(struct feed *f, const struct arrival *a, struct ns_why *why)
{
	const Ns__FeedZone *z = a->zone;
	enum ns_err err = builder_is_for(f, a) ? NS_OK : begin_whole(f, a, why);
	map_off image;

	if (err == NS_OK)
		err = compile_add(f->builder, z->zwire.data, z->zwire.len, why);
	if (err != NS_OK) {
		compile_cancel(&f->builder);
		return err;
	}
	if (z->partial)
		return NS_OK;
	err = compile_end(&f->builder, &image, why);
	return err != NS_OK ? err : put(f, a, image, true);
}

static enum ns_err
zone_delta(struct feed *f, const struct arrival *a, struct ns_why *why)
{
	const Ns__FeedZone *z = a->zone;
	struct compile_zone how;
	enum ns_err err;
	map_off image;

	if (a->image == 0 || a->version != z->base_version)
		return ns_fail(why, NS_CONFLICT, CODE_FEED_BASE,
		    "the delta is for version %llu, the map holds %llu",
		    (unsigned long long)z->base_version, (unsigned long long)a->version);
	err = how_to_compile(f, a, &how, why);
	if (err == NS_OK)
		err = compile_change(f->compiler, &how, z->zwire.data, z->zwire.len, z->gone.data,
		    z->gone.len, &image, why);
	zone_keys_unref(&how.keys);
	return err != NS_OK ? err : put(f, a, image, false);
}

static enum ns_err
zone_delete(struct feed *f, const struct arrival *a, struct ns_why *why)
{
	if (writer_zone_drop(f->w, a->name) == NS_UNAVAILABLE)
		return ns_fail(why, NS_UNAVAILABLE, CODE_FEED_FULL, "zone map is full");
	if (a->image != 0)
		image_retire(f->w, a->image);
	settle(f, a->name);
	note_change(f, a, 0);
	return NS_OK;
}

static const struct {
	enum ns_err (*apply)(struct feed *, const struct arrival *, struct ns_why *);
	const char *name;
} kinds[] = {
	[NS__FEED_ZONE__KIND__REPLACE] = { zone_replace, "replace" },
	[NS__FEED_ZONE__KIND__DELTA] = { zone_delta, "delta" },
	[NS__FEED_ZONE__KIND__DELETE] = { zone_delete, "delete" },
};

/* Feeds may come twice after a reconnect: what is older than ours is done already.  A piece of a
 * delta may be of the version that its predecessor made. */
static bool
is_old(const struct arrival *a)
{
	const Ns__FeedZone *z = a->zone;

	if (a->image == 0 || z->version == 0)
		return false;
	if (z->kind == NS__FEED_ZONE__KIND__DELTA)
		return a->version >= z->version && a->version != z->base_version;
	return a->version > z->version;
}

static void
zone_failed(struct feed *f, const struct arrival *a, enum ns_err err, const struct ns_why *why)
{
	if (err == NS_UNAVAILABLE) {
		/* Room for others, before more of this batch comes in. */
		f->failed = true;
		compile_cancel(&f->builder);
		writer_abort(f->w);
		return;
	}
	if (err == NS_CONFLICT) {
		lose(f, a->name, "its delta is for another version");
		return;
	}
	if (err == NS_FAILED) {
		names_add(f->unfit, a->name);
		settle(f, a->name);
		f->calls.refused(f->calls.arg, a->name, why);
		return;
	}
	if (a->zone->kind == NS__FEED_ZONE__KIND__DELTA) {
		/* The edit may have retired blocks of the image that is still staged. */
		batch_lose(f);
		ask_lost(f, "its delta cannot be applied");
		return;
	}
	settle(f, a->name);
	f->calls.refused(f->calls.arg, a->name, why);
}

static bool
arrival_read(struct feed *f, const Ns__FeedZone *z, struct arrival *a)
{
	*a = (struct arrival){ .zone = z };
	if (z->name.len == 0 || name_check(z->name.data, z->name.len) != z->name.len ||
	    (size_t)z->kind >= sizeof kinds / sizeof kinds[0]) {
		if (log_allowed(&f->log_limit, 1))
			log_error("feed.bad", "code=%d octets=%zu kind=%d text=\"no zone name\"",
			    CODE_FEED_NAME, z->name.len, (int)z->kind);
		return false;
	}
	name_lower(a->name, z->name.data, z->name.len);
	know_image(f, a);
	return true;
}

static void
zone_apply(struct feed *f, const Ns__FeedZone *z)
{
	struct ns_why why = { 0 };
	struct arrival a;
	enum ns_err err;

	if (!arrival_read(f, z, &a))
		return;
	if (!f->whole)
		names_add(f->batch, a.name);
	if (z->kind == NS__FEED_ZONE__KIND__DELETE && !f->whole && !is_old(&a))
		names_add(f->gone, a.name);
	else
		names_remove(f->gone, a.name);
	names_remove(f->rekey, a.name);
	if (f->failed)
		return;
	if (is_old(&a)) {
		settle(f, a.name);
		return;
	}
	err = kinds[z->kind].apply(f, &a, &why);
	if (err != NS_OK)
		zone_failed(f, &a, err, &why);
}

/* ---- other keys, and a later time ---- */

void
feed_keys_changed(struct feed *f, const uint8_t *apex)
{
	names_add(f->rekey, apex);
}

static enum ns_err
make_again(struct feed *f, const uint8_t *name, bool health, bool *staged)
{
	struct ns_why why = { 0 };
	struct compile_zone how;
	struct arrival a = { 0 };
	map_off image = 0;
	enum ns_err err;

	memcpy(a.name, name, name_len(name));
	know_image(f, &a);
	err = how_to_compile(f, &a, &how, &why);
	if (err == NS_OK)
		err = compile_again(f->compiler, &how, health, &image, &why);
	zone_keys_unref(&how.keys);
	*staged = err == NS_OK && image != 0;
	if (*staged)
		err = put(f, &a, image, false);
	if (err != NS_OK && err != NS_UNAVAILABLE) {
		names_add(f->unfit, a.name);
		f->calls.refused(f->calls.arg, a.name, &why);
	}
	return err;
}

/* The zones whose keys came with this batch and whose content did not. */
static void
apply_rekey(struct feed *f)
{
	uint8_t name[NAME_MAX_WIRE];
	bool staged;

	for (const uint8_t *n; !f->failed && (n = names_after(f->rekey, NULL)) != NULL;) {
		memcpy(name, n, name_len(n));
		names_remove(f->rekey, name);
		if (names_remove(f->unfit, name)) {
			lose(f, name, "its keys came, and what is served of it is not its content");
			continue;
		}
		if (writer_zone_find(f->w, name) == 0)
			continue;
		if (!f->whole)
			names_add(f->batch, name);
		if (make_again(f, name, false, &staged) == NS_UNAVAILABLE) {
			f->failed = true;
			writer_abort(f->w);
		}
	}
}

bool
feed_refresh(struct feed *f, const uint8_t *apex, bool health)
{
	bool staged = false;

	if (!f->open || f->whole || f->builder != NULL || names_count(f->batch) > 0 ||
	    feed_is_behind(f))
		return false;
	if (writer_zone_find(f->w, apex) == 0)
		return true;
	names_add(f->batch, apex);
	if (make_again(f, apex, health, &staged) == NS_UNAVAILABLE)
		does_not_fit(f);
	else if (staged)
		publish(f);
	else {
		batch_clear(f);
		writer_abort(f->w);
	}
	return true;
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
	}
	take_cookie(f, feed);
	/* It may close in the middle: when so much is lost that all is asked for. */
	for (size_t i = 0; f->open && i < feed->n_zones; i++)
		zone_apply(f, feed->zones[i]);
	if (!f->open)
		return;
	if (feed->publish)
		apply_rekey(f);
	if (feed->publish || (f->deferred && !feed_is_held(f)))
		batch_end(f, feed->revision);
}
