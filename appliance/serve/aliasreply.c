/* aliasreply.c - the answer of a name with an ALIAS; in a zone that is signed here, with the signatures that were made when
 * its target's addresses came (aliassig.h).  Runs in the workers: no allocation, no lock.
 *
 * Never unsigned there: while what was found has no signature yet, the nearest that has one is sent, and where the
 * owner's NSEC denies the type, or nothing says that it has it, no address is. */
#include "appliance/serve/address.h"

#include <string.h>

#include "appliance/serve/emissionsig.h"
#include "ipc/base/wbuf.h"

/* What there is for one asker, and what of it is signed. */
struct alias_answer {
	enum address_result result;
	struct address_set found;
	uint32_t ttl; /* that is signed */
	/* of the signatures */
	enum alias_family family;
	bool denied, may_be_none, exact;
	int most;
	struct aliassig best; /* kind END: none */
	struct emission_denial none;
};

/* How many of its addresses are in the set that was found? */
static unsigned
count_common(const struct aliassig *s, const struct image_set *found)
{
	unsigned size = RR_HEAD + (unsigned)aliassig_len(s->family), n = 0;

	for (unsigned at = 0; at + size <= found->body_len; at += size)
		n += aliassig_has(s, found->body + at + RR_HEAD);
	return n;
}

static void
weigh(void *arg, const struct aliassig *s)
{
	struct alias_answer *a = arg;
	unsigned common = 0;
	int worth;

	if (s->kind == ALIASSIG_HEAD)
		a->denied = (s->denied & 1u << a->family) != 0;
	if (s->kind == ALIASSIG_HEAD || s->family != a->family || a->exact)
		return;
	if (s->kind == ALIASSIG_NONE) {
		a->may_be_none = true;
		a->none = s->denial;
		return;
	}
	if (a->result == ADDRESS_FOUND)
		common = count_common(s, &a->found.set);
	a->exact = a->result == ADDRESS_FOUND && common == s->count && common == a->found.set.count;
	worth = 2 * (int)common - (int)(s->count - common);
	/* What is not exact is written anew. */
	if (a->exact ||
	    (s->count <= POLICY_PICK && (a->best.kind == ALIASSIG_END || worth > a->most))) {
		a->best = *s;
		a->most = worth;
	}
}

static void
take_best(struct alias_answer *a, uint16_t type)
{
	unsigned len = (unsigned)aliassig_len(a->family);

	a->found.set = (struct image_set){
		.type = type, .count = (uint16_t)a->best.count, .body = a->found.body
	};
	for (unsigned i = 0; i < a->best.count; i++) {
		uint8_t *p = a->found.body + a->found.set.body_len;

		put_u16(p, 0xc00c);
		put_u16(p + 2, type);
		put_u16(p + 4, CLASS_IN);
		put_u32(p + 6, 0);
		put_u16(p + 10, (uint16_t)len);
		memcpy(p + RR_HEAD, a->best.addresses + (size_t)i * len, len);
		a->found.set.body_len = (uint16_t)(a->found.set.body_len + RR_HEAD + len);
	}
}

/* As what is signed allows. */
static void
sign(struct reply *r, const struct lookup *l, uint16_t type, struct alias_answer *a)
{
	a->family = type == RR_A ? ALIAS_V4 : ALIAS_V6;
	aliassig_each_of_node(&l->node, weigh, a);
	if (a->exact || (a->result == ADDRESS_NONE && (a->denied || a->may_be_none)))
		return;
	r->q->policy_unsigned = true;
	r->w->ede = EDE_LAST_SIGNED;
	if (a->best.kind != ALIASSIG_END) {
		take_best(a, type);
		a->result = ADDRESS_FOUND;
	} else if (a->denied || a->may_be_none) {
		a->result = ADDRESS_NONE;
	} else {
		a->result = ADDRESS_BROKEN;
		r->w->ede = EDE_UNSIGNED;
	}
}

static void
put_found(struct reply *r, const struct lookup *l, struct alias_answer *a, bool signed_here)
{
	struct emission_sigs sigs; /* large: what counts is the count */
	size_t start = r->len;

	if (signed_here) {
		emission_alias_sigs(r, l, a->ttl, &a->best, &sigs);
		a->found.set.sig = sigs.p;
		a->found.set.sig_len = sigs.len;
		a->found.set.sig_word = sigs.count;
	}
	if (!emit_set(r, ANSWER, &a->found.set, 0)) {
		r->tc = true;
		return;
	}
	emit_ttl(r, start, a->found.ttl);
	if (a->found.stale && r->w->ede == EDE_NONE)
		r->w->ede = EDE_ALIAS_STALE;
	if (l->kind == LOOKUP_WILD) {
		r->class = SERVE_CLASS_WILDCARD;
		proof_wild(r);
	}
	proof_flush(r);
}

static void
put_none(struct reply *r, const struct lookup *l, const struct alias_answer *a)
{
	size_t start = r->len;

	if (!a->denied && a->may_be_none)
		r->denial = &a->none;
	negative_nodata(r, l);
	r->denial = NULL;
	emit_cap_ttl(r, start, a->found.ttl);
}

/* Of one type.  False: there is none of it, and another is to be tried. */
static bool
answer(struct reply *r, const struct lookup *l, const struct image_set *alias, uint16_t type,
    bool last)
{
	bool signed_here = wants_dnssec(r) && (r->hop.zone.image->flags & IMAGE_HERE) != 0;
	struct alias_answer a = { .ttl = get_u32(alias->body) };

	a.result = address_of(r, &r->hop, &l->node, type, &a.found);
	if (signed_here && (a.result == ADDRESS_FOUND || a.result == ADDRESS_NONE))
		sign(r, l, type, &a);
	switch (a.result) {
	case ADDRESS_FOUND:
		put_found(r, l, &a, signed_here);
		return true;
	case ADDRESS_NONE:
		if (last)
			put_none(r, l, &a);
		return last;
	case ADDRESS_UNKNOWN:
		r->w->ede = EDE_ALIAS;
		break;
	default:
		break;
	}
	r->rcode = RCODE_SERVFAIL;
	return true;
}

bool
alias_answer(struct reply *r, const struct lookup *l)
{
	uint16_t qtype = r->q->qtype;
	struct image_set alias;

	if ((qtype != RR_A && qtype != RR_AAAA && qtype != RR_ANY) ||
	    !image_policy_find(&l->node, RR_ALIAS, &alias) || alias.body_len < 5)
		return false;
	if (qtype == RR_ANY)
		return answer(r, l, &alias, RR_A, false) || answer(r, l, &alias, RR_AAAA, true);
	return answer(r, l, &alias, qtype, true);
}
