/* image_flat.c - a zone as one block: nodes with empty non-terminals, hash table, NSEC list.
 *
 * Runs in the signer and in tests; called by image_builder_end(). */
#include <stdlib.h>
#include <string.h>

#include "appliance/dns/rrtype.h"
#include "appliance/zonemap/hash.h"
#include "appliance/zonemap/image_build.h"
#include "appliance/zonemap/image_read.h"
#include "appliance/zonemap/writer.h"
#include "ipc/base/xalloc.h"

#define FLAT_MAX_OWNERS 16384u /* empty non-terminals included; more: a tree */
#define FLAT_SHIFT      2

struct flat_owner {
	uint32_t key; /* offset in keys */
	uint16_t keylen;
	uint8_t flags;
	bool addresses, nsec, hidden; /* hidden: nothing but NSEC3, not in the hash table */
	uint32_t set, nsets; /* in sets */
	uint32_t at; /* of the node, in octets */
};
struct flat {
	const uint8_t *apex;
	unsigned apex_labels;
	struct rrset *sets;
	size_t nsets;
	struct wbuf keys;
	struct flat_owner *owner;
	unsigned n, hidden;
	struct zone_facts facts;
	struct wbuf nodes;
};

static const uint8_t *
key_of(const struct flat *f, const struct flat_owner *o)
{
	return f->keys.base + o->key;
}

