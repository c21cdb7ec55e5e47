/* feedzone.c - what a feed says of one zone becomes its image: whole, by a delta, deleted; and the same content with
 * other keys. */
#include "appliance/signer/feed_internal.h"

#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/signer/aliasbook.h"
#include "appliance/zonemap/image.h"
#include "appliance/zonemap/image_format.h"

void
feed_know_image(const struct feed *f, struct arrival *a)
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

void
feed_note_change(struct feed *f, const struct arrival *a, map_off image)
{
	struct map_view view;
	const struct image *img;
	size_t len;

	if (f->calls.book == NULL)
		return;
	(void)writer_view(f->w, &view);
	img = image != 0 ? map_block_at(&view, image, &len) : NULL;
	if (img != NULL && (img->flags & (IMAGE_HERE | IMAGE_ALIAS)) == (IMAGE_HERE | IMAGE_ALIAS))
		note_led(f, a->name);
	aliasbook_changed(f->calls.book, a->name, note_led, f);
}

enum ns_err
feed_put(struct feed *f, const struct arrival *a, map_off image, bool retire)
{
	enum ns_err err = writer_zone_put(f->w, a->name, image);

	if (err != NS_OK)
		return err;
	if (retire && a->image != 0)
		image_retire(f->w, a->image);
	feed_settle(f, a->name);
	names_remove(f->unfit, a->name);
	make_drop_keys(f, a->name);
	if (a->zone != NULL)
		feed_note_change(f, a, image);
	f->calls.fit(f->calls.arg, a->name);
	f->calls.staged(f->calls.arg, a->name);
	return NS_OK;
}

/* The image that was made, or the zone is in the making. */
static enum ns_err
put_or_make(struct feed *f, const struct arrival *a, map_off image, bool retire)
{
	if (f->later == NULL) {
		make_drop(f, a->name);
		return feed_put(f, a, image, retire);
	}
	make_put(f, a->name, MAKE_CONTENT, a->zone);
	return NS_OK;
}

static bool
builder_is_for(const struct feed *f, const struct arrival *a)
{
	return f->builder != NULL && name_equal(f->building, a->name) &&
	       f->building_version == a->zone->version;
}

enum ns_err
feed_how(struct feed *f, const struct arrival *a, struct compile_zone *how, struct ns_why *why)
{
	enum keys_found found = KEYS_NONE;

	*how = (struct compile_zone){ .apex = a->name,
		.version = a->version,
		.account = a->account,
		.old = a->image,
		.start = f->whole,
		.now = f->calls.now != NULL ? f->calls.now(f->calls.arg) : 0,
		.board = f->calls.board,
		.check = f->calls.check,
		.cut = f->calls.cut,
		.arg = f->calls.arg,
		/* While the whole store comes nothing else is served in between. */
		.later = f->whole ? NULL : &f->later };
	f->later = NULL;
	if (a->zone != NULL) {
		how->version = a->zone->version;
		how->account = a->zone->account;
		how->aside = make_is_better(f, a->zone);
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
		feed_lose(f, f->building, "its last piece is missing");
	}
	err = feed_how(f, a, &how, why);
	if (err != NS_OK)
		return err;
	f->builder = compile_begin(f->compiler, &how);
	f->loaded += f->whole && how.keys != NULL;
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
	f->later = NULL;
	err = compile_end(&f->builder, &image, why);
	return err != NS_OK ? err : put_or_make(f, a, image, true);
}

static enum ns_err
zone_delta(struct feed *f, const struct arrival *a, struct ns_why *why)
{
	const Ns__FeedZone *z = a->zone;
	struct compile_zone how;
	enum ns_err err;
	map_off image;

	if (make_is(f, a->name)) {
		make_hold(f, z);
		return NS_OK;
	}
	if (a->image == 0 || a->version != z->base_version)
		return ns_fail(why, NS_CONFLICT, CODE_FEED_BASE,
		    "the delta is for version %llu, the map holds %llu",
		    (unsigned long long)z->base_version, (unsigned long long)a->version);
	err = feed_how(f, a, &how, why);
	if (err == NS_OK)
		err = compile_change(f->compiler, &how, z->zwire.data, z->zwire.len, z->gone.data,
		    z->gone.len, &image, why);
	zone_keys_unref(&how.keys);
	return err != NS_OK ? err : put_or_make(f, a, image, false);
}

