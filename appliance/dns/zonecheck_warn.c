/* zonecheck_warn.c - what a zone may hold but rarely means; see zonecheck.h.
 *
 * Called by zonecheck.c for owners that keep the rules.  Looking for a target's addresses asks the
 * view again, which ends the validity of what it returned before: the owner's RRsets are copied first
 * where that is needed, and only when somebody listens. */
#include <stdio.h>
#include <string.h>

#include "appliance/dns/closure.h"
#include "appliance/dns/codes.h"
#include "appliance/dns/rrtype.h"
#include "appliance/dns/zonecheck_int.h"

#define NEGATIVE_TTL_HIGH 86400u /* RFC 2308 5: more than a day has been found to be problematic */
#define SHOWN_NAME        160

/* What stands at a name that a record points to. */
enum target {
	TARGET_ELSEWHERE, /* outside the zone, or delegated away: not ours to know */
	TARGET_ADDRESS,
	TARGET_CNAME,
	TARGET_NOTHING,
};

static void
warn(const struct zonecheck *z, uint16_t code, const struct rrset *set, const char *text)
{
	struct ns_why why = { 0 };

	(void)zonecheck_say(z, &why, NS_INVALID, code, set->owner, set->type, text);
	z->warn(z->warn_arg, &why);
}

static enum target
target_in(const uint8_t *zwire, size_t len)
{
	struct rrset set;

	if (zonecheck_find(zwire, len, RR_A, &set) || zonecheck_find(zwire, len, RR_AAAA, &set) ||
	    zonecheck_find(zwire, len, RR_NSPOLICY, &set) ||
	    zonecheck_find(zwire, len, RR_ALIAS, &set))
		return TARGET_ADDRESS;
	return zonecheck_find(zwire, len, RR_CNAME, &set) ? TARGET_CNAME : TARGET_NOTHING;
}

/* Does a cut or a DNAME above or at the name take it away from this zone? `except` is no cut for it:
 * glue below the delegation that asks. */
static bool
is_taken_away(const struct zonecheck *z, const uint8_t *name, const uint8_t *except)
{
	unsigned depth = name_labels(name) - name_labels(z->view->apex);
	const uint8_t *zwire;
	size_t len;
	struct rrset set;

	for (unsigned up = 0; up <= depth; up++) {
		const uint8_t *above = name_skip(name, up);

		if (!z->view->at(z->view->arg, above, &zwire, &len))
			continue;
		if (up > 0 && zonecheck_find(zwire, len, RR_DNAME, &set))
			return true;
		if (up < depth && zonecheck_find(zwire, len, RR_NS, &set) &&
		    !name_equal(above, except))
			return true;
	}
	return false;
}

/* Is there anything at the name or below it? */
static bool
exists(const struct zonecheck *z, const uint8_t *name)
{
	const uint8_t *zwire;
	size_t len;
	struct zwire_iter it;
	struct rrset set;

	if (z->view->at(z->view->arg, name, &zwire, &len))
		return true;
	if (!z->view->after(z->view->arg, name, &zwire, &len))
		return false;
	it = zwire_iter(zwire, len);
	return zwire_next(&it, &set) && name_is_below(set.owner, name);
}

/* RFC 4592 3.3: the wildcard below the closest encloser stands for a name that does not exist. */
static enum target
target_by_wildcard(const struct zonecheck *z, const uint8_t *name)
{
	uint8_t wild[NAME_MAX_WIRE + 2] = { 1, '*' };
	const uint8_t *zwire;
	size_t len;

	if (exists(z, name))
		return TARGET_NOTHING;
	do
		name = name_parent(name);
	while (!name_equal(name, z->view->apex) && !exists(z, name));
	memcpy(wild + 2, name, name_len(name));
	if (name_len(wild) > NAME_MAX_WIRE || !z->view->at(z->view->arg, wild, &zwire, &len))
		return TARGET_NOTHING;
	return target_in(zwire, len);
}

static enum target
target_at(const struct zonecheck *z, const uint8_t *name, const uint8_t *asks)
{
	const uint8_t *zwire;
	size_t len;

	if (!name_in(name, z->view->apex) || is_taken_away(z, name, asks))
		return TARGET_ELSEWHERE;
	if (z->view->at(z->view->arg, name, &zwire, &len))
		return target_in(zwire, len);
	return name_equal(name, z->view->apex) ? TARGET_NOTHING : target_by_wildcard(z, name);
}

