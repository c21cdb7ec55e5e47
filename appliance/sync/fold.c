/* fold - see fold.h. */
#include "appliance/sync/fold.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/sync/apply.h"
#include "appliance/sync/errors.h"
#include "appliance/sync/patch.h"
#include "appliance/sync/storeview.h"
#include "ipc/base/xalloc.h"

#define BUCKETS  1024u
#define ZONE_MAX STORE_PART /* one row of content: written as fast as an owner of it */

struct folded {
	struct folded *next_hash, *next;
	struct store_zone z; /* as the changes so far have made it */
	struct wbuf content, spare;
};
struct fold {
	struct batch *b;
	struct folded *first, **last; /* in the order in which they came */
	struct folded *by_id[BUCKETS];
	size_t octets;
};

struct fold *
fold_new(struct batch *b)
{
	struct fold *f = xcalloc(1, sizeof *f);

	f->b = b;
	f->last = &f->first;
	return f;
}

static void
forget(struct fold *f)
{
	struct folded *e;

	while ((e = f->first) != NULL) {
		f->first = e->next;
		wbuf_free(&e->content);
		wbuf_free(&e->spare);
		free(e);
	}
	f->last = &f->first;
	f->octets = 0;
	memset(f->by_id, 0, sizeof f->by_id);
}

void
fold_free(struct fold **fp)
{
	if (*fp == NULL)
		return;
	forget(*fp);
	free(*fp);
	*fp = NULL;
}

enum ns_err
fold_flush(struct fold *f, struct ns_why *why)
{
	struct store *s = f->b->store;
	enum ns_err err = NS_OK;

	for (struct folded *e = f->first; e != NULL && err == NS_OK; e = e->next)
		err = store_zone_write(s, &e->z, e->content.base, e->content.len, why);
	forget(f);
	return err;
}

/* ---- one zone of one change ---- */
static struct folded *
find(const struct fold *f, uint64_t id)
{
	struct folded *e = f->by_id[id % BUCKETS];

	while (e != NULL && e->z.id != id)
		e = e->next_hash;
	return e;
}

/* NULL: it is none for this, or not there as the change has it; apply.c says which. */
static struct folded *
take(struct fold *f, const Ns__ChangeBody__Zone *m)
{
	struct store *s = f->b->store;
	struct store_zone z;
	struct folded *e = find(f, m->zone_id), **bucket;

	if (e != NULL)
		return e;
	if (store_zone_find(s, m->name.data, &z) != NS_OK || z.id != m->zone_id ||
	    z.bytes > ZONE_MAX)
		return NULL;
	e = xcalloc(1, sizeof *e);
	e->z = z;
	e->content = wbuf_grow(4 * ZONE_MAX);
	e->spare = wbuf_grow(4 * ZONE_MAX);
	bucket = &f->by_id[z.id % BUCKETS];
	e->next_hash = *bucket;
	*bucket = e;
	*f->last = e;
	f->last = &e->next;
	f->octets += 2 * z.bytes;
	return store_content_all(s, &z, &e->content) == NS_OK && wbuf_ok(&e->content) ? e : NULL;
}

static bool
is_edit(const struct fold *f, const Ns__ChangeBody__Zone *m)
{
	const struct folded *e = find(f, m->zone_id);

	return m->kind == NS__CHANGE_BODY__ZONE__KIND__EDIT && !m->whole &&
	       (e == NULL || e->content.len + m->added.len <= ZONE_MAX) && m->added.len < ZONE_MAX;
}

/* It edits small zones and does nothing else. */
static bool
may_fold(const struct fold *f, const Ns__ChangeBody *body)
{
	if (body->n_zones == 0 || body->n_withheld_zones > 0 || body->n_settings > 0 ||
	    body->n_objects > 0 || body->cookie_secret.len > 0 || body->confirm_within_ms > 0 ||
	    body->n_confirmed > 0 || body->reverts != 0)
		return false;
	for (size_t i = 0; i < body->n_zones; i++)
		if (!is_edit(f, body->zones[i]))
			return false;
	return true;
}

static void
touch(struct fold *f, const struct folded *e, struct bytes removed, struct bytes added)
{
	size_t at_a = 0, at_b = 0;
	struct owner_run run;

	if (removed.len == 0 && added.len == 0)
		batch_touch(f->b, &e->z, e->z.name);
	while (owner_next(removed, added, &at_a, &at_b, &run))
		batch_touch(f->b, &e->z, run.owner);
}

static enum ns_err
edit(struct fold *f, struct folded *e, const struct store_change *c, const Ns__ChangeBody__Zone *m)
{
	struct bytes removed = { m->removed.data, m->removed.len };
	struct bytes added = { m->added.data, m->added.len };
	struct wbuf before = e->content;
	enum ns_err err;

	if (e->z.version != m->base_version)
		return NS_CONFLICT;
	touch(f, e, removed, added);
	e->spare.len = 0;
	err = patch_zwire((struct bytes){ before.base, before.len }, removed, added, &e->spare);
	if (err != NS_OK)
		return err;
	e->content = e->spare;
	e->spare = before;
	e->z.version = c->revision;
	e->z.serial = m->serial_after;
	e->z.external = m->external;
	e->z.changed_ms = c->at_ms;
	if (m->account_given)
		e->z.account = (uint32_t)m->account_id;
	return NS_OK;
}

static enum ns_err
edit_all(struct fold *f, const struct store_change *c, const Ns__ChangeBody *body)
{
	enum ns_err err = NS_OK;

	for (size_t i = 0; i < body->n_zones && err == NS_OK; i++) {
		struct folded *e = take(f, body->zones[i]);

		err = e != NULL ? edit(f, e, c, body->zones[i]) : NS_CONFLICT;
	}
	return err;
}

/* All of its zones can be had: from here on nothing but what does not fit is in the way. */
static bool
take_all(struct fold *f, const Ns__ChangeBody *body)
{
	for (size_t i = 0; i < body->n_zones; i++)
		if (take(f, body->zones[i]) == NULL)
			return false;
	return true;
}

enum ns_err
fold_apply(
    struct fold *f, const struct store_change *c, const Ns__ChangeBody *body, struct ns_why *why)
{
	enum ns_err err = NS_OK;

	if (f->octets > FOLD_OCTETS)
		err = fold_flush(f, why);
	if (err == NS_OK && may_fold(f, body) && take_all(f, body)) {
		err = edit_all(f, c, body);
		return err == NS_OK ? NS_OK
				    : ns_fail(why, err, ES_DIVERGED, "change %llu does not fit",
					  (unsigned long long)c->revision);
	}
	if (err == NS_OK)
		err = fold_flush(f, why);
	return err == NS_OK ? change_apply(f->b, c, body, why) : err;
}
