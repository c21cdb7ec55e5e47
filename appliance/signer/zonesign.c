/* zonesign.c - see zonesign.h: all owners of a zone, and the chain that leads over them. */
#include "appliance/signer/zonesign.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/dns/rrtype.h"
#include "appliance/signer/aliassign.h"
#include "appliance/signer/hashsort.h"
#include "ipc/base/clock.h"
#include "ipc/base/xalloc.h"

#define CODE_ZONESIGN 5032
#define LOOK_SETS \
	64u /* sets, names or owners between two looks at the clock, where no signature is made */

struct link { /* of an NSEC3 chain */
	uint8_t hash[NSEC3_HASH];
	uint32_t at, len; /* its types in maps; none: an empty non-terminal */
};
static const struct nsec3_chain no_salt = { .used = true };

enum stage { READ, LINK, SORT, PUT, DONE };

struct zonesign_run {
	struct zonesign z;
	struct signing s;
	enum stage stage;
	enum ns_err err; /* where it is over before its end */
	const char *text; /* why */
	struct wbuf *out;
	/* READ */
	struct zwire_iter it;
	const uint8_t *top; /* hides what is below it */
	bool soa;
	struct owner *owner;
	size_t n, cap;
	/* LINK, SORT */
	size_t i; /* the next owner; in PUT as well */
	const uint8_t *last; /* name of the last link */
	struct link *link;
	size_t nlinks, links_cap;
	struct hashsort sort;
	struct wbuf maps;
	/* PUT */
	size_t next, k; /* NSEC: the next owner in the chain; NSEC3: the next link */
};

static void
give_up(struct zonesign_run *a, enum ns_err err, const char *text)
{
	a->stage = DONE;
	a->err = err;
	a->text = text;
}

/* ---- the owners ---- */

static struct owner *
add_owner(struct zonesign_run *a, const struct rrset *set)
{
	struct owner *o;

	if (a->n == a->cap) {
		a->cap = a->cap > 0 ? a->cap * 2 : 64;
		a->owner = xreallocarray(a->owner, a->cap, sizeof *a->owner);
	}
	o = &a->owner[a->n++];
	*o = (struct owner){ .name = set->owner, .raw = set->raw, .part = OWNER_OURS };
	if (a->top != NULL && name_is_below(set->owner, a->top))
		o->part = OWNER_HIDDEN;
	else
		a->top = NULL;
	return o;
}

static void
note_soa(struct zonesign_run *a, const struct rrset *soa)
{
	uint32_t minimum;

	a->soa = true;
	if (soa->rdata_len < 24)
		return;
	minimum = get_u32(soa->rdata + soa->rdata_len - 4);
	a->s.chain_ttl = soa->ttl < minimum ? soa->ttl : minimum;
}

/* Canonical order: what a delegation or a DNAME hides follows it. */
static void
read_set(struct zonesign_run *a, const struct rrset *set)
{
	bool apex = name_equal(set->owner, a->z.apex);
	struct owner *o = a->n > 0 ? &a->owner[a->n - 1] : NULL;

	if (zonesign_makes(set->type, apex))
		return;
	if (o == NULL || !name_equal(set->owner, o->name))
		o = add_owner(a, set);
	o->raw_len = (size_t)(set->raw - o->raw) + set->raw_len;
	if (set->type == RR_SOA && a->n == 1 && apex)
		note_soa(a, set);
	if (o->part == OWNER_HIDDEN)
		return;
	o->ds = o->ds || set->type == RR_DS;
	o->policy = o->policy || set->type == RR_NSPOLICY;
	if (set->type == RR_NS && a->n > 1)
		o->part = OWNER_CUT;
	if (set->type == RR_ALIAS && o->part == OWNER_OURS)
		owner_alias(&a->s, o, set);
	if (set->type == RR_DNAME || o->part == OWNER_CUT)
		a->top = o->name;
}

static bool
read_owners(struct zonesign_run *a, uint64_t deadline_ns)
{
	struct rrset set;
	unsigned n = 0;

	while (zwire_next(&a->it, &set)) {
		read_set(a, &set);
		if (++n % LOOK_SETS == 0 && clock_is_past(deadline_ns))
			return true;
	}
	if (!rbuf_ok(&a->it.r) || !a->soa)
		give_up(a, NS_CORRUPT, "the content breaks its form, or has no SOA");
	else
		a->stage = a->z.keys->denial == DENIAL_NSEC ? PUT : LINK;
	return true;
}

/* The one reason that names a figure: zonesign_end() says it. */
static void
too_many_answers(struct zonesign_run *a)
{
	give_up(a, NS_INVALID, NULL);
}

/* ---- NSEC ---- */

static void
put_with_nsec(struct zonesign_run *a)
{
	const struct owner *o = &a->owner[a->i];
	struct emission_chain chain = { 0 };

	if (a->next <= a->i) {
		for (a->next = a->i + 1; a->next < a->n && a->owner[a->next].part == OWNER_HIDDEN;)
			a->next++;
	}
	chain.next = a->next < a->n ? a->owner[a->next].name : a->owner[0].name;
	a->i++;
	if (!sign_owner(&a->s, o, &chain, a->out))
		too_many_answers(a);
	else if (a->i == a->n)
		a->stage = DONE;
}

/* ---- NSEC3 ---- */

static struct link *
add_link(struct zonesign_run *a, const uint8_t *name)
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

/* The empty non-terminals above `name` that are not above the link's name before it (names come in canonical
 * order, so each is met once). */
static void
add_ents(struct zonesign_run *a, const uint8_t *name)
{
	unsigned labels = name_labels(name), shared = name_common(name, a->last),
		 apex = name_labels(a->z.apex);

	if (shared < apex)
		shared = apex;
	for (unsigned k = shared + 1; k < labels; k++)
		(void)add_link(a, name_skip(name, labels - k));
}

