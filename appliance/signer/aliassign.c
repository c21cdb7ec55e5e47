/* aliassign.c - see aliassign.h. */
#include "appliance/signer/aliassign.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/dns/rrtype.h"
#include "appliance/zonemap/aliassig.h"
#include "ipc/base/xalloc.h"

static const uint16_t types[ALIAS_FAMILIES] = { RR_A, RR_AAAA };

static void
had(const struct signing *s, const uint8_t *owner, struct rrset *out)
{
	if (s->z->had_emissions != NULL)
		s->z->had_emissions(s->z->arg, owner, RR_ALIAS, out);
}

/* ---- before it is signed ---- */

static void
note_denied(void *arg, const struct aliassig *item)
{
	if (item->kind == ALIASSIG_HEAD)
		*(uint8_t *)arg = item->denied;
}

void
owner_alias(struct signing *s, struct owner *o, const struct rrset *alias)
{
	struct rbuf r = rbuf_init(alias->rdata, alias->rdata_len);
	uint8_t target[NAME_MAX_WIRE];
	struct rrset old = { 0 };
	const uint8_t *rdata;
	size_t len;

	o->alias = true;
	rdata = rrset_next_rdata(&r, &len);
	if (rdata == NULL || name_check(rdata, len) != len)
		return;
	if (s->z->aliases != NULL) {
		name_lower(target, rdata, len);
		o->sets = s->z->aliases(s->z->arg, o->name, target);
		o->denied = alias_sets_denied(o->sets);
		return;
	}
	had(s, o->name, &old);
	if (old.owner == NULL)
		return;
	o->had = (struct rrset){ .owner = o->name,
		.count = old.count,
		.rdata = xmemdup(old.rdata, old.rdata_len),
		.rdata_len = old.rdata_len };
	aliassig_each_of_set(&o->had, note_denied, &o->denied);
}

void
owner_free(struct owner *o)
{
	alias_sets_free(&o->sets);
	free((uint8_t *)(uintptr_t)o->had.rdata);
}

/* ---- signed ---- */

struct table {
	struct signing *s;
	const struct owner *owner;
	uint32_t ttl;
	struct rrset old;
	bool same_ttl; /* the old ones may stay */
	const struct alias_set *want; /* that is looked for among the old ones, */
	const struct zone_key *key; /* by that key, */
	struct emission found; /* and found: sig is not NULL */
	struct wbuf piece, body, item;
	uint16_t pieces;
};

static void
end_piece(struct table *t)
{
	wbuf_u16(&t->body, (uint16_t)t->piece.len);
	wbuf_put(&t->body, t->piece.base, t->piece.len);
	t->piece.len = 0;
	t->pieces++;
}

static void
end_item(struct table *t, enum aliassig_kind kind)
{
	if (t->piece.len > 0 && t->piece.len + t->item.len > ALIASSIG_PIECE)
		end_piece(t);
	wbuf_u8(&t->piece, (uint8_t)kind);
	wbuf_u16(&t->piece, (uint16_t)t->item.len);
	wbuf_put(&t->piece, t->item.base, t->item.len);
	t->item.len = 0;
}

static const uint8_t *
addresses(const struct table *t, const struct alias_set *set)
{
	return t->owner->sets->octets.base + set->at;
}

static void
match_old(void *arg, const struct aliassig *item)
{
	struct table *t = arg;
	uint32_t now = t->s->z->now;

	if (item->kind == ALIASSIG_HEAD)
		t->same_ttl = item->ttl == t->ttl;
	if (item->kind != ALIASSIG_SET || !t->same_ttl || item->family != t->want->family ||
	    item->count != t->want->count ||
	    memcmp(item->addresses, addresses(t, t->want),
		item->count * aliassig_len(item->family)) != 0)
		return;
	for (unsigned i = 0; i < item->nsigs; i++) {
		struct emission e;
		struct rrsig sig;

		aliassig_at(item, i, &e);
		sig = (struct rrsig){ .window = { e.inception, e.expiration } };
		if (e.tag == t->key->tag && e.algorithm == t->key->algorithm &&
		    rrsig_is_valid_at(&sig, now) && !rrsig_is_due(&sig, now))
			t->found = e;
	}
}