static void
warn_target(const struct zonecheck *z, const struct rrset *set, const uint8_t *target)
{
	bool at_cut = set->type == RR_NS && !name_equal(set->owner, z->view->apex);
	bool glue = at_cut && name_in(target, set->owner);
	enum target found = target_at(z, target, at_cut ? set->owner : z->view->apex);
	char name[NAME_MAX_TEXT], text[SHOWN_NAME + 160];

	name_to_text(target, name);
	if (found == TARGET_CNAME &&
	    (set->type == RR_NS || set->type == RR_MX || set->type == RR_SRV)) {
		snprintf(text, sizeof text, "its target %.*s is a CNAME (RFC 2181 10.3)",
		    SHOWN_NAME, name);
		warn(z, W_TARGET_CNAME, set, text);
	}
	if (found != TARGET_NOTHING)
		return;
	snprintf(text, sizeof text,
	    glue
		? "its target %.*s lies below it and has no glue: add an A or AAAA (RFC 1034 4.2.2)"
		: "its target %.*s lies in this zone and has no address",
	    SHOWN_NAME, name);
	warn(z,
	    glue                 ? W_NO_GLUE
	    : set->type == RR_NS ? W_NS_NO_ADDRESS
				 : W_TARGET_NO_ADDRESS,
	    set, text);
}

static void
warn_targets(const struct zonecheck *z, const struct rrset *set)
{
	struct rbuf r = rbuf_init(set->rdata, set->rdata_len);
	const uint8_t *rdata;
	size_t len;

	while ((rdata = rrset_next_rdata(&r, &len)) != NULL) {
		int at = rdata_name_at(set->type, rdata, len, 0, NULL);

		if (at >= 0 && rdata[at] != 0) /* the root says "none" (RFC 7505) or "myself" */
			warn_target(z, set, rdata + at);
	}
}

/* RFC 1912 2.2 and RFC 2308 5. */
static void
warn_soa(const struct zonecheck *z, const struct rrset *set)
{
	struct rbuf r = rbuf_init(set->rdata, set->rdata_len);
	const uint8_t *rdata;
	size_t len;

	rdata = rrset_next_rdata(&r, &len);
	if (rdata == NULL || len < 22)
		return;
	rdata += len - 20; /* serial, refresh, retry, expire, minimum */
	if (get_u32(rdata + 16) > NEGATIVE_TTL_HIGH)
		warn(z, W_NEGATIVE_TTL, set,
		    "its minimum keeps \"no such name\" in caches for more than a day (RFC 2308 "
		    "5)");
	if (get_u32(rdata + 12) <= get_u32(rdata + 4))
		warn(z, W_SOA_TIMERS, set,
		    "its expire is not longer than its refresh: secondaries would drop the zone "
		    "(RFC 1912 2.2)");
}

/* What could not be signed: said before anybody signs the zone. */
static void
warn_closures(const struct zonecheck *z, const struct rrset *set)
{
	struct rbuf r = rbuf_init(set->rdata, set->rdata_len);
	char word[RRTYPE_MAX_TEXT], text[160];
	const uint8_t *rdata;
	struct policy po;
	size_t len;

	while ((rdata = rrset_next_rdata(&r, &len)) != NULL) {
		if (!policy_open(&po, rdata, len) || policy_closure(&po) <= CLOSURE_MAX)
			continue;
		snprintf(text, sizeof text,
		    "the policy for %s can give more than %u different RRsets: the zone cannot be "
		    "signed with it",
		    rrtype_to_text(po.type, word), CLOSURE_MAX);
		warn(z, W_POLICY_CLOSURE, set, text);
	}
}

static void
warn_set(const struct zonecheck *z, const struct rrset *set)
{
	const struct rrtype *t = rrtype_find(set->type);

	if (set->ttl == 0 && set->type != RR_NSPOLICY)
		warn(z, W_TTL_ZERO, set, "its TTL is 0: resolvers ask again for every client");
	if (set->type == RR_SOA)
		warn_soa(z, set);
	if (set->type == RR_NS && set->count == 1 && name_equal(set->owner, z->view->apex))
		warn(z, W_ONE_NS, set,
		    "there is one name server only, two are the least (RFC 1034 4.1)");
	if ((set->type == RR_NS || set->type == RR_DNAME) && name_is_wild(set->owner))
		warn(z, W_WILD_CUT, set,
		    "it stands at a wildcard, which resolvers treat differently (RFC 4592 4)");
	if (set->type == RR_NSPOLICY)
		warn_closures(z, set);
	if (t != NULL && t->additional >= 0)
		warn_targets(z, set);
}

void
zonecheck_warnings(struct zonecheck *z, const uint8_t *zwire, size_t len)
{
	struct zwire_iter it;
	struct rrset set;

	if (z->warn == NULL)
		return;
	z->copy.len = 0;
	wbuf_put(&z->copy, zwire, len);
	it = zwire_iter(z->copy.base, z->copy.len);
	while (wbuf_ok(&z->copy) && zwire_next(&it, &set))
		warn_set(z, &set);
}
