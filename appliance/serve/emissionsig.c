/* emissionsig.c - see emissionsig.h.  RFC 4034 3.1: all but the table's fields follows from owner and policy. */
#include "appliance/serve/emissionsig.h"

/* Labels of the owner, without a leading "*" (RFC 4034 3.1.3). */
static uint8_t
labels_of(const struct reply *r, const struct image_node *node)
{
	unsigned n = r->hop.zone.image->head.apex_labels;
	size_t last = 0;

	for (size_t i = 0; i < node->keylen; i++) {
		if (node->key[i] == 0) {
			n++;
			if (i + 1 < node->keylen)
				last = i + 1;
		}
	}
	if (node->keylen - last == 2 && node->key[last] == '*')
		n--;
	return (uint8_t)n;
}

static void
put_one(const struct reply *r, uint16_t type, uint32_t ttl, const struct emission *e,
    uint8_t labels, struct emission_sigs *out)
{
	unsigned apex_len = r->hop.zone.image->head.apex_len;
	uint8_t *p = out->p + out->len;

	put_u16(p, 0xc00c);
	put_u16(p + 2, RR_RRSIG);
	put_u16(p + 4, CLASS_IN);
	put_u32(p + 6, ttl);
	put_u16(p + 10, (uint16_t)(18 + apex_len + EMISSION_SIG));
	p += RR_HEAD;
	put_u16(p, type);
	p[2] = e->algorithm;
	p[3] = labels;
	put_u32(p + 4, ttl);
	put_u32(p + 8, e->expiration);
	put_u32(p + 12, e->inception);
	put_u16(p + 16, e->tag);
	memcpy(p + 18, r->hop.zone.apex, apex_len);
	memcpy(p + 18 + apex_len, e->sig, EMISSION_SIG);
	out->len = (uint16_t)(out->len + RR_HEAD + 18 + apex_len + EMISSION_SIG);
	out->count++;
}

void
emission_sigs(const struct reply *r, const struct lookup *l, const struct policy *po,
    const struct emission_table *t, unsigned at, struct emission_sigs *out)
{
	uint8_t labels = labels_of(r, &l->node);
	struct emission first, e;

	out->len = out->count = 0;
	emission_at(t, at, &first);
	for (; at < t->n && out->count < EMISSION_KEYS; at++) {
		emission_at(t, at, &e);
		if (e.first != first.first || e.mask != first.mask)
			return;
		put_one(r, po->type, po->ttl, &e, labels, out);
	}
}

void
emission_alias_sigs(const struct reply *r, const struct lookup *l, uint32_t ttl,
    const struct aliassig *of, struct emission_sigs *out)
{
	uint8_t labels = labels_of(r, &l->node);
	struct emission e;

	out->len = out->count = 0;
	for (unsigned i = 0; i < of->nsigs && i < EMISSION_KEYS; i++) {
		aliassig_at(of, i, &e);
		put_one(r, of->family == ALIAS_V4 ? RR_A : RR_AAAA, ttl, &e, labels, out);
	}
}
