/* nsec3_chain.c - which NSEC3 records count; see nsec3_chain.h.
 *
 * NSEC3 and NSEC3PARAM begin alike: algorithm, flags, iterations, salt (RFC 5155 3.2, 4.2).  Neither
 * holds a name, so what an image holds of them is their rdata as it is. */
#include "appliance/zonemap/nsec3_chain.h"

#include <string.h>

#include "appliance/dns/rrtype.h"
#include "appliance/dns/zwire.h"
#include "appliance/zonemap/image_read.h"

#define SALT_AT 5u /* behind algorithm, flags, iterations and the salt's length */

bool
nsec3_chain_read(const uint8_t *rdata, size_t len, struct nsec3_chain *chain)
{
	if (len < SALT_AT || len < (size_t)SALT_AT + rdata[4] || rdata[0] != NSEC3_SHA1 ||
	    rdata[1] != 0 || get_u16(rdata + 2) > NSEC3_ITERATIONS_MAX)
		return false;
	chain->used = true;
	chain->iterations = get_u16(rdata + 2);
	chain->salt_len = rdata[4];
	memcpy(chain->salt, rdata + SALT_AT, chain->salt_len);
	return true;
}

bool
nsec3_chain_equal(const struct nsec3_chain *a, const struct nsec3_chain *b)
{
	if (!a->used || !b->used)
		return a->used == b->used;
	return a->iterations == b->iterations && a->salt_len == b->salt_len &&
	       memcmp(a->salt, b->salt, a->salt_len) == 0;
}

void
nsec3_chain_of_set(const struct rrset *set, struct nsec3_chain *chain)
{
	struct rbuf r = rbuf_init(set->rdata, set->rdata_len);
	const uint8_t *rdata;
	size_t len;

	chain->used = false;
	while (!chain->used && (rdata = rrset_next_rdata(&r, &len)) != NULL)
		(void)nsec3_chain_read(rdata, len, chain);
}

void
nsec3_chain_of_image(const struct image_ref *ref, struct nsec3_chain *chain)
{
	struct image_node apex;
	struct image_set set;
	unsigned at = 0, next;

	chain->used = false;
	if (!image_apex(ref, &apex) || !image_set_find(&apex, RR_NSEC3PARAM, &set))
		return;
	for (; at < set.body_len && !chain->used; at = next) {
		next = image_rr_next(set.body, set.body_len, at);
		if (next == 0)
			return;
		(void)nsec3_chain_read(set.body + at + RR_HEAD, next - at - RR_HEAD, chain);
	}
}

/* The rdata of an NSEC3 at that key. */
static bool
chain_has(const struct nsec3_chain *chain, const uint8_t *key, size_t keylen, const uint8_t *rdata,
    size_t len)
{
	return chain->used && keylen == NSEC3_KEY && memchr(key, 0, keylen) == key + NSEC3_LABEL &&
	       len > (size_t)SALT_AT + chain->salt_len && rdata[0] == NSEC3_SHA1 &&
	       get_u16(rdata + 2) == chain->iterations && rdata[4] == chain->salt_len &&
	       memcmp(rdata + SALT_AT, chain->salt, chain->salt_len) == 0;
}

bool
nsec3_chain_has_set(
    const struct nsec3_chain *chain, const uint8_t *key, size_t keylen, const struct rrset *set)
{
	struct rbuf r = rbuf_init(set->rdata, set->rdata_len);
	const uint8_t *rdata;
	size_t len;

	if (set->type != RR_NSEC3 || (rdata = rrset_next_rdata(&r, &len)) == NULL)
		return false;
	return chain_has(chain, key, keylen, rdata, len);
}

bool
nsec3_chain_has_node(const struct nsec3_chain *chain, const struct image_node *node)
{
	struct image_set set;
	unsigned next;

	if (!image_set_find(node, RR_NSEC3, &set))
		return false;
	next = image_rr_next(set.body, set.body_len, 0);
	return next != 0 &&
	       chain_has(chain, node->key, node->keylen, set.body + RR_HEAD, next - RR_HEAD);
}

bool
nsec3_is_alone(const struct image_node *node)
{
	return node->nsets == 1 && (size_t)(node->end - node->sets) >= SET_HEAD &&
	       load_u16(node->sets) == RR_NSEC3;
}
