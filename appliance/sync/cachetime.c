/* cachetime - see cachetime.h. */
#include "appliance/sync/cachetime.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/dns/policy.h"
#include "appliance/dns/rrtype.h"
#include "appliance/sync/change.h"
#include "appliance/sync/checks.h"
#include "appliance/sync/request.h"
#include "ipc/base/clock.h"
#include "ipc/base/xalloc.h"

uint32_t
cachetime_ttl(const struct rrset *s)
{
	struct rbuf r = rbuf_init(s->rdata, s->rdata_len);
	uint32_t ttl = s->ttl;
	const uint8_t *rdata;
	struct policy po;
	size_t len;

	while (s->type == RR_NSPOLICY && (rdata = rrset_next_rdata(&r, &len)) != NULL)
		if (policy_open(&po, rdata, len) && po.ttl > ttl)
			ttl = po.ttl;
	return ttl;
}

static void
until(struct cachetime *ct, int64_t at_ms, uint32_t ttl)
{
	int64_t ms = at_ms + 1000 * (int64_t)(ttl < CACHE_TTL_MAX ? ttl : CACHE_TTL_MAX);

	if (ms > ct->last_ms)
		ct->last_ms = ms;
}

void
cachetime_now(struct cachetime *ct, uint32_t ttl)
{
	until(ct, ct->now_ms, ttl);
}

uint32_t
cachetime_seconds(const struct cachetime *ct)
{
	return ct->last_ms > ct->now_ms ? (uint32_t)((ct->last_ms - ct->now_ms + 999) / 1000) : 0;
}

/* ---- the log ---- */
struct recent {
	int64_t since_ms;
	uint64_t *list;
	size_t n, room;
	bool cut;
};

static bool
each_change(void *arg, const struct store_change *c)
{
	struct recent *r = arg;

	if (c->at_ms < r->since_ms)
		return false;
	if (r->n == CACHE_CHANGES) {
		r->cut = true;
		return false;
	}
	if (r->n == r->room) {
		r->room = r->room != 0 ? 2 * r->room : 64;
		r->list = xreallocarray(r->list, r->room, sizeof *r->list);
	}
	r->list[r->n++] = c->revision;
	return true;
}

static void
past_zone(struct cachetime *ct, const Ns__ChangeBody__Zone *z, int64_t at_ms,
    cachetime_wants *wants, void *arg)
{
	struct zwire_iter it = zwire_iter(z->removed.data, z->removed.len);
	struct rrset s;

	ct->partial = ct->partial || z->whole;
	while (zwire_next(&it, &s))
		if (wants == NULL || wants(arg, &s))
			until(ct, at_ms, cachetime_ttl(&s));
}

static void
past_change(
    struct cachetime *ct, uint64_t revision, uint64_t zone, cachetime_wants *wants, void *arg)
{
	struct store_change row;
	Ns__ChangeBody *body = change_body_load(ct->store, revision, &row);

	if (body == NULL) {
		ct->partial = true;
		return;
	}
	for (size_t i = 0; i < body->n_zones; i++)
		if (zone == 0 || body->zones[i]->zone_id == zone)
			past_zone(ct, body->zones[i], row.at_ms, wants, arg);
	ns__change_body__free_unpacked(body, NULL);
}

void
cachetime_past(struct cachetime *ct, uint64_t zone, cachetime_wants *wants, void *arg)
{
	struct recent r = { .since_ms = ct->now_ms - 1000 * (int64_t)CACHE_TTL_MAX };
	size_t i;

	if (store_change_each(ct->store, zone, 0, each_change, &r) != NS_OK)
		ct->partial = true;
	for (i = 0; i < r.n && clock_mono_ns() < ct->until_ns; i++)
		past_change(ct, r.list[i], zone, wants, arg);
	ct->partial = ct->partial || r.cut || i < r.n;
	free(r.list);
}

/* ---- by a check ---- */

/* A check, and those that are calculated from it; and the zones whose policies name one of them. */
struct by_check {
	struct cachetime *ct;
	char (*names)[CHECK_NAME_MAX + 1];
	size_t n;
	bool grown;
	uint64_t *zones;
	size_t nzones;
	struct wbuf sets;
};

static bool
is_one(const struct by_check *b, const void *name, size_t len)
{
	for (size_t i = 0; i < b->n; i++)
		if (strlen(b->names[i]) == len && memcmp(b->names[i], name, len) == 0)
			return true;
	return false;
}

