/* signtables.c - see signtables.h.  The signer's only thread. */
#include "appliance/signer/signtables.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/dns/policy.h"
#include "appliance/dns/rrtype.h"
#include "appliance/signer/rrsig.h"
#include "appliance/zonemap/aliassig.h"
#include "appliance/zonemap/image_format.h"
#include "appliance/zonemap/image_key.h"
#include "ipc/base/xalloc.h"

struct signtables {
	struct rrpile *pile;
	struct wbuf set, sigs; /* rdata of what is told, each with its length */
	uint16_t nsigs;
};

/* Of one name. */
struct reading {
	struct signtables *t;
	const struct signtables_reader *to;
	const struct rrset *alias;
	uint32_t ttl; /* that the sets of an ALIAS are signed with */
	bool head;
};

struct signtables *
signtables_new(void)
{
	struct signtables *t = xcalloc(1, sizeof *t);

	t->pile = rrpile_new();
	t->set = wbuf_grow(1 << 20);
	t->sigs = wbuf_grow(1 << 20);
	return t;
}

void
signtables_destroy(struct signtables **tp)
{
	struct signtables *t = *tp;

	*tp = NULL;
	if (t == NULL)
		return;
	rrpile_destroy(&t->pile);
	wbuf_free(&t->set);
	wbuf_free(&t->sigs);
	free(t);
}

static void
wrong(const struct reading *r, const uint8_t *owner, uint16_t type, const char *text)
{
	const struct rrset set = { .owner = owner, .type = type };

	r->to->wrong(r->to->arg, &set, text);
}

/* ---- signatures ---- */

/* The one of a table as the rdata that it stands for (RFC 4034 3.1). */
static void
add_signature(const struct reading *r, const struct rrset *set, const struct emission *e)
{
	struct wbuf *out = &r->t->sigs;
	size_t apex = name_len(r->to->apex);

	wbuf_u16(out, (uint16_t)(RRSIG_HEAD + apex + EMISSION_SIG));
	wbuf_u16(out, set->type);
	wbuf_u8(out, e->algorithm);
	wbuf_u8(out, rrsig_labels(set->owner));
	wbuf_u32(out, set->ttl);
	wbuf_u32(out, e->expiration);
	wbuf_u32(out, e->inception);
	wbuf_u16(out, e->tag);
	wbuf_put(out, r->to->apex, apex);
	wbuf_put(out, e->sig, EMISSION_SIG);
	r->t->nsigs++;
}

static void
tell(const struct reading *r, const struct rrset *set)
{
	const struct rrset sigs = { .owner = set->owner,
		.owner_len = set->owner_len,
		.type = RR_RRSIG,
		.covers = set->type,
		.ttl = set->ttl,
		.count = r->t->nsigs,
		.rdata = r->t->sigs.base,
		.rdata_len = r->t->sigs.len };

	r->to->set(r->to->arg, set, r->t->nsigs > 0 ? &sigs : NULL);
}

static void
no_signatures(struct signtables *t)
{
	t->sigs.len = 0;
	t->nsigs = 0;
}

/* ---- denials ---- */

/* One rendered record behind *p (image_format.h), which moves; its rdata goes to `out` with its length. */
static bool
read_record(const uint8_t **p, const uint8_t *end, struct rrset *head, struct wbuf *out)
{
	size_t len;

	if (end - *p < (ptrdiff_t)RR_HEAD)
		return false;
	head->type = get_u16(*p + 2);
	head->ttl = get_u32(*p + 6);
	len = get_u16(*p + 10);
	if (len > (size_t)(end - *p) - RR_HEAD)
		return false;
	wbuf_u16(out, (uint16_t)len);
	wbuf_put(out, *p + RR_HEAD, len);
	*p += RR_HEAD + len;
	return true;
}

static bool
read_denial(const struct reading *r, const struct emission_denial *d, uint8_t owner[NAME_MAX_WIRE])
{
	const uint8_t *p = d->body, *end = p + d->body_len;
	struct signtables *t = r->t;
	struct rrset set = { .owner = owner, .count = 1 }, sig;

	t->set.len = 0;
	no_signatures(t);
	set.owner_len =
	    (uint8_t)image_key_name(d->key, d->key_len, r->to->apex, name_len(r->to->apex), owner);
	if (set.owner_len == 0 || !read_record(&p, end, &set, &t->set) || p != end ||
	    (set.type != RR_NSEC && set.type != RR_NSEC3))
		return false;
	for (p = d->sig, end = p + d->sig_len; p < end; t->nsigs++) {
		if (!read_record(&p, end, &sig, &t->sigs) || sig.type != RR_RRSIG)
			return false;
	}
	set.rdata = t->set.base;
	set.rdata_len = t->set.len;
	tell(r, &set);
	return true;
}

