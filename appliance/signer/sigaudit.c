/* sigaudit.c - see sigaudit.h.  The signer's only thread. */
#include "appliance/signer/sigaudit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/dns/ds.h"
#include "appliance/dns/name.h"
#include "appliance/dns/policy.h"
#include "appliance/dns/rrtype.h"
#include "appliance/signer/rrsig.h"
#include "appliance/zonemap/aliassig.h"
#include "appliance/zonemap/image_read.h"
#include "ipc/base/clock.h"
#include "ipc/base/xalloc.h"

#define KEYS_MAX    32u /* of a DNSKEY set; more are not looked at */
#define DNSKEY_HEAD 4u

struct sigaudit {
	struct map_view view;
	struct image_ref ref;
	struct image_walk walk;
	struct rrsigner *signer;
	struct rrpile *pile;
	struct wbuf owner, set,
	    rdata; /* zwire of the node at hand; of an emission; of its signature */
	uint32_t now;
	bool here;
	unsigned nkeys;
	struct zone_key key[KEYS_MAX];
	uint8_t top[NAME_MAX_KEY]; /* hides what is below it */
	size_t top_len; /* 0: nothing is hidden */
	struct sigaudit_found found;
};

struct sigaudit *
sigaudit_new(void)
{
	struct sigaudit *a = xcalloc(1, sizeof *a);

	a->signer = rrsigner_new();
	a->pile = rrpile_new();
	a->owner = wbuf_grow(SIZE_MAX / 2);
	a->set = wbuf_grow(1 << 20);
	a->rdata = wbuf_grow(RRSIG_MAX);
	return a;
}

static void
drop_keys(struct sigaudit *a)
{
	while (a->nkeys > 0)
		EVP_PKEY_free(a->key[--a->nkeys].pkey);
}

void
sigaudit_destroy(struct sigaudit **ap)
{
	struct sigaudit *a = *ap;

	*ap = NULL;
	if (a == NULL)
		return;
	drop_keys(a);
	rrsigner_destroy(&a->signer);
	rrpile_destroy(&a->pile);
	wbuf_free(&a->owner);
	wbuf_free(&a->set);
	wbuf_free(&a->rdata);
	free(a);
}

const struct sigaudit_found *
sigaudit_found(const struct sigaudit *a)
{
	return &a->found;
}

static void
wrong(struct sigaudit *a, const uint8_t *owner, uint16_t type, const char *text)
{
	char name[NAME_MAX_TEXT], type_text[RRTYPE_MAX_TEXT];

	if (a->found.wrong++ == 0)
		snprintf(a->found.first, sizeof a->found.first, "%.400s %s: %s",
		    name_to_text(owner, name), rrtype_to_text(type, type_text), text);
}

/* ---- keys ---- */

static void
add_key(struct sigaudit *a, const uint8_t *rdata, size_t len)
{
	struct zone_key *key = &a->key[a->nkeys];

	if (a->nkeys == KEYS_MAX || len <= DNSKEY_HEAD)
		return;
	*key = (struct zone_key){ .flags = get_u16(rdata),
		.algorithm = rdata[3],
		.tag = ds_key_tag(rdata, len),
		.pkey = zone_key_public(rdata, len) };
	a->nkeys++;
}

static bool
read_keys(struct sigaudit *a)
{
	struct image_node apex;
	struct zwire_iter it;
	struct rrset set;

	drop_keys(a);
	a->owner.len = 0;
	if (!image_apex(&a->ref, &apex) || !image_node_zwire(&a->ref, &apex, false, &a->owner))
		return false;
	it = zwire_iter(a->owner.base, a->owner.len);
	while (zwire_next(&it, &set)) {
		struct rbuf r = rbuf_init(set.rdata, set.rdata_len);
		const uint8_t *rdata;
		size_t len;

		while (set.type == RR_DNSKEY && (rdata = rrset_next_rdata(&r, &len)) != NULL)
			add_key(a, rdata, len);
	}
	return a->nkeys > 0;
}

bool
sigaudit_begin(struct sigaudit *a, const struct map_view *view, map_off image, uint32_t now)
{
	a->view = *view;
	a->now = now;
	a->top_len = 0;
	a->found = (struct sigaudit_found){ 0 };
	if (!image_open(&a->view, image, &a->ref) || (a->ref.image->flags & IMAGE_SIGNED) == 0 ||
	    !read_keys(a))
		return false;
	a->here = (a->ref.image->flags & IMAGE_HERE) != 0;
	image_walk_begin(&a->walk, &a->ref);
	return true;
}

