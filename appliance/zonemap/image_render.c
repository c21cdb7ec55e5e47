/* image_render.c - records into the form that is copied into replies; see image_render.h.
 *
 * Names are compressed where RFC 3597 4 allows it, against what is sure to stand in the packet: the
 * owner (or, for a wildcard, what is above its "*"), the apex, and earlier names of the set. */
#include "appliance/zonemap/image_render.h"

#include <string.h>

#include "appliance/dns/policy.h"
#include "appliance/dns/rrtype.h"
#include "appliance/zonemap/image_format.h"
#include "appliance/zonemap/image_sig.h"

#define CODE_IMAGE_SET 3201
#define SEEN_MAX       256u /* names remembered in a set; a set with more compresses less */
#define CLASS_IN       1

struct seen {
	const uint8_t *name;
	uint16_t place;
	uint8_t labels;
};

struct set_render {
	const struct render *zone;
	const uint8_t *owner;
	size_t owner_len;
	struct wbuf body, patch, add;
	unsigned npatch, nadd, nseen;
	struct seen seen[SEEN_MAX];
	uint8_t targets[ADD_MAX][2]; /* flat: nodes already listed */
};

/* Numbers inside an image are in host order. */
static void
put_host16(struct wbuf *w, unsigned v)
{
	uint16_t h = (uint16_t)v;

	wbuf_put(w, &h, sizeof h);
}

/* Labels of `name` from the right that also end the owner, and can be pointed at. */
static unsigned
labels_in_owner(const struct set_render *r, const uint8_t *name)
{
	unsigned common = name_common(name, r->owner);

	if (common > 0 && name_is_wild(r->owner) && common == name_labels(r->owner))
		common--;
	return common;
}

static const struct seen *
find_seen(const struct set_render *r, const uint8_t *name, unsigned labels, unsigned more_than)
{
	for (; labels > more_than; labels--, name += *name + 1) {
		for (unsigned i = 0; i < r->nseen; i++) {
			if (r->seen[i].labels == labels && name_equal(r->seen[i].name, name))
				return &r->seen[i];
		}
	}
	return NULL;
}

static void
put_pointer(struct set_render *r, unsigned kind, unsigned value)
{
	put_host16(&r->patch, kind | (unsigned)r->body.len);
	r->npatch++;
	wbuf_u16(&r->body, (uint16_t)(0xc000u | value));
}

static void
put_name(struct set_render *r, const uint8_t *name)
{
	unsigned labels = name_labels(name), owner_labels = name_labels(r->owner);
	unsigned zone = labels_in_owner(r, name);
	const struct seen *seen = find_seen(r, name, labels, zone);
	unsigned tail = seen != NULL ? seen->labels : zone;

	if (r->body.len > PATCH_REACH) {
		wbuf_put(&r->body, name, name_len(name));
		return;
	}
	for (; labels > tail; labels--, name += *name + 1) {
		if (r->nseen < SEEN_MAX && r->body.len <= PATCH_REACH)
			r->seen[r->nseen++] =
			    (struct seen){ name, (uint16_t)r->body.len, (uint8_t)labels };
		wbuf_put(&r->body, name, *name + 1u);
	}
	if (seen != NULL) {
		put_pointer(r, PATCH_SET, seen->place);
	} else if (zone > 0) {
		size_t at = (size_t)(name_skip(r->owner, owner_labels - zone) - r->owner);

		put_pointer(r, 0, (unsigned)(PATCH_BIAS + at + r->zone->apex_len - r->owner_len));
	} else {
		wbuf_u8(&r->body, 0);
	}
}

/* Is the target of a record worth a look when the set is served? */
static void
put_add(
    struct set_render *r, uint16_t type, const uint8_t *rdata, const uint8_t *target, size_t place)
{
	bool self = *target == 0 && (type == RR_SVCB || type == RR_HTTPS) && get_u16(rdata) > 0;
	uint8_t lname[NAME_MAX_WIRE];
	const uint8_t *name = self ? r->owner : target;
	int node = -1;

	if (r->nadd == ADD_MAX || place > ADD_PLACE || (*target == 0 && !self) ||
	    !name_in(name, r->zone->apex))
		return;
	name_lower(lname, name, name_len(name));
	if (r->zone->target != NULL) {
		node = r->zone->target(r->zone->arg, lname, type == RR_NS);
		if (node < 0)
			return;
		for (unsigned i = 0; i < r->nadd; i++) {
			if (get_u16(r->targets[i]) == (unsigned)node)
				return;
		}
		put_u16(r->targets[r->nadd], (uint16_t)node);
	}
	r->nadd++;
	put_host16(&r->add, (unsigned)(node + 1));
	put_host16(
	    &r->add, (self ? 0 : (unsigned)place) | (name_in(name, r->owner) ? ADD_INSIDE : 0u));
}

