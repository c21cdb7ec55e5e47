/* inverse - see inverse.h.  Zones that come back or go as a whole: trash.c. */
#include "appliance/sync/inverse.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/dns/rrtype.h"
#include "appliance/sync/conflict.h"
#include "appliance/sync/errors.h"
#include "appliance/sync/past.h"
#include "appliance/sync/place.h"
#include "appliance/sync/plan.h"
#include "appliance/sync/settings.h"
#include "appliance/sync/trash.h"
#include "appliance/sync/window.h"
#include "appliance/sync/writer.h"
#include "appliance/sync/zonedraft.h"
#include "ipc/base/log.h"
#include "ipc/base/xalloc.h"

struct inverse {
	struct request *r;
	struct batch *b;
	uint64_t revision; /* of the change that is taken back */
	const struct store_change *row;
	char *const *confirm;
	size_t nconfirm;
	bool draft; /* nothing is written: what would be */
	struct plan plan;
	struct plan_for f;
	struct change c;
	struct trash_zone *back; /* zones that come back: their content, until the change is made */
	bool touched; /* somebody changed what it changed: conflict */
};

/* ---- RRsets ---- */
static const struct rrset *
set_of(ProtobufCBinaryData side, const struct rrset *key, struct rrset *out)
{
	struct zwire_iter it = zwire_iter(side.data, side.len);

	while (zwire_next(&it, out))
		if (rrset_cmp(out, key) == 0)
			return out;
	return NULL;
}

/* The same to those who look: an SOA with another serial is. */
static bool
same(const struct rrset *a, const struct rrset *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return rrset_same_data(a, b) || (a->type == RR_SOA && soa_same_but_serial(a, b));
}

static enum ns_err
take_back(struct inverse *v, struct zoneplan *z, const Ns__ChangeBody__Zone *m,
    const struct past_set *before)
{
	struct rrset now_set, after_set;
	struct conflict_sets sets = {
		.base = set_of(m->added, &before->key, &after_set),
		.theirs = zone_view_set(&z->below.zone, &before->key, &now_set),
		.mine = before->there ? &before->set : NULL,
	};

	if (same(sets.theirs, sets.mine))
		return NS_OK;
	if (!same(sets.theirs, sets.base)) {
		conflict_add(conflict_of(v->r), z->z.name, &before->key, &sets);
		v->touched = true;
		return NS_OK;
	}
	return edit_put(&z->edit, &z->below.zone, before->key.owner, before->key.type,
	    before->key.covers, sets.mine, &v->r->why);
}

static enum ns_err
revert_edit(struct inverse *v, const Ns__ChangeBody__Zone *m)
{
	struct ns_why *why = &v->r->why;
	struct zoneplan *z = plan_zone(&v->plan, v->b->store, m->name.data, why);
	enum ns_err err = NS_OK;
	struct past before;

	if (z == NULL)
		return why->err;
	if (z->z.id != m->zone_id)
		return ns_fail(
		    why, NS_CONFLICT, ES_TOUCHED, "the zone was deleted and made anew since");
	if (m->account_given)
		return ns_fail(why, NS_INVALID, ES_NO_INVERSE,
		    "a zone is put into another account with zone set --account");
	if (m->whole)
		return ns_fail(why, NS_INVALID, ES_NO_INVERSE,
		    "the zone was damaged when it was replaced: what was before is not known");
	past_of_zone(&before, m, v->revision);
	for (size_t i = 0; i < before.count && err == NS_OK; i++)
		err = take_back(v, z, m, &before.sets[i]);
	past_free(&before);
	return err == NS_OK && !v->touched ? plan_end(&v->plan, &v->f, why) : err;
}

/* ---- zones as a whole ---- */
static enum ns_err
revert_create(struct inverse *v, const Ns__ChangeBody__Zone *m)
{
	struct ns_why *why = &v->r->why;
	struct store_zone z;
	enum ns_err err = store_zone_find(v->b->store, m->name.data, &z);

	if (err == NS_OK && z.id != m->zone_id)
		err = NS_NOTFOUND;
	if (err == NS_NOTFOUND)
		return ns_fail(why, NS_CONFLICT, ES_TOUCHED, "the zone was deleted since");
	if (err != NS_OK)
		return ns_fail(why, err, ES_STORE, "the zone cannot be read from the store");
	if (z.version != v->revision)
		return ns_fail(why, NS_CONFLICT, ES_TOUCHED,
		    "the zone was changed since it was made (change %llu): delete it, when that is "
		    "meant",
		    (unsigned long long)z.version);
	if (!zone_confirmed(z.name, v->confirm, v->nconfirm))
		return ns_fail(why, NS_CONFIRM, ES_CONFIRM,
		    "to revert that change is to delete the zone, which takes --confirm=ZONE");
	err = window_check(v->b->store, &z, NULL, v->revision, v->r, why);
	return err == NS_OK ? trash_put(v->b->store, &v->c, &z, why) : err;
}

