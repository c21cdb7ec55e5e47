/* signcheck.c - see signcheck.h. */
#include "appliance/signer/signcheck.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/dns/rrtype.h"
#include "appliance/signer/hashsort.h"
#include "appliance/signer/sidecheck.h"
#include "appliance/signer/signtables.h"
#include "appliance/signer/typemap.h"
#include "appliance/zonemap/aliassig.h"
#include "appliance/zonemap/nsec3_chain.h"
#include "ipc/base/clock.h"
#include "ipc/base/xalloc.h"

#define CODE_SIGNCHECK 5034
#define LOOK_OWNERS    32u /* between two looks at the clock */
#define NSEC3_FIXED    6u /* algorithm, flags, iterations, no salt, length of the hash */

enum part { OURS, CUT, HIDDEN };

struct hash {
	uint8_t octets[NSEC3_HASH];
};
struct hashes {
	struct hash *hash;
	size_t n, cap;
};
struct signcheck_run {
	struct signcheck *c;
	struct ns_why why;
	enum ns_err err;
	struct zwire_iter it;
	struct rrset apex; /* the first set of all */
	enum { OWNERS, SORT_WANT, SORT_HAVE, END } stage;
	bool nsec3, optout, alone; /* alone: owners out of their order */
	/* the owner at hand */
	struct rrset *set;
	size_t n, cap;
	enum part part;
	bool ds;
	const uint8_t *top; /* hides what is below it */
	/* NSEC: the link before leads here */
	uint8_t next[NAME_MAX_WIRE];
	bool started;
	/* NSEC3 */
	struct hashes want, have;
	struct hashsort sort; /* of one of them */
	const uint8_t *last; /* name in `want` */
	struct hash next_link;
	struct typemap types;
	struct wbuf bitmap;
	bool soa, dnskey; /* seen at the apex */
	struct signtables *tables; /* made when there is one */
};

static void
fail(void *run, const struct rrset *set, const char *text)
{
	struct signcheck_run *k = run;
	char name[NAME_MAX_TEXT];

	if (k->err != NS_OK)
		return;
	name_to_text(set->owner, name);
	memcpy(k->why.owner, name, sizeof k->why.owner - 1);
	k->why.owner[sizeof k->why.owner - 1] = '\0';
	rrtype_to_text(set->type, k->why.type);
	k->err = ns_fail(
	    &k->why, NS_INVALID, CODE_SIGNCHECK, "%s %s: %s", k->why.owner, k->why.type, text);
}

static const struct rrset *
find_set(const struct signcheck_run *k, uint16_t type, uint16_t covers)
{
	for (size_t i = 0; i < k->n; i++) {
		if (k->set[i].type == type && k->set[i].covers == covers)
			return &k->set[i];
	}
	return NULL;
}

/* ---- signatures ---- */

static const struct zone_key *
key_of(const struct signcheck *c, const struct rrsig *sig, uint16_t flags)
{
	for (const struct zone_key *key = c->keys->key; key < c->keys->key + c->keys->n; key++)
		if ((key->published || key->signs) && key->flags == flags && key->tag == sig->tag &&
		    key->algorithm == sig->algorithm)
			return key;
	return NULL;
}

/* Is this one verified?  One of each key that is loaded always, a change's first ones all, then one in 64. */
static bool
is_sampled(struct signcheck *c, const struct rrset *set, const struct rrsig *sig)
{
	bool fresh = sig->window.inception == c->now - RRSIG_SKEW;

	c->seen++;
	if ((set->type == RR_SOA || set->type == RR_DNSKEY) &&
	    !(c->later && !zone_keys_are_open(c->keys)))
		return true;
	if (fresh && c->fresh++ < SIGNCHECK_ALL)
		return true;
	return signcheck_turn(c->seen);
}

static bool
is_key_set(const struct signcheck_run *k, const struct rrset *set)
{
	return name_equal(set->owner, k->c->apex) &&
	       (set->type == RR_DNSKEY || set->type == RR_CDS || set->type == RR_CDNSKEY);
}

