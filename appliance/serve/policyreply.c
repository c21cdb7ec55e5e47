/* policyreply.c - what a policy chose (policy.c), as records of the reply; in a zone that is signed here, with the
 * signatures that were made beforehand.  Runs in the workers: no allocation, no lock. */
#include <string.h>

#include "appliance/dns/policy.h"
#include "appliance/serve/emissionsig.h"
#include "appliance/serve/work.h"
#include "appliance/zonemap/emission.h"

static bool
put_record(struct reply *r, const struct policy *po, const struct policy_answer *a)
{
	const struct hop *h = &r->hop;
	unsigned place = hop_place(h, 0);
	uint8_t pointer[2] = { (uint8_t)(0xc0u | place >> 8), (uint8_t)place };
	bool whole = h->labels == 0 || place > POINTER_REACH;
	const uint8_t *owner = whole ? h->name : pointer;
	size_t len = whole ? h->off[h->labels] + 1u : 2u;
	uint8_t *p = r->out + r->len;

	if (len + 10 + a->rdlen > r->limit - r->len)
		return false;
	memcpy(p, owner, len);
	p += len;
	put_u16(p, po->type);
	put_u16(p + 2, CLASS_IN);
	put_u32(p + 4, po->ttl);
	put_u16(p + 8, a->rdlen);
	memcpy(p + 10, a->rdata, a->rdlen);
	r->len += len + 10 + a->rdlen;
	r->count[ANSWER]++;
	return true;
}

/* Addresses of the names that the records lead to, which begin at `at`. */
static void
put_additional(struct reply *r, const struct policy *po, const struct picked *picked, size_t at)
{
	struct policy_answer a;

	for (unsigned i = 0; i < picked->n; i++) {
		if (!policy_answer_at(po, picked->answer[i], &a))
			return;
		while (r->out[at] != 0 && r->out[at] < 0xc0)
			at += r->out[at] + 1u;
		at += (r->out[at] == 0 ? 1u : 2u) + 10;
		additional_one(r, po->type, a.rdata, a.rdlen, at);
		at += a.rdlen;
	}
}

static void
put_picked(struct reply *r, const struct policy *po, const struct picked *picked,
    const struct emission_sigs *sigs, bool wild)
{
	const struct image_set set = {
		.type = RR_RRSIG, .count = sigs->count, .body = sigs->p, .body_len = sigs->len
	};
	const struct rrtype *t = rrtype_find(po->type);
	size_t start = r->len;
	uint16_t count = r->count[ANSWER];
	struct policy_answer a;

	for (unsigned i = 0; i < picked->n; i++) {
		if (policy_answer_at(po, picked->answer[i], &a) && put_record(r, po, &a))
			continue;
		goto cut;
	}
	if (sigs->count > 0 && !emit_set(r, ANSWER, &set, 0))
		goto cut;
	if (wild) {
		r->class = SERVE_CLASS_WILDCARD;
		proof_wild(r);
	}
	proof_flush(r);
	if (t != NULL && t->additional >= 0)
		put_additional(r, po, picked, start);
	return;
cut:
	r->len = start;
	r->count[ANSWER] = count;
	r->tc = true;
}

/* The CNAME as a set, so that the chain goes on from it as from any. */
static bool
follow(struct reply *r, struct chain *c, const struct policy *po, const struct picked *picked,
    const struct emission_sigs *sigs, bool wild)
{
	uint8_t body[RR_HEAD + NAME_MAX_WIRE] = { 0xc0, 0x0c };
	struct image_set set = { .type = RR_CNAME,
		.count = 1,
		.body = body,
		.sig = sigs->p,
		.sig_len = sigs->len,
		.sig_word = sigs->count };
	struct policy_answer a;

	if (!policy_answer_at(po, picked->answer[0], &a) || a.rdlen > NAME_MAX_WIRE ||
	    name_check(a.rdata, a.rdlen) != a.rdlen) {
		r->rcode = RCODE_SERVFAIL;
		return false;
	}
	put_u16(body + 2, RR_CNAME);
	put_u16(body + 4, CLASS_IN);
	put_u32(body + 6, po->ttl);
	put_u16(body + 10, a.rdlen);
	memcpy(body + RR_HEAD, a.rdata, a.rdlen);
	set.body_len = (uint16_t)(RR_HEAD + a.rdlen);
	return chain_cname(c, r, &set, wild);
}

