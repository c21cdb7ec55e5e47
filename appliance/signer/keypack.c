/* keypack.c - see keypack.h. */
#include "appliance/signer/keypack.h"

#include <string.h>

#include "appliance/dns/ds.h"
#include "appliance/dns/rrtype.h"
#include "appliance/dns/zwire.h"
#include "appliance/keys/keybody.h"
#include "appliance/signer/rrsig.h"
#include "ipc/base/rbuf.h"

enum { SET_AS_IT_IS, SET_OF_ZONE };
enum { RECORD_AS_IT_IS, RECORD_SIGNATURE, RECORD_KEY };
#define PACKED_TIMES 10u /* expiration, inception, tag */
#define PACKED_SIG   (2u + PACKED_TIMES + RRSIG_SIG_LEN)
enum { BIT_PUBLISHED = 1, BIT_SIGNS = 2 };

/* ---- in ---- */

static bool
put_key(struct wbuf *w, const struct ks_key *k, const Ns__ZoneKeys__Key *m)
{
	bool closed = k->role == KS_ZSK && ks_signs(k);

	if (m->dnskey.len > DNSKEY_RDATA_MAX || (closed && m->wrapped.len > ZONE_KEY_CLOSED))
		return false;
	wbuf_u8(
	    w, (uint8_t)((ks_publishes(k) ? BIT_PUBLISHED : 0) | (ks_signs(k) ? BIT_SIGNS : 0)));
	wbuf_u8(w, (uint8_t)m->dnskey.len);
	wbuf_put(w, m->dnskey.data, m->dnskey.len);
	wbuf_u8(w, closed ? (uint8_t)m->wrapped.len : 0);
	if (closed)
		wbuf_put(w, m->wrapped.data, m->wrapped.len);
	return true;
}

static bool
is_signature_of(const struct rrset *set, const uint8_t *zone, const uint8_t *rdata, size_t len)
{
	/* Octet for octet, for it comes out as it went in. */
	return set->type == RR_RRSIG && len == RRSIG_HEAD + name_len(zone) + RRSIG_SIG_LEN &&
	       get_u16(rdata) == set->covers && get_u32(rdata + 4) == set->ttl &&
	       memcmp(rdata + RRSIG_HEAD, zone, name_len(zone)) == 0;
}

static void
put_record(struct wbuf *w, const uint8_t *zone, const Ns__ZoneKeys *m, const struct rrset *set,
    const uint8_t *rdata, size_t len)
{
	for (size_t i = 0; i < m->n_keys; i++) {
		if (m->keys[i]->dnskey.len == len &&
		    memcmp(m->keys[i]->dnskey.data, rdata, len) == 0) {
			wbuf_u8(w, (uint8_t)(RECORD_KEY + i));
			return;
		}
	}
	if (is_signature_of(set, zone, rdata, len)) {
		wbuf_u8(w, RECORD_SIGNATURE);
		wbuf_put(w, rdata + 2, 2);
		wbuf_put(w, rdata + 8, PACKED_TIMES);
		wbuf_put(w, rdata + len - RRSIG_SIG_LEN, RRSIG_SIG_LEN);
	} else {
		wbuf_u8(w, RECORD_AS_IT_IS);
		wbuf_u16(w, (uint16_t)len);
		wbuf_put(w, rdata, len);
	}
}

static void
put_set(struct wbuf *w, const uint8_t *zone, const Ns__ZoneKeys *m, const struct rrset *set)
{
	struct rbuf r = rbuf_init(set->rdata, set->rdata_len);
	const uint8_t *rdata;
	size_t len;

	if (!name_equal(set->owner, zone)) {
		wbuf_u8(w, SET_AS_IT_IS);
		wbuf_u32(w, (uint32_t)set->raw_len);
		wbuf_put(w, set->raw, set->raw_len);
		return;
	}
	wbuf_u8(w, SET_OF_ZONE);
	wbuf_u16(w, set->type);
	wbuf_u16(w, set->covers);
	wbuf_u32(w, set->ttl);
	wbuf_u16(w, set->count);
	while ((rdata = rrset_next_rdata(&r, &len)) != NULL)
		put_record(w, zone, m, set, rdata, len);
}

bool
keypack_put(struct wbuf *w, const uint8_t *zone, const Ns__ZoneKeys *m)
{
	struct zwire_iter it = zwire_iter(m->apex.data, m->apex.len);
	struct ks_zone z;
	struct rrset set;

	keybody_read(m, &z);
	wbuf_u8(w, (uint8_t)m->denial);
	wbuf_u8(w, (uint8_t)z.n);
	for (unsigned i = 0; i < z.n; i++) {
		if (!put_key(w, &z.key[i], m->keys[i]))
			return false;
	}
	while (zwire_next(&it, &set))
		put_set(w, zone, m, &set);
	return wbuf_ok(w);
}