/* What is wrong with one; NULL: nothing. */
static const char *
judge(struct signcheck_run *k, const struct rrset *set, const uint8_t *rdata, size_t len,
    const struct zone_key **by)
{
	struct signcheck *c = k->c;
	const struct zone_key *key;
	struct rrsig sig;

	if (!rrsig_read(rdata, len, &sig) || !name_equal(sig.signer, c->apex))
		return "its signature is not the zone's";
	key = key_of(c, &sig, is_key_set(k, set) ? KEY_KSK : KEY_ZSK);
	if (key == NULL)
		return "its signature is of none of the zone's keys";
	if (!rrsig_is_valid_at(&sig, c->now))
		return "its signature is not valid now";
	if (sig.ttl != set->ttl || sig.type != set->type)
		return "its signature is for another TTL or type";
	*by = key;
	if (!is_sampled(c, set, &sig))
		return NULL;
	c->verified++;
	if (sidecheck_verify(c, set, key, rdata, len))
		return NULL;
	c->unsound = c->unsound || key->flags == KEY_ZSK;
	return "its signature does not verify";
}

/* One of each algorithm that signs for the role (RFC 4035 2.2; a roll: before and after DNSKEY, 6781 4.1.4), none wrong. */
static void
check_signatures(struct signcheck_run *k, const struct rrset *set, const struct rrset *sigs)
{
	const struct zone_keys *keys = k->c->keys;
	uint16_t flags = is_key_set(k, set) ? KEY_KSK : KEY_ZSK;
	bool seen[256] = { false }, published = false;
	struct rbuf r;
	const uint8_t *rdata;
	size_t len;

	if (sigs == NULL) {
		fail(k, set, "it has no signature");
		return;
	}
	r = rbuf_init(sigs->rdata, sigs->rdata_len);
	while ((rdata = rrset_next_rdata(&r, &len)) != NULL) {
		const struct zone_key *by = NULL;
		const char *text = judge(k, set, rdata, len, &by);

		if (text != NULL)
			fail(k, set, text);
		seen[by != NULL ? by->algorithm : 0] = true;
		published = published || by == NULL || by->published;
	}
	if (!published)
		fail(k, set, "its signatures are of keys that are not published");
	for (unsigned i = 0; i < keys->n; i++) {
		if (keys->key[i].flags == flags && keys->key[i].signs &&
		    !seen[keys->key[i].algorithm])
			fail(k, set, "it has no signature of an algorithm that signs");
	}
}

/* ---- what policies and ALIASes may answer ---- */

static void
table_set(void *arg, const struct rrset *set, const struct rrset *sigs)
{
	check_signatures(arg, set, sigs);
}

static void
check_table(struct signcheck_run *k, const struct rrset *set)
{
	const struct signtables_reader to = {
		.apex = k->c->apex, .set = table_set, .wrong = fail, .arg = k
	};
	const struct rrset *table = find_set(k, RR_RRSIG, set->type);

	if (k->tables == NULL)
		k->tables = signtables_new();
	if (set->type == RR_NSPOLICY)
		signtables_policies(k->tables, &to, set, table);
	else if (table != NULL || k->c->aliases)
		signtables_alias(k->tables, &to, set, table);
}

/* ---- the chain ---- */

static bool
is_signed_part(const struct signcheck_run *k, uint16_t type)
{
	return k->part == OURS || (k->part == CUT && (type == RR_DS || type == RR_NSEC));
}

static void
note_denied(void *arg, const struct aliassig *item)
{
	if (item->kind == ALIASSIG_HEAD)
		*(uint8_t *)arg = item->denied;
}

/* An ALIAS stands for addresses, but for those that its table denies. */
static void
expect_addresses(struct signcheck_run *k)
{
	const struct rrset *table = find_set(k, RR_RRSIG, RR_ALIAS);
	uint8_t denied = 0;

	if (table != NULL)
		aliassig_each_of_set(table, note_denied, &denied);
	for (unsigned f = 0; f < ALIAS_FAMILIES; f++) {
		if ((denied & 1u << f) == 0)
			typemap_add(&k->types, f == ALIAS_V4 ? RR_A : RR_AAAA);
	}
}