/* ---- in a zone that is signed here ---- */

/* An RRset has no record twice (RFC 2181 5); a pool may say one twice. */
static void
drop_twins(const struct policy *po, struct picked *picked)
{
	struct policy_answer a, b;
	unsigned n = 0, k;

	for (unsigned i = 0; i < picked->n; i++) {
		if (!policy_answer_at(po, picked->answer[i], &a))
			continue;
		for (k = 0; k < n; k++) {
			if (policy_answer_at(po, picked->answer[k], &b) && a.rdlen == b.rdlen &&
			    memcmp(a.rdata, b.rdata, a.rdlen) == 0)
				break;
		}
		if (k == n)
			picked->answer[n++] = picked->answer[i];
	}
	picked->n = n;
}

/* The picked answers as one that has signatures: itself, or the nearest.  False: there is none. */
static bool
sign_picked(struct reply *r, const struct lookup *l, const struct policy *po,
    const struct emission_table *table, struct picked *picked, struct emission_sigs *sigs)
{
	uint64_t mask = 0;
	struct emission e;
	unsigned at;

	for (unsigned i = 0; i < picked->n; i++)
		mask |= 1ull << (picked->answer[i] - picked->first) % 64;
	at = emission_find(table, picked->first, mask);
	if (at == table->n) {
		r->q->policy_unsigned = true;
		r->w->ede = EDE_LAST_SIGNED;
		at = emission_nearest(table, picked->first, mask);
		if (at == table->n)
			return false;
		emission_at(table, at, &e);
		picked->n = 0;
		for (unsigned i = 0; i < 64; i++) {
			if ((e.mask & 1ull << i) != 0)
				picked->answer[picked->n++] = (uint16_t)(e.first + i);
		}
	}
	drop_twins(po, picked);
	emission_sigs(r, l, po, table, at, sigs);
	return sigs->count > 0;
}

/* No answer: with the denial that leaves the policy's type out. */
static void
put_none(struct reply *r, const struct lookup *l, const struct emission_table *table)
{
	struct emission_denial d;

	if (emission_denial(table, &d))
		r->denial = &d;
	negative_nodata(r, l);
	r->denial = NULL;
}

static bool
find(const struct image_node *node, uint16_t qtype, struct image_set *set)
{
	if (qtype == RR_ALIAS)
		return false;
	if (qtype == RR_ANY)
		return image_policy_find(node, 0, set);
	if (image_policy_find(node, qtype, set))
		return true;
	return qtype != RR_NSEC && qtype != RR_RRSIG && image_policy_find(node, RR_CNAME, set);
}

bool
policy_answer(struct reply *r, struct chain *c, const struct lookup *l, bool *moved)
{
	bool wild = l->kind == LOOKUP_WILD;
	struct image_set set;
	struct policy po;
	struct picked picked;
	struct emission_table table; /* large: what counts are the counts */
	struct emission_sigs sigs; /* large: what counts is the count */
	size_t start = r->len;
	bool sign = wants_dnssec(r) && (r->hop.zone.image->flags & IMAGE_HERE) != 0;

	*moved = false;
	sigs.len = sigs.count = 0;
	if (!find(&l->node, r->q->qtype, &set))
		return false;
	if (!policy_pick(r, &set, &po, &picked)) {
		r->rcode = RCODE_SERVFAIL;
		return true;
	}
	table.n = 0;
	table.denial_len = 0;
	if (sign)
		(void)emission_open_node(&table, &l->node, set.type);
	if (sign && picked.n > 0 && !sign_picked(r, l, &po, &table, &picked, &sigs)) {
		r->rcode = RCODE_SERVFAIL;
		r->w->ede = EDE_UNSIGNED;
	} else if (picked.n == 0) {
		put_none(r, l, &table);
		emit_cap_ttl(r, start, po.ttl);
	} else if (po.type == RR_CNAME && r->q->qtype != RR_CNAME && r->q->qtype != RR_ANY)
		*moved = follow(r, c, &po, &picked, &sigs, wild);
	else
		put_picked(r, &po, &picked, &sigs, wild);
	return true;
}
