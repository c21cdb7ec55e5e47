/* emit.c - a rendered RRset into the reply: one copy, then the pointers that depend on where it went.
 *
 * A set goes in whole, with its signatures when the asker wants them, or not at all.  Where a
 * pointer could not reach (only in replies over 16 KiB) names are written in full. */
#include <string.h>

#include "appliance/dns/rrtype.h"
#include "appliance/serve/work.h"
#include "appliance/zonemap/image_sig.h"
#include "ipc/base/copy.h"
#include "ipc/base/wbuf.h"

#define POINTER   0xc000u
#define POINTER_Q 0xc00cu /* to the question's name: what is rendered */

static bool
wants_sigs(const struct reply *r, const struct image_set *set)
{
	return set->sig_word != 0 && wants_dnssec(r);
}

unsigned
hop_place(const struct hop *h, unsigned label)
{
	return h->at == NULL ? DNS_HEADER + h->off[label] : h->at[label];
}

/* Where the octet of the hop's name stands that an apex-relative pointer means; 0: nowhere. */
static unsigned
place_in_name(const struct hop *h, unsigned value)
{
	unsigned apex = h->off[h->rel];
	unsigned want = apex + value - PATCH_BIAS;

	if (want > h->off[h->labels])
		return 0;
	if (h->at == NULL)
		return DNS_HEADER + want;
	for (unsigned i = 0; i <= h->labels; i++) {
		if (h->off[i] == want)
			return h->at[i];
	}
	return 0;
}

static bool
put_owners(uint8_t *p, const uint8_t *body, unsigned len, unsigned pointer)
{
	for (unsigned at = 0; at < len;) {
		unsigned next = image_rr_next(body, len, at);

		if (next == 0)
			return false;
		put_u16(p + at, (uint16_t)pointer);
		at = next;
	}
	return true;
}

/* Copy records and give them their owner. */
static inline bool
copy_records(struct reply *r, const uint8_t *body, unsigned len, unsigned pointer)
{
	uint8_t *p = r->out + r->len;

	copy_octets(p, body, len);
	r->len += len;
	return pointer == POINTER_Q || put_owners(p, body, len, pointer);
}

static bool
copy_sigs(struct reply *r, const struct image_set *set, unsigned pointer)
{
	const uint8_t *sig = set->sig, *end = sig + image_sig_count(set) * SIG_PACKED_SIZE;
	uint8_t *p = r->out + r->len;

	if (!image_sig_packed(set))
		return copy_records(r, sig, set->sig_len, pointer);
	for (; sig < end; sig += SIG_PACKED_SIZE) {
		put_u16(p, (uint16_t)pointer);
		p = image_sig_put(&r->hop.zone, set, sig, p + 2);
	}
	r->len = (size_t)(p - r->out);
	return true;
}

static bool
apply_patches(struct reply *r, const struct image_set *set, size_t base)
{
	for (unsigned i = 0; i < set->npatch; i++) {
		uint16_t patch = load_u16(set->patch + 2u * i);
		unsigned place = patch & PATCH_PLACE, value;
		uint8_t *p = r->out + base + place;

		if (place + 2u > set->body_len)
			return false;
		value = get_u16(p) & POINTER_REACH;
		if (patch & PATCH_SET)
			value += (unsigned)base;
		else
			value = place_in_name(&r->hop, value);
		if (value == 0 || value > POINTER_REACH)
			return false;
		put_u16(p, (uint16_t)(POINTER | value));
	}
	return true;
}

/* A zone that arrived signed may lack a signature: whoever validates will say so too, but not whose fault it is. */
static bool
is_bare(const struct reply *r, enum section section, const struct image_set *set)
{
	return section == ANSWER && wants_dnssec(r) && set->type != RR_RRSIG &&
	       (r->hop.zone.image->flags & IMAGE_HERE) == 0 && r->w->ede == EDE_NONE;
}

static void
count(struct reply *r, enum section section, const struct image_set *set, bool sigs)
{
	if (!sigs && is_bare(r, section, set))
		r->w->ede = EDE_BARE;
	r->count[section] =
	    (uint16_t)(r->count[section] + set->count + (sigs ? image_sig_count(set) : 0));
}

/* The signatures, each under an owner that may be long. */
static bool
put_whole_sigs(struct reply *r, const struct image_set *set, const uint8_t *owner, size_t owner_len)
{
	bool packed = image_sig_packed(set);
	unsigned at = 0, next = 0;
	size_t n;

	if (image_sigs_len(&r->hop.zone, set) == SIGS_BROKEN)
		return false;
	for (unsigned i = 0; i < image_sig_count(set); i++, at = next) {
		if (!packed && (next = image_rr_next(set->sig, set->sig_len, at)) == 0)
			return false;
		n = packed ? image_sig_len(&r->hop.zone) : next - at - 2;
		if (owner_len + n > r->limit - r->len)
			return false;
		memcpy(r->out + r->len, owner, owner_len);
		r->len += owner_len;
		if (packed)
			(void)image_sig_put(
			    &r->hop.zone, set, set->sig + SIG_PACKED_SIZE * i, r->out + r->len);
		else
			memcpy(r->out + r->len, set->sig + at + 2, n);
		r->len += n;
	}
	return true;
}