static void
check_denial(
    const struct reading *r, const uint8_t *of, uint16_t type, const struct emission_denial *d)
{
	uint8_t owner[NAME_MAX_WIRE];

	if (!read_denial(r, d, owner))
		wrong(r, of, type, "the denial of its answer breaks its form");
}

/* ---- policies ---- */

static bool
emission_set(const struct reading *r, const uint8_t *owner, const struct policy *po,
    const struct emission *e, struct rrset *set)
{
	struct signtables *t = r->t;
	struct policy_answer answer;
	struct zwire_iter it;

	rrpile_clear(t->pile);
	for (unsigned i = 0; i < POLICY_PICK; i++) {
		if ((e->mask >> i & 1) != 0 && policy_answer_at(po, e->first + i, &answer))
			rrpile_add(
			    t->pile, owner, po->type, po->ttl, answer.rdata, answer.rdlen, 0);
	}
	t->set.len = 0;
	if (rrpile_to_zwire(t->pile, &t->set, NULL, NULL) != NS_OK)
		return false;
	it = zwire_iter(t->set.base, t->set.len);
	return zwire_next(&it, set);
}

/* Entry number i and those after it that are of the same answer; the number of the next. */
static unsigned
read_emission(const struct reading *r, const uint8_t *owner, const struct policy *po,
    const struct emission_table *table, unsigned i)
{
	struct emission first, e;
	struct rrset set;
	bool good;

	emission_at(table, i, &first);
	good = emission_set(r, owner, po, &first, &set);
	if (!good)
		wrong(r, owner, po->type, "a policy's signature is of no answer of its");
	no_signatures(r->t);
	for (e = first; e.first == first.first && e.mask == first.mask;) {
		if (good)
			add_signature(r, &set, &e);
		if (++i == table->n)
			break;
		emission_at(table, i, &e);
	}
	if (good)
		tell(r, &set);
	return i;
}

static void
read_table(const struct reading *r, const uint8_t *owner, const struct policy *po,
    const struct emission_table *table)
{
	struct emission_denial d;

	if (table->n == 0 && table->denial_len == 0)
		wrong(r, owner, po->type, "nothing that the policy may answer is signed");
	for (unsigned i = 0; i < table->n;)
		i = read_emission(r, owner, po, table, i);
	if (table->denial_len == 0)
		return;
	if (emission_denial(table, &d))
		check_denial(r, owner, po->type, &d);
	else
		wrong(r, owner, po->type, "the denial of its answer breaks its form");
}

void
signtables_policies(struct signtables *t, const struct signtables_reader *to,
    const struct rrset *policies, const struct rrset *tables)
{
	const struct reading r = { .t = t, .to = to };
	struct rbuf in = rbuf_init(policies->rdata, policies->rdata_len);
	struct emission_table table;
	const uint8_t *rdata;
	struct policy po;
	size_t len;

	while ((rdata = rrset_next_rdata(&in, &len)) != NULL) {
		if (!policy_open(&po, rdata, len))
			continue;
		if (tables != NULL && emission_open_set(&table, tables, po.type))
			read_table(&r, policies->owner, &po, &table);
		else
			wrong(&r, policies->owner, po.type, "a policy has no signatures");
	}
}

/* ---- ALIASes ---- */

static void
read_addresses(const struct reading *r, const struct aliassig *item)
{
	struct rrset set = *r->alias;
	size_t len = aliassig_len(item->family);
	struct emission e;

	r->t->set.len = 0;
	for (unsigned i = 0; i < item->count; i++) {
		wbuf_u16(&r->t->set, (uint16_t)len);
		wbuf_put(&r->t->set, item->addresses + i * len, len);
	}
	set.type = item->family == ALIAS_V4 ? RR_A : RR_AAAA;
	set.ttl = r->ttl;
	set.count = (uint16_t)item->count;
	set.rdata = r->t->set.base;
	set.rdata_len = r->t->set.len;
	no_signatures(r->t);
	for (unsigned i = 0; i < item->nsigs; i++) {
		aliassig_at(item, i, &e);
		add_signature(r, &set, &e);
	}
	tell(r, &set);
}

static void
read_item(void *arg, const struct aliassig *item)
{
	struct reading *r = arg;

	if (item->kind == ALIASSIG_HEAD) {
		r->ttl = item->ttl;
		r->head = true;
	} else if (item->kind == ALIASSIG_NONE) {
		check_denial(
		    r, r->alias->owner, item->family == ALIAS_V4 ? RR_A : RR_AAAA, &item->denial);
	} else if (item->kind == ALIASSIG_SET) {
		read_addresses(r, item);
	}
}

void
signtables_alias(struct signtables *t, const struct signtables_reader *to,
    const struct rrset *alias, const struct rrset *tables)
{
	struct reading r = { .t = t, .to = to, .alias = alias, .ttl = alias->ttl };

	if (tables != NULL)
		aliassig_each_of_set(tables, read_item, &r);
	if (!r.head)
		wrong(&r, alias->owner, RR_ALIAS, "it has no signatures");
}
