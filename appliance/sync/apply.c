/* apply - see apply.h. */
#include "appliance/sync/apply.h"

#include <stdio.h>
#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/dns/zwire.h"
#include "appliance/sync/checks.h"
#include "appliance/sync/errors.h"
#include "appliance/sync/keyfeed.h"
#include "appliance/sync/patch.h"
#include "appliance/sync/place.h"
#include "appliance/sync/secret.h"
#include "appliance/sync/settings.h"
#include "appliance/sync/storeview.h"

#define OWNERS_PUT 256 /* more owners than that: the zone is written anew */
#define ZONE_MAX   (1u << 30)

struct apply {
	struct batch *b;
	const struct store_change *c;
	const Ns__ChangeBody__Zone *m;
	struct store_zone z;
	struct ns_why *why;
};

static struct bytes
bytes_of(ProtobufCBinaryData d)
{
	return (struct bytes){ d.data, d.len };
}

static enum ns_err
diverged(struct apply *a, const char *text)
{
	return ns_fail(a->why, NS_CONFLICT, ES_DIVERGED, "change %llu does not fit this store: %s",
	    (unsigned long long)a->c->revision, text);
}

/* ---- content ---- */
static bool
few_owners(struct bytes removed, struct bytes added)
{
	size_t at_a = 0, at_b = 0;
	struct owner_run run;

	for (unsigned n = 0; owner_next(removed, added, &at_a, &at_b, &run); n++)
		if (n == OWNERS_PUT)
			return false;
	return true;
}

static enum ns_err
patch_owners(struct apply *a, struct bytes removed, struct bytes added)
{
	struct wbuf now = wbuf_grow(4 * OWNER_MAX_WIRE), out = wbuf_grow(4 * OWNER_MAX_WIRE);
	size_t at_a = 0, at_b = 0;
	struct owner_run run;
	enum ns_err err = NS_OK;

	while (err == NS_OK && owner_next(removed, added, &at_a, &at_b, &run)) {
		now.len = out.len = 0;
		err = store_owner_get(a->b->store, a->z.id, run.owner, &now);
		if (err != NS_OK && err != NS_NOTFOUND) {
			ns_fail(a->why, err, ES_STORE, "the stored zone cannot be read");
			break;
		}
		err = patch_zwire((struct bytes){ now.base, now.len }, run.a, run.b, &out);
		if (err != NS_OK) {
			diverged(a, "an RRset differs from what it was made on");
			place_names(a->why, a->z.name, run.owner, 0);
			break;
		}
		batch_touch(a->b, &a->z, run.owner);
		err = store_owner_put(a->b->store, a->z.id, run.owner, out.base, out.len, a->why);
	}
	wbuf_free(&now);
	wbuf_free(&out);
	return err;
}

static enum ns_err
patch_zone(struct apply *a, struct bytes removed, struct bytes added)
{
	struct wbuf now = wbuf_grow(ZONE_MAX), out = wbuf_grow(ZONE_MAX);
	enum ns_err err = store_content_all(a->b->store, &a->z, &now);

	if (err != NS_OK)
		ns_fail(a->why, err, ES_STORE, "the stored zone cannot be read");
	if (err == NS_OK &&
	    (err = patch_zwire((struct bytes){ now.base, now.len }, removed, added, &out)) != NS_OK)
		diverged(a, "the zone differs from what it was made on");
	if (err == NS_OK)
		err = store_content_put(a->b->store, a->z.id, true, out.base, out.len, a->why);
	batch_touch(a->b, &a->z, NULL);
	wbuf_free(&now);
	wbuf_free(&out);
	return err;
}

/* ---- zones ---- */
static enum ns_err
find(struct apply *a)
{
	enum ns_err err = store_zone_find(a->b->store, a->m->name.data, &a->z);

	if (err == NS_NOTFOUND)
		return diverged(a, "there is no such zone");
	if (err != NS_OK)
		return ns_fail(a->why, err, ES_STORE, "the zone cannot be read from the store");
	if (a->z.id != a->m->zone_id || a->z.version != a->m->base_version)
		return diverged(a, "the zone is at another version");
	return NS_OK;
}

/* The counters are the store's, which fills them in. */
static enum ns_err
put_row(struct apply *a)
{
	a->z.version = a->c->revision;
	a->z.serial = a->m->serial_after;
	a->z.external = a->m->external;
	a->z.changed_ms = a->c->at_ms;
	if (a->m->account_given || a->m->kind == NS__CHANGE_BODY__ZONE__KIND__CREATE)
		a->z.account = (uint32_t)a->m->account_id;
	return store_zone_put(a->b->store, &a->z, a->why);
}

