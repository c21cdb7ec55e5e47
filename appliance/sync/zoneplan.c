/* zoneplan - see zoneplan.h. */
#include "appliance/sync/zoneplan.h"

#include "appliance/dns/name.h"
#include "appliance/dns/rrtype.h"
#include "appliance/sync/editview.h"
#include "appliance/sync/errors.h"
#include "appliance/sync/keyfeed.h"
#include "appliance/sync/place.h"
#include "appliance/sync/policycheck.h"
#include "appliance/zonemap/image.h"

enum ns_err
zoneplan_begin(struct zoneplan *p, struct store *s, const uint8_t *apex, struct ns_why *why)
{
	enum ns_err err = store_zone_find(s, apex, &p->z);

	diff_init(&p->diff);
	p->touched = 0;
	edit_init(&p->edit, p->z.name);
	store_view_init(&p->below, s, err == NS_OK ? p->z.id : 0, p->z.name);
	if (err == NS_NOTFOUND)
		return ns_fail(why, err, ES_NO_ZONE, "there is no such zone");
	if (err != NS_OK)
		return ns_fail(why, err, ES_STORE, "the zone cannot be read from the store");
	if (p->z.external)
		return ns_fail(why, NS_INVALID, ES_EXTERNAL,
		    "the zone came with its DNSSEC signatures and is served untouched: import a "
		    "newly signed file instead");
	return NS_OK;
}

void
zoneplan_free(struct zoneplan *p)
{
	edit_free(&p->edit);
	diff_free(&p->diff);
	store_view_free(&p->below);
}

bool
zoneplan_stale(const struct zoneplan *p, const struct edit_zone *ez)
{
	return (ez->base_version != 0 && ez->base_version != p->z.version) ||
	       (ez->base_serial_given && ez->base_serial != p->z.serial);
}

enum ns_err
zoneplan_ops(struct zoneplan *p, const struct edit_zone *ez, struct ns_why *why)
{
	enum ns_err err = NS_OK;

	for (size_t i = 0; i < ez->nops && err == NS_OK; i++)
		err = edit_apply(&p->edit, &p->below.zone, &ez->ops[i], why);
	return err;
}

/* A small zone goes to the signer whole.  One damaged part of it refuses this edit, here, and not all
 * that is committed with it. */
static enum ns_err
check_readable(struct zoneplan *p, struct ns_why *why)
{
	struct wbuf all = wbuf_grow(2 * IMAGE_FLAT);
	enum ns_err err = NS_OK;

	if (p->z.bytes <= IMAGE_FLAT)
		err = store_content_all(p->below.store, &p->z, &all);
	wbuf_free(&all);
	if (err == NS_OK)
		return err;
	return ns_fail(why, err, ES_STORE,
	    "the stored zone is damaged and cannot be edited: nameserve verify says where; replace "
	    "it (zone import --commit) or restore a backup");
}

/* The apex of every edit has a new serial: what was odd there before is not this edit's. */
static bool
only_serial(const struct edit_owner *o, const uint8_t *apex)
{
	struct diff d;
	bool only;

	if (!name_equal(o->name, apex))
		return false;
	diff_init(&d);
	only = diff_zwire(&d, o->before.base, o->before.len, o->after.base, o->after.len) &&
	       diff_same_but_serial(&d, apex);
	diff_free(&d);
	return only;
}

static enum ns_err
check_rules(struct zoneplan *p, zonecheck_warn_fn *warn, void *arg, struct ns_why *why)
{
	struct edit_view view;
	enum ns_err err = NS_OK;

	edit_view_init(&view, &p->edit, &p->below.zone);
	for (size_t i = 0; i < p->edit.count && err == NS_OK; i++) {
		const struct edit_owner *o = &p->edit.owners[i];

		if (edit_owner_changed(o))
			err = zonecheck_owner(
			    &view.zone, o->name, only_serial(o, p->z.name) ? NULL : warn, arg, why);
	}
	return err;
}

enum ns_err
zoneplan_end(
    struct zoneplan *p, int64_t now_ms, zonecheck_warn_fn *warn, void *arg, struct ns_why *why)
{
	enum ns_err err = NS_OK;

	for (size_t i = 0; i < p->edit.count && err == NS_OK; i++)
		err = policy_checks(p->below.store, p->z.name, p->edit.owners[i].after.base,
		    p->edit.owners[i].after.len, why);
	if (err != NS_OK)
		return err;
	if (!edit_changes(&p->edit))
		return NS_OK;
	if ((err = check_readable(p, why)) != NS_OK)
		return err;
	if ((err = edit_serial(&p->edit, &p->below.zone, now_ms, why)) == NS_OK)
		err = check_rules(p, warn, arg, why);
	/* A store that cannot be read looks like a zone without that name: this comes first. */
	if (p->below.err != NS_OK)
		return ns_fail(why, p->below.err, ES_STORE, "the zone cannot be read");
	if (err != NS_OK)
		return err;
	if (!edit_diff(&p->edit, &p->diff))
		return ns_fail(why, NS_CORRUPT, ES_STORE, "the stored zone is damaged");
	err = keys_check_added(p->below.store, p->z.id, p->diff.added.base, p->diff.added.len, why);
	if (err != NS_OK)
		return err;
	p->touched = p->diff.nremoved - (diff_soa_serial_only(&p->diff, p->z.name) ? 1 : 0);
	return NS_OK;
}
