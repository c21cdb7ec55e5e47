/* signowner.c - see signowner.h. */
#include "appliance/signer/signowner.h"

#include <string.h>

#include "appliance/dns/rrtype.h"
#include "appliance/signer/aliassign.h"

#define NSEC3_OPTOUT 1u
#define NSEC3_HEAD   5u /* algorithm, flags, iterations, no salt */

bool
zonesign_makes(uint16_t type, bool at_apex)
{
	switch (type) {
	case RR_RRSIG:
	case RR_NSEC:
	case RR_NSEC3:
	case RR_NSEC3PARAM:
		return true;
	case RR_DNSKEY:
	case RR_CDS:
	case RR_CDNSKEY:
		return at_apex;
	default:
		return false;
	}
}

void
signing_init(struct signing *s, const struct zonesign *z, struct zonesign_done *done)
{
	memset(s, 0, sizeof *s);
	s->z = z;
	s->done = done;
	s->body = wbuf_grow(SIZE_MAX / 2);
	sheet_init(&s->sheet);
	*done = (struct zonesign_done){ 0 };
}

void
signing_free(struct signing *s)
{
	sheet_free(&s->sheet);
	wbuf_free(&s->body);
}

static bool
is_nsec3(const struct signing *s)
{
	return s->z->keys->denial != DENIAL_NSEC;
}

/* Is that set of the owner signed, and does the chain name it? (RFC 4035 2.2, 2.3) */
static bool
is_ours(enum owner_part part, uint16_t type)
{
	return part == OWNER_OURS || (part == OWNER_CUT && (type == RR_DS || type == RR_NSEC));
}

/* ---- signatures ---- */

void
signing_note(struct signing *s, uint32_t expires)
{
	uint32_t now = s->z->now;

	if (s->done->expires == 0 || (int32_t)(expires - now) < (int32_t)(s->done->expires - now))
		s->done->expires = expires;
}

size_t
signing_make(struct signing *s, const struct rrset *set, const struct zone_key *key,
    struct rrsig_window window, uint8_t out[RRSIG_MAX])
{
	if (key->pkey == NULL && s->err == NS_OK)
		s->err = zone_keys_open(s->z->keys, &s->why);
	if (key->pkey == NULL)
		return 0;
	s->done->made++;
	return rrsigner_make(s->z->signer, set, key, s->z->apex, window, out);
}

/* One that is there and may stay. */
static size_t
have(struct signing *s, const struct rrset *set, const struct zone_key *key, uint8_t out[RRSIG_MAX])
{
	const struct zonesign *z = s->z;
	struct rrsig sig;
	size_t len = z->have != NULL ? z->have(z->arg, set, key, out) : 0;

	if (len == 0 || !rrsig_read(out, len, &sig) || sig.tag != key->tag ||
	    sig.algorithm != key->algorithm || sig.sig_len != RRSIG_SIG_LEN ||
	    !rrsig_is_valid_at(&sig, z->now) || rrsig_is_due(&sig, z->now))
		return 0;
	s->done->kept++;
	return len;
}

static int
by_octets(const uint8_t *a, size_t alen, const uint8_t *b, size_t blen)
{
	return rdata_cmp(a, alen, b, blen);
}

