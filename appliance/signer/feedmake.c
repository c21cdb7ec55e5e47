/* feedmake.c - zones that are signed in slices while other zones' batches come and go: large ones, and what is much
 * together; what waits for them. */
#include <stdlib.h>
#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/signer/feed_internal.h"
#include "appliance/zonemap/image_read.h"
#include "ipc/base/clock.h"
#include "ipc/base/xalloc.h"

#define BATCH_MADE 128u /* signatures of a batch that others wait for: 5 ms */
#define WAIT_MAX   2048u /* small zones in the making; more: the batch is the time that they take */

struct wait { /* a delta that came meanwhile */
	struct wait *next;
	Ns__FeedZone *zone;
};
struct make {
	struct make *next;
	uint8_t name[NAME_MAX_WIRE];
	struct making *making;
	struct wait *wait, **wait_end;
	struct ranges late; /* changes that are served when it is */
	bool touched; /* by the open batch, nobody knows with which change of it */
	bool small;
	bool content; /* is another than what is served */
	bool health; /* its policies and ALIASes may answer something else than when it began */
	map_off staged; /* what is served of it, with other health; 0: that is not staged */
};

static struct make **
place(struct feed *f, const uint8_t *name)
{
	struct make **p = &f->makes;

	while (*p != NULL && !name_equal((*p)->name, name))
		p = &(*p)->next;
	return p;
}

bool
make_is(const struct feed *f, const uint8_t *name)
{
	for (const struct make *m = f->makes; m != NULL; m = m->next) {
		if (name_equal(m->name, name))
			return true;
	}
	return false;
}

static void
drop_wait(struct make *m)
{
	struct wait *w;

	while ((w = m->wait) != NULL) {
		m->wait = w->next;
		ns__feed_zone__free_unpacked(w->zone, NULL);
		free(w);
	}
	m->wait_end = &m->wait;
}

static void
drop(struct feed *f, struct make **p)
{
	struct make *m = *p;

	if (m == NULL)
		return;
	*p = m->next;
	f->nmakes--;
	making_cancel(&m->making);
	drop_wait(m);
	free(m);
}

void
make_drop(struct feed *f, const uint8_t *name)
{
	drop(f, place(f, name));
}

void
make_lose(struct feed *f, const uint8_t *name)
{
	struct make **p = place(f, name);

	if (*p != NULL)
		ranges_union(&f->lost_late, &(*p)->late);
	drop(f, p);
}

void
make_drop_all(struct feed *f)
{
	making_cancel(&f->later);
	while (f->makes != NULL)
		drop(f, &f->makes);
}

bool
make_is_better(const struct feed *f, const Ns__FeedZone *z)
{
	return z->alone && z->n_changes > 0 && f->nmakes < WAIT_MAX &&
	       compiler_stats(f->compiler)->made - f->made >= BATCH_MADE;
}

static void
note_changes(struct make *m, const Ns__FeedZone *z)
{
	struct ranges changes;

	if (z == NULL || z->n_changes == 0) {
		m->touched = true;
		return;
	}
	ranges_read(&changes, z->changes, z->n_changes);
	ranges_union(&m->late, &changes);
}

void
make_put(struct feed *f, const uint8_t *name, enum make_for why, const Ns__FeedZone *z)
{
	struct make **p = place(f, name), *m = *p;

	if (m == NULL) {
		m = *p = xcalloc(1, sizeof *m);
		f->nmakes++;
		memcpy(m->name, name, name_len(name));
	}
	making_cancel(&m->making);
	drop_wait(m);
	m->making = f->later;
	f->later = NULL;
	m->small = making_is_small(m->making);
	if (why != MAKE_TIME)
		note_changes(m, z);
	m->content = m->content || why == MAKE_CONTENT;
	feed_settle(f, name);
	names_remove(f->unfit, name);
}

void
make_hold(struct feed *f, const Ns__FeedZone *z)
{
	uint8_t name[NAME_MAX_WIRE];
	struct wait *w = xcalloc(1, sizeof *w);
	size_t len = ns__feed_zone__get_packed_size(z);
	uint8_t *packed = xmalloc(len + 1);
	struct make *m;

	name_lower(name, z->name.data, z->name.len);
	m = *place(f, name);
	ns__feed_zone__pack(z, packed);
	w->zone = ns__feed_zone__unpack(NULL, len, packed);
	free(packed);
	*m->wait_end = w;
	m->wait_end = &w->next;
	note_changes(m, z);
}

void
make_rekey(struct feed *f, const uint8_t *name, struct zone_keys *keys, uint32_t now)
{
	struct make *m = *place(f, name);

	making_rekey(m->making, keys, now);
	m->touched = true;
}

