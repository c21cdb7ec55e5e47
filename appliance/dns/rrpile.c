/* rrpile.c - a pile of records in any order that becomes a zwire; see zwire.h.
 *
 * Lives in sync's worker threads and in tests, one owner at a time.  Octets go to one growing buffer
 * and records refer to it by offset, so that clearing keeps the memory for the next zone.  An owner
 * is kept once per run of records with the same one, as its sort key (name.h) followed by its name:
 * sorting compares keys with memcmp.  rdata is kept as it came and, only where that differs, in
 * canonical form too, which is what order and equality are decided by. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/dns/codes.h"
#include "appliance/dns/rrtype.h"
#include "appliance/dns/zwire.h"
#include "ipc/base/xalloc.h"

#define PILE_MAX ((size_t)UINT32_MAX) /* offsets are 32 bits: more than any zone we take */

struct pile_rr {
	uint32_t key, owner; /* offsets; the key's length stands between them */
	uint32_t rdata, canon;
	uint32_t ttl, line, seq;
	uint16_t rdlen, type, covers;
	uint8_t owner_len;
};

struct rrpile {
	struct pile_rr *rr;
	size_t count, cap;
	struct wbuf mem;
	bool sorted;
};

struct rrpile *
rrpile_new(void)
{
	struct rrpile *p = xcalloc(1, sizeof *p);

	p->mem = wbuf_grow(PILE_MAX);
	p->sorted = true;
	return p;
}

void
rrpile_destroy(struct rrpile **pp)
{
	struct rrpile *p = *pp;

	if (p == NULL)
		return;
	wbuf_free(&p->mem);
	free(p->rr);
	free(p);
	*pp = NULL;
}

void
rrpile_clear(struct rrpile *p)
{
	p->count = 0;
	p->mem.len = 0;
	p->mem.bad = false;
	p->sorted = true;
}

/* Key and lower-case name into memory, unless the record before has the same owner. */
static void
put_owner(struct rrpile *p, struct pile_rr *rr, const uint8_t *owner)
{
	uint8_t key[NAME_MAX_KEY], name[NAME_MAX_WIRE];
	const struct pile_rr *last = p->count > 0 ? &p->rr[p->count - 1] : NULL;
	size_t len = name_len(owner), keylen;

	name_lower(name, owner, len);
	rr->owner_len = (uint8_t)len;
	if (last != NULL && last->owner_len == len &&
	    memcmp(p->mem.base + last->owner, name, len) == 0) {
		rr->key = last->key;
		rr->owner = last->owner;
		return;
	}
	keylen = name_sort_key(name, key);
	rr->key = (uint32_t)p->mem.len;
	wbuf_put(&p->mem, key, keylen);
	rr->owner = (uint32_t)p->mem.len;
	wbuf_put(&p->mem, name, len);
}

static void
put_rdata(struct rrpile *p, struct pile_rr *rr, const uint8_t *rdata, size_t rdlen)
{
	uint8_t *copy;

	rr->rdata = rr->canon = (uint32_t)p->mem.len;
	rr->rdlen = (uint16_t)rdlen;
	wbuf_put(&p->mem, rdata, rdlen);
	if (rdata_name_at(rr->type, rdata, rdlen, 0, NULL) < 0)
		return;
	copy = wbuf_room(&p->mem, rdlen);
	if (copy == NULL)
		return;
	memcpy(copy, rdata, rdlen);
	rdata_canonical(rr->type, copy, rdlen);
	if (memcmp(copy, rdata, rdlen) == 0)
		p->mem.len -= rdlen;
	else
		rr->canon = (uint32_t)(copy - p->mem.base);
}

static int
compare(const struct rrpile *p, const struct pile_rr *a, const struct pile_rr *b)
{
	const uint8_t *m = p->mem.base;
	int d = a->key == b->key
		    ? 0
		    : rdata_cmp(m + a->key, a->owner - a->key, m + b->key, b->owner - b->key);

	if (d == 0)
		d = (int)a->type - (int)b->type;
	if (d == 0)
		d = (int)a->covers - (int)b->covers;
	if (d == 0)
		d = rdata_cmp(m + a->canon, a->rdlen, m + b->canon, b->rdlen);
	return d;
}

