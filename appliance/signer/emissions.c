/* emissions.c - see emissions.h. */
#include "appliance/signer/emissions.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/dns/rrtype.h"
#include "appliance/zonemap/image_format.h"
#include "appliance/zonemap/image_key.h"

#define CLASS_IN 1u

/* ---- which ---- */

void
emissions_each_check(const struct rrset *policies, emissions_check_fn *fn, void *arg)
{
	struct rbuf r = rbuf_init(policies->rdata, policies->rdata_len);
	struct policy_answer a;
	const uint8_t *rdata;
	struct policy po;
	size_t len;

	while ((rdata = rrset_next_rdata(&r, &len)) != NULL) {
		if (!policy_open(&po, rdata, len))
			continue;
		for (unsigned i = 0; i < po.nanswers; i++) {
			if (policy_answer_at(&po, i, &a) && a.check_name != 0)
				fn(arg, a.check);
		}
	}
}

/* ---- signed ---- */

struct table {
	struct signing *s;
	const struct owner *owner;
	const struct policy *po;
	struct emission_table old; /* that the zone had for this policy */
	struct rrpile *pile;
	struct wbuf set; /* of one emission */
	struct wbuf out, denial;
	unsigned entries;
};

/* The records of an emission as a set. */
static bool
make_set(struct table *t, const struct emission_pick *pick, struct rrset *set)
{
	struct zwire_iter it;
	struct policy_answer a;

	rrpile_clear(t->pile);
	for (unsigned i = 0; i < POLICY_PICK; i++) {
		if ((pick->mask & 1ull << i) != 0 && policy_answer_at(t->po, pick->first + i, &a))
			rrpile_add(
			    t->pile, t->owner->name, t->po->type, t->po->ttl, a.rdata, a.rdlen, 0);
	}
	t->set.len = 0;
	if (rrpile_to_zwire(t->pile, &t->set, NULL, NULL) != NS_OK)
		return false;
	it = zwire_iter(t->set.base, t->set.len);
	return zwire_next(&it, set);
}

/* One that is there of the same records and by that key, and may stay. */
static bool
find_old(const struct table *t, const struct emission_pick *pick, uint64_t print,
    const struct zone_key *key, struct emission *e)
{
	uint32_t now = t->s->z->now;

	for (unsigned i = emission_find(&t->old, pick->first, pick->mask); i < t->old.n; i++) {
		struct rrsig sig;

		emission_at(&t->old, i, e);
		if (e->first != pick->first || e->mask != pick->mask)
			return false;
		sig = (struct rrsig){ .window = { e->inception, e->expiration } };
		if (e->print == print && e->tag == key->tag && e->algorithm == key->algorithm &&
		    rrsig_is_valid_at(&sig, now) && !rrsig_is_due(&sig, now))
			return true;
	}
	return false;
}

static void
put_entry(struct table *t, const struct emission *e)
{
	wbuf_u16(&t->out, e->first);
	wbuf_u64(&t->out, e->mask);
	wbuf_u64(&t->out, e->print);
	wbuf_u8(&t->out, e->algorithm);
	wbuf_u16(&t->out, e->tag);
	wbuf_u32(&t->out, e->expiration);
	wbuf_u32(&t->out, e->inception);
	wbuf_put(&t->out, e->sig, EMISSION_SIG);
	t->entries++;
}

static void
sign_emission(struct table *t, const struct emission_pick *pick)
{
	const struct zonesign *z = t->s->z;
	uint8_t octets[RRSIG_PRINT], rdata[RRSIG_MAX];
	struct rrset set;
	uint64_t print;

	if (!make_set(t, pick, &set))
		return;
	rrsigner_print(z->signer, &set, octets);
	memcpy(&print, octets, sizeof print);
	for (unsigned i = 0; i < z->keys->n; i++) {
		const struct zone_key *key = &z->keys->key[i];
		struct emission e;

		if (!zone_key_makes(key))
			continue;
		if (find_old(t, pick, print, key, &e)) {
			t->s->done->kept++;
		} else {
			struct rrsig_window w = rrsig_window(set.owner, set.type, z->now);
			size_t len = signing_make(t->s, &set, key, w, rdata);

			if (len == 0)
				continue;
			e = (struct emission){ .mask = pick->mask,
				.print = print,
				.expiration = w.expiration,
				.inception = w.inception,
				.first = pick->first,
				.tag = key->tag,
				.algorithm = key->algorithm,
				.sig = rdata + len - EMISSION_SIG };
		}
		signing_note(t->s, e.expiration);
		put_entry(t, &e);
	}
}

/* ---- the denial ---- */

static void
put_record(struct wbuf *out, uint16_t type, uint32_t ttl, const uint8_t *rdata, size_t len)
{
	wbuf_u16(out, 0xc00c);
	wbuf_u16(out, type);
	wbuf_u16(out, CLASS_IN);
	wbuf_u32(out, ttl);
	wbuf_u16(out, (uint16_t)len);
	wbuf_put(out, rdata, len);
}

