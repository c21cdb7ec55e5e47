/* additional.c - addresses of the names that a set refers to (RFC 1034 3.7, RFC 2782, RFC 9460 4).
 *
 * In a flat image the compiler has listed the nodes; in a tree they are looked up here.  What does
 * not fit is left out silently (RFC 2181 9), except glue that a referral is lost without. */
#include "appliance/serve/work.h"

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

static bool
put_addresses(struct reply *r, const struct image_set *set, unsigned i, uint16_t pointer)
{
	unsigned unit = load_u16(set->add + 4u * i);
	unsigned place = load_u16(set->add + 4u * i + 2) & ADD_PLACE;
	struct image_node node;
	struct image_set address;
	bool all = true;

	if (unit != 0 ? !image_node_at(&r->hop.zone, (uint16_t)unit, &node)
		      : !find_in_tree(r, set, place, &node))
		return true;
	for (unsigned t = 0; t < sizeof types / sizeof types[0]; t++) {
		if (image_set_find(&node, types[t], &address) &&
		    (pointer == 0 || !emit_set_at(r, ADDITIONAL, &address, pointer)))
			all = false;
	}
	return all;
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