void
rrpile_add(struct rrpile *p, const uint8_t *owner, uint16_t type, uint32_t ttl,
    const uint8_t *rdata, size_t rdlen, uint32_t line)
{
	struct pile_rr *rr;

	assert(rdlen <= UINT16_MAX && p->count < UINT32_MAX);
	if (p->count == p->cap) {
		p->cap = p->cap > 0 ? p->cap * 2 : 64;
		p->rr = xreallocarray(p->rr, p->cap, sizeof *p->rr);
	}
	rr = &p->rr[p->count];
	*rr = (struct pile_rr){ .type = type, .ttl = ttl, .line = line, .seq = (uint32_t)p->count };
	if (type == RR_RRSIG && rdlen >= 2)
		rr->covers = get_u16(rdata);
	put_owner(p, rr, owner);
	put_rdata(p, rr, rdata, rdlen);
	if (!wbuf_ok(&p->mem)) /* told by rrpile_to_zwire */
		return;
	if (p->sorted && p->count > 0 && compare(p, rr - 1, rr) > 0)
		p->sorted = false;
	p->count++;
}

static int
compare_for_sort(const void *va, const void *vb, void *arg)
{
	const struct pile_rr *a = va, *b = vb;
	int d = compare(arg, a, b);

	return d != 0 ? d : (a->seq > b->seq) - (a->seq < b->seq);
}

static void
sort(struct rrpile *p)
{
	if (!p->sorted)
		qsort_r(p->rr, p->count, sizeof *p->rr, compare_for_sort, p);
	p->sorted = true;
}

static bool
same_owner(const struct rrpile *p, const struct pile_rr *a, const struct pile_rr *b)
{
	return a->owner == b->owner ||
	       (a->owner_len == b->owner_len &&
		   memcmp(p->mem.base + a->owner, p->mem.base + b->owner, a->owner_len) == 0);
}

static bool
same_rdata(const struct rrpile *p, const struct pile_rr *a, const struct pile_rr *b)
{
	return a->rdlen == b->rdlen &&
	       memcmp(p->mem.base + a->canon, p->mem.base + b->canon, a->rdlen) == 0;
}

static void
fail_at(const struct rrpile *p, const struct pile_rr *rr, struct ns_why *why)
{
	char name[NAME_MAX_TEXT];

	if (why == NULL)
		return;
	name_to_text(p->mem.base + rr->owner, name);
	memcpy(why->owner, name, sizeof why->owner - 1);
	why->owner[sizeof why->owner - 1] = '\0';
	rrtype_to_text(rr->type, why->type);
	why->line = rr->line;
}

/* Index after the last record of the set that begins at i; its TTL. */
static size_t
set_end(const struct rrpile *p, size_t i, uint32_t *ttl)
{
	size_t end = i + 1;

	*ttl = p->rr[i].ttl;
	for (; end < p->count; end++) {
		const struct pile_rr *rr = &p->rr[end];

		if (rr->type != p->rr[i].type || rr->covers != p->rr[i].covers ||
		    !same_owner(p, rr, &p->rr[i]))
			break;
		if (rr->ttl < *ttl)
			*ttl = rr->ttl;
	}
	return end;
}

/* The lowest TTL of that type among the records [i, end) of one owner; UINT32_MAX: none. */
static uint32_t
ttl_of_type(const struct rrpile *p, size_t i, size_t end, uint16_t type)
{
	uint32_t ttl = UINT32_MAX;

	for (; i < end && p->rr[i].type <= type; i++) {
		if (p->rr[i].type == type && p->rr[i].ttl < ttl)
			ttl = p->rr[i].ttl;
	}
	return ttl;
}

