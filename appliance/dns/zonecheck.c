/* zonecheck.c - what a zone must keep to be served; see zonecheck.h.
 *
 * Pure logic, called by sync for imports and edits.  A walk in canonical order meets a cut or a
 * DNAME before everything below it, so one remembered name decides for all that follow.  What the
 * view returns is valid until the next question only: names that outlive it are copied. */
#include "appliance/dns/zonecheck.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "appliance/dns/codes.h"
#include "appliance/dns/rrtype.h"
#include "appliance/dns/zonecheck_int.h"

#define SHOWN_NAME 160 /* so that the rule itself always fits into the text */
#define COPY_MAX   (16u << 20)

/* The types at an owner that rules ask for. */
enum seen { SEEN_SOA = 1, SEEN_NS = 2, SEEN_DS = 4, SEEN_CNAME = 8, SEEN_DNAME = 16 };

/* The name that governs what follows: the topmost cut or DNAME above it. */
struct governor {
	uint8_t name[NAME_MAX_WIRE];
	uint16_t type; /* NS, DNAME, or 0: none */
};

enum ns_err
zonecheck_say(const struct zonecheck *z, struct ns_why *why, enum ns_err err, uint16_t code,
    const uint8_t *owner, uint16_t type, const char *text)
{
	char name[SHOWN_NAME + 1], word[RRTYPE_MAX_TEXT] = "";

	if (why == NULL)
		return err;
	name_show(z->view->apex, why->zone, sizeof why->zone);
	name_show(owner, why->owner, sizeof why->owner);
	name_show(owner, name, sizeof name);
	if (type != 0)
		rrtype_to_text(type, word);
	memcpy(why->type, word, sizeof why->type);
	return ns_fail(why, err, code, "%s%s%s: %s", name, type != 0 ? " " : "", word, text);
}

static enum ns_err __attribute__((format(printf, 5, 6))) refuse(const struct zonecheck *z,
    uint16_t code, const uint8_t *owner, uint16_t type, const char *fmt, ...)
{
	char text[384];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	return zonecheck_say(z, z->why, NS_INVALID, code, owner, type, text);
}

bool
zonecheck_find(const uint8_t *zwire, size_t len, uint16_t type, struct rrset *set)
{
	struct zwire_iter it = zwire_iter(zwire, len);

	while (zwire_next(&it, set)) {
		if (set->type == type)
			return true;
	}
	return false;
}

static unsigned
seen_of(uint16_t type)
{
	switch (type) {
	case RR_SOA:
		return SEEN_SOA;
	case RR_NS:
		return SEEN_NS;
	case RR_DS:
		return SEEN_DS;
	case RR_CNAME:
		return SEEN_CNAME;
	case RR_DNAME:
		return SEEN_DNAME;
	default:
		return 0;
	}
}

static bool
is_among(uint16_t type, const uint16_t *types)
{
	for (; *types != 0; types++) {
		if (*types == type)
			return true;
	}
	return false;
}

/* The first type at the owner that is not among those; 0: there is none. */
static uint16_t
first_other(const uint8_t *zwire, size_t len, const uint16_t *types)
{
	struct zwire_iter it = zwire_iter(zwire, len);
	struct rrset set;

	while (zwire_next(&it, &set)) {
		if (!is_among(set.type, types))
			return set.type;
	}
	return 0;
}

/* What policies stand for: they exclude plain records of their type, and of CNAME everything else. */
static enum ns_err
check_policies(
    const struct zonecheck *z, const struct rrset *policies, const uint8_t *zwire, size_t len)
{
	struct rbuf r = rbuf_init(policies->rdata, policies->rdata_len);
	const uint8_t *owner = policies->owner, *rdata;
	uint16_t before = 0;
	char word[RRTYPE_MAX_TEXT];
	struct rrset plain;
	size_t n;

	if (policies->ttl != 0)
		return refuse(z, E_POLICY_TTL, owner, policies->type,
		    "its TTL is %u and must be 0: the policy has its own", policies->ttl);
	while ((rdata = rrset_next_rdata(&r, &n)) != NULL) {
		uint16_t type = n >= 2 ? get_u16(rdata) : 0;

		if (type == before) /* they are sorted by it */
			return refuse(z, E_POLICY_PLAIN, owner, type,
			    "there are two policies for one type at one name");
		before = type;
		if (zonecheck_find(zwire, len, type, &plain))
			return refuse(z, E_POLICY_PLAIN, owner, type,
			    "there are plain %s records and a policy for %s: one of the two "
			    "answers, remove the other",
			    rrtype_to_text(type, word), word);
		if (type != RR_CNAME)
			continue;
		if (name_equal(owner, z->view->apex))
			return refuse(z, E_APEX_CNAME, owner, RR_CNAME,
			    "the apex cannot be a CNAME, by a policy either: SOA and NS stand "
			    "beside "
			    "it (RFC 1034 3.6.2)");
		if (policies->count > 1 || zwire != policies->raw || len != policies->raw_len)
			return refuse(z, E_CNAME_ALONE, owner, RR_CNAME,
			    "something else stands beside the policy for CNAME; a CNAME must be "
			    "alone (RFC 1034 3.6.2)");
	}
	return NS_OK;
}

