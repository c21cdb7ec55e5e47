/* resign3.c - see resign.h: a chain by NSEC3, of which an edit touches the hashes of its owners, of the empty
 * non-terminals above them, and whatever stands before one that comes or goes. */
#include <stdlib.h>
#include <string.h>

#include "appliance/dns/rrtype.h"
#include "appliance/signer/resign_internal.h"
#include "ipc/base/xalloc.h"

#define SCAN_NAMES \
	1000u /* names below one that are hashed to see whether it is an empty non-terminal still */
#define RDATA_FIXED 6u /* algorithm, flags, iterations, no salt, length of the hash */
#define RDATA_MAX   (RDATA_FIXED + NSEC3_HASH + 8192u)

static const struct nsec3_chain no_salt = { .used = true };

struct link {
	uint8_t label[NSEC3_LABEL]; /* of the hash, whose order it has; links go by it */
	uint8_t hash[NSEC3_HASH];
	bool was, is; /* in the chain */
	size_t at, len; /* its types in `maps` */
};
struct links {
	struct resign *r;
	struct link *link; /* in order, each once, from sort() on */
	size_t n, cap;
	struct wbuf maps;
};
struct entry { /* of the old chain */
	uint8_t label[NSEC3_LABEL], next[NSEC3_LABEL], next_hash[NSEC3_HASH];
	uint8_t rdata[RDATA_MAX];
	size_t len;
};

/* ---- the old chain ---- */

static bool
entry_read(const struct image_ref *ref, const struct image_node *node, struct entry *e)
{
	uint8_t owner[NAME_MAX_WIRE];
	struct image_set set;

	if (node->keylen != NSEC3_KEY || !image_set_find(node, RR_NSEC3, &set) ||
	    image_key_name(node->key, node->keylen, ref->apex, ref->image->head.apex_len, owner) ==
		0)
		return false;
	e->len = image_set_rdata(ref, &set, owner, 0, e->rdata, sizeof e->rdata);
	if (e->len == SIZE_MAX || e->len < RDATA_FIXED + NSEC3_HASH ||
	    e->rdata[RDATA_FIXED - 1] != NSEC3_HASH)
		return false;
	memcpy(e->label, node->key, NSEC3_LABEL);
	memcpy(e->next_hash, e->rdata + RDATA_FIXED, NSEC3_HASH);
	nsec3_label(e->next_hash, e->next);
	return true;
}

/* The one at that label, or the last before it (`strictly`: not at it); the chain is a ring.  A label without the octet
 * that ends it is the next lower key. */
static bool
entry_before(const struct image_ref *ref, const uint8_t *label, bool strictly, struct entry *e)
{
	uint8_t key[NSEC3_KEY] = { 0 };
	struct image_node node;

	memcpy(key, label, NSEC3_LABEL);
	if (image_find_nsec(ref, key, strictly ? NSEC3_LABEL : NSEC3_KEY, &node) != IMAGE_NODE &&
	    image_find_nsec(ref, (const uint8_t *)"\xff", 1, &node) != IMAGE_NODE)
		return false;
	return entry_read(ref, &node, e);
}

static bool
entry_at(const struct image_ref *ref, const uint8_t *label, struct entry *e)
{
	return entry_before(ref, label, false, e) && memcmp(e->label, label, NSEC3_LABEL) == 0;
}

/* Behind a and before b on the ring; b is a: all of it. */
static bool
is_between(const uint8_t *a, const uint8_t *x, const uint8_t *b)
{
	bool behind = memcmp(x, a, NSEC3_LABEL) > 0, before = memcmp(x, b, NSEC3_LABEL) < 0;

	return memcmp(a, b, NSEC3_LABEL) < 0 ? behind && before : behind || before;
}

/* ---- the links that the edit may change ---- */

static int
by_label(const void *a, const void *b)
{
	return memcmp(
	    ((const struct link *)a)->label, ((const struct link *)b)->label, NSEC3_LABEL);
}

static struct link *
add_link(struct links *l)
{
	if (l->n == l->cap) {
		l->cap = l->cap > 0 ? l->cap * 2 : 32;
		l->link = xreallocarray(l->link, l->cap, sizeof *l->link);
	}
	l->link[l->n] = (struct link){ .at = l->maps.len };
	return &l->link[l->n++];
}

/* Several edits below one empty non-terminal found it each: all found the same. */
static void
sort(struct links *l)
{
	size_t kept = 0;

	if (l->n > 1)
		qsort(l->link, l->n, sizeof *l->link, by_label);
	for (size_t i = 0; i < l->n; i++) {
		if (kept == 0 || by_label(&l->link[kept - 1], &l->link[i]) != 0)
			l->link[kept++] = l->link[i];
	}
	l->n = kept;
}