/* The set's signatures by every ZSK that signs, as one set of the sheet. */
static void
sign_set(struct signing *s, size_t i)
{
	const struct zonesign *z = s->z;
	struct rrset set = sheet_at(&s->sheet, i);
	uint8_t made[ZONE_KEYS_MAX][2 + RRSIG_MAX];
	size_t len[ZONE_KEYS_MAX];
	unsigned n = 0;

	for (unsigned k = 0; k < z->keys->n; k++) {
		const struct zone_key *key = &z->keys->key[k];
		uint8_t out[2 + RRSIG_MAX];
		unsigned at = n;
		size_t one;

		if (!zone_key_makes(key))
			continue;
		one = have(s, &set, key, out + 2);
		if (one == 0) {
			one = signing_make(
			    s, &set, key, rrsig_window(set.owner, set.type, z->now), out + 2);
			if (one == 0)
				continue;
			if (z->made != NULL)
				z->made(z->arg, &set, out + 2, one);
		}
		signing_note(s, get_u32(out + 10));
		put_u16(out, (uint16_t)one);
		for (; at > 0 && by_octets(made[at - 1] + 2, len[at - 1], out + 2, one) > 0; at--) {
			memcpy(made[at], made[at - 1], 2 + len[at - 1]);
			len[at] = len[at - 1];
		}
		memcpy(made[at], out, 2 + one);
		len[at] = one;
		n++;
	}
	s->body.len = 0;
	for (unsigned k = 0; k < n; k++)
		wbuf_put(&s->body, made[k], 2 + len[k]);
	if (n > 0)
		sheet_add(
		    &s->sheet, RR_RRSIG, set.type, set.ttl, (uint16_t)n, s->body.base, s->body.len);
}

/* ---- what an owner has ---- */

/* Its content, and at the apex what the keys bring. */
static void
fill_sheet(struct signing *s, const struct owner *o)
{
	static const uint8_t param[] = { 0, NSEC3_HEAD, NSEC3_SHA1, 0, 0, 0, 0 };
	bool apex = name_equal(o->name, s->z->apex);
	struct zwire_iter it = zwire_iter(o->raw, o->raw_len);
	struct rrset set;

	sheet_begin(&s->sheet, o->name);
	while (zwire_next(&it, &set)) {
		if (!zonesign_makes(set.type, apex))
			sheet_have(&s->sheet, &set);
	}
	if (!apex)
		return;
	it = zwire_iter(s->z->keys->apex, s->z->keys->apex_len);
	while (zwire_next(&it, &set))
		sheet_have(&s->sheet, &set);
	if (is_nsec3(s))
		sheet_add(&s->sheet, RR_NSEC3PARAM, 0, s->chain_ttl, 1, param, sizeof param);
}

/* The types that an owner's sets stand for; a policy and an ALIAS stand for what they answer. */
static void
note_types(struct signing *s, const struct owner *o, uint16_t without)
{
	for (size_t i = 0; i < s->sheet.n; i++) {
		struct rrset set = sheet_at(&s->sheet, i);

		if (set.type == RR_NSPOLICY) {
			struct rbuf r = rbuf_init(set.rdata, set.rdata_len);
			const uint8_t *rdata;
			size_t len;

			while ((rdata = rrset_next_rdata(&r, &len)) != NULL) {
				if (len >= 2 && get_u16(rdata) != without)
					typemap_add(&s->types, get_u16(rdata));
			}
		} else if (set.type == RR_ALIAS && o->part == OWNER_OURS) {
			if (without != RR_A && (o->denied & 1u << ALIAS_V4) == 0)
				typemap_add(&s->types, RR_A);
			if (without != RR_AAAA && (o->denied & 1u << ALIAS_V6) == 0)
				typemap_add(&s->types, RR_AAAA);
		} else if (set.type != RR_RRSIG && set.type != RR_ALIAS &&
			   (set.type == RR_NS || is_ours(o->part, set.type))) {
			typemap_add(&s->types, set.type);
		}
	}
}

void
signing_nsec(struct signing *s, const struct owner *o, const uint8_t *next, uint16_t without,
    struct wbuf *rdata)
{
	note_types(s, o, without);
	typemap_add(&s->types, RR_RRSIG);
	typemap_add(&s->types, RR_NSEC);
	wbuf_put(rdata, next, name_len(next));
	typemap_put(&s->types, rdata);
}

static void
add_nsec(struct signing *s, const struct owner *o, const uint8_t *next)
{
	s->body.len = 0;
	wbuf_u16(&s->body, 0);
	signing_nsec(s, o, next, 0, &s->body);
	put_u16(s->body.base, (uint16_t)(s->body.len - 2));
	sheet_add(&s->sheet, RR_NSEC, 0, s->chain_ttl, 1, s->body.base, s->body.len);
}