static int
find_owner(const struct flat *f, const uint8_t *key, size_t keylen)
{
	unsigned lo = 0, hi = f->n;

	while (lo < hi) {
		unsigned mid = (lo + hi) / 2;
		const struct flat_owner *o = &f->owner[mid];
		int d = image_key_cmp(key_of(f, o), o->keylen, key, keylen);

		if (d == 0)
			return (int)mid;
		if (d < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return -1;
}

static struct flat_owner *
add_owner(struct flat *f, const uint8_t *key, size_t keylen)
{
	struct flat_owner *o;

	if (f->n == FLAT_MAX_OWNERS)
		return NULL;
	o = &f->owner[f->n++];
	*o = (struct flat_owner){ .key = (uint32_t)f->keys.len, .keylen = (uint16_t)keylen };
	wbuf_put(&f->keys, key, keylen);
	return o;
}

/* The empty non-terminals between the name before and this one come right before it. */
static bool
add_with_ents(struct flat *f, const uint8_t *key, size_t keylen)
{
	size_t at = 0;

	if (f->n > 0) {
		const struct flat_owner *prev = &f->owner[f->n - 1];

		at = image_key_common(key_of(f, prev), prev->keylen, key, keylen);
	}
	while ((at = image_key_next(key, keylen, at)) < keylen) {
		if (add_owner(f, key, at) == NULL)
			return false;
	}
	return add_owner(f, key, keylen) != NULL;
}

static void
note_sets(struct flat *f, struct flat_owner *o)
{
	struct render_owner r = {
		.key = key_of(f, o), .keylen = o->keylen, .sets = f->sets + o->set, .n = o->nsets
	};

	o->flags = owner_flags(&r, &f->facts);
	o->nsec = owner_proves(&r, &f->facts);
	o->hidden = o->keylen > 0 && o->nsets > 0;
	for (unsigned i = 0; i < o->nsets; i++) {
		const struct rrset *set = &f->sets[o->set + i];
		uint16_t type = set->type;

		o->addresses = o->addresses || type == RR_A || type == RR_AAAA ||
			       type == RR_ALIAS || type == RR_NSPOLICY;
		o->hidden = o->hidden && (type == RR_RRSIG ? set->covers : type) == RR_NSEC3;
	}
}

/* Owners and their sets; false: too many for the form. */
static bool
collect(struct flat *f, const uint8_t *zwire, size_t len)
{
	struct zwire_iter it = zwire_iter(zwire, len);
	struct rrset set, prev = { 0 };
	uint8_t key[NAME_MAX_KEY];
	size_t keylen;

	while (zwire_next(&it, &set)) {
		if (f->nsets == 0 || set.owner_len != prev.owner_len ||
		    memcmp(set.owner, prev.owner, set.owner_len) != 0) {
			keylen = image_key_of(set.owner, f->apex_labels, key);
			if (!add_with_ents(f, key, keylen))
				return false;
			f->owner[f->n - 1].set = (uint32_t)f->nsets;
		}
		f->sets[f->nsets++] = set;
		f->owner[f->n - 1].nsets++;
		prev = set;
	}
	return true;
}

/* What lies below a cut or a DNAME follows it in canonical order; a wildcard's parent is before it. */
static void
mark(struct flat *f)
{
	const struct flat_owner *top = NULL;

	for (unsigned i = 0; i < f->n; i++) {
		struct flat_owner *o = &f->owner[i];
		const uint8_t *key = key_of(f, o);
		int parent;

		note_sets(f, o);
		if (o->hidden && i + 1 < f->n && o[1].keylen > o->keylen &&
		    memcmp(key_of(f, &o[1]), key, o->keylen) == 0)
			o->hidden = false; /* a name below makes it one of the zone */
		f->hidden += o->hidden;
		if (top != NULL && o->keylen > top->keylen &&
		    memcmp(key, key_of(f, top), top->keylen) == 0)
			o->flags |= NODE_OCCLUDED;
		else if (o->flags & (NODE_CUT | NODE_DNAME))
			top = o;
		if (o->keylen >= 2 && key[o->keylen - 2] == '*' &&
		    (o->keylen == 2 || key[o->keylen - 3] == 0)) {
			parent = find_owner(f, key, o->keylen - 2u);
			if (parent >= 0)
				f->owner[parent].flags |= NODE_WILD;
		}
	}
}

/* The wildcard that answers for a name that does not exist; -1: none. */
static int
find_wild(const struct flat *f, const uint8_t *key, size_t keylen)
{
	uint8_t wild[NAME_MAX_KEY + 2];
	size_t at = 0, next = 0;
	int encloser = -1, found = 0;

	while (found >= 0 && at < keylen) {
		found = find_owner(f, key, next);
		if (found >= 0 && f->owner[found].hidden)
			found = -1;
		if (found >= 0) {
			encloser = found;
			at = next;
		}
		next = image_key_next(key, keylen, next);
	}
	if (encloser < 0 || (f->owner[encloser].flags & (NODE_CUT | NODE_OCCLUDED)) != 0)
		return -1;
	memcpy(wild, key, at);
	wild[at] = '*';
	wild[at + 1] = 0;
	return find_owner(f, wild, at + 2);
}

static int
find_target(void *arg, const uint8_t *lname, bool is_ns)
{
	const struct flat *f = arg;
	uint8_t key[NAME_MAX_KEY];
	size_t keylen = image_key_of(lname, f->apex_labels, key);
	int i = find_owner(f, key, keylen);

	if (i < 0)
		i = find_wild(f, key, keylen);
	if (i < 0 || !f->owner[i].addresses)
		return -1;
	/* Glue is for referrals alone (RFC 2181 5.4.1). */
	if (!is_ns && (f->owner[i].flags & (NODE_OCCLUDED | NODE_CUT)) != 0)
		return -1;
	return i;
}

static enum ns_err
render_all(struct flat *f, struct ns_why *why)
{
	struct render zone = {
		.apex = f->apex, .apex_len = name_len(f->apex), .target = find_target, .arg = f
	};
	enum ns_err err;

	for (unsigned i = 0; i < f->n; i++) {
		struct flat_owner *o = &f->owner[i];
		struct render_owner r = { .key = key_of(f, o),
			.keylen = o->keylen,
			.flags = o->flags,
			.sets = f->sets + o->set,
			.n = o->nsets };

		o->at = (uint32_t)f->nodes.len;
		err = render_node(&zone, &r, &f->nodes, why);
		if (err != NS_OK)
			return err;
	}
	return NS_OK;
}

static unsigned
hash_log2_for(unsigned n)
{
	unsigned log2 = 2;

	while ((1u << log2) * 4u < n * 5u)
		log2++;
	return log2;
}

static void
fill_hash(const struct flat *f, struct nodes *h, const uint8_t key[16])
{
	uint8_t *tags = (uint8_t *)(h + 1);
	size_t buckets = (size_t)1 << h->hash_log2;
	uint16_t *units = (uint16_t *)(void *)(tags + buckets);

	for (unsigned i = 0; i < f->n; i++) {
		const struct flat_owner *o = &f->owner[i];
		uint64_t hash = zone_hash(key, key_of(f, o), o->keylen);
		size_t b = (size_t)hash & (buckets - 1);

		if (o->hidden)
			continue;
		while (units[b] != 0)
			b = (b + 1) & (buckets - 1);
		tags[b] = (uint8_t)(hash >> 56);
		units[b] = (uint16_t)((h->first + o->at) >> FLAT_SHIFT);
	}
}

/* Adds hold the target's number plus one until its place is known. */
static void
resolve_adds(const struct flat *f, const struct nodes *h)
{
	struct node_block block = { (const uint8_t *)h, h->size };

	for (unsigned i = 0; i < f->n; i++) {
		struct image_node node;
		struct image_set set;
		const uint8_t *at;
		unsigned left;

		if (!node_open(&block, h->first + f->owner[i].at, &node))
			continue;
		at = node.sets;
		left = node.nsets;
		while (image_set_next(&node, &at, &left, &set)) {
			for (unsigned k = 0; k < set.nadd; k++) {
				uint8_t *add = (uint8_t *)(uintptr_t)set.add + 4u * k;
				uint16_t unit =
				    (uint16_t)((h->first + f->owner[load_u16(add) - 1].at) >>
					       FLAT_SHIFT);

				memcpy(add, &unit, sizeof unit);
			}
		}
	}
}

static void
fill_nodes(const struct flat *f, struct nodes *h, unsigned nsecs, const uint8_t hash_key[16])
{
	size_t tables;
	uint16_t *list;

	*h = (struct nodes){ .magic = IMAGE_LEAF_MAGIC,
		.count = (uint16_t)f->n,
		.nsecs = (uint16_t)nsecs,
		.shift = FLAT_SHIFT,
		.hash_log2 = (uint8_t)hash_log2_for(f->n - f->hidden),
		.flat = 1 };
	tables = ((size_t)3 << h->hash_log2) + 2u * nsecs;
	h->first = (uint32_t)((sizeof *h + tables + 3) & ~(size_t)3);
	h->size = (uint32_t)(h->first + f->nodes.len);
	memset(h + 1, 0, h->first - sizeof *h);
	fill_hash(f, h, hash_key);
	list = (uint16_t *)(void *)((uint8_t *)(h + 1) + ((size_t)3 << h->hash_log2));
	for (unsigned i = 0; i < f->n; i++) {
		if (f->owner[i].nsec)
			*list++ = (uint16_t)((h->first + f->owner[i].at) >> FLAT_SHIFT);
	}
	memcpy((uint8_t *)h + h->first, f->nodes.base, f->nodes.len);
	resolve_adds(f, h);
}

static enum ns_err
place(const struct flat *f, struct writer *w, const struct image_meta *meta, map_off *off,
    struct ns_why *why)
{
	size_t head = (sizeof(struct image) + name_len(f->apex) + 7) & ~(size_t)7, total;
	unsigned nsecs = 0;
	struct image *img;

	for (unsigned i = 0; i < f->n; i++)
		nsecs += f->owner[i].nsec;
	total = sizeof(struct nodes) + ((size_t)3 << hash_log2_for(f->n - f->hidden)) + 2u * nsecs +
		3 + f->nodes.len;
	if (total > (size_t)UINT16_MAX << FLAT_SHIFT)
		return NS_OK; /* *off is 0: becomes a tree */
	img = writer_alloc(w, head + (total & ~(size_t)3), off);
	if (img == NULL) {
		*off = 0;
		return ns_fail(why, NS_UNAVAILABLE, CODE_IMAGE_FULL, "the zone map is full");
	}
	memset(img, 0, head);
	image_head_fill(img, f->apex, meta, &f->facts);
	img->nodes_off = (uint32_t)head;
	fill_nodes(f, (struct nodes *)(void *)((uint8_t *)img + head), nsecs,
	    writer_map(w)->header->hash_key);
	writer_seal(w, *off);
	return NS_OK;
}

enum ns_err
flat_build(struct writer *w, const uint8_t *apex, const struct image_meta *meta,
    const uint8_t *zwire, size_t len, map_off *off, struct ns_why *why)
{
	/* A set takes 17 octets at least: length, a name of one octet, 15 of numbers. */
	struct flat f = { .apex = apex, .apex_labels = name_labels(apex) };
	enum ns_err err = NS_OK;

	f.sets = xreallocarray(NULL, len / 16 + 1, sizeof *f.sets);
	f.owner = xreallocarray(NULL, FLAT_MAX_OWNERS, sizeof *f.owner);
	f.keys = wbuf_grow(SIZE_MAX / 2);
	wbuf_u8(&f.keys, 0); /* so that the empty key of the apex has an address */
	f.nodes = wbuf_grow(SIZE_MAX / 2);
	if (collect(&f, zwire, len)) {
		mark(&f);
		if (!f.facts.has_soa)
			err = ns_fail(why, NS_CORRUPT, CODE_IMAGE_ZONE, "the zone has no SOA");
		else
			err = render_all(&f, why);
		if (err == NS_OK)
			err = place(&f, w, meta, off, why);
	}
	wbuf_free(&f.nodes);
	wbuf_free(&f.keys);
	free(f.owner);
	free(f.sets);
	return err;
}