/* ---- one signature ---- */

static const struct zone_key *
key_of(const struct sigaudit *a, const struct rrsig *sig)
{
	for (unsigned i = 0; i < a->nkeys; i++) {
		if (a->key[i].tag == sig->tag && a->key[i].algorithm == sig->algorithm)
			return &a->key[i];
	}
	return NULL;
}

static void
check_one(struct sigaudit *a, const struct rrset *set, const uint8_t *rdata, size_t len)
{
	struct rrset signed_set = *set;
	const struct zone_key *key;
	struct rrsig sig;

	if (!rrsig_read(rdata, len, &sig) || !name_equal(sig.signer, a->ref.apex)) {
		wrong(a, set->owner, set->type, "its signature is not the zone's");
		return;
	}
	if ((key = key_of(a, &sig)) == NULL) {
		wrong(a, set->owner, set->type, "its signature is of a key that is not in DNSKEY");
		return;
	}
	if (!rrsig_is_valid_at(&sig, a->now))
		wrong(a, set->owner, set->type,
		    rrsig_left(&sig, a->now) < 0 ? "its signature has expired"
						 : "its signature is not valid yet");
	if (key->pkey == NULL) {
		a->found.skipped++;
		return;
	}
	/* Who signs elsewhere may serve a lower TTL than was signed (RFC 4035 5.3.3). */
	if (!a->here && sig.ttl > set->ttl)
		signed_set.ttl = sig.ttl;
	a->found.verified++;
	if (!rrsigner_verify(a->signer, &signed_set, key, rdata, len))
		wrong(a, set->owner, set->type, "its signature does not verify");
}

static void
check_all(struct sigaudit *a, const struct rrset *set, const struct rrset *sigs)
{
	struct rbuf r = rbuf_init(sigs->rdata, sigs->rdata_len);
	const uint8_t *rdata;
	size_t len;

	while ((rdata = rrset_next_rdata(&r, &len)) != NULL)
		check_one(a, set, rdata, len);
}

/* ---- what policies may answer ---- */

static bool
emission_set(struct sigaudit *a, const uint8_t *owner, const struct policy *po,
    const struct emission *e, struct rrset *set)
{
	struct policy_answer answer;
	struct zwire_iter it;

	rrpile_clear(a->pile);
	for (unsigned i = 0; i < POLICY_PICK; i++) {
		if ((e->mask >> i & 1) != 0 && policy_answer_at(po, e->first + i, &answer))
			rrpile_add(
			    a->pile, owner, po->type, po->ttl, answer.rdata, answer.rdlen, 0);
	}
	a->set.len = 0;
	if (rrpile_to_zwire(a->pile, &a->set, NULL, NULL) != NS_OK)
		return false;
	it = zwire_iter(a->set.base, a->set.len);
	return zwire_next(&it, set);
}

/* The signature's rdata, whole. */
static void
put_signature(
    struct sigaudit *a, const uint8_t *owner, uint16_t type, uint32_t ttl, const struct emission *e)
{
	a->rdata.len = 0;
	wbuf_u16(&a->rdata, type);
	wbuf_u8(&a->rdata, e->algorithm);
	wbuf_u8(&a->rdata, rrsig_labels(owner));
	wbuf_u32(&a->rdata, ttl);
	wbuf_u32(&a->rdata, e->expiration);
	wbuf_u32(&a->rdata, e->inception);
	wbuf_u16(&a->rdata, e->tag);
	wbuf_put(&a->rdata, a->ref.apex, name_len(a->ref.apex));
	wbuf_put(&a->rdata, e->sig, EMISSION_SIG);
}

static void
check_emission(
    struct sigaudit *a, const uint8_t *owner, const struct policy *po, const struct emission *e)
{
	struct rrset set;

	if (!emission_set(a, owner, po, e, &set)) {
		wrong(a, owner, po->type, "a policy's signature is of no answer of its");
		return;
	}
	put_signature(a, owner, po->type, po->ttl, e);
	check_one(a, &set, a->rdata.base, a->rdata.len);
}

static void
check_table(struct sigaudit *a, const uint8_t *owner, const struct policy *po,
    const struct emission_table *t)
{
	struct emission e;

	if (t->n == 0 && t->denial_len == 0)
		wrong(a, owner, po->type, "nothing that the policy may answer is signed");
	for (unsigned i = 0; i < t->n; i++) {
		emission_at(t, i, &e);
		check_emission(a, owner, po, &e);
	}
}