static const struct link *
find_link(const struct links *l, const uint8_t *label)
{
	struct link want;

	memcpy(want.label, label, NSEC3_LABEL);
	return bsearch(&want, l->link, l->n, sizeof *l->link, by_label);
}

static bool
op_is_linked(const struct resign *r, const struct op *op)
{
	return op->o.raw != NULL && owner_has_nsec3(r->s.z->keys, &op->o);
}

static bool
is_below(const uint8_t *key, size_t keylen, const uint8_t *top, size_t toplen)
{
	return keylen > toplen && memcmp(key, top, toplen) == 0;
}

static bool
was_linked(const struct resign *r, const struct image_node *node)
{
	const struct image_ref *ref = &r->old->ref;
	uint8_t name[NAME_MAX_WIRE], label[NSEC3_LABEL];
	struct entry e;
	size_t len =
	    image_key_name(node->key, node->keylen, ref->apex, ref->image->head.apex_len, name);

	if (len == 0)
		return false;
	nsec3_hash(&no_salt, name, len, label);
	return entry_at(ref, label, &e);
}

/* Is a name below that one in the chain when the edit is done? */
static bool
leads_to_linked(struct resign *r, const uint8_t *top, size_t toplen)
{
	uint8_t key[NAME_MAX_KEY];
	struct image_node node;
	size_t keylen = toplen;

	for (size_t i = 0; i < r->n; i++) {
		if (is_below(r->op[i].key, r->op[i].keylen, top, toplen) &&
		    op_is_linked(r, &r->op[i]))
			return true;
	}
	memcpy(key, top, toplen);
	for (unsigned i = 0; image_after(&r->old->ref, key, keylen, &node) &&
			     is_below(node.key, node.keylen, top, toplen);
	     i++) {
		if (i == SCAN_NAMES) {
			r->found = RESIGN_WHOLE;
			return false;
		}
		if (resign_op(r, node.key, node.keylen) == NULL && was_linked(r, &node))
			return true;
		keylen = node.keylen;
		memcpy(key, node.key, keylen);
	}
	return false;
}

/* A name of the zone that is as a hash is written: too odd to be worth more than the whole zone. */
static bool
is_owner_too(struct resign *r, const uint8_t *label)
{
	uint8_t key[NSEC3_KEY] = { 0 };
	struct image_node node;

	memcpy(key, label, NSEC3_LABEL);
	return resign_old(r, key, sizeof key, &node) || resign_op(r, key, sizeof key) != NULL;
}

static void
add_name(
    struct links *l, const uint8_t *name, const struct op *op, const uint8_t *key, size_t keylen)
{
	struct link *link = add_link(l);
	struct entry e;

	nsec3_digest(&no_salt, name, name_len(name), link->hash);
	nsec3_label(link->hash, link->label);
	link->was = entry_at(&l->r->old->ref, link->label, &e);
	if (op != NULL && op_is_linked(l->r, op)) {
		link->is = true;
		owner_nsec3_types(&l->r->s, &op->o, &l->maps);
		link->len = l->maps.len - link->at;
	} else {
		link->is = leads_to_linked(l->r, key, keylen);
	}
	if (is_owner_too(l->r, link->label))
		l->r->found = RESIGN_WHOLE;
}

/* The names above that are no owners; who is an owner stays what it is. */
static void
add_above(struct links *l, const struct op *op)
{
	struct resign *r = l->r;
	const uint8_t *apex = r->old->ref.apex, *name = op->o.name;
	uint8_t key[NAME_MAX_KEY];
	struct image_node node;

	if (op->keylen == 0)
		return;
	for (name = name_parent(name); !name_equal(name, apex); name = name_parent(name)) {
		size_t len = image_key_of(name, r->old->ref.image->head.apex_labels, key);

		if (resign_op(r, key, len) == NULL && !resign_old(r, key, len, &node))
			add_name(l, name, NULL, key, len);
	}
}

/* ---- who stands before one that comes or goes ---- */

static const struct link *
link_before(const struct links *l, size_t i)
{
	for (size_t k = 1; k < l->n; k++) {
		const struct link *link = &l->link[(i + l->n - k) % l->n];

		if (link->is)
			return link;
	}
	return NULL;
}

/* The one of the old chain that stays; where it is not in the list, it has another next one now. */
static bool
find_neighbour(const struct links *l, size_t i, struct entry *e, bool *outside)
{
	const uint8_t *label = l->link[i].label;
	const struct link *before = link_before(l, i);

	for (size_t guard = 0; guard <= l->n; guard++) {
		const struct link *link;

		if (!entry_before(&l->r->old->ref, label, true, e))
			return false;
		link = find_link(l, e->label);
		if (link == NULL || link->is) {
			*outside = link == NULL &&
				   !(before != NULL &&
				       is_between(e->label, before->label, l->link[i].label));
			return true;
		}
		label = link->label;
	}
	return false;
}