static void
expect_types(struct signcheck_run *k)
{
	for (size_t i = 0; i < k->n; i++) {
		const struct rrset *set = &k->set[i];
		struct rbuf r = rbuf_init(set->rdata, set->rdata_len);
		const uint8_t *rdata;
		size_t len;

		if (set->type == RR_NSPOLICY) {
			while ((rdata = rrset_next_rdata(&r, &len)) != NULL)
				typemap_add(&k->types, len >= 2 ? get_u16(rdata) : 0);
		} else if (set->type == RR_ALIAS) {
			if (k->part == OURS)
				expect_addresses(k);
		} else if (set->type == RR_NS || is_signed_part(k, set->type)) {
			typemap_add(&k->types, set->type);
		}
	}
	typemap_add(&k->types, RR_RRSIG);
	k->bitmap.len = 0;
	typemap_put(&k->types, &k->bitmap);
}

static void
check_nsec(struct signcheck_run *k)
{
	const struct rrset *nsec = find_set(k, RR_NSEC, 0);
	size_t len, rdlen;

	if (k->part == HIDDEN) {
		if (nsec != NULL)
			fail(k, nsec, "it is below a delegation or a DNAME");
		return;
	}
	if (nsec == NULL || nsec->count != 1) {
		fail(k, &k->set[0], "the name has no NSEC");
		return;
	}
	if (!k->alone && k->started && !name_equal(k->next, nsec->owner))
		fail(k, nsec, "the NSEC before it does not lead here");
	k->started = true;
	rdlen = get_u16(nsec->rdata);
	len = name_check(nsec->rdata + 2, rdlen);
	if (len == 0) {
		fail(k, nsec, "it has no next name");
		return;
	}
	memcpy(k->next, nsec->rdata + 2, len);
	expect_types(k);
	if (k->bitmap.len != rdlen - len ||
	    memcmp(k->bitmap.base, nsec->rdata + 2 + len, k->bitmap.len) != 0)
		fail(k, nsec, "its types are not those of the name");
}

static void
add_hash(struct hashes *h, const struct hash *hash)
{
	if (h->n == h->cap) {
		h->cap = h->cap > 0 ? h->cap * 2 : 64;
		h->hash = xreallocarray(h->hash, h->cap, sizeof *h->hash);
	}
	h->hash[h->n++] = *hash;
}

static void
want_name(struct signcheck_run *k, const uint8_t *name)
{
	static const struct nsec3_chain chain = { .used = true };
	struct hash hash;

	nsec3_digest(&chain, name, name_len(name), hash.octets);
	add_hash(&k->want, &hash);
}

/* The name and the empty non-terminals above it that no name before was below. */
static void
want_nsec3(struct signcheck_run *k)
{
	const uint8_t *name = k->set[0].owner, *up;

	if (k->part == HIDDEN || (k->optout && k->part == CUT && !k->ds))
		return;
	want_name(k, name);
	for (up = name; !name_equal(up, k->c->apex);) {
		up = name_parent(up);
		if (name_equal(up, k->c->apex) || (k->last != NULL && name_in(k->last, up)))
			break;
		want_name(k, up);
	}
	k->last = name;
}

static void
check_link(struct signcheck_run *k, const struct rrset *nsec3)
{
	uint8_t label[NSEC3_LABEL];
	struct hash here;
	size_t rdlen = get_u16(nsec3->rdata);
	const uint8_t *rdata = nsec3->rdata + 2;

	if (nsec3->count != 1 || nsec3->owner_len <= NSEC3_LABEL ||
	    rdlen < NSEC3_FIXED + NSEC3_HASH || rdata[4] != 0 || rdata[5] != NSEC3_HASH ||
	    rdata[1] != k->optout) {
		fail(k, nsec3, "it is not of the zone's chain");
		return;
	}
	/* The text's octets again from the hash that led here. */
	if (k->have.n > 0 && !k->alone) {
		nsec3_label(k->next_link.octets, label);
		if (memcmp(label, nsec3->owner + 1, NSEC3_LABEL) != 0)
			fail(k, nsec3, "the NSEC3 before it does not lead here");
	}
	memcpy(k->next_link.octets, rdata + NSEC3_FIXED, NSEC3_HASH);
	here = k->next_link;
	add_hash(&k->have, &here); /* each is somebody's next: the same set, turned by one */
}

