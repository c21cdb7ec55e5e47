/* image_build.c - the builder: zwire in, an image in the map out; see image.h and image_build.h.
 *
 * Runs in the signer and in tests.  Memory is the builder's until image_builder_end(). */
#include "appliance/zonemap/image_build.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/dns/rrtype.h"
#include "appliance/zonemap/writer.h"
#include "ipc/base/xalloc.h"

#define OWNER_MAX_SETS 8192u /* types at one owner; OWNER_MAX_WIRE ends it before */

struct image_builder {
	struct writer *w;
	uint8_t apex[NAME_MAX_WIRE];
	size_t apex_len;
	unsigned apex_labels;
	struct image_meta meta;
	struct wbuf zwire; /* of the zone while flat, of one owner after */
	bool tree;
	struct tree_writer tw;
	struct zone_facts facts;
	uint8_t last_key[NAME_MAX_KEY];
	size_t last_keylen;
	bool started;
	size_t kept; /* of tw.made, by image_builder_pause() */
};

void
block_list_add(struct block_list *l, map_off off)
{
	if (l->n == l->cap) {
		l->cap = l->cap > 0 ? l->cap * 2 : 64;
		l->off = xreallocarray(l->off, l->cap, sizeof *l->off);
	}
	l->off[l->n++] = off;
}

void
block_list_free(struct block_list *l)
{
	free(l->off);
	*l = (struct block_list){ 0 };
}

void
block_list_retire(struct block_list *l, struct writer *w)
{
	for (size_t i = 0; i < l->n; i++)
		writer_retire(w, l->off[i]);
	block_list_free(l);
}

static void
note_soa(const struct rrset *soa, struct zone_facts *facts)
{
	struct rbuf r = rbuf_init(soa->rdata, soa->rdata_len);
	size_t len = 0;
	const uint8_t *rdata = rrset_next_rdata(&r, &len);
	uint32_t minimum;

	if (rdata == NULL || len < 22)
		return;
	minimum = get_u32(rdata + len - 4);
	facts->neg_ttl = soa->ttl < minimum ? soa->ttl : minimum;
	facts->has_soa = true;
}

/* RFC 4034 3.1: expiration and inception stand behind type, algorithm, labels and TTL; serial arithmetic (3.1.5). */
static void
note_window(const struct rrset *sigs, struct zone_facts *facts)
{
	struct rbuf r = rbuf_init(sigs->rdata, sigs->rdata_len);
	const uint8_t *rdata;
	size_t len;

	while ((rdata = rrset_next_rdata(&r, &len)) != NULL) {
		uint32_t end = len >= 16 ? get_u32(rdata + 8) : 0;
		uint32_t begin = len >= 16 ? get_u32(rdata + 12) : 0;

		if (end != 0 && (facts->ends == 0 || (int32_t)(end - facts->ends) < 0))
			facts->ends = end;
		if (begin != 0 && (facts->begins == 0 || (int32_t)(begin - facts->begins) > 0))
			facts->begins = begin;
	}
}

uint8_t
owner_flags(const struct render_owner *o, struct zone_facts *facts)
{
	uint8_t flags = 0;

	for (unsigned i = 0; i < o->n; i++) {
		uint16_t type = o->sets[i].type;

		if (type == RR_DNAME)
			flags |= NODE_DNAME;
		if (type == RR_NSPOLICY || type == RR_ALIAS) {
			flags |= NODE_POLICY;
			facts->has_policy = true;
			facts->has_alias = facts->has_alias || type == RR_ALIAS;
		}
		if (o->keylen > 0 && type == RR_NS)
			flags |= NODE_CUT;
		if (o->keylen == 0 && type == RR_SOA)
			note_soa(&o->sets[i], facts);
		if (o->keylen == 0 && type == RR_NSEC)
			facts->has_nsec = true;
		if (o->keylen == 0 && type == RR_DNSKEY)
			facts->has_dnskey = true;
		if (o->keylen == 0 && type == RR_NSEC3PARAM)
			nsec3_chain_of_set(&o->sets[i], &facts->chain);
		if (type == RR_RRSIG && o->sets[i].covers != RR_NSPOLICY &&
		    o->sets[i].covers != RR_ALIAS)
			note_window(&o->sets[i], facts);
		if (o->keylen == 0 && type == RR_RRSIG && o->sets[i].covers == RR_SOA)
			facts->is_signed = true;
	}
	return flags;
}