/* Does a policy of the owner stand for that type? */
static bool
has_policy(const uint8_t *zwire, size_t len, uint16_t type)
{
	struct rrset policies;
	struct rbuf r;
	const uint8_t *rdata;
	size_t n;

	if (!zonecheck_find(zwire, len, RR_NSPOLICY, &policies))
		return false;
	r = rbuf_init(policies.rdata, policies.rdata_len);
	while ((rdata = rrset_next_rdata(&r, &n)) != NULL) {
		if (n >= 2 && get_u16(rdata) == type)
			return true;
	}
	return false;
}

/* An ALIAS stands for A and AAAA, so that nothing else may. */
static enum ns_err
check_alias(const struct zonecheck *z, const struct rrset *alias, const uint8_t *zwire, size_t len)
{
	static const uint16_t types[] = { RR_A, RR_AAAA };
	struct rbuf r = rbuf_init(alias->rdata, alias->rdata_len);
	size_t n = 0;
	const uint8_t *target = rrset_next_rdata(&r, &n);
	char word[RRTYPE_MAX_TEXT];
	struct rrset plain;

	for (unsigned i = 0; i < sizeof types / sizeof types[0]; i++) {
		bool policy = has_policy(zwire, len, types[i]);

		if (policy || zonecheck_find(zwire, len, types[i], &plain))
			return refuse(z, E_ALIAS, alias->owner, alias->type,
			    "it gives the name's A and AAAA, and there %s %s too: remove one of "
			    "the two",
			    policy ? "is a policy for" : "are records of type",
			    rrtype_to_text(types[i], word));
	}
	if (target == NULL || name_check(target, n) != n || *target == 0)
		return refuse(z, E_ALIAS, alias->owner, alias->type,
		    "its target is the root, which has no address");
	if (name_equal(target, alias->owner))
		return refuse(
		    z, E_ALIAS, alias->owner, alias->type, "its target is the name itself");
	return NS_OK;
}

/* Limits, and what holds for one set wherever it stands. */
static enum ns_err
check_set(const struct zonecheck *z, const struct rrset *set)
{
	const struct rrtype *t = rrtype_find(set->type);
	size_t size = rrset_wire_size(set);
	bool at_apex = name_equal(set->owner, z->view->apex);

	if (rrtype_is_meta(set->type))
		return refuse(z, E_META, set->owner, set->type,
		    "the type exists in messages only: no zone holds a record of it");
	if (t != NULL && (t->flags & RRT_SINGLE) != 0 && set->count > 1)
		return refuse(z, E_SINGLE, set->owner, set->type,
		    "there are %u records, a name has one at most%s", set->count,
		    set->type == RR_DNAME   ? " (RFC 6672 2.4)"
		    : set->type == RR_ALIAS ? ""
					    : " (RFC 2181 10)");
	if (size > RRSET_MAX_WIRE)
		return refuse(z, E_RRSET_SIZE, set->owner, set->type,
		    "%u records of %zu octets in a reply: one set may have %u, to fit one TCP "
		    "answer",
		    set->count, size, RRSET_MAX_WIRE);
	if (set->type == RR_SOA && !at_apex)
		return refuse(z, E_SOA_PLACE, set->owner, set->type,
		    "a SOA stands at the apex of the zone only (RFC 1034 4.2.1)");
	if (set->type == RR_NSEC3 &&
	    (at_apex || !name_equal(name_parent(set->owner), z->view->apex)))
		return refuse(z, E_NSEC3_PLACE, set->owner, set->type,
		    "an NSEC3 stands one label below the apex (RFC 5155 3)");
	return NS_OK;
}

