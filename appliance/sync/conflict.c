/* conflict - see conflict.h. */
#include "appliance/sync/conflict.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/dns/rrtype.h"
#include "appliance/sync/difftext.h"
#include "appliance/sync/editview.h"
#include "appliance/sync/errors.h"
#include "appliance/sync/past.h"
#include "appliance/sync/request.h"
#include "ipc/base/clock.h"
#include "ipc/base/text.h"
#include "ipc/base/xalloc.h"

Ns__Conflict *
conflict_of(struct request *r)
{
	if (r->conflict == NULL) {
		r->conflict = xmalloc(sizeof *r->conflict);
		ns__conflict__init(r->conflict);
	}
	return r->conflict;
}

/* ---- one RRset ---- */
static Ns__Conflict__State *
state_of(const struct rrset *set)
{
	Ns__Conflict__State *m = xmalloc(sizeof *m);
	struct rbuf r;
	const uint8_t *p;
	size_t n;

	ns__conflict__state__init(m);
	if (set == NULL)
		return m;
	m->there = true;
	m->ttl = set->ttl;
	m->rdata = xcalloc(set->count + 1u, sizeof *m->rdata);
	r = rbuf_init(set->rdata, set->rdata_len);
	while (
	    rbuf_left(&r) > 0 && m->n_rdata < set->count && (p = rrset_next_rdata(&r, &n)) != NULL)
		m->rdata[m->n_rdata++] = rdata_line(set->type, p, n);
	return m;
}

/* Two states of one RRset; a mere new serial of the SOA is no difference. */
static bool
same(const struct rrset *a, const struct rrset *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return rrset_same_data(a, b) || (a->type == RR_SOA && soa_same_but_serial(a, b));
}

/* As text it is up to five times as long. */
static bool
fits(const struct rrset *set)
{
	return set == NULL || set->rdata_len * 5 < CONFLICT_OCTETS / 4;
}

static size_t
octets_so_far(const Ns__Conflict *m)
{
	return ns__conflict__get_packed_size(m);
}

void
conflict_add(
    Ns__Conflict *m, const uint8_t *apex, const struct rrset *key, const struct conflict_sets *sets)
{
	Ns__Conflict__RRset *s;
	char type[RRTYPE_MAX_TEXT];

	if (same(sets->base, sets->theirs) && same(sets->base, sets->mine))
		return;
	if (m->n_rrsets == CONFLICT_RRSETS ||
	    (m->n_rrsets % 16 == 15 && octets_so_far(m) > CONFLICT_OCTETS)) {
		m->truncated = true;
		return;
	}
	s = xmalloc(sizeof *s);
	ns__conflict__rrset__init(s);
	s->zone = reply_name(apex);
	s->name = reply_name(key->owner);
	s->type = xstrdup(rrtype_to_text(key->type, type));
	if (fits(sets->base) && fits(sets->theirs) && fits(sets->mine)) {
		s->was = state_of(sets->base);
		s->theirs = state_of(sets->theirs);
		s->mine = state_of(sets->mine);
	} else {
		m->truncated = true; /* too long for a reply: only named */
	}
	s->overlaps = !same(sets->base, sets->theirs) && !same(sets->base, sets->mine) &&
		      !same(sets->theirs, sets->mine);
	if (m->rrsets == NULL)
		m->rrsets = xcalloc(CONFLICT_RRSETS, sizeof *m->rrsets);
	m->rrsets[m->n_rrsets++] = s;
}

/* ---- a stale edit ---- */
/* The three sides of it: the zone as it was, and my operations on that. */
struct sides {
	struct past past;
	struct edit then, mine;
	struct edit_view base, with_mine;
	struct diff diff;
};

static bool
sides_make(struct sides *s, const struct zoneplan *p, const struct edit_zone *ez)
{
	struct ns_why why = { 0 };
	const struct zone_view *now = &p->below.zone;

	*s = (struct sides){ 0 };
	edit_init(&s->then, p->z.name);
	edit_init(&s->mine, p->z.name);
	diff_init(&s->diff);
	edit_view_init(&s->base, &s->then, now);
	edit_view_init(&s->with_mine, &s->mine, &s->base.zone);
	if (past_load(&s->past, p->below.store, p->z.id,
		ez->base_version != 0 ? PAST_VERSION : PAST_SERIAL,
		ez->base_version != 0 ? ez->base_version : ez->base_serial, &why) != NS_OK)
		return false;
	for (size_t i = 0; i < s->past.count; i++) {
		const struct past_set *ps = &s->past.sets[i];

		if (edit_put(&s->then, now, ps->key.owner, ps->key.type, ps->key.covers,
			ps->there ? &ps->set : NULL, &why) != NS_OK)
			return false;
	}
	for (size_t i = 0; i < ez->nops; i++)
		if (edit_apply(&s->mine, &s->base.zone, &ez->ops[i], &why) != NS_OK)
			return false;
	return edit_diff(&s->mine, &s->diff);
}

static void
sides_free(struct sides *s)
{
	edit_free(&s->then);
	edit_free(&s->mine);
	diff_free(&s->diff);
	past_free(&s->past);
}

