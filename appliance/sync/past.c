/* past - see past.h. */
#include "appliance/sync/past.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/store/state.h"
#include "appliance/sync/change.h"
#include "appliance/sync/errors.h"
#include "ipc/base/xalloc.h"

struct revisions {
	uint64_t *list;
	size_t count, room;
	uint64_t stop, begins; /* not at or below this one; nor before the log's beginning */
	bool too_many;
};

static bool
each_change(void *arg, const struct store_change *c)
{
	struct revisions *r = arg;

	if (c->revision <= r->stop || c->revision < r->begins)
		return false;
	if (r->count == PAST_CHANGES) {
		r->too_many = true;
		return false;
	}
	if (r->count == r->room) {
		r->room = r->room != 0 ? 2 * r->room : 64;
		r->list = xreallocarray(r->list, r->room, sizeof *r->list);
	}
	r->list[r->count++] = c->revision;
	return true;
}

static void
add(struct past *p, const struct rrset *key, const struct rrset *set, uint64_t revision)
{
	struct past_set *s;

	if (p->count == p->room) {
		p->room = p->room != 0 ? 2 * p->room : 64;
		p->sets = xreallocarray(p->sets, p->room, sizeof *p->sets);
	}
	s = &p->sets[p->count++];
	*s = (struct past_set){ .key = *key, .there = set != NULL, .revision = revision };
	if (set != NULL)
		s->set = *set;
}

/* Each RRset that it touched, as it was before: what left was there, what only came was not. */
static void
add_zone(struct past *p, const Ns__ChangeBody__Zone *m, uint64_t revision)
{
	struct zwire_iter ir = zwire_iter(m->removed.data, m->removed.len);
	struct zwire_iter ia = zwire_iter(m->added.data, m->added.len);
	struct rrset r, a;
	bool hr = zwire_next(&ir, &r), ha = zwire_next(&ia, &a);

	while (hr || ha) {
		int c = !hr ? 1 : !ha ? -1 : rrset_cmp(&r, &a);

		if (c <= 0)
			add(p, &r, &r, revision);
		else
			add(p, &a, NULL, revision);
		if (c <= 0)
			hr = zwire_next(&ir, &r);
		if (c >= 0)
			ha = zwire_next(&ia, &a);
	}
}

static int
cmp_sets(const void *a, const void *b)
{
	const struct past_set *x = a, *y = b;
	int c = rrset_cmp(&x->key, &y->key);

	return c != 0 ? c : (x->revision > y->revision) - (x->revision < y->revision);
}

/* The oldest word on each RRset counts. */
static void
settle(struct past *p)
{
	size_t n = 0;

	if (p->count > 0)
		qsort(p->sets, p->count, sizeof *p->sets, cmp_sets);
	for (size_t i = 0; i < p->count; i++)
		if (n == 0 || rrset_cmp(&p->sets[n - 1].key, &p->sets[i].key) != 0)
			p->sets[n++] = p->sets[i];
	p->count = n;
}

void
past_of_zone(struct past *p, const Ns__ChangeBody__Zone *m, uint64_t revision)
{
	*p = (struct past){ 0 };
	add_zone(p, m, revision);
	settle(p);
}

void
past_free(struct past *p)
{
	for (size_t i = 0; i < p->nbodies; i++)
		ns__change_body__free_unpacked(p->bodies[i], NULL);
	free(p->bodies);
	free(p->sets);
	*p = (struct past){ 0 };
}

static const Ns__ChangeBody__Zone *
zone_of(const Ns__ChangeBody *body, uint64_t id)
{
	for (size_t i = 0; i < body->n_zones; i++)
		if (body->zones[i]->zone_id == id)
			return body->zones[i];
	return NULL;
}

static bool
is_withheld(const Ns__ChangeBody *body, uint64_t id)
{
	for (size_t i = 0; i < body->n_withheld_zones; i++)
		if (body->withheld_zones[i] == id)
			return true;
	return false;
}

