/* polbook.c - see polbook.h.  The signer's only thread. */
#include "appliance/signer/polbook.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/dns/rrtype.h"
#include "appliance/dns/zwire.h"
#include "ipc/base/xalloc.h"

static const struct nsec3_chain no_salt = { .used = true };

struct page { /* of one zone */
	struct page *next; /* used longer ago */
	uint8_t apex[NAME_MAX_WIRE];
	unsigned apex_labels;
	map_off image;
	struct pol_owners owners;
};
struct polbook {
	struct page *first;
};

struct polbook *
polbook_new(void)
{
	return xcalloc(1, sizeof(struct polbook));
}

static void
page_free(struct page *p)
{
	for (size_t i = 0; i < p->owners.n; i++)
		free(p->owners.owner[i].key);
	free(p->owners.owner);
	free(p);
}

/* The page of that zone, taken out of the book. */
static struct page *
take(struct polbook *b, const uint8_t *apex)
{
	for (struct page **at = &b->first; *at != NULL; at = &(*at)->next) {
		struct page *p = *at;

		if (name_equal(p->apex, apex)) {
			*at = p->next;
			return p;
		}
	}
	return NULL;
}

static void
put(struct polbook *b, struct page *p)
{
	unsigned n = 1;

	p->next = b->first;
	b->first = p;
	for (struct page **at = &p->next; *at != NULL;) {
		struct page *old = *at;

		if (n++ < POLBOOK_ZONES) {
			at = &old->next;
			continue;
		}
		*at = old->next;
		page_free(old);
	}
}

void
polbook_forget(struct polbook *b, const uint8_t *apex)
{
	struct page *p = take(b, apex);

	if (p != NULL)
		page_free(p);
}

void
polbook_destroy(struct polbook **bp)
{
	struct polbook *b = *bp;

	*bp = NULL;
	if (b == NULL)
		return;
	while (b->first != NULL)
		polbook_forget(b, b->first->apex);
	free(b);
}

/* ---- owners ---- */

/* The first that is not before that key. */
static size_t
find(const struct pol_owners *o, const uint8_t *key, size_t keylen)
{
	size_t lo = 0, hi = o->n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (image_key_cmp(o->owner[mid].key, o->owner[mid].keylen, key, keylen) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static bool
is_at(const struct pol_owners *o, size_t at, const uint8_t *key, size_t keylen)
{
	return at < o->n && image_key_cmp(o->owner[at].key, o->owner[at].keylen, key, keylen) == 0;
}

static void
add(struct pol_owners *o, size_t at, const uint8_t *key, size_t keylen, const uint8_t *name)
{
	struct pol_owner *own;

	if (o->n == o->cap) {
		o->cap = o->cap > 0 ? o->cap * 2 : 16;
		o->owner = xreallocarray(o->owner, o->cap, sizeof *o->owner);
	}
	own = &o->owner[at];
	memmove(own + 1, own, (o->n - at) * sizeof *own);
	o->n++;
	own->key = xmemdup(key, keylen > 0 ? keylen : 1);
	own->keylen = keylen;
	nsec3_hash(&no_salt, name, name_len(name), own->label);
}

static void
drop(struct pol_owners *o, size_t at)
{
	free(o->owner[at].key);
	o->n--;
	memmove(&o->owner[at], &o->owner[at + 1], (o->n - at) * sizeof *o->owner);
}

/* ---- a walk ---- */

static bool
walk(const struct image_ref *ref, struct pol_owners *o)
{
	uint8_t name[NAME_MAX_WIRE];
	struct image_walk w;
	struct image_node node;

	image_walk_begin(&w, ref);
	while (image_walk_next(&w, &node)) {
		if ((node.flags & NODE_POLICY) == 0)
			continue;
		if (image_key_name(
			node.key, node.keylen, ref->apex, ref->image->head.apex_len, name) == 0)
			return false;
		add(o, o->n, node.key, node.keylen, name);
	}
	return !w.broken;
}

const struct pol_owners *
polbook_owners(struct polbook *b, const struct map_view *view, map_off image)
{
	struct image_ref ref;
	struct page *p;

	if (!image_open(view, image, &ref))
		return NULL;
	p = take(b, ref.apex);
	if (p != NULL && p->image != image) {
		page_free(p);
		p = NULL;
	}
	if (p == NULL) {
		p = xcalloc(1, sizeof *p);
		memcpy(p->apex, ref.apex, ref.image->head.apex_len);
		p->apex_labels = ref.image->head.apex_labels;
		p->image = image;
		if ((ref.image->flags & IMAGE_POLICY) != 0 && !walk(&ref, &p->owners)) {
			page_free(p);
			return NULL;
		}
	}
	put(b, p);
	return &p->owners;
}

/* ---- an edit ---- */

static void
note(struct page *p, const uint8_t *name, bool has)
{
	uint8_t key[NAME_MAX_KEY];
	size_t len = image_key_of(name, p->apex_labels, key), at = find(&p->owners, key, len);
	bool had = is_at(&p->owners, at, key, len);

	if (has && !had)
		add(&p->owners, at, key, len, name);
	else if (had && !has)
		drop(&p->owners, at);
}

void
polbook_edited(struct polbook *b, const uint8_t *apex, map_off from, map_off to, const void *zwire,
    size_t len, const void *gone_names, size_t gone_len)
{
	struct zwire_iter it = zwire_iter(zwire, len);
	const uint8_t *gone = gone_names, *name = NULL;
	struct page *p = take(b, apex);
	struct rrset set;
	bool has = false;

	if (p == NULL)
		return;
	if (p->image != from) {
		page_free(p);
		return;
	}
	p->image = to;
	while (zwire_next(&it, &set)) {
		if (name != NULL && !name_equal(name, set.owner)) {
			note(p, name, has);
			has = false;
		}
		name = set.owner;
		has = has || set.type == RR_NSPOLICY || set.type == RR_ALIAS;
	}
	if (name != NULL)
		note(p, name, has);
	for (size_t at = 0, n; at < gone_len && (n = name_check(gone + at, gone_len - at)) > 0;
	     at += n)
		note(p, gone + at, false);
	put(b, p);
}