/* Names in full; the owner too, once where a pointer can reach it. */
static bool
emit_whole(struct reply *r, enum section section, const struct image_set *set, const uint8_t *owner,
    size_t owner_len)
{
	bool sigs = wants_sigs(r, set);
	size_t start = r->len, n;
	uint8_t again[2] = { (uint8_t)(POINTER >> 8 | start >> 8), (uint8_t)start };
	unsigned next;

	for (unsigned at = 0; at < set->body_len; at = next) {
		next = image_rr_next(set->body, set->body_len, at);
		if (next == 0 || owner_len + 10 > r->limit - r->len)
			goto cut;
		memcpy(r->out + r->len, owner, owner_len);
		memcpy(r->out + r->len + owner_len, set->body + at + 2, 8);
		r->len += owner_len + 10;
		n = image_set_rdata(
		    &r->hop.zone, set, r->hop.name, at, r->out + r->len, r->limit - r->len);
		if (n == SIZE_MAX)
			goto cut;
		put_u16(r->out + r->len - 2, (uint16_t)n);
		r->len += n;
		if (owner_len > 2 && start <= POINTER_REACH) {
			owner = again;
			owner_len = 2;
		}
	}
	if (sigs && !put_whole_sigs(r, set, owner, owner_len))
		goto cut;
	count(r, section, set, sigs);
	return true;
cut:
	r->len = start;
	return false;
}

bool
emit_set_at(struct reply *r, enum section section, const struct image_set *set, uint16_t pointer)
{
	bool sigs = wants_sigs(r, set);
	size_t start = r->len;

	if (set->body_len + (sigs ? image_sigs_len(&r->hop.zone, set) : 0) > r->limit - r->len)
		return false;
	if (!copy_records(r, set->body, set->body_len, pointer) || !apply_patches(r, set, start) ||
	    (sigs && !copy_sigs(r, set, pointer))) {
		r->len = start;
		return false;
	}
	count(r, section, set, sigs);
	return true;
}

bool
emit_set(struct reply *r, enum section section, const struct image_set *set, unsigned label)
{
	const struct hop *h = &r->hop;
	unsigned place = hop_place(h, label);
	const uint8_t *owner = h->name + h->off[label];

	/* The root is one octet, a pointer to it two. */
	if (label == h->labels && set->npatch == 0)
		return emit_whole(r, section, set, owner, 1);
	if (place > POINTER_REACH || (set->npatch > 0 && r->len + set->body_len > POINTER_REACH))
		return emit_whole(r, section, set, owner, h->off[h->labels] + 1u - h->off[label]);
	return emit_set_at(r, section, set, (uint16_t)(POINTER | place));
}

bool
emit_sigs_at(struct reply *r, enum section section, const struct image_set *set, uint16_t pointer)
{
	size_t start = r->len;

	if (image_sigs_len(&r->hop.zone, set) > r->limit - r->len)
		return false;
	if (!copy_sigs(r, set, pointer)) {
		r->len = start;
		return false;
	}
	r->count[section] = (uint16_t)(r->count[section] + image_sig_count(set));
	return true;
}

bool
emit_sigs(struct reply *r, enum section section, const struct image_set *set, unsigned label)
{
	const struct hop *h = &r->hop;
	unsigned place = hop_place(h, label);
	size_t start = r->len;

	if (label < h->labels && place <= POINTER_REACH)
		return emit_sigs_at(r, section, set, (uint16_t)(POINTER | place));
	if (!put_whole_sigs(
		r, set, h->name + h->off[label], h->off[h->labels] + 1u - h->off[label])) {
		r->len = start;
		return false;
	}
	r->count[section] = (uint16_t)(r->count[section] + image_sig_count(set));
	return true;
}

bool
emit_named(struct reply *r, enum section section, const struct image_set *set, const uint8_t *owner,
    size_t len)
{
	return emit_whole(r, section, set, owner, len);
}

/* The TTLs of the records from there to the end of what is written: `cap` lowers only. */
static void
write_ttl(struct reply *r, size_t from, uint32_t ttl, bool cap)
{
	uint8_t *p = r->out;

	while (from < r->len) {
		while (from < r->len && p[from] != 0 && p[from] < 0xc0)
			from += p[from] + 1u;
		from += from < r->len && p[from] >= 0xc0 ? 2 : 1;
		if (from + 10 > r->len)
			return;
		if (!cap || get_u32(p + from + 4) > ttl)
			put_u32(p + from + 4, ttl);
		from += 10u + get_u16(p + from + 8);
	}
}

void
emit_cap_ttl(struct reply *r, size_t from, uint32_t ttl)
{
	write_ttl(r, from, ttl, true);
}

void
emit_ttl(struct reply *r, size_t from, uint32_t ttl)
{
	write_ttl(r, from, ttl, false);
}