void
make_touch(struct feed *f, const uint8_t *name)
{
	(*place(f, name))->touched = true;
}

/* ---- what is served meanwhile ---- */

static struct old_keys **
place_of_keys(struct feed *f, const uint8_t *name)
{
	struct old_keys **p = &f->old_keys;

	while (*p != NULL && !name_equal((*p)->name, name))
		p = &(*p)->next;
	return p;
}

void
make_drop_keys(struct feed *f, const uint8_t *name)
{
	struct old_keys **p = place_of_keys(f, name), *k = *p;

	if (k == NULL)
		return;
	*p = k->next;
	zone_keys_unref(&k->keys);
	free(k);
}

void
feed_keys_change(struct feed *f, const uint8_t *apex)
{
	const unsigned flags = IMAGE_TREE | IMAGE_HERE | IMAGE_POLICY;
	struct old_keys **p = place_of_keys(f, apex);
	struct zone_keys *keys = NULL;
	struct map_view view;
	struct image_ref ref;
	struct ns_why why;

	writer_staged(f->w, &view);
	if (*p != NULL || f->calls.keys == NULL ||
	    !image_open(&view, writer_zone_find(f->w, apex), &ref) ||
	    (ref.image->flags & flags) != flags ||
	    f->calls.keys(f->calls.arg, apex, &keys, &why) != KEYS_FOUND)
		return;
	/* Now: what wraps them may be another by the time that they are asked for. */
	if (zone_keys_open(keys, &why) != NS_OK) {
		zone_keys_unref(&keys);
		return;
	}
	*p = xcalloc(1, sizeof **p);
	memcpy((*p)->name, apex, name_len(apex));
	(*p)->keys = keys;
}

/* With the keys that it was signed with. */
static enum ns_err
compile_served(struct feed *f, struct arrival *a, map_off *image)
{
	const struct old_keys *old = *place_of_keys(f, a->name);
	struct ns_why why = { 0 };
	struct compile_zone how;
	enum ns_err err;

	(void)feed_how(f, a, &how, &why);
	if (old != NULL) {
		zone_keys_unref(&how.keys);
		how.keys = zone_keys_ref(old->keys);
	}
	err = compile_meanwhile(f->compiler, &how, image, &why);
	zone_keys_unref(&how.keys);
	if (err == NS_FAILED)
		f->calls.refused(f->calls.arg, a->name, &why);
	return err;
}

enum ns_err
make_health(struct feed *f, const uint8_t *name, bool *staged)
{
	struct make *m = *place(f, name);
	struct arrival a = { 0 };
	map_off image = 0;
	enum ns_err err;

	*staged = false;
	m->health = true;
	memcpy(a.name, name, name_len(name));
	feed_know_image(f, &a);
	if (a.image == 0)
		return NS_OK;
	err = compile_served(f, &a, &image);
	/* Where it cannot be now, it is when the zone is made. */
	if (err == NS_FAILED || err == NS_UNAVAILABLE || (err == NS_OK && image == 0))
		return NS_OK;
	if (err == NS_OK)
		err = writer_zone_put(f->w, name, image);
	if (err != NS_OK)
		return err;
	m->staged = image;
	*staged = true;
	f->calls.staged(f->calls.arg, name);
	return NS_OK;
}

void
make_published(struct feed *f)
{
	for (struct make *m = f->makes; m != NULL; m = m->next) {
		if (m->staged != 0)
			making_moved(m->making, m->staged);
	}
}

void
make_forget_staged(struct feed *f)
{
	for (struct make *m = f->makes; m != NULL; m = m->next)
		m->staged = 0;
}

/* ---- changes ---- */

void
make_late(struct feed *f, uint64_t from, uint64_t to)
{
	for (struct make *m = f->makes; m != NULL; m = m->next) {
		if (m->touched)
			ranges_add(&m->late, from, to);
	}
}

void
make_batch_done(struct feed *f)
{
	for (struct make *m = f->makes; m != NULL; m = m->next)
		m->touched = false;
}

void
make_batch_lost(struct feed *f)
{
	for (struct make **p = &f->makes; *p != NULL;) {
		if (!(*p)->touched) {
			p = &(*p)->next;
			continue;
		}
		names_add(f->lost, (*p)->name);
		make_lose(f, (*p)->name);
	}
}

void
feed_late(const struct feed *f, struct ranges *late)
{
	*late = f->lost_late;
	for (const struct make *m = f->makes; m != NULL; m = m->next)
		ranges_union(late, &m->late);
}

bool
feed_is_making(const struct feed *f)
{
	return f->makes != NULL;
}

