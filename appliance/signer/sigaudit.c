/* sigaudit.c - see sigaudit.h.  The signer's only thread. */
#include "appliance/signer/sigaudit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/dns/ds.h"
#include "appliance/dns/name.h"
#include "appliance/dns/rrtype.h"
#include "appliance/signer/rrsig.h"
#include "appliance/signer/signtables.h"
#include "appliance/zonemap/image_read.h"
#include "ipc/base/clock.h"
#include "ipc/base/xalloc.h"

#define KEYS_MAX    32u /* of a DNSKEY set; more are not looked at */
#define DNSKEY_HEAD 4u

struct sigaudit {
	struct map_view view;
	struct image_ref ref;
	struct image_walk walk;
	struct rrsigner *signer;
	struct signtables *tables;
	struct wbuf owner; /* zwire of the node at hand */
	uint32_t now;
	bool here;
	unsigned nkeys;
	struct zone_key key[KEYS_MAX];
	uint8_t top[NAME_MAX_KEY]; /* hides what is below it */
	size_t top_len; /* 0: nothing is hidden */
	struct sigaudit_found found;
};

struct sigaudit *
sigaudit_new(void)
{
	struct sigaudit *a = xcalloc(1, sizeof *a);

	a->signer = rrsigner_new();
	a->tables = signtables_new();
	a->owner = wbuf_grow(SIZE_MAX / 2);
	return a;
}

void
sigaudit_destroy(struct sigaudit **ap)
{
	struct sigaudit *a = *ap;

	*ap = NULL;
	if (a == NULL)
		return;
	rrsigner_destroy(&a->signer);
	signtables_destroy(&a->tables);
	wbuf_free(&a->owner);
	free(a);
}

const struct sigaudit_found *
sigaudit_found(const struct sigaudit *a)
{
	return &a->found;
}

static void
wrong(struct sigaudit *a, const uint8_t *owner, uint16_t type, const char *text)
{
	char name[NAME_MAX_TEXT], type_text[RRTYPE_MAX_TEXT];

	if (a->found.wrong++ == 0)
		snprintf(a->found.first, sizeof a->found.first, "%.400s %s: %s",
		    name_to_text(owner, name), rrtype_to_text(type, type_text), text);
}

/* ---- keys ---- */

static void
add_key(struct sigaudit *a, const uint8_t *rdata, size_t len)
{
	struct zone_key *key = &a->key[a->nkeys];

	if (a->nkeys == KEYS_MAX || len <= DNSKEY_HEAD)
		return;
	*key = (struct zone_key){
		.flags = get_u16(rdata), .algorithm = rdata[3], .tag = ds_key_tag(rdata, len)
	};
	if (len <= sizeof key->rdata) {
		key->rdlen = (uint8_t)len;
		memcpy(key->rdata, rdata, len);
	}
	a->nkeys++;
}

static bool
read_keys(struct sigaudit *a)
{
	struct image_node apex;
	struct zwire_iter it;
	struct rrset set;

	a->nkeys = 0;
	a->owner.len = 0;
	if (!image_apex(&a->ref, &apex) || !image_node_zwire(&a->ref, &apex, false, &a->owner))
		return false;
	it = zwire_iter(a->owner.base, a->owner.len);
	while (zwire_next(&it, &set)) {
		struct rbuf r = rbuf_init(set.rdata, set.rdata_len);
		const uint8_t *rdata;
		size_t len;

		while (set.type == RR_DNSKEY && (rdata = rrset_next_rdata(&r, &len)) != NULL)
			add_key(a, rdata, len);
	}
	return a->nkeys > 0;
}

bool
sigaudit_begin(struct sigaudit *a, const struct map_view *view, map_off image, uint32_t now)
{
	a->view = *view;
	a->now = now;
	a->top_len = 0;
	a->found = (struct sigaudit_found){ 0 };
	if (!image_open(&a->view, image, &a->ref) || (a->ref.image->flags & IMAGE_SIGNED) == 0 ||
	    !read_keys(a))
		return false;
	a->here = (a->ref.image->flags & IMAGE_HERE) != 0;
	image_walk_begin(&a->walk, &a->ref);
	return true;
}

/* ---- one signature ---- */

static const struct zone_key *
key_of(const struct sigaudit *a, const struct rrsig *sig)
{
	for (unsigned i = 0; i < a->nkeys; i++) {
		if (a->key[i].tag == sig->tag && a->key[i].algorithm == sig->algorithm)
			return &a->key[i];
	}
	return NULL;
}

/* A zone in an algorithm roll has signatures of one that no key in DNSKEY has yet, or has any more (RFC 6781 4.1.4):
 * whoever validates passes over them. */
static bool
is_passed_over(const struct sigaudit *a, const struct rrsig *sig)
{
	for (unsigned i = 0; i < a->nkeys; i++) {
		if (a->key[i].algorithm == sig->algorithm)
			return false;
	}
	return true;
}

