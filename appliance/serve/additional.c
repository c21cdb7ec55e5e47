/* additional.c - addresses of the names that a set refers to (RFC 1034 3.7, RFC 2782, RFC 9460 4).
 *
 * In a flat image the compiler has listed the nodes; in a tree they are looked up here.  What does
 * not fit is left out silently (RFC 2181 9), except glue that a referral is lost without. */
#include "appliance/serve/address.h"

#include "ipc/base/wbuf.h"

static const uint16_t types[] = { RR_A, RR_AAAA };

/* The node that has the addresses of an add in a tree. */
static bool
find_in_tree(struct reply *r, const struct image_set *set, unsigned place, struct image_node *node)
{
	const struct hop *h = &r->hop;
	uint8_t name[NAME_MAX_WIRE];
	struct lookup l;
	size_t len;

	if (place == 0) {
		lookup_name(h, &l);
	} else {
		len = image_set_name(&h->zone, set, h->name, place, name);
		if (len == 0)
			return false;
		name_lower(name, name, len);
		if (!name_in(name, h->zone.apex))
			return false;
		lookup_other(h, name, &l);
		/* Glue is for referrals alone. */
		if (l.kind == LOOKUP_CUT && set->type == RR_NS) {
			uint8_t key[NAME_MAX_KEY];
			size_t keylen = image_key_of(name, h->zone.image->head.apex_labels, key);

			*node = l.node;
			return image_find(&h->zone, key, keylen, node) == IMAGE_NODE;
		}
	}
	*node = l.node;
	return l.kind == LOOKUP_NODE || (l.kind == LOOKUP_WILD && l.node.nsets > 0);
}

/* Where the records of the set stand in the reply. */
struct written {
	const struct image_set *set;
	const struct packed *packed;
	size_t base;
	/* emit.c wrote it whole: record by record, as owners and names have other lengths there. */
	bool whole;
	unsigned from; /* a record of the rendered set, and */
	size_t to; /* where it is now */
};

/* The places asked for rise, so this goes through the set once. */
static size_t
place_in_whole(const struct reply *r, struct written *w, unsigned place)
{
	for (;;) {
		unsigned next = image_rr_next(w->set->body, w->set->body_len, w->from);
		size_t rdata = w->to;

		while (rdata < r->len && r->out[rdata] != 0 && r->out[rdata] < 0xc0)
			rdata += r->out[rdata] + 1u;
		if (next == 0 || rdata >= r->len)
			return SIZE_MAX;
		rdata += r->out[rdata] == 0 ? 11 : 12;
		if (place < next)
			return rdata + place - w->from - RR_HEAD;
		w->from = next;
		w->to = rdata + get_u16(r->out + rdata - 2);
	}
}

/* Where the name of an add stands in the reply. */
static size_t
name_place(const struct reply *r, struct written *w, unsigned place)
{
	if (place == 0)
		return hop_place(&r->hop, 0);
	if (w->whole)
		return place_in_whole(r, w, place);
	if (w->packed == NULL)
		return w->base + place;
	for (unsigned i = 0; i < w->packed->n; i++) {
		if (w->packed->from[i] == place)
			return w->packed->to[i];
	}
	return SIZE_MAX;
}

/* A pointer to a name that was sent; 0: out of reach. */
static uint16_t
pointer_to(const struct reply *r, size_t at)
{
	if (at > POINTER_REACH || at + 2 > r->len)
		return 0;
	/* A name that is itself but a pointer: where that one leads. */
	if (r->out[at] >= 0xc0)
		return get_u16(r->out + at);
	return r->out[at] == 0 ? 0 : (uint16_t)(0xc000u | at);
}