static void
put_rdata(struct set_render *r, uint16_t type, const uint8_t *rdata, size_t len)
{
	const struct rrtype *t = rrtype_find(type);
	enum rdata_field kind = RDF_END;
	size_t done = 0;
	int at;

	for (unsigned n = 0; (at = rdata_name_at(type, rdata, len, n, &kind)) >= 0; n++) {
		wbuf_put(&r->body, rdata + done, (size_t)at - done);
		/* A CNAME's is only for fetching it ahead, which trees have no use for. */
		if (n == 0 && (t->additional >= 0 || (type == RR_CNAME && r->zone->target != NULL)))
			put_add(r, type, rdata, rdata + at, r->body.len);
		done = (size_t)at + name_len(rdata + at);
		if (kind == RDF_NAME_COMP)
			put_name(r, rdata + at);
		else
			wbuf_put(&r->body, rdata + at, done - (size_t)at);
	}
	wbuf_put(&r->body, rdata + done, len - done);
}

static void
put_records(struct set_render *r, const struct rrset *set)
{
	struct rbuf in = rbuf_init(set->rdata, set->rdata_len);
	const uint8_t *rdata;
	size_t len, start;

	while ((rdata = rrset_next_rdata(&in, &len)) != NULL) {
		wbuf_u16(&r->body, 0xc00c);
		wbuf_u16(&r->body, set->type);
		wbuf_u16(&r->body, CLASS_IN);
		wbuf_u32(&r->body, set->ttl);
		start = r->body.len;
		wbuf_u16(&r->body, 0);
		put_rdata(r, set->type, rdata, len);
		if (wbuf_ok(&r->body))
			put_u16(r->body.base + start, (uint16_t)(r->body.len - start - 2));
	}
}

/* Can it be left to the reader to say all but what is packed?  (image_sig.h) */
static bool
packs(const struct render *zone, const struct rrset *set, const uint8_t *rdata, size_t len)
{
	return len == SIG_FIXED + zone->apex_len + SIG_OCTETS && get_u16(rdata) == set->type &&
	       get_u32(rdata + 4) == set->ttl &&
	       memcmp(rdata + SIG_FIXED, zone->apex, zone->apex_len) == 0;
}

/* The signatures packed, if all of them can be: whether they are. */
static bool
pack_sigs(
    const struct render *zone, const struct rrset *set, const struct rrset *sig, struct wbuf *sigs)
{
	struct rbuf in;
	const uint8_t *rdata;
	size_t len;

	if (set == NULL || sig == NULL || set->ttl != sig->ttl)
		return false;
	in = rbuf_init(sig->rdata, sig->rdata_len);
	while ((rdata = rrset_next_rdata(&in, &len)) != NULL) {
		if (!packs(zone, set, rdata, len))
			return false;
	}
	in = rbuf_init(sig->rdata, sig->rdata_len);
	sigs->len = 0;
	while ((rdata = rrset_next_rdata(&in, &len)) != NULL) {
		wbuf_put(sigs, rdata + 2, 2);
		wbuf_put(sigs, rdata + 8, 10);
		wbuf_put(sigs, rdata + len - SIG_OCTETS, SIG_OCTETS);
	}
	return true;
}

static void
write_set(struct wbuf *out, const struct set_render *r, uint16_t type, const struct rrset *set,
    const struct rrset *sig, const struct wbuf *sigs, bool packed)
{
	size_t start = out->len, size;
	unsigned flags = (r->npatch > 0 ? SET_PATCH : 0) | (r->nadd > 0 ? SET_ADD : 0) |
			 (sig != NULL ? SET_SIG : 0);

	put_host16(out, type);
	put_host16(out, 0);
	put_host16(out, (unsigned)r->body.len);
	put_host16(out, flags << SET_FLAG_SHIFT | (set != NULL ? set->count : 0u));
	if (r->npatch > 0)
		put_host16(out, r->npatch);
	if (r->nadd > 0)
		put_host16(out, r->nadd);
	if (sig != NULL) {
		put_host16(out, (unsigned)sigs->len);
		put_host16(out, (packed ? SIG_PACKED : 0) | sig->count);
	}
	wbuf_put(out, r->patch.base, r->patch.len);
	wbuf_put(out, r->add.base, r->add.len);
	wbuf_put(out, r->body.base, r->body.len);
	wbuf_put(out, sigs->base, sigs->len);
	while ((out->len & 3) != 0 || out->len - start < SET_HEAD + 8u)
		wbuf_u8(out, 0);
	size = (out->len - start) / 4;
	if (wbuf_ok(out)) {
		uint16_t units = (uint16_t)size;

		memcpy(out->base + start + 2, &units, sizeof units);
	}
}

