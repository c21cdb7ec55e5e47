/* edit - see edit.h. */
#include "appliance/sync/edit.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/dns/rrtype.h"
#include "appliance/dns/serial.h"
#include "appliance/dns/zwire.h"
#include "appliance/sync/errors.h"
#include "appliance/sync/place.h"
#include "ipc/base/xalloc.h"

void
edit_init(struct edit *e, const uint8_t *apex)
{
	*e = (struct edit){ .apex = apex };
}

void
edit_free(struct edit *e)
{
	for (size_t i = 0; i < e->count; i++) {
		wbuf_free(&e->owners[i].before);
		wbuf_free(&e->owners[i].after);
	}
	free(e->owners);
	*e = (struct edit){ 0 };
}

void
edit_op_free(struct edit_op *op)
{
	wbuf_free(&op->rdata);
}

/* Room for twice the limit: one operation may first make an owner too big, which the store and the
 * check then refuse by name. */
static struct wbuf
owner_buf(const void *data, size_t len)
{
	struct wbuf w = wbuf_grow(4 * OWNER_MAX_WIRE);

	wbuf_put(&w, data, len);
	return w;
}

/* Where the name is, or where it belongs. */
static size_t
owner_place(const struct edit *e, const uint8_t *name, bool *found)
{
	size_t lo = 0, hi = e->count;

	*found = false;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = name_cmp(e->owners[mid].name, name);

		if (c == 0) {
			*found = true;
			return mid;
		}
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static struct edit_owner *
owner_load(struct edit *e, const struct zone_view *view, const uint8_t *name)
{
	struct edit_owner *o;
	const uint8_t *zwire;
	bool found;
	size_t len, at = owner_place(e, name, &found);

	if (found)
		return &e->owners[at];
	if (e->count == e->room) {
		e->room = e->room != 0 ? 2 * e->room : 4;
		e->owners = xreallocarray(e->owners, e->room, sizeof *e->owners);
	}
	o = &e->owners[at];
	memmove(o + 1, o, (e->count - at) * sizeof *o);
	e->count++;
	memset(o, 0, sizeof *o);
	memcpy(o->name, name, name_len(name));
	if (!view->at(view->arg, name, &zwire, &len))
		len = 0;
	o->before = owner_buf(len != 0 ? zwire : NULL, len);
	o->after = owner_buf(len != 0 ? zwire : NULL, len);
	return o;
}

static enum ns_err
fail_at(struct ns_why *why, const struct edit *e, const struct edit_op *op, enum ns_err err,
    uint16_t code, const char *text)
{
	ns_fail(why, err, code, "%s", text);
	place_names(why, e->apex, op->owner, op->type);
	place_sentence(why, NULL);
	return err;
}

static bool
set_find(const struct wbuf *zwire, uint16_t type, struct rrset *out)
{
	struct zwire_iter it = zwire_iter(zwire->base, zwire->len);

	while (zwire_next(&it, out))
		if (out->type == type)
			return true;
	return false;
}

/* Of an owner's policies each type has one: a record of the same type is the same one. */
static bool
rdata_same(uint16_t type, const uint8_t *a, size_t alen, const uint8_t *b, size_t blen)
{
	if (type == RR_NSPOLICY && alen >= 2 && blen >= 2)
		return memcmp(a, b, 2) == 0;
	return rdata_cmp(a, alen, b, blen) == 0;
}

static bool
rdata_in(uint16_t type, const struct wbuf *list, const uint8_t *rdata, size_t len)
{
	struct rbuf r = rbuf_init(list->base, list->len);
	const uint8_t *p;
	size_t n;

	while (rbuf_left(&r) > 0 && (p = rrset_next_rdata(&r, &n)) != NULL)
		if (rdata_same(type, p, n, rdata, len))
			return true;
	return false;
}

static void
pile_list(struct rrpile *pile, const struct edit_op *op, uint32_t ttl, const uint8_t *rdata,
    size_t rdata_len)
{
	struct rbuf r = rbuf_init(rdata, rdata_len);
	const uint8_t *p;
	size_t n;

	while (rbuf_left(&r) > 0 && (p = rrset_next_rdata(&r, &n)) != NULL)
		rrpile_add(pile, op->owner, op->type, ttl, p, n, 0);
}

/* after = after without the sets of that type (0: of any), with those in `pile` instead. */
static enum ns_err
owner_rewrite(struct edit_owner *o, uint16_t type, struct rrpile *pile, struct ns_why *why)
{
	struct wbuf out = owner_buf(NULL, 0), fresh = owner_buf(NULL, 0);
	struct zwire_iter it = zwire_iter(o->after.base, o->after.len), in;
	struct rrset s, n;
	bool pending = false;
	uint64_t records;
	enum ns_err err = NS_OK;

	if (pile != NULL && (err = rrpile_to_zwire(pile, &fresh, &records, why)) != NS_OK)
		goto out;
	in = zwire_iter(fresh.base, fresh.len);
	pending = zwire_next(&in, &n);
	while (zwire_next(&it, &s)) {
		if (pending && rrset_cmp(&n, &s) <= 0) {
			zwire_put(&out, &n);
			pending = false;
		}
		if (type != 0 && s.type != type)
			zwire_put(&out, &s);
	}
	if (pending)
		zwire_put(&out, &n);
	if (!rbuf_ok(&it.r) || !wbuf_ok(&out))
		err = ns_fail(why, NS_INVALID, ES_NO_RDATA, "too much data at one name");
	else
		wbuf_free(&o->after);
out:
	wbuf_free(&fresh);
	if (err == NS_OK)
		o->after = out;
	else
		wbuf_free(&out);
	return err;
}

static enum ns_err
apply_set(struct edit *e, struct edit_owner *o, const struct edit_op *op, struct ns_why *why)
{
	struct rrpile *pile = rrpile_new();
	uint32_t ttl = EDIT_TTL_DEFAULT;
	struct rrset old;
	enum ns_err err;

	(void)e;
	if (op->type == RR_NSPOLICY)
		ttl = 0;
	else if (op->ttl_given)
		ttl = op->ttl;
	else if (set_find(&o->after, op->type, &old))
		ttl = old.ttl;
	pile_list(pile, op, ttl, op->rdata.base, op->rdata.len);
	err = owner_rewrite(o, op->type, pile, why);
	rrpile_destroy(&pile);
	return err;
}

/* Policies of other types stay. */
static enum ns_err
add_policy(
    struct edit_owner *o, const struct edit_op *op, const struct rrset *old, struct ns_why *why)
{
	struct rbuf r = rbuf_init(old->rdata, old->rdata_len);
	struct rrpile *pile = rrpile_new();
	const uint8_t *p;
	enum ns_err err;
	size_t n;

	while (rbuf_left(&r) > 0 && (p = rrset_next_rdata(&r, &n)) != NULL)
		if (!rdata_in(op->type, &op->rdata, p, n))
			rrpile_add(pile, op->owner, op->type, 0, p, n, 0);
	pile_list(pile, op, 0, op->rdata.base, op->rdata.len);
	err = owner_rewrite(o, op->type, pile, why);
	rrpile_destroy(&pile);
	return err;
}

static enum ns_err
apply_add(struct edit *e, struct edit_owner *o, const struct edit_op *op, struct ns_why *why)
{
	uint32_t ttl = op->ttl_given ? op->ttl : EDIT_TTL_DEFAULT;
	struct rrpile *pile;
	struct rrset old;
	enum ns_err err;
	char text[160];

	if (!set_find(&o->after, op->type, &old))
		return apply_set(e, o, op, why);
	if (op->type == RR_NSPOLICY)
		return add_policy(o, op, &old, why);
	if (op->ttl_given && op->ttl != old.ttl) {
		snprintf(text, sizeof text,
		    "the RRset has TTL %u, the new record %u: all records of a set share one; "
		    "leave the TTL out, or use record set",
		    old.ttl, op->ttl);
		return fail_at(why, e, op, NS_INVALID, ES_TTL_MISMATCH, text);
	}
	ttl = old.ttl;
	for (struct rbuf r = rbuf_init(old.rdata, old.rdata_len); rbuf_left(&r) > 0;) {
		size_t n;
		const uint8_t *p = rrset_next_rdata(&r, &n);

		if (p != NULL && rdata_in(op->type, &op->rdata, p, n))
			return fail_at(
			    why, e, op, NS_INVALID, ES_DUPLICATE, "that record is there already");
	}
	pile = rrpile_new();
	pile_list(pile, op, ttl, old.rdata, old.rdata_len);
	pile_list(pile, op, ttl, op->rdata.base, op->rdata.len);
	err = owner_rewrite(o, op->type, pile, why);
	rrpile_destroy(&pile);
	return err;
}

/* What is left of a set without the records named; refused when one of them is not there. */
static enum ns_err
del_some(struct edit *e, struct edit_owner *o, const struct edit_op *op, const struct rrset *old,
    struct ns_why *why)
{
	struct rbuf r = rbuf_init(old->rdata, old->rdata_len);
	struct rrpile *pile;
	unsigned kept = 0;
	const uint8_t *p;
	enum ns_err err;
	size_t n;

	pile = rrpile_new();
	while (rbuf_left(&r) > 0 && (p = rrset_next_rdata(&r, &n)) != NULL) {
		if (rdata_in(op->type, &op->rdata, p, n))
			continue;
		rrpile_add(pile, op->owner, op->type, old->ttl, p, n, 0);
		kept++;
	}
	if (kept + op->count != old->count)
		err = fail_at(why, e, op, NS_NOTFOUND, ES_NO_RECORD, "there is no such record");
	else
		err = owner_rewrite(o, op->type, kept > 0 ? pile : NULL, why);
	rrpile_destroy(&pile);
	return err;
}

static enum ns_err
apply_del(struct edit *e, struct edit_owner *o, const struct edit_op *op, struct ns_why *why)
{
	struct rrset old;

	if (op->type == 0 && o->after.len == 0)
		return fail_at(why, e, op, NS_NOTFOUND, ES_NO_RECORD, "there is no such name");
	if (op->type == 0)
		return owner_rewrite(o, 0, NULL, why);
	if (!set_find(&o->after, op->type, &old))
		return fail_at(why, e, op, NS_NOTFOUND, ES_NO_RECORD, "there is no such record");
	if (op->count > 0)
		return del_some(e, o, op, &old, why);
	return owner_rewrite(o, op->type, NULL, why);
}

/* The same record twice in one operation is a slip of the hand, not a wish. */
static bool
given_twice(const struct edit_op *op)
{
	struct rbuf r = rbuf_init(op->rdata.base, op->rdata.len);

	while (rbuf_left(&r) > 0) {
		size_t n;
		const uint8_t *p = rrset_next_rdata(&r, &n);
		struct wbuf rest = wbuf_init(op->rdata.base + r.pos, op->rdata.len - r.pos);

		rest.len = rest.cap;
		if (p != NULL && rdata_in(op->type, &rest, p, n))
			return true;
	}
	return false;
}

enum ns_err
edit_apply(
    struct edit *e, const struct zone_view *view, const struct edit_op *op, struct ns_why *why)
{
	static enum ns_err (*const apply[])(
	    struct edit *, struct edit_owner *, const struct edit_op *, struct ns_why *) = {
		[EDIT_SET] = apply_set,
		[EDIT_ADD] = apply_add,
		[EDIT_DEL] = apply_del,
	};

	if (!name_in(op->owner, e->apex))
		return fail_at(
		    why, e, op, NS_INVALID, ES_OUT_OF_ZONE, "the name is outside the zone");
	if (op->kind != EDIT_DEL && op->count == 0)
		return fail_at(why, e, op, NS_INVALID, ES_NO_RDATA, "no record data is given");
	if (given_twice(op))
		return fail_at(
		    why, e, op, NS_INVALID, ES_DUPLICATE, "the same record is given twice");
	return apply[op->kind](e, owner_load(e, view, op->owner), op, why);
}

const struct edit_owner *
edit_owner_find(const struct edit *e, const uint8_t *name)
{
	bool found;
	size_t at = owner_place(e, name, &found);

	return found ? &e->owners[at] : NULL;
}

size_t
edit_owner_after(const struct edit *e, const uint8_t *name)
{
	bool found;
	size_t at = owner_place(e, name, &found);

	return found ? at + 1 : at;
}

enum ns_err
edit_put(struct edit *e, const struct zone_view *view, const uint8_t *owner, uint16_t type,
    uint16_t covers, const struct rrset *set, struct ns_why *why)
{
	struct edit_owner *o = owner_load(e, view, owner);
	struct rrset key = { .owner = owner, .type = type, .covers = covers }, s;
	struct zwire_iter it = zwire_iter(o->after.base, o->after.len);
	struct wbuf out = owner_buf(NULL, 0);
	bool pending = set != NULL;

	while (zwire_next(&it, &s)) {
		int c = rrset_cmp(&key, &s);

		if (pending && c <= 0) {
			zwire_put(&out, set);
			pending = false;
		}
		if (c != 0)
			zwire_put(&out, &s);
	}
	if (pending)
		zwire_put(&out, set);
	if (!rbuf_ok(&it.r) || !wbuf_ok(&out)) {
		wbuf_free(&out);
		return ns_fail(why, NS_INVALID, ES_NO_RDATA, "too much data at one name");
	}
	wbuf_free(&o->after);
	o->after = out;
	return NS_OK;
}

bool
edit_owner_changed(const struct edit_owner *o)
{
	return o->before.len != o->after.len ||
	       (o->after.len > 0 && memcmp(o->before.base, o->after.base, o->after.len) != 0);
}

bool
edit_changes(const struct edit *e)
{
	for (size_t i = 0; i < e->count; i++)
		if (edit_owner_changed(&e->owners[i]))
			return true;
	return false;
}

enum ns_err
edit_serial(struct edit *e, const struct zone_view *view, int64_t now_ms, struct ns_why *why)
{
	struct edit_owner *o = owner_load(e, view, e->apex);
	size_t at;

	if (!soa_serial_find(e->apex, o->before.base, o->before.len, NULL, &e->serial_before))
		return ns_fail(why, NS_CORRUPT, ES_STORE, "the stored zone has no SOA record");
	/* No SOA any more: the check says so, with the rule. */
	if (!soa_serial_find(e->apex, o->after.base, o->after.len, &at, &e->serial_after))
		return NS_OK;
	if (serial_newer(e->serial_after, e->serial_before))
		return NS_OK;
	e->serial_after = serial_next(e->serial_before, now_ms);
	put_u32(o->after.base + at, e->serial_after);
	return NS_OK;
}

bool
edit_diff(const struct edit *e, struct diff *d)
{
	for (size_t i = 0; i < e->count; i++) {
		const struct edit_owner *o = &e->owners[i];

		if (!diff_zwire(d, o->before.base, o->before.len, o->after.base, o->after.len))
			return false;
	}
	return true;
}
