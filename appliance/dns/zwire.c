/* zwire.c - reading, checking and writing zone data in wire form; see zwire.h.
 *
 * Readers walk with a struct zwire_iter over bytes that they do not own and need not trust.  No
 * state, no allocation but for names in error texts. */
#include "appliance/dns/zwire.h"

#include <assert.h>
#include <string.h>

#include "appliance/dns/codes.h"
#include "appliance/dns/rrtype.h"

#define SET_HEAD 14u /* type, covers, ttl, count, octets */

struct zwire_iter
zwire_iter(const void *data, size_t len)
{
	return (struct zwire_iter){ .r = rbuf_init(data, len) };
}

static bool
is_lower(const uint8_t *name, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (name[i] >= 'A' && name[i] <= 'Z')
			return false;
	}
	return true;
}

int
rrset_cmp(const struct rrset *a, const struct rrset *b)
{
	int d = 0;

	if (a->owner_len != b->owner_len || memcmp(a->owner, b->owner, a->owner_len) != 0)
		d = name_cmp(a->owner, b->owner);
	if (d == 0)
		d = (int)a->type - (int)b->type;
	return d != 0 ? d : (int)a->covers - (int)b->covers;
}

/* The records fill the set's octets, and are as many as it says. */
static bool
counts_match(const struct rrset *set)
{
	struct rbuf r = rbuf_init(set->rdata, set->rdata_len);

	for (unsigned i = 0; i < set->count; i++)
		rbuf_bytes(&r, rbuf_u16(&r));
	return set->count > 0 && rbuf_end(&r);
}

static bool
read_set(struct rbuf *r, struct rrset *set)
{
	size_t start = r->pos;

	set->owner_len = rbuf_u8(r);
	set->owner = rbuf_bytes(r, set->owner_len);
	set->type = rbuf_u16(r);
	set->covers = rbuf_u16(r);
	set->ttl = rbuf_u32(r);
	set->count = rbuf_u16(r);
	set->rdata_len = rbuf_u32(r);
	set->rdata = rbuf_bytes(r, set->rdata_len);
	if (!rbuf_ok(r))
		return false;
	set->raw = r->base + start;
	set->raw_len = r->pos - start;
	return true;
}

/* An owner has some sets one after the other: its name is looked at once. */
static bool
owner_holds(const struct zwire_iter *it, const struct rrset *set)
{
	if (it->started && it->prev.owner_len == set->owner_len &&
	    memcmp(it->prev.owner, set->owner, set->owner_len) == 0)
		return true;
	return set->owner_len > 0 && name_check(set->owner, set->owner_len) == set->owner_len &&
	       is_lower(set->owner, set->owner_len);
}

static bool
set_holds(const struct zwire_iter *it, const struct rrset *set)
{
	return owner_holds(it, set) && set->ttl <= TTL_MAX &&
	       (set->covers != 0) == (set->type == RR_RRSIG) && counts_match(set);
}

bool
zwire_next(struct zwire_iter *it, struct rrset *set)
{
	if (rbuf_left(&it->r) == 0)
		return false;
	if (!read_set(&it->r, set) || !set_holds(it, set) ||
	    (it->started && rrset_cmp(&it->prev, set) >= 0)) {
		it->r.bad = true;
		return false;
	}
	it->prev = *set;
	it->started = true;
	return true;
}

const uint8_t *
rrset_next_rdata(struct rbuf *r, size_t *len)
{
	uint16_t n;

	if (rbuf_left(r) == 0)
		return NULL;
	n = rbuf_u16(r);
	*len = n;
	return rbuf_bytes(r, n);
}

size_t
rrset_wire_size(const struct rrset *set)
{
	return set->rdata_len + (size_t)set->count * (RR_WIRE_HEAD - 2);
}

static enum ns_err
corrupt(struct ns_why *why, const struct rrset *set, const char *rule)
{
	char name[NAME_MAX_TEXT];

	if (why != NULL) {
		name_to_text(set->owner, name);
		memcpy(why->owner, name, sizeof why->owner - 1);
		why->owner[sizeof why->owner - 1] = '\0';
		rrtype_to_text(set->type, why->type);
	}
	return ns_fail(why, NS_CORRUPT, E_ZWIRE, "%s", rule);
}

/* Canonical order compares lower-case names; the copies are taken only where there are any. */
static int
canonical_cmp(uint16_t type, const uint8_t *a, size_t alen, const uint8_t *b, size_t blen)
{
	uint8_t ca[UINT16_MAX], cb[UINT16_MAX];

	if (rdata_name_at(type, a, alen, 0, NULL) < 0)
		return rdata_cmp(a, alen, b, blen);
	memcpy(ca, a, alen);
	memcpy(cb, b, blen);
	rdata_canonical(type, ca, alen);
	rdata_canonical(type, cb, blen);
	return rdata_cmp(ca, alen, cb, blen);
}

static enum ns_err
check_set(const struct rrset *set, struct ns_why *why)
{
	struct rbuf r = rbuf_init(set->rdata, set->rdata_len);
	const uint8_t *rdata, *prev = NULL;
	size_t len, prev_len = 0;
	struct ns_why inner = { 0 };

	if (rrset_wire_size(set) > RRSET_MAX_WIRE)
		return corrupt(why, set, "the set is larger than one reply");
	while ((rdata = rrset_next_rdata(&r, &len)) != NULL) {
		if (rdata_check(set->type, rdata, len, &inner) != NS_OK)
			return corrupt(why, set, inner.text);
		if (set->type == RR_RRSIG && get_u16(rdata) != set->covers)
			return corrupt(why, set, "a signature covers another type than its set");
		if (prev != NULL && canonical_cmp(set->type, prev, prev_len, rdata, len) >= 0)
			return corrupt(why, set, "records are not in canonical order");
		prev = rdata;
		prev_len = len;
	}
	return NS_OK;
}

enum ns_err
zwire_check(const void *data, size_t len, struct ns_why *why)
{
	struct zwire_iter it = zwire_iter(data, len);
	struct rrset set;
	enum ns_err err;

	while (zwire_next(&it, &set)) {
		err = check_set(&set, why);
		if (err != NS_OK)
			return err;
	}
	if (rbuf_ok(&it.r))
		return NS_OK;
	return ns_fail(why, NS_CORRUPT, E_ZWIRE,
	    "zone data breaks its own form at octet %zu of %zu", it.r.pos, len);
}

void
zwire_put(struct wbuf *w, const struct rrset *set)
{
	uint8_t *p = wbuf_room(w, 1u + set->owner_len + SET_HEAD + set->rdata_len);

	assert(set->rdata_len <= UINT32_MAX);
	if (p == NULL)
		return;
	*p++ = set->owner_len;
	memcpy(p, set->owner, set->owner_len);
	p += set->owner_len;
	put_u16(p, set->type);
	put_u16(p + 2, set->covers);
	put_u32(p + 4, set->ttl);
	put_u16(p + 8, set->count);
	put_u32(p + 10, (uint32_t)set->rdata_len);
	memcpy(p + SET_HEAD, set->rdata, set->rdata_len);
}

bool
rrset_same_data(const struct rrset *a, const struct rrset *b)
{
	return a->ttl == b->ttl && a->count == b->count && a->rdata_len == b->rdata_len &&
	       memcmp(a->rdata, b->rdata, a->rdata_len) == 0;
}
