/* image_sig - signatures as they stand in an image: without what their set and the zone say already.
 *
 *   packed   u8 algorithm   u8 labels   u32 expiration   u32 inception   u16 tag   64 octets of signature
 *
 * As in the rdata (RFC 4034 3.1), less the type covered (the set's), the original TTL (that of the records, which
 * is the RRSIG's own too) and the signer's name (the apex, in lower case).  SIG_PACKED in their number says that
 * all signatures of a set are like that; a set of which one cannot be holds them as records, like any.  What comes
 * out is what went in, octet for octet.
 *
 * Inline, because every signed answer does it. */
#ifndef NS_ZONEMAP_IMAGE_SIG_H
#define NS_ZONEMAP_IMAGE_SIG_H

#include "appliance/dns/rrtype.h"
#include "appliance/zonemap/image_read.h"
#include "ipc/base/copy.h"

#define SIG_FIXED	18u		/* octets of the rdata before the signer's name */
#define SIGS_BROKEN	(1u << 30)	/* larger than any reply */

/* Octets of an RRSIG behind its owner. */
static inline size_t
image_sig_len(const struct image_ref *ref)
{
	return RR_HEAD - 2u + SIG_FIXED + ref->image->head.apex_len + SIG_OCTETS;
}

/* Octets of all signatures of a set as records with owners of two octets; SIGS_BROKEN: not to be looked at. */
static inline size_t
image_sigs_len(const struct image_ref *ref, const struct image_set *set)
{
	unsigned n = image_sig_count(set);

	if (!image_sig_packed(set))
		return set->sig_len;
	/* Who has one has 76 octets behind the records, so a TTL that is not there is read from inside too. */
	if (n * SIG_PACKED_SIZE > set->sig_len)
		return SIGS_BROKEN;
	return n * (2 + image_sig_len(ref));
}

/* One of a set that has them packed and is not broken, behind its owner; the end of it.  Reads first: what is
 * written could be anything's for all that the compiler knows. */
static inline uint8_t *
image_sig_put(const struct image_ref *ref, const struct image_set *set, const uint8_t *packed,
    uint8_t *out)
{
	unsigned apex_len = ref->image->head.apex_len, type = set->type;
	const uint8_t *apex = ref->apex;
	uint32_t ttl;

	memcpy(&ttl, set->body + 6, 4);
	put_u32(out, (uint32_t)RR_RRSIG << 16 | 1); /* IN */
	memcpy(out + 4, &ttl, 4);
	put_u32(out + 8, (SIG_FIXED + apex_len + SIG_OCTETS) << 16 | type);
	memcpy(out + 12, packed, 2);
	memcpy(out + 14, &ttl, 4);
	memcpy(out + 18, packed + 2, 10);
	copy_octets(out + 28, apex, apex_len);
	memcpy(out + 28 + apex_len, packed + 12, SIG_OCTETS);
	return out + 28 + apex_len + SIG_OCTETS;
}

#endif
