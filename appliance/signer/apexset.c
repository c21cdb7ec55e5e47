/* apexset.c - see apexset.h. */
#include "appliance/signer/apexset.h"

#include <stdlib.h>

#include "appliance/dns/ds.h"
#include "appliance/dns/rrtype.h"
#include "appliance/signer/rrsig.h"

#define CODE_APEXSET 5031

/* RFC 8078 4. */
static const uint8_t cds_delete[] = { 0, 0, 0, 0, 0 };
static const uint8_t cdnskey_delete[] = { 0, 0, 3, 0, 0 };

static void
put_cds(struct rrpile *pile, const struct zone_keys *keys, const uint8_t *apex,
    const struct apex_wish *wish)
{
	uint8_t ds[DS_MAX];

	if (wish->cds == APEX_CDS_DELETE) {
		rrpile_add(pile, apex, RR_CDS, wish->ttl, cds_delete, sizeof cds_delete, 0);
		rrpile_add(
		    pile, apex, RR_CDNSKEY, wish->ttl, cdnskey_delete, sizeof cdnskey_delete, 0);
	}
	if (wish->cds != APEX_CDS_KEYS)
		return;
	for (unsigned i = 0; i < keys->n; i++) {
		const struct zone_key *k = &keys->key[i];

		if (k->flags != KEY_KSK || (wish->cds_of & 1u << i) == 0)
			continue;
		rrpile_add(
		    pile, apex, RR_CDS, wish->ttl, ds, ds_make(apex, k->rdata, k->rdlen, ds), 0);
		rrpile_add(pile, apex, RR_CDNSKEY, wish->ttl, k->rdata, k->rdlen, 0);
	}
}

/* Signatures of every set in `plain`, by every KSK that signs, into the pile. */
static unsigned
sign_sets(struct rrpile *pile, const struct zone_keys *keys, const uint8_t *apex,
    const struct wbuf *plain, uint32_t now)
{
	const struct rrsig_window window = { now - RRSIG_SKEW, now + APEX_VALID };
	struct rrsigner *signer = rrsigner_new();
	struct zwire_iter it = zwire_iter(plain->base, plain->len);
	uint8_t rdata[RRSIG_MAX];
	struct rrset set;
	unsigned made = 0;

	while (zwire_next(&it, &set)) {
		for (unsigned i = 0; i < keys->n; i++) {
			const struct zone_key *k = &keys->key[i];

			if (k->flags != KEY_KSK || !k->signs || k->pkey == NULL)
				continue;
			rrpile_add(pile, apex, RR_RRSIG, set.ttl, rdata,
			    rrsigner_make(signer, &set, k, apex, window, rdata), 0);
			made++;
		}
	}
	rrsigner_destroy(&signer);
	return made;
}

enum ns_err
apexset_make(
    struct zone_keys *keys, const uint8_t *apex, const struct apex_wish *wish, struct ns_why *why)
{
	struct rrpile *pile = rrpile_new();
	struct wbuf plain = wbuf_grow(OWNER_MAX_WIRE), all = wbuf_grow(OWNER_MAX_WIRE);
	enum ns_err err;

	for (unsigned i = 0; i < keys->n; i++) {
		if (keys->key[i].published)
			rrpile_add(pile, apex, RR_DNSKEY, wish->ttl, keys->key[i].rdata,
			    keys->key[i].rdlen, 0);
	}
	put_cds(pile, keys, apex, wish);
	err = rrpile_to_zwire(pile, &plain, NULL, why);
	if (err == NS_OK && sign_sets(pile, keys, apex, &plain, wish->now) == 0)
		err = ns_fail(why, NS_INVALID, CODE_APEXSET, "no KSK that is here signs");
	if (err == NS_OK)
		err = rrpile_to_zwire(pile, &all, NULL, why);
	rrpile_destroy(&pile);
	wbuf_free(&plain);
	if (err != NS_OK) {
		wbuf_free(&all);
		return err;
	}
	free(keys->apex);
	keys->apex = all.base;
	keys->apex_len = all.len;
	return NS_OK;
}

uint32_t
apexset_expires(const struct zone_keys *keys)
{
	struct zwire_iter it = zwire_iter(keys->apex, keys->apex_len);
	uint32_t first = 0;
	struct rrset set;
	struct rrsig sig;

	while (zwire_next(&it, &set)) {
		struct rbuf r = rbuf_init(set.rdata, set.rdata_len);
		const uint8_t *rdata;
		size_t len;

		while (set.type == RR_RRSIG && (rdata = rrset_next_rdata(&r, &len)) != NULL) {
			if (!rrsig_read(rdata, len, &sig))
				return 0;
			if (first == 0 || (int32_t)(sig.window.expiration - first) < 0)
				first = sig.window.expiration;
		}
	}
	return first;
}