bool
owner_proves(const struct render_owner *o, const struct zone_facts *facts)
{
	for (unsigned i = 0; i < o->n; i++) {
		if (facts->chain.used
			? nsec3_chain_has_set(&facts->chain, o->key, o->keylen, &o->sets[i])
			: o->sets[i].type == RR_NSEC)
			return true;
	}
	return false;
}

size_t
image_head_fill(struct image *img, const uint8_t *apex, const struct image_meta *meta,
    const struct zone_facts *facts)
{
	size_t len = name_len(apex);

	*img = (struct image){
		.head = { .magic = IMAGE_MAGIC,
		    .apex_off = sizeof *img,
		    .apex_len = (uint8_t)len,
		    .apex_labels = (uint8_t)name_labels(apex) },
		.version = meta->version,
		.account = meta->account,
		.neg_ttl = facts->neg_ttl,
		.flags = !facts->is_signed   ? 0
			 : facts->chain.used ? IMAGE_SIGNED | IMAGE_NSEC3
			 : facts->has_nsec   ? IMAGE_SIGNED | IMAGE_NSEC
					     : IMAGE_SIGNED,
		.expires = meta->here ? meta->expires : facts->ends,
		.begins = meta->here ? 0 : facts->begins,
	};
	if (facts->is_signed && !facts->has_dnskey && !meta->here)
		img->flags |= IMAGE_KEYLESS;
	if (facts->has_policy)
		img->flags |= IMAGE_POLICY;
	if (facts->has_alias)
		img->flags |= IMAGE_ALIAS;
	if (meta->here)
		img->flags |= IMAGE_HERE;
	memcpy(img + 1, apex, len);
	return sizeof *img + len;
}

struct image_builder *
image_builder_new(struct writer *w, const uint8_t *apex, const struct image_meta *meta)
{
	struct image_builder *b = xcalloc(1, sizeof *b);

	b->w = w;
	b->apex_len = name_len(apex);
	name_lower(b->apex, apex, b->apex_len);
	b->apex_labels = name_labels(apex);
	b->meta = *meta;
	b->zwire = wbuf_grow(SIZE_MAX / 2);
	tree_writer_begin(&b->tw, w);
	return b;
}

void
image_builder_pause(struct image_builder *b)
{
	while (b->kept < b->tw.made.n)
		writer_keep(b->w, b->tw.made.off[b->kept++]);
}

static void
resume(struct image_builder *b)
{
	while (b->kept > 0)
		writer_unkeep(b->w, b->tw.made.off[--b->kept]);
}

void
image_builder_destroy(struct image_builder **bp)
{
	struct image_builder *b = *bp;

	*bp = NULL;
	if (b == NULL)
		return;
	resume(b);
	wbuf_free(&b->zwire);
	block_list_retire(&b->tw.made, b->w); /* of an image that was not finished */
	tree_writer_free(&b->tw);
	free(b);
}

/* Render the one owner whose sets are in b->zwire into the tree. */
static enum ns_err
add_owner(struct image_builder *b, struct ns_why *why)
{
	struct zwire_iter it = zwire_iter(b->zwire.base, b->zwire.len);
	struct render zone = { .apex = b->apex, .apex_len = b->apex_len };
	struct rrset *sets = xreallocarray(NULL, OWNER_MAX_SETS, sizeof *sets);
	uint8_t key[NAME_MAX_KEY];
	struct render_owner o = { .key = key, .sets = sets };
	struct wbuf node = wbuf_grow(SIZE_MAX / 2);
	enum ns_err err = NS_OK;

	while (o.n < OWNER_MAX_SETS && zwire_next(&it, &sets[o.n]))
		o.n++;
	if (o.n > 0) {
		o.keylen = image_key_of(sets[0].owner, b->apex_labels, key);
		o.flags = owner_flags(&o, &b->facts);
		err = render_node(&zone, &o, &node, why);
		if (err == NS_OK)
			tree_writer_node(&b->tw, node.base, node.len, owner_proves(&o, &b->facts));
	}
	wbuf_free(&node);
	free(sets);
	b->zwire.len = 0;
	return err;
}

/* A set for the tree: the owner before it is complete when this one's is another. */
static enum ns_err
add_set(struct image_builder *b, const struct rrset *set, struct ns_why *why)
{
	enum ns_err err;

	if (b->zwire.len > 0 && (b->zwire.base[0] != set->owner_len ||
				    memcmp(b->zwire.base + 1, set->owner, set->owner_len) != 0)) {
		err = add_owner(b, why);
		if (err != NS_OK)
			return err;
	}
	wbuf_put(&b->zwire, set->raw, set->raw_len);
	return NS_OK;
}