const uint8_t *
feed_making(const struct feed *f, uint64_t *zones, uint32_t *percent)
{
	const struct make *first = NULL;

	*zones = 0;
	for (const struct make *m = f->makes; m != NULL; m = m->next) {
		if (m->small)
			continue;
		first = first != NULL ? first : m;
		++*zones;
	}
	*percent = first != NULL ? making_percent(first->making) : 0;
	return first != NULL ? first->name : NULL;
}

/* ---- one is made ---- */

/* What came meanwhile; it may be in the making again after one of them, and the others wait on. */
static void
apply_waiting(struct feed *f, struct make *m)
{
	struct make *again;

	for (const struct wait *w = m->wait; w != NULL; w = w->next)
		feed_zone(f, w->zone);
	again = *place(f, m->name);
	if (again != NULL)
		ranges_union(&again->late, &m->late);
}

/* NS_CONFLICT: what is staged may not be published. */
static enum ns_err
put_made(struct feed *f, struct make *m, struct ns_why *why)
{
	struct arrival a = { 0 };
	enum ns_err err;
	map_off image;
	bool staged;

	memcpy(a.name, m->name, name_len(m->name));
	feed_know_image(f, &a);
	err = making_end(&m->making, &image, why);
	if (err == NS_OK)
		err = feed_put(f, &a, image, true);
	if (err == NS_OK && m->content)
		feed_note_change(f, &a, image);
	/* Its own ALIASes here, so that what waits for it waits for them, too. */
	if (names_remove(f->led, m->name))
		m->health = true;
	if (err == NS_OK && m->health) {
		err = feed_again(f, m->name, FEED_HEALTH, &staged);
		if (err != NS_OK && err != NS_UNAVAILABLE && err != NS_FAILED)
			err = NS_CONFLICT;
	}
	if (err == NS_OK && f->later != NULL)
		make_put(f, m->name, MAKE_TIME, NULL);
	return err;
}

/* NS_OK: it is staged, or refused. */
static enum ns_err
stage(struct feed *f, struct make *m)
{
	struct ns_why why = { 0 };
	enum ns_err err;

	names_add(f->batch, m->name);
	err = put_made(f, m, &why);
	if (err == NS_OK)
		apply_waiting(f, m);
	else if (err != NS_UNAVAILABLE && err != NS_CONFLICT)
		feed_unfit(f, m->name, &why);
	if (f->failed)
		return NS_UNAVAILABLE;
	return err == NS_CONFLICT || err == NS_UNAVAILABLE ? err : NS_OK;
}

static struct make **
first_of(struct feed *f, bool small)
{
	struct make **p = &f->makes;

	while (*p != NULL && (*p)->small != small)
		p = &(*p)->next;
	return p;
}

/* Neither kind waits for all of the other. */
static struct make **
next_turn(struct feed *f)
{
	struct make **p;

	f->small_turn = !f->small_turn;
	p = first_of(f, f->small_turn);
	return *p != NULL ? p : &f->makes;
}

static struct make *
take(struct make **p)
{
	struct make *m = *p;

	*p = m->next;
	m->next = NULL;
	return m;
}

static void
publish_made(struct feed *f, struct make *made, enum ns_err err)
{
	bool held = err == NS_OK && feed_is_held(f);

	for (const struct make *m = made; m != NULL && (err != NS_OK || held); m = m->next)
		ranges_union(&f->lost_late, &m->late);
	if (err == NS_CONFLICT)
		feed_batch_broken(f);
	else if (err != NS_OK)
		feed_does_not_fit(f);
	else if (held)
		f->deferred = true;
	else
		feed_publish(f);
	while (made != NULL)
		drop(f, &made);
}

/* That one, and as many small ones as there is time for, with one publish. */
static void
finish(struct feed *f, struct make **p, uint64_t deadline_ns)
{
	struct make *made = NULL, *m;
	enum ns_err err = NS_OK;

	do {
		m = take(p);
		m->next = made;
		made = m;
		err = stage(f, m);
		p = first_of(f, true);
	} while (err == NS_OK && !feed_is_held(f) && *p != NULL && m->small &&
		 !clock_is_past(deadline_ns) && !making_step((*p)->making, deadline_ns));
	publish_made(f, made, err);
}

enum feed_work
feed_make(struct feed *f, uint64_t deadline_ns)
{
	struct make **p;

	if (f->makes == NULL)
		return FEED_IDLE;
	p = next_turn(f);
	if (making_step((*p)->making, deadline_ns))
		return FEED_MORE;
	if (feed_in_batch(f))
		return FEED_WAITS;
	finish(f, p, deadline_ns);
	return f->makes != NULL ? FEED_MORE : FEED_IDLE;
}