static enum ns_err
zone_delete(struct feed *f, const struct arrival *a, struct ns_why *why)
{
	make_drop(f, a->name);
	if (writer_zone_drop(f->w, a->name) == NS_UNAVAILABLE)
		return ns_fail(why, NS_UNAVAILABLE, CODE_FEED_FULL, "zone map is full");
	if (a->image != 0)
		image_retire(f->w, a->image);
	feed_settle(f, a->name);
	make_drop_keys(f, a->name);
	feed_note_change(f, a, 0);
	f->calls.fit(f->calls.arg, a->name);
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

void
feed_unfit(struct feed *f, const uint8_t *name, const struct ns_why *why)
{
	names_add(f->unfit, name);
	feed_settle(f, name);
	f->calls.refused(f->calls.arg, name, why);
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
		feed_lose(f, a->name, "its delta is for another version");
		return;
	}
	if (err == NS_FAILED) {
		feed_unfit(f, a->name, why);
		return;
	}
	if (a->zone->kind == NS__FEED_ZONE__KIND__DELTA) {
		feed_batch_broken(f);
		return;
	}
	feed_settle(f, a->name);
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
	feed_know_image(f, a);
	return true;
}

void
feed_zone(struct feed *f, const Ns__FeedZone *z)
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
	/* A delta that waits is signed by what is made before it. */
	if (z->kind != NS__FEED_ZONE__KIND__DELTA || !make_is(f, a.name))
		names_remove(f->rekey, a.name);
	if (f->failed)
		return;
	if (is_old(&a)) {
		feed_settle(f, a.name);
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

/* It is in the making: with the keys as they are now. */
static enum ns_err
make_with_keys(struct feed *f, const struct arrival *a)
{
	struct ns_why why = { 0 };
	struct compile_zone how;
	enum ns_err err = feed_how(f, a, &how, &why);

	if (err == NS_OK) {
		make_rekey(f, a->name, how.keys, how.now);
	} else {
		make_drop(f, a->name);
		feed_unfit(f, a->name, &why);
	}
	zone_keys_unref(&how.keys);
	return err;
}

enum ns_err
feed_again(struct feed *f, const uint8_t *name, enum feed_why what_for, bool *staged)
{
	struct ns_why why = { 0 };
	struct compile_zone how;
	struct arrival a = { 0 };
	map_off image = 0;
	enum ns_err err;

	*staged = false;
	memcpy(a.name, name, name_len(name));
	feed_know_image(f, &a);
	if (make_is(f, name))
		return make_with_keys(f, &a);
	err = feed_how(f, &a, &how, &why);
	how.anew = what_for == FEED_ANEW;
	if (err == NS_OK)
		err = compile_again(f->compiler, &how, what_for == FEED_HEALTH, &image, &why);
	zone_keys_unref(&how.keys);
	*staged = err == NS_OK && image != 0;
	if (*staged)
		err = feed_put(f, &a, image, false);
	if (err != NS_OK && err != NS_UNAVAILABLE)
		feed_unfit(f, a.name, &why);
	return err;
}

void
feed_rekey(struct feed *f)
{
	uint8_t name[NAME_MAX_WIRE];
	bool staged;

	for (const uint8_t *n; !f->failed && (n = names_after(f->rekey, NULL)) != NULL;) {
		memcpy(name, n, name_len(n));
		names_remove(f->rekey, name);
		if (names_remove(f->unfit, name)) {
			feed_lose(
			    f, name, "its keys came, and what is served of it is not its content");
			continue;
		}
		if (writer_zone_find(f->w, name) == 0 && !make_is(f, name))
			continue;
		if (!f->whole)
			names_add(f->batch, name);
		if (feed_again(f, name, FEED_DUE, &staged) == NS_UNAVAILABLE) {
			f->failed = true;
			writer_abort(f->w);
		} else if (f->later != NULL) {
			make_put(f, name, MAKE_BATCH, NULL);
		} else if (!make_is(f, name)) {
			make_drop_keys(f, name);
		}
	}
}