static enum ns_err
revert_delete(struct inverse *v, const Ns__ChangeBody__Zone *m)
{
	return trash_take(v->b, &v->c, &v->back, m, v->row, &v->r->why);
}

static enum ns_err
revert_zone(struct inverse *v, const Ns__ChangeBody__Zone *m)
{
	enum ns_err err = m->kind == NS__CHANGE_BODY__ZONE__KIND__CREATE   ? revert_create(v, m)
			  : m->kind == NS__CHANGE_BODY__ZONE__KIND__DELETE ? revert_delete(v, m)
									   : revert_edit(v, m);

	if (err != NS_OK)
		place_names(&v->r->why, m->name.data, NULL, 0);
	return err;
}

/* ---- settings ---- */
static bool
same_values(const Ns__Setting *a, const char *stored)
{
	Ns__Setting *b = setting_message(a->name, stored);
	bool ok = a->n_values == b->n_values;

	for (size_t i = 0; ok && i < a->n_values; i++)
		ok = strcmp(a->values[i], b->values[i]) == 0;
	ns__setting__free_unpacked(b, NULL);
	return ok;
}

static enum ns_err
revert_settings(struct inverse *v, Ns__ChangeBody *body)
{
	struct ns_why *why = &v->r->why;

	if (v->r->caller.role < USER_ADMIN)
		return ns_fail(why, NS_DENIED, ES_DENIED, "settings are changed by an admin only");
	if (body->n_settings != body->n_settings_before)
		return ns_fail(why, NS_INVALID, ES_NO_INVERSE,
		    "what the settings were before that change is not known: settings set");
	for (size_t i = 0; i < body->n_settings; i++) {
		char *stored = NULL;
		bool ok = store_setting_get(v->b->store, body->settings[i]->name, &stored) == NS_OK
			      ? same_values(body->settings[i], stored)
			      : body->settings[i]->n_values == 0;

		free(stored);
		if (!ok)
			return ns_fail(why, NS_CONFLICT, ES_TOUCHED, "%.64s was set anew since",
			    body->settings[i]->name);
	}
	v->c.body.settings = body->settings_before;
	v->c.body.n_settings = body->n_settings_before;
	v->c.body.settings_before = body->settings;
	v->c.body.n_settings_before = body->n_settings;
	return NS_OK;
}

/* ---- the change ---- */
static bool
draftable(const Ns__ChangeBody *body)
{
	for (size_t i = 0; i < body->n_zones; i++)
		if (body->zones[i]->kind == NS__CHANGE_BODY__ZONE__KIND__CREATE ||
		    body->zones[i]->kind == NS__CHANGE_BODY__ZONE__KIND__DELETE)
			return false;
	return body->n_settings == 0;
}

static enum ns_err
revert_all(struct inverse *v, Ns__ChangeBody *body)
{
	enum ns_err err = NS_OK;

	if (body->n_withheld_zones > 0)
		return ns_fail(&v->r->why, NS_INVALID, ES_NO_INVERSE,
		    "zones of that change are not held at this site: what they were is not known");
	if (v->draft && !draftable(body))
		return ns_fail(&v->r->why, NS_USAGE, ES_NEEDS_COMMIT,
		    "that change made or deleted a zone, or set settings, which no draft can hold: "
		    "--commit -m TEXT takes it back at once");
	if (body->n_objects > 0 || (body->n_zones == 0 && body->n_settings == 0))
		return ns_fail(&v->r->why, NS_INVALID, ES_NO_INVERSE,
		    "that change is no change of zones or settings: there is nothing to take back");
	for (size_t i = 0; i < body->n_zones && err == NS_OK; i++)
		err = revert_zone(v, body->zones[i]);
	if (err == NS_OK && v->touched)
		err = ns_fail(&v->r->why, NS_CONFLICT, ES_TOUCHED,
		    "what change %llu changed was changed again since",
		    (unsigned long long)v->revision);
	if (err == NS_OK && body->n_settings > 0)
		err = revert_settings(v, body);
	return err;
}