/* Each set of the owner; *seen gets what is there. */
static enum ns_err
check_sets(const struct zonecheck *z, const uint8_t *owner, const uint8_t *zwire, size_t len,
    unsigned *seen)
{
	struct zwire_iter it = zwire_iter(zwire, len);
	struct rrset set;
	enum ns_err err;

	*seen = 0;
	while (zwire_next(&it, &set)) {
		if (!name_equal(owner, set.owner))
			break;
		err = check_set(z, &set);
		if (err != NS_OK)
			return err;
		*seen |= seen_of(set.type);
		if (set.type == RR_NSPOLICY)
			err = check_policies(z, &set, zwire, len);
		else if (set.type == RR_ALIAS)
			err = check_alias(z, &set, zwire, len);
		if (err != NS_OK)
			return err;
	}
	if (len == 0 || !rbuf_end(&it.r))
		return zonecheck_say(z, z->why, NS_CORRUPT, E_ZWIRE, owner, 0,
		    "the zone data of this owner breaks its own form");
	if (len > OWNER_MAX_WIRE)
		return refuse(z, E_OWNER_SIZE, owner, 0, "%zu octets at one name: there may be %u",
		    len, OWNER_MAX_WIRE);
	return NS_OK;
}

/* RFC 1034 3.6.2; RFC 4035 2.5 lets RRSIG and NSEC beside. */
static enum ns_err
check_cname(const struct zonecheck *z, const uint8_t *owner, const uint8_t *zwire, size_t len)
{
	static const uint16_t beside[] = { RR_CNAME, RR_RRSIG, RR_NSEC, 0 };
	char word[RRTYPE_MAX_TEXT];
	uint16_t other = first_other(zwire, len, beside);

	if (other == 0)
		return NS_OK;
	return refuse(z, E_CNAME_ALONE, owner, RR_CNAME,
	    "another record stands beside it (%s); a CNAME must be alone (RFC 1034 3.6.2)",
	    rrtype_to_text(other, word));
}

static enum ns_err
check_apex(const struct zonecheck *z, unsigned seen)
{
	const uint8_t *apex = z->view->apex;

	if (seen & SEEN_CNAME)
		return refuse(z, E_APEX_CNAME, apex, RR_CNAME,
		    "the apex cannot be a CNAME, because SOA and NS stand beside it (RFC 1034 "
		    "3.6.2)");
	if (!(seen & SEEN_SOA))
		return refuse(z, E_APEX_SOA, apex, RR_SOA, "the zone has no SOA (RFC 1035 5.2)");
	if (!(seen & SEEN_NS))
		return refuse(
		    z, E_APEX_NS, apex, RR_NS, "the zone has no NS at its apex (RFC 1034 4.2.1)");
	if (seen & SEEN_DS)
		return refuse(z, E_DS_PLACE, apex, RR_DS,
		    "the DS of a zone stands in its parent zone (RFC 4034 5)");
	return NS_OK;
}

static enum ns_err
check_cut(const struct zonecheck *z, const uint8_t *owner, const uint8_t *zwire, size_t len)
{
	static const uint16_t at_cut[] = { RR_NS, RR_DS, RR_NSEC, RR_RRSIG, RR_A, RR_AAAA, 0 };
	uint16_t other = first_other(zwire, len, at_cut);

	if (other == 0)
		return NS_OK;
	return refuse(z, E_AT_CUT, owner, other,
	    "the name is delegated (NS): only NS, DS and glue addresses stand here (RFC 1034 "
	    "4.2.1)");
}

static enum ns_err
check_below_apex(const struct zonecheck *z, const uint8_t *owner, const uint8_t *zwire, size_t len,
    unsigned seen)
{
	if (seen & SEEN_CNAME)
		return check_cname(z, owner, zwire, len);
	if (seen & SEEN_NS)
		return check_cut(z, owner, zwire, len);
	if (seen & SEEN_DS)
		return refuse(z, E_DS_PLACE, owner, RR_DS,
		    "a DS stands at a delegation only, and there is no NS here (RFC 4034 5)");
	return NS_OK;
}

static enum ns_err
check_governed(const struct zonecheck *z, const struct governor *gov, const uint8_t *owner,
    const uint8_t *zwire, size_t len)
{
	static const uint16_t below_cut[] = { RR_A, RR_AAAA, RR_NSEC, RR_RRSIG, 0 };
	static const uint16_t below_dname[] = { RR_NSEC3, RR_RRSIG, 0 }; /* hashes, not names */
	bool cut = gov->type == RR_NS;
	uint16_t other = first_other(zwire, len, cut ? below_cut : below_dname);
	char name[SHOWN_NAME + 1];

	if (other == 0)
		return NS_OK;
	name_show(gov->name, name, sizeof name);
	if (cut)
		return refuse(z, E_BELOW_CUT, owner, other,
		    "it lies below the delegation of %s: only glue addresses stand there (RFC 1034 "
		    "4.2.1)",
		    name);
	return refuse(z, E_BELOW_DNAME, owner, other,
	    "it lies below the DNAME at %s: nothing stands there (RFC 6672 2.4)", name);
}

