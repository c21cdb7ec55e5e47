/* zonesign.c - see zonesign.h: all owners of a zone, and the chain that leads over them. */
#include "appliance/signer/zonesign.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/dns/rrtype.h"
#include "appliance/signer/aliassign.h"
#include "ipc/base/xalloc.h"

#define CODE_ZONESIGN 5032

struct link { /* of an NSEC3 chain */
	uint8_t hash[NSEC3_HASH];
	uint32_t at, len; /* its types in maps; none: an empty non-terminal */
};
static const struct nsec3_chain no_salt = { .used = true };

struct all {
	struct signing s;
	struct owner *owner;
	size_t n, cap;
	struct link *link;
	size_t nlinks, links_cap;
	struct wbuf maps;
};

/* ---- the owners ---- */

static struct owner *
add_owner(struct all *a)
{
	if (a->n == a->cap) {
		a->cap = a->cap > 0 ? a->cap * 2 : 64;
		a->owner = xreallocarray(a->owner, a->cap, sizeof *a->owner);
	}
	return &a->owner[a->n++];
}

static void
note_soa(struct all *a, const struct rrset *soa)
{
	uint32_t minimum;

	if (soa->rdata_len < 24)
		return;
	minimum = get_u32(soa->rdata + soa->rdata_len - 4);
	a->s.chain_ttl = soa->ttl < minimum ? soa->ttl : minimum;
}

/* Canonical order: what a delegation or a DNAME hides follows it. */
static bool
read_owners(struct all *a, const uint8_t *content, size_t len)
{
	struct zwire_iter it = zwire_iter(content, len);
	const uint8_t *apex = a->s.z->apex, *top = NULL, *last = NULL;
	struct owner *o = NULL;
	bool soa = false;
	struct rrset set;

	while (zwire_next(&it, &set)) {
		if (zonesign_makes(set.type, name_equal(set.owner, apex)))
			continue;
		if (last == NULL || !name_equal(set.owner, last)) {
			o = add_owner(a);
			*o =
			    (struct owner){ .name = set.owner, .raw = set.raw, .part = OWNER_OURS };
			last = set.owner;
			if (top != NULL && name_is_below(set.owner, top))
				o->part = OWNER_HIDDEN;
			else
				top = NULL;
		}
		o->raw_len = (size_t)(set.raw - o->raw) + set.raw_len;
		if (set.type == RR_SOA && a->n == 1 && name_equal(set.owner, apex)) {
			soa = true;
			note_soa(a, &set);
		}
		if (o->part == OWNER_HIDDEN)
			continue;
		o->ds = o->ds || set.type == RR_DS;
		o->policy = o->policy || set.type == RR_NSPOLICY;
		if (set.type == RR_NS && a->n > 1)
			o->part = OWNER_CUT;
		if (set.type == RR_ALIAS && o->part == OWNER_OURS)
			owner_alias(&a->s, o, &set);
		if (set.type == RR_DNAME || o->part == OWNER_CUT)
			top = set.owner;
	}
	return rbuf_ok(&it.r) && soa;
}

/* ---- NSEC ---- */

static bool
put_with_nsec(struct all *a, struct wbuf *out)
{
	size_t next = 0;
	bool ok = true;

	for (size_t i = 0; i < a->n; i++) {
		const struct owner *o = &a->owner[i];

		if (next <= i) {
			for (next = i + 1; next < a->n && a->owner[next].part == OWNER_HIDDEN;)
				next++;
		}
		ok = sign_owner(&a->s, o,
			 &(struct emission_chain){
			     .next = next < a->n ? a->owner[next].name : a->owner[0].name },
			 out) &&
		     ok;
	}
	return ok;
}

/* ---- NSEC3 ---- */

static struct link *
add_link(struct all *a, const uint8_t *name)
{
	struct link *l;

	if (a->nlinks == a->links_cap) {
		a->links_cap = a->links_cap > 0 ? a->links_cap * 2 : 64;
		a->link = xreallocarray(a->link, a->links_cap, sizeof *a->link);
	}
	l = &a->link[a->nlinks++];
	nsec3_digest(&no_salt, name, name_len(name), l->hash);
	l->at = (uint32_t)a->maps.len;
	l->len = 0;
	return l;
}

/* The empty non-terminals above `name` that are not above the link's name before it, `last` (names come in
 * canonical order, so each is met once). */
static void
add_ents(struct all *a, const uint8_t *name, const uint8_t *last)
{
	unsigned labels = name_labels(name), shared = name_common(name, last),
		 apex = name_labels(a->s.z->apex);

	if (shared < apex)
		shared = apex;
	for (unsigned k = shared + 1; k < labels; k++)
		(void)add_link(a, name_skip(name, labels - k));
}

