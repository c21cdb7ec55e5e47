/* batch - see batch.h.  Writer thread, but for batch_destroy(). */
#include "appliance/sync/batch.h"

#include "appliance/sync/checks.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/sync/errors.h"
#include "appliance/sync/keyfeed.h"
#include "appliance/zonemap/image.h"
#include "ipc/base/clock.h"
#include "ipc/base/text.h"
#include "ipc/base/xalloc.h"

#define DELTA_MAX (4u << 20) /* octets of touched owners; more: the whole zone is sent */

struct batch *
batch_new(struct store *store, uint64_t revision, uint64_t term, uint64_t zones)
{
	struct batch *g = xcalloc(1, sizeof *g);

	g->store = store;
	g->mentions = store_mentions(store);
	g->now_ms = clock_wall_ms();
	g->began_ns = clock_mono_ns();
	g->revision = revision;
	g->term = term;
	g->zones = zones;
	TAILQ_INIT(&g->done);
	TAILQ_INIT(&g->imported);
	TAILQ_INIT(&g->tallies);
	TAILQ_INIT(&g->blocks);
	return g;
}

static void
touched_free(struct touched *t)
{
	wbuf_free(&t->owners);
	free(t);
}

void
batch_destroy(struct batch **gp)
{
	struct batch *g = *gp;
	struct feed_block *b;
	struct import_tally *t;
	struct import_zone *z;
	struct request *r;

	if (g == NULL)
		return;
	while ((r = TAILQ_FIRST(&g->done)) != NULL) {
		TAILQ_REMOVE(&g->done, r, waiting);
		request_destroy(&r);
	}
	while ((z = TAILQ_FIRST(&g->imported)) != NULL) {
		TAILQ_REMOVE(&g->imported, z, link);
		import_zone_destroy(&z);
	}
	while ((t = TAILQ_FIRST(&g->tallies)) != NULL) {
		TAILQ_REMOVE(&g->tallies, t, link);
		import_tally_destroy(&t);
	}
	while ((b = TAILQ_FIRST(&g->blocks)) != NULL) {
		TAILQ_REMOVE(&g->blocks, b, link);
		feed_block_destroy(&b);
	}
	batch_shrink(g);
	free(g->key_times);
	free(g->windows.windows);
	people_destroy(&g->people);
	check_deltas_destroy(&g->checks);
	if (g->roster != NULL)
		roster_free(g->roster);
	free(g->roster);
	free(g);
	*gp = NULL;
}

void
batch_shrink(struct batch *g)
{
	for (size_t i = 0; i < g->ntouched; i++)
		touched_free(g->touched[i]);
	free(g->touched);
	g->touched = NULL;
	g->ntouched = g->touched_room = 0;
	g->last = NULL;
	memset(g->by_id, 0, sizeof g->by_id);
	import_tally(&g->imported, &g->tallies);
}

struct batch_mark
batch_mark(const struct batch *g)
{
	return (
	    struct batch_mark){ g->revision, g->zones, g->ntouched, check_deltas_count(g->checks) };
}

void
batch_undo(struct batch *g, const struct batch_mark *m)
{
	/* What was added to older entries stays: it only makes the signer look at more than it must. */
	while (g->ntouched > m->ntouched) {
		struct touched *t = g->touched[--g->ntouched];
		struct touched **p = &g->by_id[t->id % BATCH_BUCKETS];

		while (*p != t)
			p = &(*p)->next_hash;
		*p = t->next_hash;
		touched_free(t);
	}
	g->last = NULL;
	/* But what was to be their content is refused: it is read back instead. */
	for (size_t i = 0; i < g->ntouched; i++)
		g->touched[i]->fresh = NULL;
	check_deltas_cut(g->checks, m->nchecks);
	g->revision = m->revision;
	g->zones = m->zones;
}

/* Whoever touches a zone gives the change its number after that. */
static void
note_change(struct batch *g, struct touched *t)
{
	uint64_t change = g->revision + 1;

	ranges_add(&t->changes, change, change);
	if (g->last != NULL && g->last_change == change && g->last != t)
		t->joint = g->last->joint = true;
	g->last = t;
	g->last_change = change;
}

struct touched *
batch_touch(struct batch *g, const struct store_zone *before, const uint8_t *owner)
{
	struct touched **bucket = &g->by_id[before->id % BATCH_BUCKETS], *t = *bucket;

	while (t != NULL && t->id != before->id)
		t = t->next_hash;
	if (t == NULL) {
		t = xcalloc(1, sizeof *t);
		t->id = before->id;
		t->base_version = before->version;
		t->bytes_before = before->bytes;
		t->owners = wbuf_grow(1u << 24);
		memcpy(t->name, before->name, name_len(before->name));
		t->next_hash = *bucket;
		*bucket = t;
		if (g->ntouched == g->touched_room) {
			g->touched_room = g->touched_room != 0 ? 2 * g->touched_room : 64;
			g->touched =
			    xreallocarray(g->touched, g->touched_room, sizeof g->touched[0]);
		}
		g->touched[g->ntouched++] = t;
	}
	note_change(g, t);
	t->fresh = NULL; /* whoever has the newest content says so after this call */
	if (owner == NULL)
		t->whole = true;
	else
		wbuf_put(&t->owners, owner, name_len(owner));
	return t;
}

static int
cmp_names(const void *a, const void *b)
{
	const uint8_t *const *na = a, *const *nb = b;

	return name_cmp(*na, *nb);
}

