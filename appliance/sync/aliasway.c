/* aliasway.c - where an ALIAS's target that is ours leads to: over CNAMEs of ours, of policies too, to names that are
 * not ours; see aliases.h.  Workers follow the same way for each answer (serve/address.c) and look there for what
 * the probe knows of its end, so the probe must be told of every end there may be.  Reader thread.
 *
 * Names that stand in their zone themselves are followed; what a wildcard or a DNAME makes of one is not. */
#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/dns/policy.h"
#include "appliance/dns/rrtype.h"
#include "appliance/dns/zwire.h"
#include "appliance/sync/aliases.h"

#define WAY_NAMES 16u /* one after the other, as workers follow */
#define WAY_STEPS 256u /* of all branches of one target */

struct way {
	struct store *store;
	alias_way_fn *fn;
	void *arg;
	unsigned steps;
};

static void follow(struct way *, const uint8_t *name, unsigned depth);

static void
follow_rdata(struct way *w, const uint8_t *rdata, size_t len, unsigned depth)
{
	uint8_t name[NAME_MAX_WIRE];

	if (len == 0 || len > sizeof name || name_check(rdata, len) != len)
		return;
	name_lower(name, rdata, len);
	follow(w, name, depth + 1);
}

static void
follow_policy(struct way *w, const uint8_t *rdata, size_t len, unsigned depth)
{
	struct policy_answer a;
	struct policy po;

	if (!policy_open(&po, rdata, len) || po.type != RR_CNAME)
		return;
	for (unsigned i = 0; i < po.nanswers && policy_answer_at(&po, i, &a); i++)
		follow_rdata(w, a.rdata, a.rdlen, depth);
}

static void
follow_sets(struct way *w, const struct wbuf *sets, unsigned depth)
{
	struct zwire_iter it = zwire_iter(sets->base, sets->len);
	const uint8_t *rdata;
	struct rrset s;
	size_t len;

	while (zwire_next(&it, &s)) {
		struct rbuf r = rbuf_init(s.rdata, s.rdata_len);

		while ((s.type == RR_CNAME || s.type == RR_NSPOLICY) &&
		       (rdata = rrset_next_rdata(&r, &len)) != NULL) {
			if (s.type == RR_CNAME)
				follow_rdata(w, rdata, len, depth);
			else
				follow_policy(w, rdata, len, depth);
		}
	}
}

/* The zone of ours that a name is in; false: none. */
static bool
zone_of(struct store *s, const uint8_t *name, struct store_zone *z)
{
	for (;; name = name_parent(name)) {
		if (store_zone_find(s, name, z) == NS_OK)
			return true;
		if (*name == 0)
			return false;
	}
}

static void
follow(struct way *w, const uint8_t *name, unsigned depth)
{
	struct store_zone z;
	struct wbuf sets;

	if (depth > WAY_NAMES || ++w->steps > WAY_STEPS)
		return;
	if (!zone_of(w->store, name, &z)) {
		w->fn(w->arg, name);
		return;
	}
	sets = wbuf_grow(SIZE_MAX / 2);
	if (store_owner_get(w->store, z.id, name, &sets) == NS_OK)
		follow_sets(w, &sets, depth);
	wbuf_free(&sets);
}

bool
alias_is_ours(struct store *s, const uint8_t *name)
{
	struct store_zone z;

	return zone_of(s, name, &z);
}

void
alias_way_out(struct store *s, const uint8_t *target, alias_way_fn *fn, void *arg)
{
	struct way w = { .store = s, .fn = fn, .arg = arg };

	follow(&w, target, 0);
}