/* May become the governor of what is below it, unless something above governs already. */
static void
govern(struct governor *gov, const uint8_t *owner, bool at_apex, unsigned seen)
{
	if (gov->type != 0)
		return;
	if (!at_apex && (seen & SEEN_NS))
		gov->type = RR_NS;
	else if (seen & SEEN_DNAME)
		gov->type = RR_DNAME;
	if (gov->type != 0)
		memcpy(gov->name, owner, name_len(owner));
}

/* All rules for one owner. */
static enum ns_err
check_owner(struct zonecheck *z, struct governor *gov, const uint8_t *owner, const uint8_t *zwire,
    size_t len)
{
	bool at_apex = name_equal(owner, z->view->apex);
	unsigned seen;
	enum ns_err err;

	if (!name_in(owner, z->view->apex))
		return refuse(z, E_OUTSIDE, owner, 0, "the owner lies outside the zone");
	if (gov->type != 0 && !name_is_below(owner, gov->name))
		gov->type = 0;
	err = check_sets(z, owner, zwire, len, &seen);
	if (err == NS_OK && gov->type != 0)
		err = check_governed(z, gov, owner, zwire, len);
	if (err == NS_OK && at_apex)
		err = check_apex(z, seen);
	if (err == NS_OK && !at_apex)
		err = check_below_apex(z, owner, zwire, len, seen);
	if (err == NS_OK)
		govern(gov, owner, at_apex, seen);
	return err;
}

static struct zonecheck
begin(const struct zone_view *view, zonecheck_warn_fn *warn, void *warn_arg, struct ns_why *why)
{
	return (struct zonecheck){
		.view = view,
		.warn = warn,
		.warn_arg = warn_arg,
		.why = why,
		.copy = wbuf_grow(COPY_MAX),
	};
}

/* The next owner's RRsets, its name copied to `owner`; false at the end. */
static bool
next_owner(const struct zonecheck *z, uint8_t owner[NAME_MAX_WIRE], const uint8_t **zwire,
    size_t *len, enum ns_err *err)
{
	struct zwire_iter it;
	struct rrset set;

	if (!z->view->after(z->view->arg, owner, zwire, len))
		return false;
	it = zwire_iter(*zwire, *len);
	if (!zwire_next(&it, &set)) {
		*err = ns_fail(
		    z->why, NS_CORRUPT, E_ZWIRE, "zone data of one owner breaks its own form");
		return false;
	}
	memcpy(owner, set.owner, set.owner_len);
	return true;
}

/* From `owner` on, as long as names are at or below `top`. */
static enum ns_err
walk(struct zonecheck *z, struct governor *gov, const uint8_t *top, const uint8_t *after)
{
	uint8_t owner[NAME_MAX_WIRE];
	const uint8_t *zwire;
	size_t len;
	enum ns_err err = NS_OK;

	memcpy(owner, after, name_len(after));
	while (err == NS_OK && next_owner(z, owner, &zwire, &len, &err)) {
		if (!name_in(owner, top))
			break;
		err = check_owner(z, gov, owner, zwire, len);
		if (err == NS_OK)
			zonecheck_warnings(z, zwire, len);
	}
	return err;
}

static enum ns_err
no_apex(const struct zonecheck *z)
{
	return refuse(z, E_APEX_SOA, z->view->apex, RR_SOA, "the zone has no SOA (RFC 1035 5.2)");
}

/* Whatever stands before the apex in canonical order; the walk meets what stands after the zone. */
static enum ns_err
check_outside(const struct zonecheck *z)
{
	static const uint8_t root[1] = { 0 };
	uint8_t owner[NAME_MAX_WIRE];
	const uint8_t *zwire;
	size_t len;
	enum ns_err err = NS_OK;

	memcpy(owner, root, sizeof root);
	if (*z->view->apex == 0)
		return NS_OK;
	if (!z->view->at(z->view->arg, root, &zwire, &len) &&
	    !next_owner(z, owner, &zwire, &len, &err))
		return err;
	if (name_equal(owner, z->view->apex))
		return NS_OK;
	if (name_in(owner, z->view->apex))
		return no_apex(z);
	return refuse(z, E_OUTSIDE, owner, 0, "the owner lies outside the zone");
}