/* `tables`: the RRSIG set over NSPOLICY. */
static void
check_policies(struct sigaudit *a, const struct rrset *policies, const struct rrset *tables)
{
	struct rbuf r = rbuf_init(policies->rdata, policies->rdata_len);
	const uint8_t *rdata;
	struct emission_table t;
	struct policy po;
	size_t len;

	while ((rdata = rrset_next_rdata(&r, &len)) != NULL) {
		if (!policy_open(&po, rdata, len))
			continue;
		if (emission_open_set(&t, tables, po.type))
			check_table(a, policies->owner, &po, &t);
		else
			wrong(a, policies->owner, po.type, "a policy has no signatures");
	}
}

/* ---- what an ALIAS may answer ---- */

struct alias_audit {
	struct sigaudit *a;
	const struct rrset *alias;
};

static void
check_alias_set(void *arg, const struct aliassig *item)
{
	struct alias_audit *at = arg;
	struct sigaudit *a = at->a;
	uint16_t type = item->family == ALIAS_V4 ? RR_A : RR_AAAA;
	size_t len = aliassig_len(item->family);
	struct rrset set = *at->alias;
	struct emission e;

	if (item->kind != ALIASSIG_SET)
		return;
	a->set.len = 0;
	for (unsigned i = 0; i < item->count; i++) {
		wbuf_u16(&a->set, (uint16_t)len);
		wbuf_put(&a->set, item->addresses + i * len, len);
	}
	set.type = type;
	set.count = (uint16_t)item->count;
	set.rdata = a->set.base;
	set.rdata_len = a->set.len;
	for (unsigned i = 0; i < item->nsigs; i++) {
		aliassig_at(item, i, &e);
		put_signature(a, set.owner, type, set.ttl, &e);
		check_one(a, &set, a->rdata.base, a->rdata.len);
	}
}

static void
check_alias(struct sigaudit *a, const struct rrset *alias, const struct rrset *table)
{
	struct alias_audit at = { a, alias };

	aliassig_each_of_set(table, check_alias_set, &at);
}

/* ---- a name ---- */

static bool
find_set(const struct sigaudit *a, uint16_t type, uint16_t covers, struct rrset *out)
{
	struct zwire_iter it = zwire_iter(a->owner.base, a->owner.len);

	while (zwire_next(&it, out)) {
		if (out->type == type && out->covers == covers)
			return true;
	}
	return false;
}

/* An ancestor's key is a prefix. */
static bool
is_hidden(struct sigaudit *a, const struct image_node *node)
{
	if (a->top_len > 0 && node->keylen > a->top_len &&
	    memcmp(node->key, a->top, a->top_len) == 0)
		return true;
	a->top_len = 0;
	if ((node->flags & (NODE_CUT | NODE_DNAME)) != 0 && node->keylen > 0) {
		memcpy(a->top, node->key, node->keylen);
		a->top_len = node->keylen;
	}
	return false;
}

static void
check_set(struct sigaudit *a, const struct rrset *set, bool cut)
{
	struct rrset sigs;

	if (set->type == RR_RRSIG)
		return;
	if (set->type == RR_ALIAS) {
		if (a->here && !cut && find_set(a, RR_RRSIG, RR_ALIAS, &sigs))
			check_alias(a, set, &sigs);
		return;
	}
	if (find_set(a, RR_RRSIG, set->type, &sigs)) {
		if (set->type == RR_NSPOLICY)
			check_policies(a, set, &sigs);
		else
			check_all(a, set, &sigs);
		return;
	}
	if (!cut || set->type == RR_DS || set->type == RR_NSEC)
		wrong(a, set->owner, set->type, "it has no signature");
}

static void
check_node(struct sigaudit *a, const struct image_node *node)
{
	bool hidden = is_hidden(a, node);
	struct zwire_iter it;
	struct rrset set;

	a->owner.len = 0;
	if (hidden || !image_node_zwire(&a->ref, node, false, &a->owner))
		return;
	it = zwire_iter(a->owner.base, a->owner.len);
	while (zwire_next(&it, &set))
		check_set(a, &set, (node->flags & NODE_CUT) != 0);
}

bool
sigaudit_step(struct sigaudit *a, uint64_t deadline_ns)
{
	struct image_node node;

	while (image_walk_next(&a->walk, &node)) {
		check_node(a, &node);
		if (clock_mono_ns() >= deadline_ns)
			return true;
	}
	return false;
}
