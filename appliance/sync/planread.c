/* planread - the `plan` request: what a commit would do, its warnings and effects.  Reader threads. */
#include <stdlib.h>
#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/dns/rrtype.h"
#include "appliance/sync/cachetime.h"
#include "appliance/sync/conflict.h"
#include "appliance/sync/difftext.h"
#include "appliance/sync/errors.h"
#include "appliance/sync/keyfeed.h"
#include "appliance/sync/plan.h"
#include "appliance/sync/policycheck.h"
#include "appliance/sync/reader.h"
#include "ipc/base/clock.h"
#include "ipc/base/xalloc.h"

#define PAST_NS 200000000ull /* of going through the log of each zone */

enum ns_err
plan_text(struct request *r)
{
	Ns__CommitRequest as_commit = NS__COMMIT_REQUEST__INIT;

	as_commit.zones = r->env->plan_request->zones;
	as_commit.n_zones = r->env->plan_request->n_zones;
	r->state = edit_request_read(&as_commit, &r->why);
	r->free_state = edit_request_free;
	return r->state != NULL ? NS_OK : r->why.err;
}

/* ---- effects ---- */
/* How long resolvers keep "there is none": the lesser of the SOA's TTL and minimum (RFC 2308 5). */
static uint32_t
negative_ttl(const struct zoneplan *z)
{
	const struct edit_owner *apex = edit_owner_find(&z->edit, z->z.name);
	struct zwire_iter it;
	struct rrset s;

	if (apex == NULL)
		return 0;
	it = zwire_iter(apex->before.base, apex->before.len);
	while (zwire_next(&it, &s)) {
		const uint8_t *end = s.rdata + s.rdata_len;

		if (s.type == RR_SOA && s.rdata_len > 22)
			return s.ttl < get_u32(end - 4) ? s.ttl : get_u32(end - 4);
	}
	return 0;
}

static bool
has_key(const struct wbuf *side, const struct rrset *key)
{
	struct zwire_iter it = zwire_iter(side->base, side->len);
	struct rrset s;

	while (zwire_next(&it, &s))
		if (rrset_cmp(&s, key) >= 0)
			return rrset_cmp(&s, key) == 0;
	return false;
}

struct leaving {
	const struct zoneplan *z;
	bool serial_only;
};

static bool
leaves(void *arg, const struct rrset *s)
{
	const struct leaving *l = arg;

	return (s->type != RR_SOA || !l->serial_only) && has_key(&l->z->diff.removed, s);
}

/* How long caches keep what goes: by its TTL, or by a longer one that it had lately. */
static uint32_t
old_ttl(const struct zoneplan *z, int64_t now_ms)
{
	struct leaving l = { z, diff_soa_serial_only(&z->diff, z->z.name) };
	struct cachetime ct = {
		.store = z->below.store, .now_ms = now_ms, .until_ns = clock_mono_ns() + PAST_NS
	};
	struct zwire_iter it = zwire_iter(z->diff.removed.base, z->diff.removed.len);
	struct rrset s;

	while (zwire_next(&it, &s))
		if (leaves(&l, &s))
			cachetime_now(&ct, cachetime_ttl(&s));
	if (ct.last_ms > 0)
		cachetime_past(&ct, z->z.id, leaves, &l);
	return cachetime_seconds(&ct);
}

static void
effects(Ns__PlanReply__Zone *m, const struct zoneplan *z, int64_t now_ms)
{
	struct zwire_iter it = zwire_iter(z->diff.added.base, z->diff.added.len);
	struct rrset s;

	m->old_ttl = old_ttl(z, now_ms);
	while (zwire_next(&it, &s))
		m->new_rrsets += !has_key(&z->diff.removed, &s);
	if (m->new_rrsets > 0)
		m->negative_ttl = negative_ttl(z);
	m->signed_here = !z->z.external && keys_load(z->below.store, z->z.id, NULL, NULL) == NS_OK;
}

/* The list goes from one message to the other; all zones of a plan share its room. */
static void
take_rrsets(Ns__PlanReply__Zone *m, const struct zoneplan *z, size_t *room)
{
	Ns__Conflict c = NS__CONFLICT__INIT;
	size_t used;

	m->rrsets_truncated = *room == 0 && !diff_empty(&z->diff);
	if (*room == 0)
		return;
	conflict_of_plan(&c, z);
	used = ns__conflict__get_packed_size(&c);
	*room -= used < *room ? used : *room;
	m->rrsets_truncated = c.truncated;
	m->rrsets = c.rrsets;
	m->n_rrsets = c.n_rrsets;
}

static Ns__PlanReply__Zone *
zone_reply(const struct zoneplan *z, int64_t now_ms, size_t *octets, size_t *rrsets)
{
	Ns__PlanReply__Zone *m = xmalloc(sizeof *m);
	struct diff_lines removed, added;

	ns__plan_reply__zone__init(m);
	m->zone = reply_name(z->z.name);
	m->version = z->z.version;
	m->serial_before = m->serial_after = z->z.serial;
	m->records = z->z.records;
	if (!diff_empty(&z->diff))
		m->serial_after = z->edit.serial_after;
	diff_lines_make((struct bytes){ z->diff.removed.base, z->diff.removed.len },
	    (struct bytes){ z->diff.added.base, z->diff.added.len }, octets, &removed, &added);
	m->removed = removed.line;
	m->n_removed = removed.count;
	m->added = added.line;
	m->n_added = added.count;
	m->truncated = removed.cut || added.cut;
	m->records_added = z->diff.nadded;
	m->records_removed = z->diff.nremoved;
	m->records_touched = z->touched;
	if (z->z.records > 0)
		m->touched_percent = 100.0 * (double)z->touched / (double)z->z.records;
	m->confirm = rail_hit(&z->z, z->touched);
	effects(m, z, now_ms);
	take_rrsets(m, z, rrsets);
	return m;
}

static void
fill(Ns__PlanReply *m, struct plan *p, int64_t now_ms)
{
	char hash[PLAN_HASH];
	size_t octets = 0, rrsets = CONFLICT_OCTETS;

	m->zones = xcalloc(p->count + 1, sizeof *m->zones);
	for (size_t i = 0; i < p->count; i++) {
		const struct zoneplan *z = &p->zones[i];

		m->zones[m->n_zones++] = zone_reply(z, now_ms, &octets, &rrsets);
		policy_closures(
		    z->z.name, z->diff.added.base, z->diff.added.len, &m->policies, &m->n_policies);
	}
	plan_hash(p, hash);
	m->plan_hash = xstrdup(hash);
	m->n_warnings = p->nwarnings;
	m->warnings = p->warnings;
	p->nwarnings = 0;
	p->warnings = NULL;
}

enum ns_err
plan_read(struct request *r, struct store *s)
{
	Ns__PlanReply *m = xmalloc(sizeof *m);
	struct plan_for f = { .store = s, .now_ms = clock_wall_ms(), .request = r };
	struct plan p;
	enum ns_err err;

	ns__plan_reply__init(m);
	if ((err = store_begin(s, &r->why)) != NS_OK) {
		ns__plan_reply__free_unpacked(m, NULL);
		return err;
	}
	err = plan_edits(&p, r->state, &f, &r->why);
	if (err == NS_OK)
		fill(m, &p, f.now_ms);
	store_rollback(s);
	plan_free(&p);
	request_reply(r, NS__ENVELOPE__BODY_PLAN_REPLY, m);
	return err;
}