enum ns_err
zonecheck_all(
    const struct zone_view *view, zonecheck_warn_fn *warn, void *warn_arg, struct ns_why *why)
{
	static const uint8_t root[1] = { 0 };
	struct zonecheck z = begin(view, warn, warn_arg, why);
	struct governor gov = { .type = 0 };
	const uint8_t *zwire;
	size_t len;
	enum ns_err err = check_outside(&z);

	if (err == NS_OK && !view->at(view->arg, view->apex, &zwire, &len))
		err = no_apex(&z);
	if (err == NS_OK)
		err = check_owner(&z, &gov, view->apex, zwire, len);
	if (err == NS_OK) {
		zonecheck_warnings(&z, zwire, len);
		err = walk(&z, &gov, root, view->apex);
	}
	wbuf_free(&z.copy);
	return err;
}

/* The topmost cut or DNAME above owner, which lies in the zone. */
static void
find_governor(const struct zonecheck *z, const uint8_t *owner, struct governor *gov)
{
	unsigned apex_labels = name_labels(z->view->apex);
	unsigned depth = name_labels(owner) - apex_labels;
	const uint8_t *zwire;
	size_t len;
	struct rrset set;

	for (unsigned up = depth; up > 0 && gov->type == 0; up--) {
		const uint8_t *above = name_skip(owner, up);

		if (!z->view->at(z->view->arg, above, &zwire, &len))
			continue;
		if (up < depth && zonecheck_find(zwire, len, RR_NS, &set))
			gov->type = RR_NS;
		else if (zonecheck_find(zwire, len, RR_DNAME, &set))
			gov->type = RR_DNAME;
		if (gov->type != 0)
			memcpy(gov->name, above, name_len(above));
	}
}

/* The owner itself, and what is below it when it governs now.  Names below are not warned about:
 * they did not change. */
static enum ns_err
check_touched(struct zonecheck *z, struct governor *gov, const uint8_t *owner)
{
	zonecheck_warn_fn *warn = z->warn;
	const uint8_t *zwire;
	size_t len;
	enum ns_err err;

	if (!z->view->at(z->view->arg, owner, &zwire, &len))
		return NS_OK;
	err = check_owner(z, gov, owner, zwire, len);
	if (err != NS_OK)
		return err;
	zonecheck_warnings(z, zwire, len);
	if (gov->type == 0 || !name_equal(gov->name, owner))
		return NS_OK;
	z->warn = NULL;
	err = walk(z, gov, owner, owner);
	z->warn = warn;
	return err;
}

/* An address that went may leave the delegation above, or the apex, without one. */
static void
warn_above(struct zonecheck *z, const struct governor *gov, const uint8_t *owner)
{
	const uint8_t *above = gov->type == RR_NS ? gov->name : z->view->apex;
	const uint8_t *zwire, *rdata;
	size_t len, rdlen;
	struct rrset set;
	struct rbuf r;

	if (z->warn == NULL || name_equal(above, owner) ||
	    !z->view->at(z->view->arg, above, &zwire, &len) ||
	    !zonecheck_find(zwire, len, RR_NS, &set))
		return;
	r = rbuf_init(set.rdata, set.rdata_len);
	while ((rdata = rrset_next_rdata(&r, &rdlen)) != NULL) {
		if (name_check(rdata, rdlen) != rdlen || !name_equal(rdata, owner))
			continue;
		zonecheck_warnings(z, zwire, len);
		return;
	}
}

enum ns_err
zonecheck_owner(const struct zone_view *view, const uint8_t *owner, zonecheck_warn_fn *warn,
    void *warn_arg, struct ns_why *why)
{
	struct zonecheck z = begin(view, warn, warn_arg, why);
	struct governor gov = { .type = 0 }, none = { .type = 0 };
	const uint8_t *zwire;
	size_t len;
	enum ns_err err = NS_OK;

	if (!name_in(owner, view->apex))
		err = refuse(&z, E_OUTSIDE, owner, 0, "the owner lies outside the zone");
	else if (!view->at(view->arg, view->apex, &zwire, &len))
		err = no_apex(&z);
	else
		err = check_owner(&z, &none, view->apex, zwire, len);
	if (err == NS_OK) {
		find_governor(&z, owner, &gov);
		err = check_touched(&z, &gov, owner);
	}
	if (err == NS_OK) {
		if (gov.type != 0 && !name_is_below(owner, gov.name))
			gov.type = 0;
		warn_above(&z, &gov, owner);
	}
	wbuf_free(&z.copy);
	return err;
}