static struct rrset
as_rrset(struct table *t, const struct alias_set *set, struct wbuf *rdata)
{
	size_t len = aliassig_len(set->family);

	rdata->len = 0;
	for (unsigned i = 0; i < set->count; i++) {
		wbuf_u16(rdata, (uint16_t)len);
		wbuf_put(rdata, addresses(t, set) + i * len, len);
	}
	return (struct rrset){ .owner = t->owner->name,
		.owner_len = (uint8_t)name_len(t->owner->name),
		.type = types[set->family],
		.ttl = t->ttl,
		.count = set->count,
		.rdata = rdata->base,
		.rdata_len = rdata->len };
}

static void
sign_set(struct table *t, const struct alias_set *set, struct wbuf *mem)
{
	const struct zonesign *z = t->s->z;
	const struct rrset rrset = as_rrset(t, set, mem);

	t->want = set;
	wbuf_u8(&t->item, (uint8_t)set->family);
	wbuf_u16(&t->item, set->count);
	wbuf_put(&t->item, addresses(t, set), set->count * aliassig_len(set->family));
	for (unsigned i = 0; i < z->keys->n; i++) {
		const struct zone_key *key = &z->keys->key[i];
		struct rrsig_window w = rrsig_window(rrset.owner, rrset.type, z->now);
		uint8_t rdata[RRSIG_MAX];

		if (!zone_key_makes(key))
			continue;
		t->key = key;
		t->found = (struct emission){ 0 };
		if (t->old.owner != NULL)
			aliassig_each_of_set(&t->old, match_old, t);
		if (t->found.sig != NULL) {
			t->s->done->kept++;
		} else {
			size_t len = signing_make(t->s, &rrset, key, w, rdata);

			if (len == 0)
				continue;
			t->found = (struct emission){ .algorithm = key->algorithm,
				.tag = key->tag,
				.expiration = w.expiration,
				.inception = w.inception,
				.sig = rdata + len - EMISSION_SIG };
		}
		signing_note(t->s, t->found.expiration);
		wbuf_u8(&t->item, t->found.algorithm);
		wbuf_u16(&t->item, t->found.tag);
		wbuf_u32(&t->item, t->found.expiration);
		wbuf_u32(&t->item, t->found.inception);
		wbuf_put(&t->item, t->found.sig, EMISSION_SIG);
	}
	end_item(t, ALIASSIG_SET);
}

static void
make_table(struct table *t, const struct emission_chain *chain)
{
	const struct alias_sets *sets = t->owner->sets;
	struct wbuf mem = wbuf_grow(1 << 20);

	wbuf_u8(&t->item, t->owner->denied);
	wbuf_u32(&t->item, t->ttl);
	end_item(t, ALIASSIG_HEAD);
	for (unsigned f = 0; f < ALIAS_FAMILIES; f++) {
		if ((sets->none & ~t->owner->denied & 1u << f) == 0)
			continue;
		wbuf_u8(&t->item, (uint8_t)f);
		emissions_denial(t->s, t->owner, chain, types[f], &t->item);
		end_item(t, ALIASSIG_NONE);
	}
	for (size_t i = 0; i < sets->n; i++)
		sign_set(t, &sets->set[i], &mem);
	end_piece(t);
	wbuf_free(&mem);
}

void
aliassign_add(struct signing *s, const struct owner *o, const struct emission_chain *chain)
{
	const struct sheet_set *alias = sheet_find(&s->sheet, RR_ALIAS);
	struct table t = { .s = s,
		.owner = o,
		.piece = wbuf_grow(UINT16_MAX),
		.body = wbuf_grow(SIZE_MAX / 2),
		.item = wbuf_grow(UINT16_MAX) };

	if (alias == NULL)
		return;
	if (o->sets != NULL) {
		had(s, o->name, &t.old);
		t.ttl = alias->set.ttl;
		make_table(&t, chain);
		sheet_add(&s->sheet, RR_RRSIG, RR_ALIAS, 0, t.pieces, t.body.base, t.body.len);
	} else if (o->had.owner != NULL) {
		sheet_add(
		    &s->sheet, RR_RRSIG, RR_ALIAS, 0, o->had.count, o->had.rdata, o->had.rdata_len);
	}
	wbuf_free(&t.piece);
	wbuf_free(&t.body);
	wbuf_free(&t.item);
}