/* False: nobody takes it into account. */
static bool
check_one(struct sigaudit *a, const struct rrset *set, const uint8_t *rdata, size_t len)
{
	struct rrset signed_set = *set;
	const struct zone_key *key;
	struct rrsig sig;

	if (!rrsig_read(rdata, len, &sig) || !name_equal(sig.signer, a->ref.apex)) {
		wrong(a, set->owner, set->type, "its signature is not the zone's");
		return true;
	}
	if ((key = key_of(a, &sig)) == NULL) {
		if (is_passed_over(a, &sig)) {
			a->found.skipped++;
			return false;
		}
		wrong(a, set->owner, set->type, "its signature is of a key that is not in DNSKEY");
		return true;
	}
	if (!rrsig_is_valid_at(&sig, a->now))
		wrong(a, set->owner, set->type,
		    rrsig_left(&sig, a->now) < 0 ? "its signature has expired"
						 : "its signature is not valid yet");
	if (!zone_key_verifies(key)) {
		a->found.skipped++;
		return true;
	}
	/* Who signs elsewhere may serve a lower TTL than was signed (RFC 4035 5.3.3). */
	if (!a->here && sig.ttl > set->ttl)
		signed_set.ttl = sig.ttl;
	a->found.verified++;
	if (!rrsigner_verify(a->signer, &signed_set, key, rdata, len))
		wrong(a, set->owner, set->type, "its signature does not verify");
	return true;
}

static void
check_all(struct sigaudit *a, const struct rrset *set, const struct rrset *sigs)
{
	struct rbuf r = rbuf_init(sigs->rdata, sigs->rdata_len);
	const uint8_t *rdata;
	bool counts = false;
	size_t len;

	while ((rdata = rrset_next_rdata(&r, &len)) != NULL)
		counts = check_one(a, set, rdata, len) || counts;
	if (!counts)
		wrong(a, set->owner, set->type, "its signature is of a key that is not in DNSKEY");
}

/* ---- a name ---- */

static bool
find_set(const struct sigaudit *a, uint16_t type, uint16_t covers, struct rrset *out)
{
	struct zwire_iter it = zwire_iter(a->owner.base, a->owner.len);

	while (zwire_next(&it, out)) {
		if (out->type == type && out->covers == covers)
			return true;
	}
	return false;
}

/* An ancestor's key is a prefix. */
static bool
is_hidden(struct sigaudit *a, const struct image_node *node)
{
	if (a->top_len > 0 && node->keylen > a->top_len &&
	    memcmp(node->key, a->top, a->top_len) == 0)
		return true;
	a->top_len = 0;
	if ((node->flags & (NODE_CUT | NODE_DNAME)) != 0 && node->keylen > 0) {
		memcpy(a->top, node->key, node->keylen);
		a->top_len = node->keylen;
	}
	return false;
}

static void
table_set(void *arg, const struct rrset *set, const struct rrset *sigs)
{
	if (sigs != NULL)
		check_all(arg, set, sigs);
	else
		wrong(arg, set->owner, set->type, "it has no signature");
}

static void
table_wrong(void *arg, const struct rrset *set, const char *text)
{
	wrong(arg, set->owner, set->type, text);
}

/* What a policy or an ALIAS may answer. */
static void
check_table(struct sigaudit *a, const struct rrset *set, const struct rrset *table)
{
	const struct signtables_reader to = {
		.apex = a->ref.apex, .set = table_set, .wrong = table_wrong, .arg = a
	};

	if (set->type == RR_NSPOLICY)
		signtables_policies(a->tables, &to, set, table);
	else
		signtables_alias(a->tables, &to, set, table);
}

static void
check_set(struct sigaudit *a, const struct rrset *set, bool cut)
{
	struct rrset sigs;
	bool any = find_set(a, RR_RRSIG, set->type, &sigs);

	if (set->type == RR_RRSIG)
		return;
	if (set->type == RR_NSPOLICY || set->type == RR_ALIAS) {
		if (a->here && !cut)
			check_table(a, set, any ? &sigs : NULL);
		return;
	}
	if (any) {
		check_all(a, set, &sigs);
		return;
	}
	if (!cut || set->type == RR_DS || set->type == RR_NSEC)
		wrong(a, set->owner, set->type, "it has no signature");
}

static void
check_node(struct sigaudit *a, const struct image_node *node)
{
	bool hidden = is_hidden(a, node);
	struct zwire_iter it;
	struct rrset set;

	a->owner.len = 0;
	if (hidden || !image_node_zwire(&a->ref, node, false, &a->owner))
		return;
	it = zwire_iter(a->owner.base, a->owner.len);
	while (zwire_next(&it, &set))
		check_set(a, &set, (node->flags & NODE_CUT) != 0);
}

bool
sigaudit_step(struct sigaudit *a, uint64_t deadline_ns)
{
	struct image_node node;

	while (image_walk_next(&a->walk, &node)) {
		check_node(a, &node);
		if (clock_is_past(deadline_ns))
			return true;
	}
	return false;
}