/* Its policy's or its ALIAS's: what is not known is left out. */
static bool
put_found(struct reply *r, const struct image_node *node, uint16_t type, uint16_t pointer)
{
	struct address_set found;
	size_t start = r->len;

	/* No address that is not the zone's own goes out unsigned to who asks for signatures. */
	if (wants_dnssec(r) && (r->hop.zone.image->flags & IMAGE_HERE) != 0)
		return true;
	if (address_of(r, &r->hop, node, type, &found) != ADDRESS_FOUND)
		return true;
	if (pointer == 0 || !emit_set_at(r, ADDITIONAL, &found.set, pointer))
		return false;
	emit_ttl(r, start, found.ttl);
	return true;
}

/* Both families of the node, which is in the hop's zone. */
static bool
put_node(struct reply *r, const struct image_node *node, uint16_t pointer)
{
	struct image_set address;
	bool all = true;

	for (unsigned t = 0; t < sizeof types / sizeof types[0]; t++) {
		if (image_set_find(node, types[t], &address)) {
			if (pointer == 0 || !emit_set_at(r, ADDITIONAL, &address, pointer))
				all = false;
		} else if ((node->flags & NODE_POLICY) != 0 &&
			   !put_found(r, node, types[t], pointer)) {
			all = false;
		}
	}
	return all;
}

static bool
put_addresses(struct reply *r, const struct image_set *set, unsigned i, uint16_t pointer)
{
	unsigned unit = load_u16(set->add + 4u * i);
	unsigned place = load_u16(set->add + 4u * i + 2) & ADD_PLACE;
	struct image_node node;

	if (unit != 0 ? !image_node_at(&r->hop.zone, (uint16_t)unit, &node)
		      : !find_in_tree(r, set, place, &node))
		return true;
	return put_node(r, &node, pointer);
}

enum fit
additional(struct reply *r, const struct image_set *set, size_t base, const struct packed *packed)
{
	bool glue = set->type == RR_NS && r->count[ANSWER] == 0;
	/* An owner is a pointer, but for the first one of what is written whole. */
	struct written w = { set, packed, base, r->out[base] < 0xc0, 0, base };
	enum fit fit = FIT_ALL;
	bool outside = false;

#ifdef NS_BREAK_glue
	if (glue)
		return FIT_ALL;
#endif
	/* Mandatory glue first; most sets have nothing else. */
	for (unsigned pass = 0; pass < 2 && (pass == 0 || outside);
	     pass++, w.from = 0, w.to = base) {
		for (unsigned i = 0; i < set->nadd; i++) {
			unsigned word = load_u16(set->add + 4u * i + 2);
			bool inside = (word & ADD_INSIDE) != 0;
			size_t at = name_place(r, &w, word & ADD_PLACE);

			outside |= !inside;
			if (inside != (pass == 0) || put_addresses(r, set, i, pointer_to(r, at)))
				continue;
			if (inside && glue)
				fit = FIT_NOT;
			else if (fit == FIT_ALL)
				fit = FIT_SOME;
		}
	}
	return fit;
}

void
additional_one(struct reply *r, uint16_t type, const uint8_t *rdata, size_t len, size_t at)
{
	const struct rrtype *t = rrtype_find(type);
	uint8_t name[NAME_MAX_WIRE];
	struct lookup l;
	int place;

	if (t == NULL || t->additional < 0 ||
	    (place = rdata_name_at(type, rdata, len, 0, NULL)) < 0)
		return;
	if (rdata[place] != 0) {
		name_lower(name, rdata + place, name_len(rdata + place));
		if (!name_in(name, r->hop.zone.apex))
			return;
		lookup_other(&r->hop, name, &l);
		at += (size_t)place;
	} else if ((type == RR_SVCB || type == RR_HTTPS) && get_u16(rdata) > 0) {
		lookup_name(&r->hop, &l);
		at = hop_place(&r->hop, 0);
	} else {
		return;
	}
	if (l.kind == LOOKUP_NODE || (l.kind == LOOKUP_WILD && l.node.nsets > 0))
		(void)put_node(r, &l.node, pointer_to(r, at));
}