/* ---- out ---- */

static bool
get_key(struct rbuf *r, struct zone_key *key)
{
	uint8_t bits = rbuf_u8(r);
	const uint8_t *octets;

	key->published = (bits & BIT_PUBLISHED) != 0;
	key->signs = (bits & BIT_SIGNS) != 0;
	key->rdlen = rbuf_u8(r);
	octets = rbuf_bytes(r, key->rdlen);
	if (octets == NULL || key->rdlen < 4 || key->rdlen > sizeof key->rdata)
		return false;
	memcpy(key->rdata, octets, key->rdlen);
	key->flags = get_u16(key->rdata);
	key->algorithm = key->rdata[3];
	key->tag = ds_key_tag(key->rdata, key->rdlen);
	key->closed_len = rbuf_u8(r);
	octets = rbuf_bytes(r, key->closed_len);
	if (octets == NULL || key->closed_len > sizeof key->closed)
		return false;
	memcpy(key->closed, octets, key->closed_len);
	return true;
}

static void
get_as_it_is(struct rbuf *r, struct wbuf *out)
{
	unsigned len = rbuf_u16(r);
	const uint8_t *octets = rbuf_bytes(r, len);

	if (octets == NULL)
		return;
	wbuf_u16(out, (uint16_t)len);
	wbuf_put(out, octets, len);
}

static void
get_signature(struct rbuf *r, const struct rrset *set, struct wbuf *out)
{
	const uint8_t *octets = rbuf_bytes(r, PACKED_SIG);

	if (octets == NULL)
		return;
	wbuf_u16(out, (uint16_t)(RRSIG_HEAD + set->owner_len + RRSIG_SIG_LEN));
	wbuf_u16(out, set->covers);
	wbuf_put(out, octets, 2);
	wbuf_u32(out, set->ttl);
	wbuf_put(out, octets + 2, PACKED_TIMES);
	wbuf_put(out, set->owner, set->owner_len);
	wbuf_put(out, octets + 2 + PACKED_TIMES, RRSIG_SIG_LEN);
}

static void
get_record(struct rbuf *r, const struct rrset *set, const struct zone_keys *keys, struct wbuf *out)
{
	unsigned how = rbuf_u8(r);

	if (how == RECORD_AS_IT_IS) {
		get_as_it_is(r, out);
	} else if (how == RECORD_SIGNATURE) {
		get_signature(r, set, out);
	} else if (how - RECORD_KEY < keys->n) {
		wbuf_u16(out, keys->key[how - RECORD_KEY].rdlen);
		wbuf_put(out, keys->key[how - RECORD_KEY].rdata, keys->key[how - RECORD_KEY].rdlen);
	} else {
		r->bad = true;
	}
}

static void
get_set(struct rbuf *r, const uint8_t *zone, const struct zone_keys *keys, struct wbuf *rdata,
    struct wbuf *out)
{
	struct rrset set = { .owner = zone, .owner_len = (uint8_t)name_len(zone) };

	if (rbuf_u8(r) == SET_AS_IT_IS) {
		uint32_t len = rbuf_u32(r);
		const uint8_t *raw = rbuf_bytes(r, len);

		if (raw != NULL)
			wbuf_put(out, raw, len);
		return;
	}
	set.type = rbuf_u16(r);
	set.covers = rbuf_u16(r);
	set.ttl = rbuf_u32(r);
	set.count = rbuf_u16(r);
	rdata->len = 0;
	for (unsigned i = 0; i < set.count && rbuf_ok(r); i++)
		get_record(r, &set, keys, rdata);
	set.rdata = rdata->base;
	set.rdata_len = rdata->len;
	zwire_put(out, &set);
}

bool
keypack_get(const uint8_t *data, size_t len, const uint8_t *zone, struct zone_keys *keys)
{
	struct rbuf r = rbuf_init(data, len);
	struct wbuf apex = wbuf_grow(SIZE_MAX / 2), rdata = wbuf_grow(SIZE_MAX / 2);
	unsigned n;
	bool ok;

	keys->denial = (enum zone_denial)rbuf_u8(&r);
	n = rbuf_u8(&r);
	for (ok = n <= ZONE_KEYS_MAX; ok && keys->n < n; keys->n += ok)
		ok = get_key(&r, &keys->key[keys->n]);
	while (ok && rbuf_ok(&r) && rbuf_left(&r) > 0)
		get_set(&r, zone, keys, &rdata, &apex);
	wbuf_free(&rdata);
	keys->apex = apex.base;
	keys->apex_len = apex.len;
	return ok && rbuf_ok(&r) && apex.len > 0;
}