static enum ns_err
apply_edit(struct apply *a)
{
	struct bytes removed = bytes_of(a->m->removed), added = bytes_of(a->m->added);
	enum ns_err err = find(a);

	if (err != NS_OK)
		return err;
	/* What is no record is in the zone's version all the same. */
	if (removed.len == 0 && added.len == 0)
		batch_touch(a->b, &a->z, a->z.name);
	if (a->m->whole) {
		batch_touch(a->b, &a->z, NULL);
		err = store_content_put(a->b->store, a->z.id, true, added.data, added.len, a->why);
	} else if (few_owners(removed, added)) {
		err = patch_owners(a, removed, added);
	} else {
		err = patch_zone(a, removed, added);
	}
	return err == NS_OK ? put_row(a) : err;
}

static enum ns_err
apply_create(struct apply *a)
{
	const Ns__ChangeBody__Zone *m = a->m;
	struct store *s = a->b->store;
	enum ns_err err = store_zone_find(s, m->name.data, &a->z);

	if (err == NS_OK)
		return diverged(a, "there is a zone of that name");
	a->z = (struct store_zone){ .id = m->zone_id, .name_len = (uint8_t)m->name.len };
	memcpy(a->z.name, m->name.data, m->name.len);
	if (m->undelete && (err = store_zone_unbury(s, m->zone_id, a->why)) != NS_OK)
		return err;
	if ((err = put_row(a)) != NS_OK)
		return err;
	/* With its keys, when it had any. */
	batch_touch(a->b, &a->z, NULL)->keys = m->undelete;
	a->b->zones++;
	return store_content_put(s, a->z.id, true, m->added.data, m->added.len, a->why);
}

static enum ns_err
apply_delete(struct apply *a)
{
	enum ns_err err = find(a);

	if (err != NS_OK)
		return err;
	batch_touch(a->b, &a->z, NULL)->keys = true;
	a->b->zones--;
	return store_zone_drop(a->b->store, a->z.id, a->c->revision, a->c->at_ms, a->why);
}

static enum ns_err
apply_zone(struct apply *a)
{
	static enum ns_err (*const by_kind[])(struct apply *) = {
		[NS__CHANGE_BODY__ZONE__KIND__EDIT] = apply_edit,
		[NS__CHANGE_BODY__ZONE__KIND__CREATE] = apply_create,
		[NS__CHANGE_BODY__ZONE__KIND__DELETE] = apply_delete,
		[NS__CHANGE_BODY__ZONE__KIND__REPLACE] = apply_edit,
	};
	enum ns_err err = by_kind[a->m->kind](a);

	if (err != NS_OK)
		place_names(a->why, a->m->name.data, NULL, 0);
	return err;
}

static enum ns_err
apply_windows(struct apply *a, const Ns__ChangeBody *body)
{
	struct store *s = a->b->store;
	struct store_window w = { .revision = a->c->revision,
		.total_ms = body->confirm_within_ms,
		.remaining_ms = body->confirm_within_ms };
	enum ns_err err = NS_OK;

	if (body->confirm_within_ms == 0 && body->n_confirmed == 0 && body->reverts == 0)
		return NS_OK;
	a->b->windows_changed = true;
	if (body->confirm_within_ms > 0)
		err = store_window_put(s, &w, a->why);
	for (size_t i = 0; i < body->n_confirmed && err == NS_OK; i++)
		err = store_window_del(s, body->confirmed[i], a->why);
	if (err == NS_OK && body->reverts != 0)
		err = store_window_del(s, body->reverts, a->why);
	return err;
}

/* ---- objects ---- */
static enum ns_err
apply_object(struct batch *b, const struct store_change *c, const Ns__ChangeBody__Object *m,
    struct ns_why *why)
{
	struct store_object o = { .id = m->id, .version = c->revision };
	struct store *s = b->store;
	enum ns_err err;

	check_delta(b, m, c->revision);
	keyfeed_delta(b, m);
	if (m->removed) {
		err = store_object_drop(s, m->kind, m->name, why);
		if (err == NS_NOTFOUND)
			err = ns_fail(why, NS_CONFLICT, ES_DIVERGED,
			    "change %llu does not fit this store: there is no %s %s",
			    (unsigned long long)c->revision, m->kind, m->name);
		return err;
	}
	snprintf(o.kind, sizeof o.kind, "%s", m->kind);
	snprintf(o.name, sizeof o.name, "%s", m->name);
	return store_object_put(s, &o, m->body.data, m->body.len, why);
}

enum ns_err
change_apply(
    struct batch *b, const struct store_change *c, const Ns__ChangeBody *body, struct ns_why *why)
{
	struct apply a = { .b = b, .c = c, .why = why };
	enum ns_err err = NS_OK;

	for (size_t i = 0; i < body->n_zones && err == NS_OK; i++) {
		a.m = body->zones[i];
		err = apply_zone(&a);
	}
	if (err == NS_OK && body->n_settings > 0)
		err = settings_apply(b->store, body->settings, body->n_settings, why);
	for (size_t i = 0; i < body->n_objects && err == NS_OK; i++)
		err = apply_object(b, c, body->objects[i], why);
	if (err == NS_OK && body->cookie_secret.len > 0)
		err = secret_apply(b->store, body->cookie_secret.data, c->at_ms, &b->secret, why);
	return err == NS_OK ? apply_windows(&a, body) : err;
}