static int
by_hash(const void *pa, const void *pb)
{
	return memcmp(((const struct link *)pa)->hash, ((const struct link *)pb)->hash, NSEC3_HASH);
}

static void
make_links(struct all *a)
{
	const uint8_t *last = a->s.z->apex;

	for (size_t i = 0; i < a->n; i++) {
		const struct owner *o = &a->owner[i];
		struct link *l;

		if (!owner_has_nsec3(a->s.z->keys, o))
			continue;
		add_ents(a, o->name, last);
		l = add_link(a, o->name);
		owner_nsec3_types(&a->s, o, &a->maps);
		l->len = (uint32_t)(a->maps.len - l->at);
		last = o->name;
	}
	qsort(a->link, a->nlinks, sizeof *a->link, by_hash);
}

static const struct link *
next_link(const struct all *a, const struct link *l)
{
	return l + 1 < a->link + a->nlinks ? l + 1 : a->link;
}

static bool
put_owner(struct all *a, const struct owner *o, struct wbuf *out)
{
	struct emission_chain chain = { 0 };
	struct link want;
	const struct link *l;

	if ((o->policy || o->alias) && o->part == OWNER_OURS) {
		nsec3_digest(&no_salt, o->name, name_len(o->name), want.hash);
		l = bsearch(&want, a->link, a->nlinks, sizeof *a->link, by_hash);
		if (l == NULL)
			return false;
		chain.hash = l->hash;
		chain.next_hash = next_link(a, l)->hash;
	}
	return sign_owner(&a->s, o, &chain, out);
}

/* Owners and NSEC3s are each in canonical order; so is what they make together. */
static bool
put_with_nsec3(struct all *a, struct wbuf *out)
{
	uint8_t name[NAME_MAX_WIRE];
	size_t i = 0, k = 0;
	bool ok = true;

	make_links(a);
	while (i < a->n || k < a->nlinks) {
		const struct link *l = &a->link[k];

		if (k < a->nlinks)
			signing_nsec3_owner(&a->s, l->hash, name);
		if (k == a->nlinks || (i < a->n && name_cmp(a->owner[i].name, name) < 0)) {
			ok = put_owner(a, &a->owner[i++], out) && ok;
		} else {
			sign_nsec3(&a->s, l->hash, next_link(a, l)->hash, a->maps.base + l->at,
			    l->len, out);
			k++;
		}
	}
	return ok;
}

/* ---- all ---- */

static bool
has_signing_key(const struct zone_keys *keys)
{
	for (unsigned i = 0; i < keys->n; i++) {
		if (keys->key[i].flags == KEY_ZSK && keys->key[i].signs &&
		    keys->key[i].pkey != NULL)
			return true;
	}
	return false;
}

/* A hashed name has 33 octets before the apex (RFC 5155 8: else the zone cannot have NSEC3). */
static bool
fits_nsec3(const uint8_t *apex)
{
	return 1 + NSEC3_LABEL + name_len(apex) <= NAME_MAX_WIRE;
}

enum ns_err
zonesign_all(const struct zonesign *z, const void *content, size_t len, struct wbuf *out,
    struct zonesign_done *done, struct ns_why *why)
{
	struct all a = { .maps = wbuf_grow(UINT32_MAX) };
	enum ns_err err = NS_OK;

	signing_init(&a.s, z, done);
	if (!has_signing_key(z->keys))
		err = ns_fail(why, NS_INVALID, CODE_ZONESIGN, "no ZSK that is here signs");
	else if (z->keys->denial != DENIAL_NSEC && !fits_nsec3(z->apex))
		err = ns_fail(
		    why, NS_INVALID, CODE_ZONESIGN, "the zone's name is too long for NSEC3");
	else if (!read_owners(&a, content, len))
		err = ns_fail(
		    why, NS_CORRUPT, CODE_ZONESIGN, "the content breaks its form, or has no SOA");
	else if (!(z->keys->denial == DENIAL_NSEC ? put_with_nsec(&a, out)
						  : put_with_nsec3(&a, out)))
		err = ns_fail(why, NS_INVALID, CODE_ZONESIGN,
		    "a policy has more than %u different answers to sign", EMISSIONS_MAX);
	signing_free(&a.s);
	wbuf_free(&a.maps);
	for (size_t i = 0; i < a.n; i++)
		owner_free(&a.owner[i]);
	free(a.owner);
	free(a.link);
	return err;
}