static enum ns_err
refuse(struct ns_why *why, const uint8_t *owner, uint16_t type, const char *text)
{
	char name[NAME_MAX_TEXT];

	if (why != NULL) {
		memcpy(why->owner, name_to_text(owner, name), sizeof why->owner - 1);
		why->owner[sizeof why->owner - 1] = '\0';
		rrtype_to_text(type, why->type);
	}
	return ns_fail(why, NS_INVALID, CODE_IMAGE_SET, "%s", text);
}

/* One set and the signatures that cover it; either may be NULL. */
static enum ns_err
render_set(const struct render *zone, const struct rrset *set, const struct rrset *sig,
    struct wbuf *out, struct ns_why *why)
{
	static _Thread_local struct set_render r;
	const struct rrset *any = set != NULL ? set : sig;
	struct wbuf sigs;
	enum ns_err err = NS_OK;
	bool ok;

	r.zone = zone;
	r.owner = any->owner;
	r.owner_len = any->owner_len;
	r.patch = wbuf_grow(2 * SET_MAX);
	r.add = wbuf_grow(4 * ADD_MAX);
	r.npatch = r.nadd = r.nseen = 0;
	r.body = wbuf_grow(SET_MAX);
	if (sig != NULL)
		put_records(&r, sig);
	sigs = r.body;
	r.body = wbuf_grow(SET_MAX);
	if (set != NULL)
		put_records(&r, set);
	ok = wbuf_ok(&r.body) && wbuf_ok(&sigs);
	if (ok)
		write_set(out, &r, set != NULL ? set->type : sig->covers, set, sig, &sigs,
		    pack_sigs(zone, set, sig, &sigs));
	else
		err = refuse(why, any->owner, any->type, "the set is larger than one reply");
	wbuf_free(&r.body);
	wbuf_free(&sigs);
	wbuf_free(&r.patch);
	wbuf_free(&r.add);
	return err;
}

/* Piece number i of the signatures of the policy for that type among those that signing made (emission.h). */
static const uint8_t *
emission_piece(const struct rrset *sigs, uint16_t type, unsigned i, size_t *len)
{
	struct rbuf in;
	const uint8_t *rdata;

	*len = 0;
	if (sigs == NULL)
		return NULL;
	in = rbuf_init(sigs->rdata, sigs->rdata_len);
	while ((rdata = rrset_next_rdata(&in, len)) != NULL) {
		if (*len > 2 && get_u16(rdata) == type && i-- == 0) {
			*len -= 2;
			return rdata + 2;
		}
	}
	*len = 0;
	return NULL;
}

static void
put_policy_set(struct wbuf *out, uint16_t type, const uint8_t *body, size_t len, const uint8_t *sig,
    size_t sig_len)
{
	size_t size = SET_HEAD + (sig_len > 0 ? 4 : 0) + ((len + sig_len + 3) & ~(size_t)3);

	put_host16(out, type);
	put_host16(out, (unsigned)(size / 4));
	put_host16(out, (unsigned)len);
	put_host16(out, sig_len > 0 ? SET_SIG << SET_FLAG_SHIFT : 0);
	if (sig_len > 0) {
		put_host16(out, (unsigned)sig_len);
		put_host16(out, 0);
	}
	wbuf_put(out, body, len);
	wbuf_put(out, sig, sig_len);
	while ((out->len & 3) != 0)
		wbuf_u8(out, 0);
}

/* The policies of an owner, as sets of their types without records. */
static enum ns_err
render_policies(const struct rrset *set, const struct rrset *sigs, struct wbuf *out,
    unsigned *nsets, struct ns_why *why)
{
	static const uint8_t nothing[SET_MORE];
	struct rbuf in = rbuf_init(set->rdata, set->rdata_len);
	const uint8_t *rdata;
	size_t len, more;

	while ((rdata = rrset_next_rdata(&in, &len)) != NULL) {
		const uint8_t *piece;
		uint16_t type;

		if (len < POLICY_HEAD || len > POLICY_SIZE)
			return refuse(why, set->owner, set->type, "not a policy");
		type = get_u16(rdata);
		piece = emission_piece(sigs, type, 0, &more);
		for (unsigned i = 1;; i++) {
			if (more > SET_MAX)
				return refuse(why, set->owner, set->type, "too many signatures");
			put_policy_set(out, type, i == 1 ? rdata : nothing, i == 1 ? len : SET_MORE,
			    piece, more);
			++*nsets;
			if (piece == NULL || (piece = emission_piece(sigs, type, i, &more)) == NULL)
				break;
		}
	}
	return NS_OK;
}