/* ---- owners ---- */

static bool
is_nsec3_owner(const struct signcheck_run *k)
{
	for (size_t i = 0; i < k->n; i++) {
		const struct rrset *set = &k->set[i];

		if ((set->type == RR_RRSIG ? set->covers : set->type) != RR_NSEC3)
			return false;
	}
	return k->nsec3 && find_set(k, RR_NSEC3, 0) != NULL;
}

/* Of an owner alone: what is below a delegation has no NSEC, or no signature (and resign_check() sees that it is). */
static bool
looks_hidden(const struct signcheck_run *k)
{
	if (!k->nsec3)
		return find_set(k, RR_NSEC, 0) == NULL;
	for (size_t i = 0; i < k->n; i++) {
		if (k->set[i].type == RR_RRSIG)
			return false;
	}
	return true;
}

static void
place_owner(struct signcheck_run *k)
{
	const uint8_t *owner = k->set[0].owner;
	bool apex = name_equal(owner, k->c->apex);

	if (k->top != NULL && !name_is_below(owner, k->top))
		k->top = NULL;
	k->part = k->top != NULL || (k->alone && looks_hidden(k)) ? HIDDEN : OURS;
	k->ds = find_set(k, RR_DS, 0) != NULL;
	if (k->part == HIDDEN)
		return;
	if (!apex && find_set(k, RR_NS, 0) != NULL)
		k->part = CUT;
	if (k->part == CUT || find_set(k, RR_DNAME, 0) != NULL)
		k->top = owner;
}

static void
check_set(struct signcheck_run *k, const struct rrset *set)
{
	bool table = set->type == RR_NSPOLICY || set->type == RR_ALIAS;

	if (set->type == RR_RRSIG) {
		if (find_set(k, set->covers, 0) == NULL || !is_signed_part(k, set->covers))
			fail(k, set, "it covers what is not there or not signed");
	} else if (table && k->part == OURS) {
		check_table(k, set);
	} else if (!table && is_signed_part(k, set->type)) {
		check_signatures(k, set, find_set(k, RR_RRSIG, set->type));
	}
}

static void
check_owner(struct signcheck_run *k)
{
	if (k->n == 0)
		return;
	if (is_nsec3_owner(k)) {
		k->part = OURS;
		check_link(k, find_set(k, RR_NSEC3, 0));
	} else {
		place_owner(k);
		if (k->nsec3)
			want_nsec3(k);
		else
			check_nsec(k);
	}
	for (size_t i = 0; i < k->n; i++)
		check_set(k, &k->set[i]);
	k->n = 0;
}

/* ---- all ---- */

static void
check_end(struct signcheck_run *k)
{
	if (!rbuf_ok(&k->it.r) || (!k->alone && (!k->soa || !k->dnskey)))
		k->err = ns_fail(&k->why, NS_INVALID, CODE_SIGNCHECK,
		    "what was signed breaks its form, or has no SOA or DNSKEY");
	else if (k->alone)
		return;
	else if (!k->nsec3 && (!k->started || !name_equal(k->next, k->c->apex)))
		fail(k, &k->apex, "the last NSEC does not lead to the apex");
	else if (k->nsec3 && (k->want.n != k->have.n || memcmp(k->want.hash, k->have.hash,
							    k->want.n * sizeof *k->want.hash) != 0))
		fail(k, &k->apex, "the NSEC3 chain is not that of the zone's names");
}