/* Its own hash stands in the NSEC3 before it. */
static bool
add_neighbour(struct links *l, const struct entry *e)
{
	struct link *link = add_link(l);
	struct entry before;

	if (!entry_before(&l->r->old->ref, e->label, true, &before) ||
	    memcmp(before.next, e->label, NSEC3_LABEL) != 0)
		return false;
	memcpy(link->label, e->label, NSEC3_LABEL);
	memcpy(link->hash, before.next_hash, NSEC3_HASH);
	link->was = link->is = true;
	link->len = e->len - RDATA_FIXED - NSEC3_HASH;
	wbuf_put(&l->maps, e->rdata + RDATA_FIXED + NSEC3_HASH, link->len);
	return true;
}

/* The NSEC3 of an owner with a policy or an ALIAS stands in that owner's table, too. */
static bool
sign_who_keeps_a_denial(struct resign *r, const struct links *more)
{
	bool ok = true;

	for (size_t i = 0; ok && more->n > 0 && i < r->policies->n; i++) {
		const struct pol_owner *o = &r->policies->owner[i];
		struct image_node node;

		if (find_link(more, o->label) == NULL)
			continue;
		ok = resign_old(r, o->key, o->keylen, &node) && resign_add_near(r, &node);
	}
	resign_near_ops(r);
	return ok;
}

/* False: the zone is to be signed as a whole. */
static bool
add_neighbours(struct links *l)
{
	struct links more = { .r = l->r, .maps = l->maps };
	bool ok = true;

	for (size_t i = 0; ok && i < l->n; i++) {
		struct entry e;
		bool outside = false;

		if (l->link[i].was == l->link[i].is)
			continue;
		ok = find_neighbour(l, i, &e, &outside);
		if (ok && outside)
			ok = add_neighbour(&more, &e);
	}
	l->maps = more.maps;
	sort(&more);
	ok = ok && sign_who_keeps_a_denial(l->r, &more);
	for (size_t i = 0; i < more.n; i++)
		*add_link(l) = more.link[i];
	free(more.link);
	sort(l);
	return ok;
}

/* ---- the chain as it will be ---- */

static bool
next_of(const struct links *l, size_t i, uint8_t hash[NSEC3_HASH])
{
	const struct image_ref *ref = &l->r->old->ref;
	const struct link *link, *listed = NULL;
	struct entry e;

	if (!entry_before(ref, l->link[i].label, false, &e))
		return false;
	for (size_t guard = 0; (link = find_link(l, e.next)) != NULL && !link->is; guard++) {
		if (guard > l->n || !entry_at(ref, link->label, &e))
			return false;
	}
	for (size_t k = 1; k < l->n && listed == NULL; k++) {
		if (l->link[(i + k) % l->n].is)
			listed = &l->link[(i + k) % l->n];
	}
	memcpy(hash,
	    listed != NULL && is_between(l->link[i].label, listed->label, e.next) ? listed->hash
										  : e.next_hash,
	    NSEC3_HASH);
	return true;
}

static void
sign_link(const struct links *l, size_t i, struct wbuf *out, struct wbuf *gone)
{
	const struct link *link = &l->link[i];
	uint8_t next[NSEC3_HASH], owner[NAME_MAX_WIRE];

	if (!link->is && link->was) {
		signing_nsec3_owner(&l->r->s, link->hash, owner);
		wbuf_put(gone, owner, name_len(owner));
	}
	if (!link->is)
		return;
	if (next_of(l, i, next))
		sign_nsec3(&l->r->s, link->hash, next, l->maps.base + link->at, link->len, out);
	else
		l->r->found = RESIGN_WHOLE;
}

static bool
chain_of_op(const struct links *l, const struct op *op, uint8_t next[NSEC3_HASH],
    struct emission_chain *chain)
{
	uint8_t label[NSEC3_LABEL];
	const struct link *link;

	*chain = (struct emission_chain){ 0 };
	if (!(op->o.policy || op->o.alias) || op->o.part != OWNER_OURS)
		return true;
	nsec3_hash(&no_salt, op->o.name, name_len(op->o.name), label);
	link = find_link(l, label);
	if (link == NULL || !next_of(l, (size_t)(link - l->link), next))
		return false;
	chain->hash = link->hash;
	chain->next_hash = next;
	return true;
}