/* Write the records [i, end), which are one set; records that are equal are neighbours. */
static enum ns_err
put_set(const struct rrpile *p, size_t i, size_t end, uint32_t ttl, struct wbuf *out,
    uint64_t *records, struct ns_why *why)
{
	const struct pile_rr *first = &p->rr[i];
	size_t body = 0, count = 0, wire;
	uint8_t *at;

	for (size_t k = i; k < end; k++) {
		if (k > i && same_rdata(p, &p->rr[k - 1], &p->rr[k]))
			continue;
		body += p->rr[k].rdlen;
		count++;
	}
	wire = body + count * RR_WIRE_HEAD;
	if (wire > RRSET_MAX_WIRE) {
		fail_at(p, first, why);
		return ns_fail(why, NS_INVALID, E_RRSET_SIZE,
		    "%zu records of %zu octets in a reply: one set may have %u, to fit one TCP "
		    "answer",
		    count, wire, RRSET_MAX_WIRE);
	}
	body += count * 2;
	at = wbuf_room(out, 1u + first->owner_len + 14 + body);
	if (at == NULL)
		return ns_fail(why, NS_INVALID, E_ZONE_SIZE, "the zone is larger than %zu octets",
		    out->max > 0 ? out->max : out->cap);
	*at++ = first->owner_len;
	memcpy(at, p->mem.base + first->owner, first->owner_len);
	at += first->owner_len;
	put_u16(at, first->type);
	put_u16(at + 2, first->covers);
	put_u32(at + 4, ttl);
	put_u16(at + 8, (uint16_t)count);
	put_u32(at + 10, (uint32_t)body);
	at += 14;
	for (size_t k = i; k < end; k++) {
		const struct pile_rr *rr = &p->rr[k];

		if (k > i && same_rdata(p, rr - 1, rr))
			continue;
		put_u16(at, rr->rdlen);
		memcpy(at + 2, p->mem.base + rr->rdata, rr->rdlen);
		at += 2u + rr->rdlen;
	}
	*records += count;
	return NS_OK;
}

/* All sets of the owner whose records are [i, end). */
static enum ns_err
put_owner_sets(const struct rrpile *p, size_t i, size_t end, struct wbuf *out, uint64_t *records,
    struct ns_why *why)
{
	const struct pile_rr *first = &p->rr[i];
	size_t owner_start = i, before = out->len;

	while (i < end) {
		uint32_t ttl;
		size_t next = set_end(p, i, &ttl);
		enum ns_err err;

		if (p->rr[i].type == RR_RRSIG) {
			uint32_t covered = ttl_of_type(p, owner_start, end, p->rr[i].covers);

			if (covered != UINT32_MAX)
				ttl = covered;
		}
		err = put_set(p, i, next, ttl, out, records, why);
		if (err != NS_OK)
			return err;
		i = next;
	}
	if (out->len - before <= OWNER_MAX_WIRE)
		return NS_OK;
	fail_at(p, first, why);
	if (why != NULL)
		why->type[0] = '\0';
	return ns_fail(why, NS_INVALID, E_OWNER_SIZE, "%zu octets at one name: there may be %u",
	    out->len - before, OWNER_MAX_WIRE);
}

enum ns_err
rrpile_to_zwire(struct rrpile *p, struct wbuf *out, uint64_t *records, struct ns_why *why)
{
	uint64_t written = 0;
	enum ns_err err = NS_OK;

	if (!wbuf_ok(&p->mem))
		return ns_fail(
		    why, NS_INVALID, E_ZONE_SIZE, "the zone is larger than %zu octets", PILE_MAX);
	sort(p);
	for (size_t i = 0, end; i < p->count && err == NS_OK; i = end) {
		for (end = i + 1; end < p->count && same_owner(p, &p->rr[i], &p->rr[end]);)
			end++;
		err = put_owner_sets(p, i, end, out, &written, why);
	}
	if (records != NULL)
		*records = written;
	return err;
}

uint32_t
rrpile_line(const struct rrpile *p, const uint8_t *owner, uint16_t type)
{
	const struct pile_rr *found = NULL;
	uint8_t name[NAME_MAX_WIRE];
	size_t len = name_len(owner);

	name_lower(name, owner, len);
	for (size_t i = 0; i < p->count; i++) {
		const struct pile_rr *rr = &p->rr[i];

		if (rr->type == type && rr->owner_len == len &&
		    memcmp(p->mem.base + rr->owner, name, len) == 0 &&
		    (found == NULL || rr->seq < found->seq))
			found = rr;
	}
	return found != NULL ? found->line : 0;
}