void
emissions_denial(struct signing *s, const struct owner *o, const struct emission_chain *chain,
    uint16_t without, struct wbuf *out)
{
	const struct zonesign *z = s->z;
	struct wbuf body = wbuf_grow(UINT16_MAX);
	uint8_t key[NAME_MAX_KEY], owner[NAME_MAX_WIRE], rdata[RRSIG_MAX];
	struct rrset set = { .count = 1, .ttl = s->chain_ttl };
	size_t keylen;

	wbuf_u16(&body, 0);
	if (chain->next != NULL) {
		set.type = RR_NSEC;
		keylen = image_key_of(o->name, name_labels(z->apex), key);
		memcpy(owner, o->name, name_len(o->name));
		signing_nsec(s, o, chain->next, without, &body);
	} else {
		set.type = RR_NSEC3;
		nsec3_label(chain->hash, key);
		keylen = NSEC3_KEY;
		key[NSEC3_LABEL] = 0;
		signing_nsec3_owner(s, chain->hash, owner);
		signing_nsec3(s, o, chain->next_hash, without, &body);
	}
	put_u16(body.base, (uint16_t)(body.len - 2));
	set.owner = owner;
	set.owner_len = (uint8_t)name_len(owner);
	set.rdata = body.base;
	set.rdata_len = body.len;
	wbuf_u8(out, (uint8_t)keylen);
	wbuf_put(out, key, keylen);
	wbuf_u16(out, (uint16_t)(RR_HEAD + body.len - 2));
	put_record(out, set.type, set.ttl, body.base + 2, body.len - 2);
	for (unsigned i = 0; i < z->keys->n; i++) {
		struct rrsig_window w = rrsig_window(set.owner, set.type, z->now);
		size_t len = zone_key_makes(&z->keys->key[i])
				 ? signing_make(s, &set, &z->keys->key[i], w, rdata)
				 : 0;

		if (len == 0)
			continue;
		put_record(out, RR_RRSIG, set.ttl, rdata, len);
		signing_note(s, w.expiration);
	}
	wbuf_free(&body);
}

/* ---- all ---- */

/* One rdata: the type, entries from `at` on, and what follows them. */
static uint16_t
put_piece(struct table *t, unsigned at, struct wbuf *body)
{
	unsigned n = t->entries - at < EMISSION_PIECE ? t->entries - at : EMISSION_PIECE;
	size_t size = (size_t)n * EMISSION_SIZE, denial = at == 0 ? t->denial.len : 0;

	wbuf_u16(body, (uint16_t)(4 + size + denial));
	wbuf_u16(body, t->po->type);
	wbuf_u16(body, (uint16_t)n);
	wbuf_put(body, t->out.base + (size_t)at * EMISSION_SIZE, size);
	wbuf_put(body, t->denial.base, denial);
	return 1;
}

/* One policy's table as rdata in pieces, each with its length: how many; 0: too many emissions. */
static uint16_t
add_table(struct table *t, const struct emission_chain *chain, struct wbuf *body)
{
	struct emission_pick pick[EMISSIONS_MAX + 1];
	unsigned n = emissions_of(t->po, t->s->z->board, pick);
	uint16_t pieces;

	if (n > EMISSIONS_MAX)
		return 0;
	t->out.len = t->denial.len = 0;
	t->entries = 0;
	for (unsigned i = 0; i < n; i++)
		sign_emission(t, &pick[i]);
	if (emissions_may_be_none(t->po))
		emissions_denial(t->s, t->owner, chain, t->po->type, &t->denial);
	if (t->entries > EMISSIONS_MAX * EMISSION_SIGNERS)
		return 0;
	pieces = put_piece(t, 0, body);
	for (unsigned at = EMISSION_PIECE; at < t->entries; at += EMISSION_PIECE)
		pieces = (uint16_t)(pieces + put_piece(t, at, body));
	return pieces;
}

bool
emissions_add(struct signing *s, const struct owner *o, const struct emission_chain *chain)
{
	const struct sheet_set *policies = sheet_find(&s->sheet, RR_NSPOLICY);
	struct table t = { .s = s,
		.owner = o,
		.set = wbuf_grow(1 << 20),
		.out = wbuf_grow(EMISSIONS_MAX * EMISSION_SIGNERS * EMISSION_SIZE + (1 << 20)),
		.denial = wbuf_grow(1 << 16) };
	struct wbuf body = wbuf_grow(SIZE_MAX / 2);
	struct rrset set, had = { 0 };
	struct rbuf r;
	const uint8_t *rdata;
	struct policy po;
	uint16_t n = 0, pieces;
	bool ok = true;
	size_t len;

	if (policies == NULL)
		return true;
	set = policies->set;
	if (s->z->had_emissions != NULL)
		s->z->had_emissions(s->z->arg, o->name, RR_NSPOLICY, &had);
	t.pile = rrpile_new();
	r = rbuf_init(set.rdata, set.rdata_len);
	while (ok && (rdata = rrset_next_rdata(&r, &len)) != NULL) {
		if (!policy_open(&po, rdata, len))
			continue;
		t.po = &po;
		(void)emission_open_set(&t.old, &had, po.type);
		pieces = add_table(&t, chain, &body);
		ok = pieces > 0;
		n = (uint16_t)(n + pieces);
	}
	if (ok && n > 0)
		sheet_add(&s->sheet, RR_RRSIG, RR_NSPOLICY, 0, n, body.base, body.len);
	rrpile_destroy(&t.pile);
	wbuf_free(&t.set);
	wbuf_free(&t.out);
	wbuf_free(&t.denial);
	wbuf_free(&body);
	return ok;
}