/* rail false: nobody is there to be asked. */
static enum ns_err
revert(struct inverse *v, const char *kind, const char *comment, bool rail)
{
	struct request *r = v->r;
	struct batch *b = v->b;
	struct store_change row;
	Ns__ChangeBody *body = change_body_load(b->store, v->revision, &row);
	enum ns_err err;

	if (body == NULL)
		return change_missing(b->store, v->revision, &r->why);
	v->row = &row;
	/* A draft is committed as any other: an open window of the change holds its RRsets against it. */
	v->f = (struct plan_for){ .store = b->store,
		.now_ms = b->now_ms,
		.request = r,
		.except = v->draft ? 0 : v->revision };
	plan_init(&v->plan, body->n_zones);
	change_begin(&v->c, &r->caller, kind, comment, b->now_ms, b->term);
	err = revert_all(v, body);
	if (err == NS_OK && rail && !v->draft)
		err = plan_rail(&v->plan, v->confirm, v->nconfirm, &r->why);
	v->c.body.reverts = v->revision;
	if (err == NS_OK)
		err = v->draft ? plan_draft(r, b->store, &v->plan)
			       : plan_commit(r, b, &v->plan, &v->c);
	change_free(&v->c);
	plan_free(&v->plan);
	trash_free(&v->back);
	ns__change_body__free_unpacked(body, NULL);
	return err;
}

enum ns_err
revert_write(struct request *r, struct batch *b)
{
	const Ns__RevertRequest *in = r->env->revert_request;
	struct inverse v = { .r = r,
		.b = b,
		.revision = in->revision,
		.confirm = in->confirm,
		.nconfirm = in->n_confirm,
		.draft = in->draft };

	return revert(&v, "revert", in->comment, true);
}

/* The window may have been ended by a change in this batch. */
enum ns_err
expire_write(struct request *r, struct batch *b)
{
	const Ns__RevertRequest *in = r->env->revert_request;
	struct inverse v = { .r = r, .b = b, .revision = in->revision };
	static struct log_limit limit;
	struct window_list l;
	bool open = false;
	enum ns_err err = window_list(b->store, &l);

	for (size_t i = 0; i < l.count; i++)
		open = open || l.windows[i].revision == in->revision;
	free(l.windows);
	if (err != NS_OK || !open)
		return err;
	err = revert(&v, "expire", in->comment, false);
	if (err != NS_OK && log_allowed(&limit, 1))
		log_error("window.stuck", "change=%llu text=%s", (unsigned long long)in->revision,
		    log_quote(r->why.text));
	return err;
}

/* ---- a zone at an earlier serial ---- */
static enum ns_err
put_past(struct zoneplan *z, const struct past *past, struct ns_why *why)
{
	enum ns_err err = NS_OK;

	for (size_t i = 0; i < past->count && err == NS_OK; i++) {
		const struct past_set *s = &past->sets[i];

		err = edit_put(&z->edit, &z->below.zone, s->key.owner, s->key.type, s->key.covers,
		    s->there ? &s->set : NULL, why);
	}
	return err;
}

static enum ns_err
rewind_to(struct request *r, struct batch *b, struct zoneplan *z, struct plan *p)
{
	const Ns__RewindRequest *in = r->env->rewind_request;
	struct plan_for f = { .store = b->store, .now_ms = b->now_ms, .request = r };
	struct past past;
	struct change c;
	enum ns_err err = past_load(&past, b->store, z->z.id, PAST_SERIAL, in->serial, &r->why);

	if (err == NS_OK)
		err = put_past(z, &past, &r->why);
	if (err == NS_OK)
		err = plan_end(p, &f, &r->why);
	if (err == NS_OK && zwire_is_signed(z->diff.added.base, z->diff.added.len))
		err = ns_fail(&r->why, NS_INVALID, ES_EXTERNAL,
		    "at that serial the zone came with its DNSSEC signatures, which fit no other "
		    "serial: import the signed file again");
	past_free(&past);
	if (err == NS_OK && in->draft)
		return plan_draft(r, b->store, p);
	if (err == NS_OK)
		err = plan_rail(p, in->confirm, in->n_confirm, &r->why);
	if (err != NS_OK)
		return err;
	change_begin(&c, &r->caller, "restore", in->comment, b->now_ms, b->term);
	err = plan_commit(r, b, p, &c);
	change_free(&c);
	return err;
}

enum ns_err
rewind_write(struct request *r, struct batch *b)
{
	const Ns__RewindRequest *in = r->env->rewind_request;
	uint8_t name[NAME_MAX_WIRE];
	struct zoneplan *z;
	struct plan p;
	enum ns_err err = zone_name_read(in->zone, name, &r->why);

	if (err != NS_OK)
		return err;
	plan_init(&p, 1);
	z = plan_zone(&p, b->store, name, &r->why);
	err = z != NULL ? rewind_to(r, b, z, &p) : r->why.err;
	if (err != NS_OK)
		place_names(&r->why, name, NULL, 0);
	plan_free(&p);
	return err;
}