/* Tables of signatures, of policies or of an ALIAS: they stand behind these. */
static bool
is_emissions(const struct rrset *set)
{
	return set->type == RR_RRSIG && (set->covers == RR_NSPOLICY || set->covers == RR_ALIAS);
}

/* An ALIAS as a set without records: its TTL, its target; and the pieces of its signatures (aliassig.h). */
static enum ns_err
render_alias(const struct rrset *set, const struct rrset *sigs, struct wbuf *out, unsigned *nsets,
    struct ns_why *why)
{
	static const uint8_t nothing[SET_MORE];
	struct rbuf in = rbuf_init(set->rdata, set->rdata_len), pieces;
	uint8_t body[4 + NAME_MAX_WIRE];
	const uint8_t *rdata, *piece = NULL;
	size_t len, more = 0;

	rdata = rrset_next_rdata(&in, &len);
	if (rdata == NULL || set->count != 1 || name_check(rdata, len) != len)
		return refuse(why, set->owner, set->type, "not an ALIAS");
	put_u32(body, set->ttl);
	memcpy(body + 4, rdata, len);
	if (sigs != NULL) {
		pieces = rbuf_init(sigs->rdata, sigs->rdata_len);
		piece = rrset_next_rdata(&pieces, &more);
	}
	for (bool first = true; first || piece != NULL; first = false) {
		if (piece != NULL && more > SET_MAX)
			return refuse(why, set->owner, set->type, "too many signatures");
		put_policy_set(out, RR_ALIAS, first ? body : nothing, first ? 4 + len : SET_MORE,
		    piece, piece != NULL ? more : 0);
		++*nsets;
		piece = piece != NULL ? rrset_next_rdata(&pieces, &more) : NULL;
	}
	return NS_OK;
}

static enum ns_err
render_sets(const struct render *zone, const struct render_owner *o, struct wbuf *out,
    unsigned *nsets, struct ns_why *why)
{
	unsigned s = 0, g = 0; /* next set, next signature set */
	const struct rrset *policies = NULL, *alias = NULL;
	enum ns_err err;

	for (unsigned i = 0; i < o->n; i++) {
		if (is_emissions(&o->sets[i]))
			*(o->sets[i].covers == RR_ALIAS ? &alias : &policies) = &o->sets[i];
	}

	for (*nsets = 0;; ++*nsets) {
		const struct rrset *set, *sig;

		while (s < o->n && o->sets[s].type == RR_RRSIG)
			s++;
		while (g < o->n && (o->sets[g].type != RR_RRSIG || is_emissions(&o->sets[g])))
			g++;
		set = s < o->n ? &o->sets[s] : NULL;
		sig = g < o->n ? &o->sets[g] : NULL;
		if (set == NULL && sig == NULL)
			return NS_OK;
		if (set != NULL && (set->type == RR_NSPOLICY || set->type == RR_ALIAS)) {
			err = set->type == RR_ALIAS
				  ? render_alias(set, alias, out, nsets, why)
				  : render_policies(set, policies, out, nsets, why);
			--*nsets;
			s++;
			if (err != NS_OK)
				return err;
			continue;
		}
		if (set != NULL && sig != NULL && set->type < sig->covers)
			sig = NULL;
		else if (set != NULL && sig != NULL && sig->covers < set->type)
			set = NULL;
		s += set != NULL;
		g += sig != NULL;
		err = render_set(zone, set, sig, out, why);
		if (err != NS_OK)
			return err;
	}
}

enum ns_err
render_node(
    const struct render *zone, const struct render_owner *o, struct wbuf *out, struct ns_why *why)
{
	size_t start = out->len;
	unsigned nsets;
	enum ns_err err;

	put_host16(out, (unsigned)o->flags << NODE_FLAG_SHIFT | (unsigned)o->keylen);
	put_host16(out, 0);
	wbuf_put(out, o->key, o->keylen);
	while ((out->len & 3) != 0)
		wbuf_u8(out, 0);
	err = render_sets(zone, o, out, &nsets, why);
	if (err == NS_OK && nsets > UINT16_MAX)
		return ns_fail(why, NS_INVALID, CODE_IMAGE_SET, "too many types at one owner");
	if (err == NS_OK && wbuf_ok(out)) {
		uint16_t n = (uint16_t)nsets;

		memcpy(out->base + start + 2, &n, sizeof n);
	}
	return err;
}