static void
add_name(struct by_check *b, const char *name)
{
	size_t len = strlen(name);

	if (len > CHECK_NAME_MAX)
		return;
	b->names = xreallocarray(b->names, b->n + 1, sizeof *b->names);
	memcpy(b->names[b->n++], name, len + 1);
	b->grown = true;
}

static bool
each_check(void *arg, const struct store_object *o, const void *body, size_t len)
{
	struct by_check *b = arg;
	Ns__Check *c;

	if (is_one(b, o->name, strlen(o->name)) || (c = ns__check__unpack(NULL, len, body)) == NULL)
		return true;
	for (size_t i = 0; i < c->n_of; i++) {
		if (!is_one(b, c->of[i], strlen(c->of[i])))
			continue;
		add_name(b, o->name);
		break;
	}
	ns__check__free_unpacked(c, NULL);
	return true;
}

static void
find_names(struct by_check *b, const char *check)
{
	add_name(b, check);
	while (b->grown) {
		b->grown = false;
		if (store_object_each(b->ct->store, CHECK_KIND, each_check, b) != NS_OK)
			b->ct->partial = true;
	}
}

static bool
policy_names_one(const struct by_check *b, const struct policy *po)
{
	struct policy_answer a;

	for (unsigned i = 0; i < po->nanswers && policy_answer_at(po, i, &a); i++) {
		size_t len = 0;
		const char *name = policy_name(po, a.check_name, &len);

		if (name != NULL && is_one(b, name, len))
			return true;
	}
	return false;
}

/* The longest TTL of the policies in a set that look at one of the checks; false: none does. */
static bool
policy_ttl(const struct by_check *b, const struct rrset *s, uint32_t *ttl)
{
	struct rbuf r = rbuf_init(s->rdata, s->rdata_len);
	const uint8_t *rdata;
	struct policy po;
	bool any = false;
	size_t len;

	*ttl = 0;
	while (s->type == RR_NSPOLICY && (rdata = rrset_next_rdata(&r, &len)) != NULL) {
		if (!policy_open(&po, rdata, len) || !policy_names_one(b, &po))
			continue;
		any = true;
		if (po.ttl > *ttl)
			*ttl = po.ttl;
	}
	return any;
}

static bool
wanted(void *arg, const struct rrset *s)
{
	return policy_ttl(arg, s, &(uint32_t){ 0 });
}

static void
note_zone(struct by_check *b, uint64_t zone)
{
	for (size_t i = 0; i < b->nzones; i++)
		if (b->zones[i] == zone)
			return;
	b->zones = xreallocarray(b->zones, b->nzones + 1, sizeof *b->zones);
	b->zones[b->nzones++] = zone;
}

static bool
each_mention(void *arg, const struct store_mentioned *m)
{
	struct by_check *b = arg;
	struct zwire_iter it;
	struct rrset s;
	uint32_t ttl;

	if (clock_mono_ns() >= b->ct->until_ns) {
		b->ct->partial = true;
		return false;
	}
	note_zone(b, m->zone);
	b->sets.len = 0;
	if (store_owner_get(b->ct->store, m->zone, m->owner, &b->sets) != NS_OK)
		return true;
	it = zwire_iter(b->sets.base, b->sets.len);
	while (zwire_next(&it, &s))
		if (policy_ttl(b, &s, &ttl))
			cachetime_now(b->ct, ttl);
	return true;
}

Ns__Caches *
cachetime_of_check(struct cachetime *ct, const char *check)
{
	struct by_check b = { .ct = ct, .sets = wbuf_grow(SIZE_MAX / 2) };
	Ns__Caches *m = NULL;

	find_names(&b, check);
	for (size_t i = 0; i < b.n; i++)
		if (store_mention_each(ct->store, STORE_CHECKS, b.names[i], strlen(b.names[i]),
			each_mention, &b) != NS_OK)
			ct->partial = true;
	for (size_t i = 0; i < b.nzones; i++)
		cachetime_past(ct, b.zones[i], wanted, &b);
	if (ct->last_ms > 0) {
		m = xmalloc(sizeof *m);
		ns__caches__init(m);
		m->seconds = cachetime_seconds(ct);
		m->until = reply_time(ct->last_ms);
		m->partial = ct->partial;
	}
	wbuf_free(&b.sets);
	free(b.names);
	free(b.zones);
	return m;
}
