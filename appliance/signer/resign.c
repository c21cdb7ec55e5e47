/* resign.c - see resign.h. */
#include "appliance/signer/resign.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/dns/rrtype.h"
#include "appliance/signer/aliassign.h"
#include "appliance/signer/resign_internal.h"
#include "ipc/base/xalloc.h"

/* ---- what is edited ---- */

static struct op *
add_op(struct resign *r, const uint8_t *name)
{
	struct op *op;

	if (r->n == r->cap) {
		r->cap = r->cap > 0 ? r->cap * 2 : 16;
		r->op = xreallocarray(r->op, r->cap, sizeof *r->op);
	}
	op = &r->op[r->n++];
	memset(op, 0, sizeof *op);
	op->o.name = name;
	op->keylen = image_key_of(name, r->old->ref.image->head.apex_labels, op->key);
	return op;
}

static int
by_key(const void *pa, const void *pb)
{
	const struct op *a = pa, *b = pb;

	return image_key_cmp(a->key, a->keylen, b->key, b->keylen);
}

const struct op *
resign_op(const struct resign *r, const uint8_t *key, size_t keylen)
{
	size_t lo = 0, hi = r->n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		int d = image_key_cmp(r->op[mid].key, r->op[mid].keylen, key, keylen);

		if (d == 0)
			return &r->op[mid];
		if (d < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

static void
note_set(struct resign *r, struct op *op, const struct rrset *set)
{
	op->o.ds = op->o.ds || set->type == RR_DS;
	op->o.policy = op->o.policy || set->type == RR_NSPOLICY;
	op->top = op->top || set->type == RR_DNAME || (set->type == RR_NS && op->keylen > 0);
	if (set->type == RR_NS && op->keylen > 0)
		op->o.part = OWNER_CUT;
	if (set->type == RR_ALIAS)
		owner_alias(&r->s, &op->o, set);
	if (set->type == RR_SOA && op->keylen == 0 && set->rdata_len >= 24) {
		uint32_t minimum = get_u32(set->rdata + set->rdata_len - 4);

		/* Every NSEC has that TTL (RFC 9077). */
		if ((set->ttl < minimum ? set->ttl : minimum) != r->old->ref.image->neg_ttl)
			r->found = RESIGN_WHOLE;
	}
}

static bool
read_edit(struct resign *r, const void *zwire, size_t len, const uint8_t *gone, size_t gone_len)
{
	struct zwire_iter it = zwire_iter(zwire, len);
	struct op *op = NULL;
	struct rrset set;
	size_t n;

	while (zwire_next(&it, &set)) {
		if (op == NULL || !name_equal(op->o.name, set.owner)) {
			op = add_op(r, set.owner);
			op->o.raw = set.raw;
		}
		op->o.raw_len += set.raw_len;
		note_set(r, op, &set);
	}
	for (size_t at = 0; at < gone_len; at += n) {
		if ((n = name_check(gone + at, gone_len - at)) == 0)
			return false;
		(void)add_op(r, gone + at);
	}
	if (r->n > 1)
		qsort(r->op, r->n, sizeof *r->op, by_key);
	return rbuf_ok(&it.r) && r->n > 0;
}

/* ---- parts ---- */

bool
resign_old(const struct resign *r, const uint8_t *key, size_t keylen, struct image_node *node)
{
	return image_find(&r->old->ref, key, keylen, node) == IMAGE_NODE;
}

static bool
is_below_top(const struct resign *r, const struct op *op)
{
	for (size_t len = image_key_next(op->key, op->keylen, 0); len < op->keylen;
	     len = image_key_next(op->key, op->keylen, len)) {
		const struct op *up = resign_op(r, op->key, len);
		struct image_node node;

		if (up != NULL ? up->top
			       : resign_old(r, op->key, len, &node) &&
				     (node.flags & (NODE_CUT | NODE_DNAME)) != 0)
			return true;
	}
	return false;
}

static void
place_ops(struct resign *r)
{
	for (size_t i = 0; i < r->n; i++) {
		struct op *op = &r->op[i];
		struct image_node node;
		struct image_set nsec;
		bool there = resign_old(r, op->key, op->keylen, &node);
		bool top = there && (node.flags & (NODE_CUT | NODE_DNAME)) != 0 && op->keylen > 0;

		op->was = there && image_set_find(&node, RR_NSEC, &nsec);
		if (op->o.raw != NULL && is_below_top(r, op))
			op->o.part = OWNER_HIDDEN;
		op->is = op->o.raw != NULL && op->o.part != OWNER_HIDDEN;
		/* Names below it change their part: those that the edit does not touch, too. */
		if (op->keylen > 0 && top != op->top &&
		    image_has_below(&r->old->ref, op->key, op->keylen))
			r->found = RESIGN_WHOLE;
	}
}

/* ---- neighbours in the chain as it will be ---- */

/* The old chain's last name before that key that stays. */
static bool
old_before(const struct resign *r, const uint8_t *key, size_t keylen, struct image_node *node)
{
	while (keylen > 0 && image_find_nsec(&r->old->ref, key, keylen - 1, node) == IMAGE_NODE) {
		const struct op *op = resign_op(r, node->key, node->keylen);

		if (op == NULL || op->is)
			return true;
		/* Without its last octet, which ends a label, a key is the next lower one. */
		key = node->key;
		keylen = node->keylen;
	}
	return false;
}

static bool
nsec_next(const struct resign *r, const struct image_node *node, uint8_t key[NAME_MAX_KEY],
    size_t *keylen)
{
	uint8_t owner[NAME_MAX_WIRE], rdata[NAME_MAX_WIRE * 2 + 8192];
	const struct image_ref *ref = &r->old->ref;
	struct image_set set;
	size_t len;

	if (image_key_name(node->key, node->keylen, ref->apex, ref->image->head.apex_len, owner) ==
		0 ||
	    !image_set_find(node, RR_NSEC, &set))
		return false;
	len = image_set_rdata(ref, &set, owner, 0, rdata, sizeof rdata);
	if (len == SIZE_MAX || name_check(rdata, len) == 0 || !name_in(rdata, ref->apex))
		return false;
	*keylen = image_key_of(rdata, ref->image->head.apex_labels, key);
	return true;
}

/* The old chain's next name after that key that stays; keylen 0: it is the apex, after the last one. */
static bool
old_after(const struct resign *r, const uint8_t *from, size_t fromlen, uint8_t key[NAME_MAX_KEY],
    size_t *keylen)
{
	struct image_node node;

	if (image_find_nsec(&r->old->ref, from, fromlen, &node) != IMAGE_NODE)
		return false;
	while (nsec_next(r, &node, key, keylen)) {
		const struct op *op = resign_op(r, key, *keylen);

		if (*keylen == 0 || op == NULL || op->is)
			return true;
		if (image_find_nsec(&r->old->ref, key, *keylen, &node) != IMAGE_NODE)
			return false;
	}
	return false;
}

/* The name that the NSEC of op number i leads to. */
static bool
next_of(const struct resign *r, size_t i, uint8_t name[NAME_MAX_WIRE])
{
	const struct image_ref *ref = &r->old->ref;
	uint8_t key[NAME_MAX_KEY];
	const struct op *next = NULL;
	size_t keylen;

	if (!old_after(r, r->op[i].key, r->op[i].keylen, key, &keylen))
		return false;
	for (size_t k = i + 1; k < r->n && next == NULL; k++) {
		if (r->op[k].is)
			next = &r->op[k];
	}
	if (next != NULL &&
	    (keylen == 0 || image_key_cmp(next->key, next->keylen, key, keylen) < 0)) {
		memcpy(name, next->o.name, name_len(next->o.name));
		return true;
	}
	return image_key_name(key, keylen, ref->apex, ref->image->head.apex_len, name) != 0;
}

bool
resign_add_near(struct resign *r, const struct image_node *node)
{
	const struct image_ref *ref = &r->old->ref;
	uint8_t name[NAME_MAX_WIRE];
	size_t len =
	    image_key_name(node->key, node->keylen, ref->apex, ref->image->head.apex_len, name);
	struct near *near;

	if (r->nnear == r->near_cap) {
		r->near_cap = r->near_cap > 0 ? r->near_cap * 2 : 16;
		r->near = xreallocarray(r->near, r->near_cap, sizeof *r->near);
	}
	near = &r->near[r->nnear++];
	near->name_at = r->mem.len;
	wbuf_put(&r->mem, name, len);
	near->raw_at = r->mem.len;
	near->flags = node->flags;
	if (len == 0 || !image_node_zwire(ref, node, false, &r->mem))
		return false;
	near->raw_len = r->mem.len - near->raw_at;
	return true;
}

static const struct op *
op_before(const struct resign *r, size_t i)
{
	while (i-- > 0) {
		if (r->op[i].is)
			return &r->op[i];
	}
	return NULL;
}

/* Ops come in order, so the same neighbour of two comes twice in a row. */
static bool
find_neighbours(struct resign *r)
{
	const uint8_t *last = NULL;

	for (size_t i = 0; i < r->n; i++) {
		const struct op *op = &r->op[i], *before = op_before(r, i);
		struct image_node node;

		if (op->was == op->is || op->keylen == 0)
			continue;
		if (!old_before(r, op->key, op->keylen, &node))
			return false;
		if (node.key == last || resign_op(r, node.key, node.keylen) != NULL ||
		    (before != NULL &&
			image_key_cmp(before->key, before->keylen, node.key, node.keylen) > 0))
			continue;
		last = node.key;
		if (!resign_add_near(r, &node))
			return false;
	}
	return true;
}

static void
find_alias(struct resign *r, struct owner *o)
{
	struct zwire_iter it = zwire_iter(o->raw, o->raw_len);
	struct rrset set;

	while (zwire_next(&it, &set)) {
		if (set.type == RR_ALIAS)
			owner_alias(&r->s, o, &set);
	}
}

/* `mem` stays where it is from now on. */
void
resign_near_ops(struct resign *r)
{
	for (size_t i = 0; i < r->nnear; i++) {
		const struct near *near = &r->near[i];
		struct op *op = add_op(r, r->mem.base + near->name_at);

		op->o.raw = r->mem.base + near->raw_at;
		op->o.raw_len = near->raw_len;
		op->o.part =
		    (near->flags & NODE_CUT) != 0 && op->keylen > 0 ? OWNER_CUT : OWNER_OURS;
		op->o.policy = (near->flags & NODE_POLICY) != 0;
		if (op->o.policy)
			find_alias(r, &op->o);
		op->was = op->is = true;
	}
	if (r->nnear > 0)
		qsort(r->op, r->n, sizeof *r->op, by_key);
}

/* ---- all ---- */

static bool
sign_ops(struct resign *r, struct wbuf *out)
{
	uint8_t next[NAME_MAX_WIRE];

	for (size_t i = 0; i < r->n; i++) {
		const struct op *op = &r->op[i];
		const struct emission_chain chain = { .next = next };

		if (op->o.raw == NULL)
			continue;
		if (op->is && !next_of(r, i, next))
			r->found = RESIGN_WHOLE;
		else if (!sign_owner(&r->s, &op->o, &chain, out))
			r->found = RESIGN_REFUSED;
		if (r->found != RESIGNED)
			return false;
	}
	return true;
}

static void
with_nsec(struct resign *r, struct wbuf *out)
{
	if (!find_neighbours(r)) {
		r->found = RESIGN_WHOLE;
		return;
	}
	resign_near_ops(r);
	(void)sign_ops(r, out);
}

enum resigned
resign_edit(const struct zonesign *z, struct signed_image *old, const struct pol_owners *policies,
    const struct content_edit *edit, struct wbuf *out, struct wbuf *gone,
    struct zonesign_done *done)
{
	struct resign r = { .old = old, .policies = policies, .mem = wbuf_grow(SIZE_MAX / 2) };

	signing_init(&r.s, z, done);
	r.s.chain_ttl = old->ref.image->neg_ttl;
	wbuf_put(gone, edit->gone, edit->gone_len);
	if (!read_edit(&r, edit->zwire, edit->len, edit->gone, edit->gone_len))
		r.found = RESIGN_WHOLE;
	if (r.found == RESIGNED)
		place_ops(&r);
	if (r.found == RESIGNED && z->keys->denial == DENIAL_NSEC)
		with_nsec(&r, out);
	else if (r.found == RESIGNED)
		resign3_ops(&r, out, gone);
	if (r.s.err != NS_OK)
		r.found = RESIGN_REFUSED;
	if (r.found == RESIGNED)
		signing_note(&r.s, old->ref.image->expires);
	signing_free(&r.s);
	wbuf_free(&r.mem);
	for (size_t i = 0; i < r.n; i++)
		owner_free(&r.op[i].o);
	free(r.op);
	free(r.near);
	return r.found;
}

bool
resign_policies(
    const struct image_ref *ref, const struct pol_owners *policies, struct wbuf *content)
{
	struct wbuf all = wbuf_grow(SIZE_MAX / 2);
	bool ok = true;

	for (size_t i = 0; ok && i < policies->n; i++) {
		const struct pol_owner *o = &policies->owner[i];
		struct image_node node;
		struct zwire_iter it;
		struct rrset set;

		all.len = 0;
		ok = image_find(ref, o->key, o->keylen, &node) == IMAGE_NODE &&
		     image_node_zwire(ref, &node, false, &all);
		it = zwire_iter(all.base, all.len);
		while (ok && zwire_next(&it, &set)) {
			if (!zonesign_makes(set.type, node.keylen == 0))
				wbuf_put(content, set.raw, set.raw_len);
		}
	}
	wbuf_free(&all);
	return ok;
}

/* ---- with other eyes ---- */

/* Does the NSEC before that name lead to it, and its own to one with nothing in between? */
static bool
is_linked(const struct image_ref *ref, const uint8_t *name)
{
	struct signed_image img = { .ref = *ref };
	const struct resign r = { .old = &img };
	uint8_t key[NAME_MAX_KEY], next[NAME_MAX_KEY];
	struct image_node node, before;
	size_t len = image_key_of(name, ref->image->head.apex_labels, key), next_len;

	if (image_find_nsec(ref, key, len, &node) != IMAGE_NODE || node.keylen != len ||
	    memcmp(node.key, key, len) != 0 || !nsec_next(&r, &node, next, &next_len))
		return false;
	/* The last one leads to the apex. */
	if (image_find_nsec(ref, next_len > 0 ? next : (const uint8_t *)"\xff",
		next_len > 0 ? next_len - 1 : 1, &before) != IMAGE_NODE ||
	    before.key != node.key)
		return false;
	if (len == 0)
		return true;
	return image_find_nsec(ref, key, len - 1, &before) == IMAGE_NODE &&
	       nsec_next(&r, &before, next, &next_len) && next_len == len &&
	       memcmp(next, key, len) == 0;
}

bool
resign_check(const struct image_ref *ref, const void *zwire, size_t len, const void *gone_names,
    size_t gone_len)
{
	struct zwire_iter it = zwire_iter(zwire, len);
	const uint8_t *gone = gone_names;
	struct rrset set;
	size_t n;

	if ((ref->image->flags & IMAGE_NSEC3) != 0)
		return resign3_check(ref, zwire, len, gone_names, gone_len);
	while (zwire_next(&it, &set)) {
		if (set.type == RR_NSEC && !is_linked(ref, set.owner))
			return false;
	}
	for (size_t at = 0; at < gone_len; at += n) {
		uint8_t key[NAME_MAX_KEY], next[NAME_MAX_KEY];
		struct signed_image img = { .ref = *ref };
		const struct resign r = { .old = &img };
		struct image_node before;
		size_t keylen, next_len;

		n = name_check(gone + at, gone_len - at);
		keylen = n > 0 ? image_key_of(gone + at, ref->image->head.apex_labels, key) : 0;
		if (keylen == 0 || image_find_nsec(ref, key, keylen, &before) != IMAGE_NODE ||
		    !nsec_next(&r, &before, next, &next_len) ||
		    (next_len == keylen && memcmp(next, key, keylen) == 0))
			return false;
	}
	return rbuf_ok(&it.r);
}