static enum ns_err
load_body(struct past *p, struct store *s, uint64_t revision, struct ns_why *why)
{
	struct store_change row;
	Ns__ChangeBody *body = change_body_load(s, revision, &row);

	if (body == NULL)
		return ns_fail(why, NS_CORRUPT, ES_STORE, "change %llu of the log cannot be read",
		    (unsigned long long)revision);
	p->octets += ns__change_body__get_packed_size(body);
	p->bodies[p->nbodies++] = body;
	return NS_OK;
}

static enum ns_err
too_far(struct ns_why *why)
{
	return ns_fail(why, NS_UNAVAILABLE, ES_NO_SERIAL,
	    "too much has changed since to be gone through; restore a backup elsewhere and import "
	    "the zone from it");
}

static enum ns_err
pruned(struct ns_why *why, uint64_t begins)
{
	return ns_fail(why, NS_NOTFOUND, ES_PRUNED,
	    "the history that is kept here begins at change %llu: what the zone was before cannot "
	    "be told; restore a backup elsewhere and import the zone from it",
	    (unsigned long long)begins);
}

/* Newest first; *found: it was at that serial.  *before: the version that the oldest was made on. */
static enum ns_err
walk(struct past *p, struct store *s, const struct revisions *revs, uint64_t zone,
    const uint32_t *serial, bool *found, uint64_t *before, struct ns_why *why)
{
	for (size_t i = 0; i < revs->count && !*found; i++) {
		const Ns__ChangeBody__Zone *m;
		enum ns_err err = load_body(p, s, revs->list[i], why);

		if (err != NS_OK)
			return err;
		if (p->octets > PAST_OCTETS)
			return too_far(why);
		if (is_withheld(p->bodies[p->nbodies - 1], zone))
			return ns_fail(why, NS_NOTFOUND, ES_NO_SERIAL,
			    "change %llu of the zone is not held at this site",
			    (unsigned long long)revs->list[i]);
		if ((m = zone_of(p->bodies[p->nbodies - 1], zone)) == NULL)
			continue;
		*before = m->base_version;
		if (serial != NULL && m->serial_after == *serial &&
		    m->kind != NS__CHANGE_BODY__ZONE__KIND__DELETE) {
			p->version = revs->list[i];
			*found = true;
			continue;
		}
		if (m->whole)
			return ns_fail(why, NS_NOTFOUND, ES_NO_SERIAL,
			    "the zone was damaged when change %llu replaced it: what was before "
			    "cannot be told",
			    (unsigned long long)revs->list[i]);
		add_zone(p, m, revs->list[i]);
	}
	return NS_OK;
}

enum ns_err
past_load(struct past *p, struct store *s, uint64_t zone, enum past_by by, uint64_t value,
    struct ns_why *why)
{
	struct revisions revs = { .stop = by == PAST_VERSION ? value : 0 };
	uint32_t serial = (uint32_t)value;
	uint64_t before = UINT64_MAX; /* nothing is told of it yet */
	bool found = false;
	enum ns_err err = store_history(s, &revs.begins);

	if (err == NS_OK)
		err = store_change_each(s, zone, 0, each_change, &revs);

	*p = (struct past){ .version = revs.stop };
	if (err != NS_OK)
		err = ns_fail(why, err, ES_STORE, "the history of the zone cannot be read");
	else if (revs.too_many)
		err = too_far(why);
	p->bodies = xcalloc(revs.count + 1, sizeof(Ns__ChangeBody *));
	if (err == NS_OK)
		err = walk(
		    p, s, &revs, zone, by == PAST_SERIAL ? &serial : NULL, &found, &before, why);
	/* The next older change was one that is not there any more. */
	if (err == NS_OK && !found && before > revs.stop && revs.stop + 1 < revs.begins)
		err = pruned(why, revs.begins);
	if (err == NS_OK && by == PAST_SERIAL && !found)
		err = ns_fail(why, NS_NOTFOUND, ES_NO_SERIAL,
		    "the zone was never at serial %u: nameserve history list ZONE names its "
		    "changes",
		    serial);
	free(revs.list);
	settle(p);
	return err;
}