static void
sign_op(const struct links *l, const struct op *op, struct wbuf *out)
{
	uint8_t next[NSEC3_HASH];
	struct emission_chain chain;

	if (op->o.raw == NULL)
		return;
	if (!chain_of_op(l, op, next, &chain))
		l->r->found = RESIGN_WHOLE;
	else if (!sign_owner(&l->r->s, &op->o, &chain, out))
		l->r->found = RESIGN_REFUSED;
}

/* Owners and NSEC3s are each in canonical order; so is what they make together. */
static void
sign_all(const struct links *l, struct wbuf *out, struct wbuf *gone)
{
	struct resign *r = l->r;
	uint8_t key[NSEC3_KEY] = { 0 };
	size_t i = 0, k = 0;

	while (r->found == RESIGNED && (i < r->n || k < l->n)) {
		if (k < l->n)
			memcpy(key, l->link[k].label, NSEC3_LABEL);
		if (k == l->n ||
		    (i < r->n && image_key_cmp(r->op[i].key, r->op[i].keylen, key, sizeof key) < 0))
			sign_op(l, &r->op[i++], out);
		else
			sign_link(l, k++, out, gone);
	}
}

void
resign3_ops(struct resign *r, struct wbuf *out, struct wbuf *gone)
{
	struct links l = { .r = r, .maps = wbuf_grow(SIZE_MAX / 2) };

	for (size_t i = 0; i < r->n && r->found == RESIGNED; i++) {
		add_name(&l, r->op[i].o.name, &r->op[i], r->op[i].key, r->op[i].keylen);
		add_above(&l, &r->op[i]);
	}
	if (r->found == RESIGNED) {
		sort(&l);
		if (!add_neighbours(&l))
			r->found = RESIGN_WHOLE;
	}
	sign_all(&l, out, gone);
	free(l.link);
	wbuf_free(&l.maps);
}

/* ---- with other eyes ---- */

/* Does the NSEC3 before that label lead to it, and its own to the very next one? */
static bool
is_linked(const struct image_ref *ref, const uint8_t *label)
{
	struct entry here, before, next;

	return entry_at(ref, label, &here) && entry_before(ref, label, true, &before) &&
	       memcmp(before.next, label, NSEC3_LABEL) == 0 && entry_at(ref, here.next, &next) &&
	       entry_before(ref, here.next, true, &before) &&
	       memcmp(before.label, label, NSEC3_LABEL) == 0;
}

/* An owner without a signature is a delegation, or below what hides it. */
static bool
may_be_bare(const struct image_ref *ref, const uint8_t *name)
{
	uint8_t key[NAME_MAX_KEY];
	struct image_node node;
	size_t len = image_key_of(name, ref->image->head.apex_labels, key), up = 0;

	while (up < len) {
		up = image_key_next(key, len, up);
		if (image_find(ref, key, up, &node) == IMAGE_NODE &&
		    (node.flags & (up == len ? NODE_CUT : NODE_CUT | NODE_DNAME)) != 0)
			return true;
	}
	return false;
}

struct checked { /* the owner at hand */
	const uint8_t *name;
	bool has_signature, is_nsec3;
};

static bool
check_owner(const struct image_ref *ref, const struct checked *c)
{
	if (c->name == NULL)
		return true;
	return c->is_nsec3 ? is_linked(ref, c->name + 1)
			   : c->has_signature || may_be_bare(ref, c->name);
}

bool
resign3_check(const struct image_ref *ref, const void *zwire, size_t len, const void *gone_names,
    size_t gone_len)
{
	struct zwire_iter it = zwire_iter(zwire, len);
	const uint8_t *gone = gone_names;
	struct checked c = { 0 };
	struct rrset set;
	struct entry e;
	size_t n;

	while (zwire_next(&it, &set)) {
		if (c.name == NULL || !name_equal(c.name, set.owner)) {
			if (!check_owner(ref, &c))
				return false;
			c = (struct checked){ .name = set.owner };
		}
		/* What an ALIAS answers is signed when all of the batch is there. */
		c.has_signature = c.has_signature || set.type == RR_RRSIG || set.type == RR_ALIAS;
		c.is_nsec3 = c.is_nsec3 || set.type == RR_NSEC3;
	}
	if (!check_owner(ref, &c))
		return false;
	for (size_t at = 0; at < gone_len; at += n) {
		if ((n = name_check(gone + at, gone_len - at)) == 0)
			return false;
		if (gone[at] == NSEC3_LABEL && (!entry_before(ref, gone + at + 1, false, &e) ||
						   memcmp(e.next, gone + at + 1, NSEC3_LABEL) == 0))
			return false;
	}
	return rbuf_ok(&it.r);
}