static void
add_set(struct signcheck_run *k, const struct rrset *set)
{
	bool apex = name_equal(set->owner, k->c->apex);

	if (k->n == k->cap) {
		k->cap = k->cap > 0 ? k->cap * 2 : 32;
		k->set = xreallocarray(k->set, k->cap, sizeof *k->set);
	}
	k->set[k->n++] = *set;
	if (k->apex.owner == NULL)
		k->apex = *set;
	k->soa = k->soa || (set->type == RR_SOA && apex);
	k->dnskey = k->dnskey || (set->type == RR_DNSKEY && apex);
}

/* The hashes go to be sorted; of a chain by NSEC there are none. */
static void
sort_begin(struct signcheck_run *k, struct hashes *h)
{
	hashsort_begin(&k->sort, h->hash, h->n, sizeof *h->hash);
	h->hash = NULL;
}

static bool
sort_step(struct signcheck_run *k, struct hashes *h)
{
	if (hashsort_step(&k->sort))
		return true;
	h->hash = (struct hash *)(void *)k->sort.base;
	k->sort.base = NULL;
	return false;
}

static void
owners_step(struct signcheck_run *k, uint64_t deadline_ns)
{
	struct rrset set;
	unsigned owners = 0;

	while (zwire_next(&k->it, &set)) {
		bool next = k->n > 0 && !name_equal(k->set[0].owner, set.owner);

		if (next)
			check_owner(k);
		add_set(k, &set);
		if (next && ++owners % LOOK_OWNERS == 0 && clock_is_past(deadline_ns))
			return;
	}
	check_owner(k);
	sort_begin(k, &k->want);
	k->stage = SORT_WANT;
}

struct signcheck_run *
signcheck_begin(struct signcheck *c, const void *zwire, size_t len)
{
	struct signcheck_run *k = xcalloc(1, sizeof *k);

	k->c = c;
	k->it = zwire_iter(zwire, len);
	k->nsec3 = c->keys->denial != DENIAL_NSEC;
	k->optout = c->keys->denial == DENIAL_NSEC3_OPTOUT;
	k->bitmap = wbuf_grow(SIZE_MAX / 2);
	return k;
}

static void
one_step(struct signcheck_run *k, uint64_t deadline_ns)
{
	switch (k->stage) {
	case OWNERS:
		owners_step(k, deadline_ns);
		break;
	case SORT_WANT:
		if (!sort_step(k, &k->want)) {
			sort_begin(k, &k->have);
			k->stage = SORT_HAVE;
		}
		break;
	case SORT_HAVE:
		if (!sort_step(k, &k->have)) {
			check_end(k);
			k->stage = END;
		}
		break;
	case END:
		break;
	}
}

bool
signcheck_step(struct signcheck_run *k, uint64_t deadline_ns)
{
	while (k->err == NS_OK && k->stage != END) {
		one_step(k, deadline_ns);
		if (clock_is_past(deadline_ns))
			break;
	}
	return k->err == NS_OK && k->stage != END;
}

void
signcheck_destroy(struct signcheck_run **kp)
{
	struct signcheck_run *k = *kp;

	*kp = NULL;
	if (k == NULL)
		return;
	free(k->want.hash);
	free(k->have.hash);
	free(k->sort.base);
	wbuf_free(&k->bitmap);
	free(k->set);
	signtables_destroy(&k->tables);
	free(k);
}

enum ns_err
signcheck_end(struct signcheck_run **kp, struct ns_why *why)
{
	enum ns_err err = (*kp)->err;

	if (err != NS_OK && why != NULL)
		*why = (*kp)->why;
	signcheck_destroy(kp);
	return err;
}

static enum ns_err
all(struct signcheck *c, const void *zwire, size_t len, bool alone, struct ns_why *why)
{
	struct signcheck_run *k = signcheck_begin(c, zwire, len);

	k->alone = alone;
	while (signcheck_step(k, UINT64_MAX))
		continue;
	return signcheck_end(&k, why);
}

enum ns_err
signcheck_zone(struct signcheck *c, const void *zwire, size_t len, struct ns_why *why)
{
	return all(c, zwire, len, false, why);
}

enum ns_err
signcheck_part(struct signcheck *c, const void *zwire, size_t len, struct ns_why *why)
{
	return all(c, zwire, len, true, why);
}