static bool
make_links(struct zonesign_run *a, uint64_t deadline_ns)
{
	while (a->i < a->n) {
		const struct owner *o = &a->owner[a->i++];
		struct link *l;

		if (owner_has_nsec3(a->z.keys, o)) {
			add_ents(a, o->name);
			l = add_link(a, o->name);
			owner_nsec3_types(&a->s, o, &a->maps);
			l->len = (uint32_t)(a->maps.len - l->at);
			a->last = o->name;
		}
		if (a->i % LOOK_SETS == 0 && clock_is_past(deadline_ns))
			return true;
	}
	hashsort_begin(&a->sort, a->link, a->nlinks, sizeof *a->link);
	a->link = NULL;
	a->stage = SORT;
	return true;
}

static void
sort_links(struct zonesign_run *a)
{
	if (hashsort_step(&a->sort))
		return;
	a->link = (struct link *)(void *)a->sort.base;
	a->sort.base = NULL;
	a->i = 0;
	a->stage = PUT;
}

static int
by_hash(const void *pa, const void *pb)
{
	return memcmp(((const struct link *)pa)->hash, ((const struct link *)pb)->hash, NSEC3_HASH);
}

static const struct link *
next_link(const struct zonesign_run *a, const struct link *l)
{
	return l + 1 < a->link + a->nlinks ? l + 1 : a->link;
}

static bool
put_owner(struct zonesign_run *a, const struct owner *o)
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
	return sign_owner(&a->s, o, &chain, a->out);
}

/* Owners and NSEC3s are each in canonical order; so is what they make together. */
static void
put_with_nsec3(struct zonesign_run *a)
{
	const struct link *l = &a->link[a->k];
	uint8_t name[NAME_MAX_WIRE];

	if (a->k < a->nlinks)
		signing_nsec3_owner(&a->s, l->hash, name);
	if (a->k == a->nlinks || (a->i < a->n && name_cmp(a->owner[a->i].name, name) < 0)) {
		if (!put_owner(a, &a->owner[a->i++]))
			too_many_answers(a);
	} else {
		sign_nsec3(
		    &a->s, l->hash, next_link(a, l)->hash, a->maps.base + l->at, l->len, a->out);
		a->k++;
	}
	if (a->i == a->n && a->k == a->nlinks)
		a->stage = DONE;
}

/* ---- all ---- */

static bool
has_signing_key(const struct zone_keys *keys)
{
	for (unsigned i = 0; i < keys->n; i++) {
		if (zone_key_makes(&keys->key[i]))
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

struct zonesign_run *
zonesign_begin(const struct zonesign *z, const void *content, size_t len, struct wbuf *out,
    struct zonesign_done *done)
{
	struct zonesign_run *a = xcalloc(1, sizeof *a);

	a->z = *z;
	a->out = out;
	a->maps = wbuf_grow(UINT32_MAX);
	a->it = zwire_iter(content, len);
	a->last = a->z.apex;
	signing_init(&a->s, &a->z, done);
	if (!has_signing_key(z->keys))
		give_up(a, NS_INVALID, "no ZSK that is here signs");
	else if (z->keys->denial != DENIAL_NSEC && !fits_nsec3(z->apex))
		give_up(a, NS_INVALID, "the zone's name is too long for NSEC3");
	return a;
}

static bool
one_step(struct zonesign_run *a, uint64_t deadline_ns)
{
	switch (a->stage) {
	case READ:
		return read_owners(a, deadline_ns);
	case LINK:
		return make_links(a, deadline_ns);
	case SORT:
		sort_links(a);
		break;
	case PUT:
		if (a->z.keys->denial == DENIAL_NSEC)
			put_with_nsec(a);
		else
			put_with_nsec3(a);
		break;
	case DONE:
		break;
	}
	if (a->s.err != NS_OK)
		give_up(a, a->s.err, a->s.why.text);
	return a->stage != DONE;
}

bool
zonesign_step(struct zonesign_run *a, uint64_t deadline_ns)
{
	while (one_step(a, deadline_ns) && a->stage != DONE) {
		if (clock_is_past(deadline_ns))
			return true;
	}
	return false;
}

unsigned
zonesign_percent(const struct zonesign_run *a)
{
	size_t all = a->n + a->nlinks;

	return a->stage < PUT || all == 0 ? 0 : (unsigned)((a->i + a->k) * 100 / all);
}

void
zonesign_destroy(struct zonesign_run **ap)
{
	struct zonesign_run *a = *ap;

	*ap = NULL;
	if (a == NULL)
		return;
	signing_free(&a->s);
	wbuf_free(&a->maps);
	for (size_t i = 0; i < a->n; i++)
		owner_free(&a->owner[i]);
	free(a->owner);
	free(a->link);
	free(a->sort.base);
	free(a);
}

enum ns_err
zonesign_end(struct zonesign_run **ap, struct ns_why *why)
{
	struct zonesign_run *a = *ap;
	enum ns_err err = a->err;

	if (err != NS_OK && a->text == NULL)
		(void)ns_fail(why, err, CODE_ZONESIGN,
		    "a policy has more than %u different answers to sign", EMISSIONS_MAX);
	else if (err != NS_OK)
		(void)ns_fail(why, err, CODE_ZONESIGN, "%s", a->text);
	zonesign_destroy(ap);
	return err;
}

enum ns_err
zonesign_all(const struct zonesign *z, const void *content, size_t len, struct wbuf *out,
    struct zonesign_done *done, struct ns_why *why)
{
	struct zonesign_run *a = zonesign_begin(z, content, len, out, done);

	while (zonesign_step(a, UINT64_MAX))
		continue;
	return zonesign_end(&a, why);
}