bool
sign_owner(
    struct signing *s, const struct owner *o, const struct emission_chain *chain, struct wbuf *out)
{
	bool apex = name_equal(o->name, s->z->apex), ok = true;
	size_t n;

	fill_sheet(s, o);
	if (o->part == OWNER_OURS && o->policy)
		ok = emissions_add(s, o, chain);
	if (o->part == OWNER_OURS && o->alias)
		aliassign_add(s, o, chain);
	if (o->part != OWNER_HIDDEN && chain->next != NULL)
		add_nsec(s, o, chain->next);
	n = s->sheet.n;
	for (size_t i = 0; i < n && o->part != OWNER_HIDDEN; i++) {
		uint16_t type = s->sheet.set[i].set.type;

		/* What a KSK signs came signed. */
		if (type != RR_RRSIG && type != RR_NSPOLICY && type != RR_ALIAS &&
		    is_ours(o->part, type) &&
		    !(apex && type != RR_NSEC && type != RR_NSEC3PARAM &&
			zonesign_makes(type, true)))
			sign_set(s, i);
	}
	sheet_put(&s->sheet, out);
	return ok;
}

/* ---- NSEC3 ---- */

bool
owner_has_nsec3(const struct zone_keys *keys, const struct owner *o)
{
	return o->part != OWNER_HIDDEN &&
	       !(keys->denial == DENIAL_NSEC3_OPTOUT && o->part == OWNER_CUT && !o->ds);
}

static void
nsec3_types(struct signing *s, const struct owner *o, uint16_t without, struct wbuf *bitmap)
{
	note_types(s, o, without);
	/* RFC 5155 7.1: where there is a signature. */
	if (o->part == OWNER_OURS || o->ds)
		typemap_add(&s->types, RR_RRSIG);
	typemap_put(&s->types, bitmap);
}

void
owner_nsec3_types(struct signing *s, const struct owner *o, struct wbuf *bitmap)
{
	fill_sheet(s, o);
	nsec3_types(s, o, 0, bitmap);
}

static void
put_nsec3(const struct signing *s, const uint8_t next[NSEC3_HASH], struct wbuf *rdata)
{
	uint8_t flags = s->z->keys->denial == DENIAL_NSEC3_OPTOUT ? NSEC3_OPTOUT : 0;
	const uint8_t head[] = { NSEC3_SHA1, flags, 0, 0, 0, NSEC3_HASH };

	wbuf_put(rdata, head, sizeof head);
	wbuf_put(rdata, next, NSEC3_HASH);
}

void
signing_nsec3(struct signing *s, const struct owner *o, const uint8_t next[NSEC3_HASH],
    uint16_t without, struct wbuf *rdata)
{
	put_nsec3(s, next, rdata);
	nsec3_types(s, o, without, rdata);
}

void
signing_nsec3_owner(
    const struct signing *s, const uint8_t hash[NSEC3_HASH], uint8_t owner[NAME_MAX_WIRE])
{
	owner[0] = NSEC3_LABEL;
	nsec3_label(hash, owner + 1);
	memcpy(owner + 1 + NSEC3_LABEL, s->z->apex, name_len(s->z->apex));
}

void
sign_nsec3(struct signing *s, const uint8_t hash[NSEC3_HASH], const uint8_t next[NSEC3_HASH],
    const uint8_t *bitmap, size_t len, struct wbuf *out)
{
	uint8_t owner[NAME_MAX_WIRE];

	signing_nsec3_owner(s, hash, owner);
	sheet_begin(&s->sheet, owner);
	s->body.len = 0;
	wbuf_u16(&s->body, 0);
	put_nsec3(s, next, &s->body);
	wbuf_put(&s->body, bitmap, len);
	put_u16(s->body.base, (uint16_t)(s->body.len - 2));
	sheet_add(&s->sheet, RR_NSEC3, 0, s->chain_ttl, 1, s->body.base, s->body.len);
	sign_set(s, 0);
	sheet_put(&s->sheet, out);
}