static enum ns_err
add_sets(struct image_builder *b, const void *zwire, size_t len, struct ns_why *why)
{
	struct zwire_iter it = zwire_iter(zwire, len);
	struct rrset set;
	enum ns_err err;

	while (zwire_next(&it, &set)) {
		err = add_set(b, &set, why);
		if (err != NS_OK)
			return err;
	}
	return NS_OK;
}

static enum ns_err
become_tree(struct image_builder *b, struct ns_why *why)
{
	struct wbuf all = b->zwire;
	enum ns_err err;

	b->tree = true;
	b->facts = (struct zone_facts){ 0 };
	b->zwire = wbuf_grow(SIZE_MAX / 2);
	err = add_sets(b, all.base, all.len, why);
	wbuf_free(&all);
	return err;
}

/* Order and place of every set, across pieces. */
static enum ns_err
check_piece(struct image_builder *b, const void *zwire, size_t len, struct ns_why *why)
{
	struct zwire_iter it = zwire_iter(zwire, len);
	struct rrset set;
	bool first = true;

	while (zwire_next(&it, &set)) {
		uint8_t key[NAME_MAX_KEY];
		size_t keylen;

		if (!name_in(set.owner, b->apex))
			return ns_fail(
			    why, NS_CORRUPT, CODE_IMAGE_ZONE, "a name lies outside its zone");
		keylen = image_key_of(set.owner, b->apex_labels, key);
		if (b->started && first &&
		    image_key_cmp(b->last_key, b->last_keylen, key, keylen) > 0)
			return ns_fail(
			    why, NS_CORRUPT, CODE_IMAGE_ZONE, "pieces of a zone are out of order");
		memcpy(b->last_key, key, keylen);
		b->last_keylen = keylen;
		b->started = true;
		first = false;
	}
	if (!rbuf_ok(&it.r))
		return ns_fail(why, NS_CORRUPT, CODE_IMAGE_ZONE,
		    "zone data breaks its own form at octet %zu of %zu", it.r.pos, len);
	return NS_OK;
}

enum ns_err
image_builder_add(struct image_builder *b, const void *zwire, size_t len, struct ns_why *why)
{
	enum ns_err err = check_piece(b, zwire, len, why);

	if (err != NS_OK)
		return err;
	if (!b->tree) {
		wbuf_put(&b->zwire, zwire, len);
		if (b->zwire.len <= IMAGE_FLAT)
			return NS_OK;
		return become_tree(b, why);
	}
	return add_sets(b, zwire, len, why);
}

static enum ns_err
end_tree(struct image_builder *b, map_off *off, struct ns_why *why)
{
	struct tree_level level, up;
	unsigned height = 0;
	enum ns_err err = b->zwire.len > 0 ? add_owner(b, why) : NS_OK;

	if (err != NS_OK)
		return err;
	if (!b->facts.has_soa)
		return ns_fail(why, NS_CORRUPT, CODE_IMAGE_ZONE, "the zone has no SOA");
	tree_writer_flush(&b->tw);
	level = b->tw.leaves;
	b->tw.leaves = (struct tree_level){ 0 };
	while (level.n > 1 && height < IMAGE_MAX_HEIGHT) {
		tree_level_up(&b->tw, &level, ++height, &up);
		level = up;
	}
	if (!b->tw.full && level.n == 1)
		*off = tree_root(&b->tw, b->apex, &b->meta, &b->facts, level.entry[0].off, height);
	tree_level_free(&level);
	if (b->tw.full || *off == 0)
		return ns_fail(why, NS_UNAVAILABLE, CODE_IMAGE_FULL, "the zone map is full");
	block_list_free(&b->tw.made);
	return NS_OK;
}

enum ns_err
image_builder_end(struct image_builder **bp, map_off *off, struct ns_why *why)
{
	struct image_builder *b = *bp;
	enum ns_err err = NS_OK;

	*off = 0;
	resume(b);
	if (!b->tree) {
		err = flat_build(b->w, b->apex, &b->meta, b->zwire.base, b->zwire.len, off, why);
		if (err == NS_OK && *off == 0)
			err = become_tree(b, why);
	}
	if (err == NS_OK && *off == 0)
		err = end_tree(b, off, why);
	image_builder_destroy(bp);
	return err;
}