static void
add_key(Ns__Conflict *m, const struct zoneplan *p, struct sides *s, const struct rrset *key)
{
	struct rrset base, theirs, mine;
	struct conflict_sets sets;

	/* Both edits keep what they give; only what is below gives its own memory away. */
	sets.base = zone_view_set(&s->base.zone, key, &base);
	if (sets.base != NULL && edit_owner_find(&s->then, key->owner) == NULL) {
		/* Not touched since: theirs is the base. */
		sets.theirs = sets.base;
	} else {
		sets.theirs = zone_view_set(&p->below.zone, key, &theirs);
	}
	sets.mine = zone_view_set(&s->with_mine.zone, key, &mine);
	conflict_add(m, p->z.name, key, &sets);
}

/* Every RRset that either side touched, in order, each once. */
static void
add_all(Ns__Conflict *m, const struct zoneplan *p, struct sides *s)
{
	struct zwire_iter ir = zwire_iter(s->diff.removed.base, s->diff.removed.len);
	struct zwire_iter ia = zwire_iter(s->diff.added.base, s->diff.added.len);
	struct rrset r, a;
	bool hr = zwire_next(&ir, &r), ha = zwire_next(&ia, &a);
	size_t i = 0;

	while (hr || ha || i < s->past.count) {
		const struct rrset *key = hr ? &r : NULL;
		struct rrset now;

		if (ha && (key == NULL || rrset_cmp(&a, key) < 0))
			key = &a;
		if (i < s->past.count && (key == NULL || rrset_cmp(&s->past.sets[i].key, key) < 0))
			key = &s->past.sets[i].key;
		now = *key;
		add_key(m, p, s, &now);
		if (hr && rrset_cmp(&r, &now) == 0)
			hr = zwire_next(&ir, &r);
		if (ha && rrset_cmp(&a, &now) == 0)
			ha = zwire_next(&ia, &a);
		if (i < s->past.count && rrset_cmp(&s->past.sets[i].key, &now) == 0)
			i++;
	}
}

static const struct rrset *
set_of(const struct wbuf *zwire, const struct rrset *key, struct rrset *out)
{
	struct zwire_iter it = zwire_iter(zwire->base, zwire->len);

	while (zwire_next(&it, out))
		if (rrset_cmp(out, key) == 0)
			return out;
	return NULL;
}

void
conflict_of_plan(Ns__Conflict *m, const struct zoneplan *p)
{
	for (size_t i = 0; i < p->edit.count; i++) {
		const struct edit_owner *o = &p->edit.owners[i];
		struct zwire_iter ib = zwire_iter(o->before.base, o->before.len);
		struct zwire_iter ia = zwire_iter(o->after.base, o->after.len);
		struct rrset key, other;
		struct conflict_sets sets;

		while (zwire_next(&ib, &key)) {
			sets.base = sets.theirs = &key;
			sets.mine = set_of(&o->after, &key, &other);
			conflict_add(m, p->z.name, &key, &sets);
		}
		while (zwire_next(&ia, &key)) {
			if (set_of(&o->before, &key, &other) != NULL)
				continue;
			sets.base = sets.theirs = NULL;
			sets.mine = &key;
			conflict_add(m, p->z.name, &key, &sets);
		}
	}
}

static void
add_zone(Ns__Conflict *m, const struct zoneplan *p, const struct edit_zone *ez,
    const struct store_change *last)
{
	Ns__Conflict__Zone *z = xmalloc(sizeof *z);

	ns__conflict__zone__init(z);
	z->zone = reply_name(p->z.name);
	z->base_version = ez->base_version;
	z->version = p->z.version;
	z->serial = p->z.serial;
	z->author = xstrdup(last->author);
	z->at = reply_time(p->z.changed_ms);
	z->comment = xstrdup(last->comment);
	text_scrub(z->comment);
	m->zones = xreallocarray(m->zones, m->n_zones + 1, sizeof *m->zones);
	m->zones[m->n_zones++] = z;
}

enum ns_err
conflict_stale(
    Ns__Conflict *m, const struct zoneplan *p, const struct edit_zone *ez, struct ns_why *why)
{
	struct store_change last = { 0 };
	char at[CLOCK_RFC3339_LEN], name[NAME_MAX_TEXT];
	struct sides s;

	if (store_change_get(p->below.store, p->z.version, &last, NULL) != NS_OK)
		snprintf(last.author, sizeof last.author, "someone");
	add_zone(m, p, ez, &last);
	if (sides_make(&s, p, ez))
		add_all(m, p, &s);
	sides_free(&s);
	text_copy(why->zone, sizeof why->zone, name_to_text(p->z.name, name));
	return ns_fail(why, NS_CONFLICT, ES_STALE,
	    "stale: the zone has changed since, it is at serial %u (version %llu), by %s at %s; "
	    "look at it again and repeat the edit with that base",
	    p->z.serial, (unsigned long long)p->z.version, last.author,
	    clock_rfc3339(p->z.changed_ms, at));
}
