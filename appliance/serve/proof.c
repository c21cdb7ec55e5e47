/* proof.c - proofs of what is not there: the one interface in front of NSEC and NSEC3.
 *
 * Each proof_* function says what must be shown; which records show it is the business of nsec.c and
 * nsec3.c, behind struct denial.  How such a record is written is this file's: once in a reply, its
 * owner against the name that was asked. */
#include "appliance/serve/work.h"
#include "appliance/zonemap/emission.h"

/* Labels of a key. */
static unsigned
key_labels(const uint8_t *key, size_t len)
{
	unsigned n = 0;

	for (size_t i = 0; i < len; i++)
		n += key[i] == 0;
	return n;
}

static bool
is_nsec3(const struct reply *r)
{
	return (r->hop.zone.image->flags & IMAGE_NSEC3) != 0;
}

static const struct denial *
denial(const struct reply *r)
{
	return is_nsec3(r) ? &denial_nsec3 : &denial_nsec;
}

/* Is this node's record in the reply?  From now on it is. */
static bool
was_sent(struct reply *r, const struct image_node *node)
{
	for (unsigned i = 0; i < r->nsent; i++) {
		if (r->sent[i] == node->key)
			return true;
	}
	if (r->nsent < NSEC_MAX)
		r->sent[r->nsent++] = node->key;
	return false;
}

/* The owner of a node, ended by a pointer into the name that was asked; `shared` is what the two keys
 * have in common, 0 with `whole`. */
static size_t
proof_owner(const struct reply *r, const struct image_node *node, size_t shared, bool whole,
    uint8_t owner[NAME_MAX_WIRE])
{
	const struct hop *h = &r->hop;
	unsigned label = hop_label(h, key_labels(node->key, shared)), place;
	size_t len = image_key_name(
	    node->key, node->keylen, h->zone.apex, h->zone.image->head.apex_len, owner);
	size_t own, shared_len;

	if (len == 0 || whole || label >= h->labels)
		return len;
	place = hop_place(h, label);
	if (place > POINTER_REACH)
		return len;
	shared_len = h->off[h->labels] + 1u - h->off[label];
	if (shared_len > len)
		return 0; /* broken */
	own = len - shared_len;
	owner[own] = (uint8_t)(0xc0u | place >> 8);
	owner[own + 1] = (uint8_t)place;
	return own + 2;
}

/* The record under its own name, the signature under a pointer to that: a hash is long. */
static bool
put_named(struct reply *r, const struct image_set *set, const uint8_t *owner, size_t len)
{
	struct image_set alone = *set;
	size_t start = r->len;
	uint16_t count = r->count[AUTHORITY];

	if (start > POINTER_REACH)
		return emit_named(r, AUTHORITY, set, owner, len);
	alone.sig_word = alone.sig_len = 0;
	if (!emit_named(r, AUTHORITY, &alone, owner, len))
		return false;
	if (set->sig_word == 0 || emit_sigs_at(r, AUTHORITY, set, (uint16_t)(0xc000u | start)))
		return true;
	r->len = start;
	r->count[AUTHORITY] = count;
	return false;
}

/* The set that denies at a node; where a policy has no answer to give, what stands in for it. */
static bool
denying_set(const struct reply *r, const struct image_node *node, struct image_set *set)
{
	const struct emission_denial *d = r->denial;

	if (!image_set_find(node, is_nsec3(r) ? RR_NSEC3 : RR_NSEC, set))
		return false;
	if (d == NULL || d->key_len != node->keylen || d->body_len < RR_HEAD ||
	    memcmp(d->key, node->key, d->key_len) != 0)
		return true;
	*set = (struct image_set){ .type = set->type,
		.count = 1,
		.body = d->body,
		.body_len = (uint16_t)d->body_len,
		.sig = d->sig,
		.sig_len = (uint16_t)d->sig_len };
	for (unsigned at = 0; at < set->sig_len;) {
		at = image_rr_next(set->sig, set->sig_len, at);
		if (at == 0)
			return false;
		set->sig_word++;
	}
	return true;
}

void
proof_put(struct reply *r, const struct image_node *node, bool whole)
{
	const struct hop *h = &r->hop;
	size_t shared = whole ? 0 : image_key_common(node->key, node->keylen, h->key, h->keylen),
	       len;
	uint8_t owner[NAME_MAX_WIRE];
	struct image_set set;
	bool fits;

	if (!denying_set(r, node, &set) || was_sent(r, node))
		return;
	if (!whole && shared == node->keylen) {
		fits = emit_set(r, AUTHORITY, &set, hop_label(h, key_labels(node->key, shared)));
	} else {
		len = proof_owner(r, node, shared, whole, owner);
		fits = len > 0 && put_named(r, &set, owner, len);
	}
	if (!fits)
		r->tc = true;
}

bool
proof_wanted(const struct reply *r)
{
	return r->w->dnssec_ok && !r->tc &&
	       (r->hop.zone.image->flags & (IMAGE_NSEC | IMAGE_NSEC3)) != 0;
}

/* RFC 4035 3.1.3.2, RFC 5155 7.2.2: neither the name nor a wildcard that would match it. */
void
proof_nxdomain(struct reply *r, const struct lookup *l)
{
	if (proof_wanted(r))
		denial(r)->nxdomain(r, l);
}

/* RFC 4035 3.1.3.1 and 3.1.3.4, RFC 5155 7.2.3 to 7.2.5: the name, or the wildcard that matches it,
 * without that type. */
void
proof_nodata(struct reply *r, const struct lookup *l)
{
	if (proof_wanted(r))
		denial(r)->nodata(r, l);
}

/* RFC 4035 3.1.3.3, RFC 5155 7.2.6: a wildcard answered, so the name itself must not exist. */
void
proof_wild(struct reply *r)
{
	struct image_node node;

	if (!proof_wanted(r) || r->nwaiting > CHAIN_MAX || !denial(r)->wild(r, &node))
		return;
	r->waiting[r->nwaiting].zone = r->hop.zone;
	r->waiting[r->nwaiting++].node = node;
}

void
proof_flush(struct reply *r)
{
	struct image_ref zone = r->hop.zone;

	for (unsigned i = 0; i < r->nwaiting && !r->tc; i++) {
		r->hop.zone = r->waiting[i].zone;
		proof_put(r, &r->waiting[i].node, r->hop.zone.image != zone.image);
	}
	r->hop.zone = zone;
	r->nwaiting = 0;
}

/* RFC 4035 3.1.4, RFC 5155 7.2.7: an unsigned delegation. */
void
proof_no_ds(struct reply *r, const struct lookup *l)
{
	if (proof_wanted(r))
		denial(r)->no_ds(r, l);
}
