/* diff - see diff.h. */
#include "appliance/sync/diff.h"

#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/dns/rrtype.h"
#include "appliance/dns/zwire.h"

#define DIFF_MAX (1u << 30) /* SQLite's limit for one value */

void
diff_init(struct diff *d)
{
	*d = (struct diff){ .removed = wbuf_grow(DIFF_MAX), .added = wbuf_grow(DIFF_MAX) };
}

void
diff_free(struct diff *d)
{
	wbuf_free(&d->removed);
	wbuf_free(&d->added);
}

bool
diff_empty(const struct diff *d)
{
	return d->removed.len == 0 && d->added.len == 0;
}

static void
take(struct wbuf *out, uint64_t *n, const struct rrset *s)
{
	zwire_put(out, s);
	*n += s->count;
}

/* Both are sorted, so the records that only one side has fall out of a merge. */
static void
count_changed(const struct rrset *a, const struct rrset *b, uint64_t *only_a, uint64_t *only_b)
{
	struct rbuf ra = rbuf_init(a->rdata, a->rdata_len), rb = rbuf_init(b->rdata, b->rdata_len);
	size_t la = 0, lb = 0;
	const uint8_t *pa = rrset_next_rdata(&ra, &la), *pb = rrset_next_rdata(&rb, &lb);

	if (a->ttl != b->ttl) {
		*only_a += a->count;
		*only_b += b->count;
		return;
	}
	while (pa != NULL || pb != NULL) {
		int c = pa == NULL ? 1 : pb == NULL ? -1 : rdata_cmp(pa, la, pb, lb);

		*only_a += c < 0;
		*only_b += c > 0;
		/* Equal in canonical order may still differ in case: that is a change of both. */
		if (c == 0 && (la != lb || memcmp(pa, pb, la) != 0)) {
			*only_a += 1;
			*only_b += 1;
		}
		if (c <= 0)
			pa = rrset_next_rdata(&ra, &la);
		if (c >= 0)
			pb = rrset_next_rdata(&rb, &lb);
	}
}

bool
diff_zwire(struct diff *d, const void *before, size_t blen, const void *after, size_t alen)
{
	struct zwire_iter ib = zwire_iter(before, blen), ia = zwire_iter(after, alen);
	struct rrset b, a;
	bool hb = zwire_next(&ib, &b), ha = zwire_next(&ia, &a);

	while (hb || ha) {
		int c = !hb ? 1 : !ha ? -1 : rrset_cmp(&b, &a);

		if (c < 0) {
			take(&d->removed, &d->nremoved, &b);
		} else if (c > 0) {
			take(&d->added, &d->nadded, &a);
		} else if (!rrset_same_data(&b, &a)) {
			zwire_put(&d->removed, &b);
			zwire_put(&d->added, &a);
			count_changed(&b, &a, &d->nremoved, &d->nadded);
		}
		if (c <= 0)
			hb = zwire_next(&ib, &b);
		if (c >= 0)
			ha = zwire_next(&ia, &a);
	}
	return rbuf_ok(&ib.r) && rbuf_ok(&ia.r) && wbuf_ok(&d->removed) && wbuf_ok(&d->added);
}

bool
diff_count(const void *removed, size_t rlen, const void *added, size_t alen, struct diff_sets *out)
{
	struct zwire_iter ib = zwire_iter(removed, rlen), ia = zwire_iter(added, alen);
	struct rrset b, a;
	bool hb = zwire_next(&ib, &b), ha = zwire_next(&ia, &a);

	while (hb || ha) {
		int c = !hb ? 1 : !ha ? -1 : rrset_cmp(&b, &a);

		out->removed += c < 0;
		out->added += c > 0;
		out->changed += c == 0 && !(b.type == RR_SOA && soa_same_but_serial(&b, &a));
		if (c <= 0)
			hb = zwire_next(&ib, &b);
		if (c >= 0)
			ha = zwire_next(&ia, &a);
	}
	return rbuf_ok(&ib.r) && rbuf_ok(&ia.r);
}

/* Where the serial stands in SOA rdata: behind two names. */
static const uint8_t *
serial_place(const struct rrset *soa)
{
	struct rbuf r = rbuf_init(soa->rdata, soa->rdata_len), in;
	size_t len, n;
	const uint8_t *rdata = rrset_next_rdata(&r, &len);

	if (rdata == NULL)
		return NULL;
	in = rbuf_init(rdata, len);
	for (int i = 0; i < 2; i++) {
		n = name_check(rdata + in.pos, rbuf_left(&in));
		if (n == 0 || rbuf_bytes(&in, n) == NULL)
			return NULL;
	}
	return rbuf_bytes(&in, 4);
}

bool
soa_serial_find(
    const uint8_t *apex, const void *zwire, size_t len, size_t *offset, uint32_t *serial)
{
	struct zwire_iter it = zwire_iter(zwire, len);
	const uint8_t *place;
	struct rrset s;

	while (zwire_next(&it, &s)) {
		if (!name_equal(s.owner, apex))
			return false;
		if (s.type != RR_SOA)
			continue;
		place = serial_place(&s);
		if (place == NULL)
			return false;
		if (offset != NULL)
			*offset = (size_t)(place - (const uint8_t *)zwire);
		*serial = get_u32(place);
		return true;
	}
	return false;
}

/* The SOA in one side. */
static bool
soa_in(const struct wbuf *w, const uint8_t *apex, struct rrset *out)
{
	struct zwire_iter it = zwire_iter(w->base, w->len);

	while (zwire_next(&it, out) && name_equal(out->owner, apex))
		if (out->type == RR_SOA)
			return true;
	return false;
}

bool
soa_same_but_serial(const struct rrset *a, const struct rrset *b)
{
	const uint8_t *pa = serial_place(a), *pb = serial_place(b);
	size_t at = pa != NULL ? (size_t)(pa - a->raw) : 0;

	return pa != NULL && pb != NULL && a->raw_len == b->raw_len &&
	       at == (size_t)(pb - b->raw) && memcmp(a->raw, b->raw, at) == 0 &&
	       memcmp(pa + 4, pb + 4, a->raw_len - at - 4) == 0;
}

bool
diff_soa_serial_only(const struct diff *d, const uint8_t *apex)
{
	struct rrset a, b;

	return soa_in(&d->removed, apex, &a) && soa_in(&d->added, apex, &b) &&
	       soa_same_but_serial(&a, &b);
}

bool
diff_same_but_serial(const struct diff *d, const uint8_t *apex)
{
	struct rrset a, b;

	return soa_in(&d->removed, apex, &a) && a.raw_len == d->removed.len &&
	       soa_in(&d->added, apex, &b) && b.raw_len == d->added.len &&
	       soa_same_but_serial(&a, &b);
}

bool
zwire_is_signed(const void *zwire, size_t len)
{
	struct zwire_iter it = zwire_iter(zwire, len);
	struct rrset s;

	while (zwire_next(&it, &s))
		/* An NSEC chain without its signatures is no less made by signing. */
		if (s.type == RR_RRSIG || s.type == RR_NSEC || s.type == RR_NSEC3 ||
		    s.type == RR_NSEC3PARAM)
			return true;
	return false;
}