/* The touched owners, sorted: their number; *out is malloc'ed and points into t->owners. */
static size_t
owners_sorted(const struct touched *t, const uint8_t ***out)
{
	const uint8_t **names;
	size_t n = 0;

	names = xcalloc(t->owners.len + 1, sizeof *names); /* an octet a name at least */
	for (size_t at = 0; at < t->owners.len; at += name_len(t->owners.base + at))
		names[n++] = t->owners.base + at;
	qsort(names, n, sizeof *names, cmp_names);
	*out = names;
	return n;
}

/* NS_INVALID: too much for a delta. */
static enum ns_err
build_delta(
    struct batch *g, struct feed_out *o, const struct touched *t, const struct store_zone *z)
{
	struct wbuf zwire = wbuf_grow(DELTA_MAX), gone = wbuf_grow(FEED_BLOCK);
	const uint8_t **names;
	size_t n = owners_sorted(t, &names);
	enum ns_err err = NS_OK;

	for (size_t i = 0; i < n && err == NS_OK; i++) {
		if (i > 0 && name_equal(names[i - 1], names[i]))
			continue;
		err = store_owner_get(g->store, z->id, names[i], &zwire);
		if (err == NS_NOTFOUND) {
			wbuf_put(&gone, names[i], name_len(names[i]));
			err = NS_OK;
		}
	}
	free(names);
	if (err == NS_OK && (!wbuf_ok(&zwire) || !wbuf_ok(&gone)))
		err = NS_INVALID;
	if (err == NS_OK)
		feed_out_delta(o, z, t->base_version, &zwire, &gone);
	wbuf_free(&zwire);
	wbuf_free(&gone);
	return err;
}

static enum ns_err
build_zone(struct batch *g, struct feed_out *o, const struct touched *t)
{
	struct store_zone z;
	enum ns_err err = store_zone_find(g->store, t->name, &z);

	if (err == NS_NOTFOUND || (err == NS_OK && z.id != t->id)) {
		feed_out_delete(o, t->name, g->revision);
		return NS_OK;
	}
	if (err != NS_OK)
		return err;
	if (t->fresh != NULL) {
		feed_out_replace(o, &z, t->fresh->zwire.base, t->fresh->zwire.len);
		return NS_OK;
	}
	/* The signer edits an image only where it is a tree, before and after. */
	if (!t->whole && wbuf_ok(&t->owners) && t->bytes_before > IMAGE_FLAT &&
	    z.bytes > IMAGE_FLAT) {
		err = build_delta(g, o, t, &z);
		if (err != NS_INVALID)
			return err;
	}
	return feed_out_stored(o, g->store, &z);
}

static void
block_add(void *arg, struct feed_block *b)
{
	struct batch *g = arg;

	TAILQ_INSERT_TAIL(&g->blocks, b, link);
}

/* Keys, and what is new as a whole: much is signed for these. */
static bool
is_bulk(const struct touched *t)
{
	return t->keys || t->whole;
}

static enum ns_err
build_zones(struct batch *g, struct feed_out *o, bool bulk, struct ns_why *why)
{
	char name[NAME_MAX_TEXT];
	enum ns_err err = NS_OK;

	for (size_t i = 0; i < g->ntouched && err == NS_OK; i++) {
		const struct touched *t = g->touched[i];

		if (is_bulk(t) != bulk)
			continue;
		o->changes = &t->changes;
		/* An import is cut into changes as it comes: its zones have nothing to do with each other. */
		o->alone = !t->joint || t->fresh != NULL;
		err = build_zone(g, o, t);
		if (err == NS_OK)
			continue;
		name_to_text(t->name, name);
		text_copy(why->zone, sizeof why->zone, name);
		(void)ns_fail(why, err, ES_STORE, "a zone just written cannot be read back");
	}
	return err;
}

enum ns_err
batch_build_feed(struct batch *g, struct ns_why *why)
{
	struct feed_out out = {
		.emit = block_add, .arg = g, .revision = g->revision, .secret = g->secret
	};

	enum ns_err err = keyfeed_batch(g, &out);

	if (err != NS_OK) {
		feed_out_abandon(&out);
		return ns_fail(why, err, ES_STORE, "keys just written cannot be read back");
	}
	err = build_zones(g, &out, false, why);
	if (err == NS_OK)
		err = build_zones(g, &out, true, why);
	if (err != NS_OK) {
		feed_out_abandon(&out);
		return err;
	}
	feed_out_end(&out, true);
	return NS_OK;
}

void
batch_job(struct batch *g, struct write_job *w)
{
	struct write_job **p = &g->jobs;

	while (*p != NULL)
		p = &(*p)->next;
	w->next = NULL;
	*p = w;
}

void
batch_trouble(struct batch *g, const struct ns_why *why)
{
	if (g->trouble.err == NS_OK && why->err == NS_UNAVAILABLE)
		g->trouble = *why;
}

void
batch_refuse(struct batch *g, enum ns_err err, const struct ns_why *why)
{
	struct import_zone *z;
	struct request *r;

	g->err = err;
	g->why = *why;
	for (struct write_job *w = g->jobs; w != NULL; w = w->next) {
		if (w->err == NS_OK) {
			w->err = err;
			w->why = *why;
		}
	}
	TAILQ_FOREACH(r, &g->done, waiting)
	{
		if (r->err != NS_OK)
			continue;
		r->err = err;
		r->why = *why;
		r->revision = 0;
	}
	TAILQ_FOREACH(z, &g->imported, link)
	{
		if (z->outcome == IMPORT_FAILED)
			continue;
		z->outcome = IMPORT_FAILED;
		z->why = *why;
	}
}
