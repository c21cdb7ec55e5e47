/* chain.c - CNAME and DNAME: on to the next name, inside the zones of the same account.
 *
 * RFC 1034 4.3.2 step 3a, RFC 6672 3.  A chain ends at a name that is not ours, at one that was
 * answered before, or after CHAIN_MAX names: the asker goes on from there. */
#include "appliance/serve/work.h"

#include <string.h>

#include "appliance/zonemap/hash.h"
#include "ipc/base/wbuf.h"

void
chain_begin(struct chain *c, const struct reply *r)
{
	c->n = c->ndname = c->cur = 0;
	c->first = c->image = r->w->image;
}

/* Where the labels of the name at `pos` of the reply stand. */
static bool
find_places(const struct reply *r, struct chain_name *c, unsigned labels, size_t pos)
{
	for (unsigned i = 0; i <= labels; i++) {
		for (unsigned hops = 0; pos + 1 < r->len && r->out[pos] >= 0xc0; hops++) {
			if (hops > 16)
				return false;
			pos = get_u16(r->out + pos) & POINTER_REACH;
		}
		if (pos >= r->len)
			return false;
		c->at[i] = (uint16_t)pos;
		pos += r->out[pos] + 1u;
	}
	return true;
}

/* Where the next name goes. */
static struct chain_name *
next_name(struct chain *c)
{
	return &c->buf[c->cur ^ 1];
}

/* The name in next_name(), which was written at `pos`, is the next hop. */
static bool
next_hop(struct chain *c, struct reply *r, size_t len, size_t pos)
{
	uint64_t seen;
	struct chain_name *b = next_name(c);
	struct hop next = { .name = b->name, .off = b->off, .at = b->at, .key = b->key };
	map_off image;

	if (c->n == 0)
		c->seen[c->n++] =
		    zone_hash(r->view->map->header->hash_key, r->w->lname, r->w->qlen);
	name_lower(b->name, b->name, len);
	seen = zone_hash(r->view->map->header->hash_key, b->name, len);
	for (unsigned i = 0; i < c->n; i++) {
		if (c->seen[i] == seen) {
			r->w->ede = EDE_CHAIN;
			return false;
		}
	}
	if (c->n > CHAIN_MAX) {
		r->w->ede = EDE_CHAIN;
		return false;
	}
	c->seen[c->n++] = seen;
	next.labels = image_labels(b->name, b->off);
	image = zone_find(r->view, b->name, b->off, next.labels, 0);
	if (image == 0 || !zone_open(r->view, image, next.labels, &next.zone) ||
	    next.zone.image->account != r->hop.zone.image->account ||
	    !find_places(r, b, next.labels, pos))
		return false;
	next.rel = next.labels - next.zone.image->head.apex_labels;
	next.keylen = image_key_padded(b->name, b->off, next.rel, b->key);
	if (next.zone.flat.p != NULL)
		next.found = image_find(&next.zone, b->key, next.keylen, &next.node);
	r->hop = next;
	c->cur ^= 1;
	c->image = image;
	return true;
}

/* The usual chain of one: the compiler has noted the target's node, and its set holds no pointers.
 * Not where a deeper zone of ours could own the target, nor where a wildcard or a cut answers. */
static bool
put_target(struct reply *r, const struct image_set *cname, size_t at)
{
	const struct image_ref *zone = &r->hop.zone;
	struct image_node node;
	struct image_set set;
	uint16_t pointer;

	if (cname->nadd != 1 || zone->flat.p == NULL || at > POINTER_REACH || at + 2 > r->len ||
	    map_max_labels(r->view) > zone->image->head.apex_labels ||
	    !image_node_at(zone, load_u16(cname->add), &node) ||
	    (node.flags & (NODE_CUT | NODE_OCCLUDED)) != 0 || node.keylen == 0 ||
	    (node.keylen >= 2 && node.key[node.keylen - 2] == '*') ||
	    !image_set_find(&node, r->q->qtype, &set) || set.npatch > 0 || set.nadd > 0)
		return false;
	pointer = r->out[at] >= 0xc0 ? get_u16(r->out + at) : (uint16_t)(0xc000u | at);
	if (!emit_set_at(r, ANSWER, &set, pointer))
		r->tc = true;
	return true;
}

bool
chain_cname(struct chain *c, struct reply *r, const struct image_set *cname, bool wild)
{
	size_t start = r->len, len, head;
	uint8_t name[NAME_MAX_WIRE];

	if (!emit_set(r, ANSWER, cname, 0)) {
		r->tc = true;
		return false;
	}
	if (wild) {
		r->class = SERVE_CLASS_WILDCARD;
		proof_wild(r);
	} else if (r->out[start] >= 0xc0 && put_target(r, cname, start + RR_HEAD))
		return false;
	len = image_set_name(&r->hop.zone, cname, r->hop.name, RR_HEAD, name);
	if (len == 0)
		return false;
	memcpy(next_name(c)->name, name, len);
	/* The owner is a pointer, but for the root's one octet. */
	head = r->out[start] >= 0xc0 ? 2 : 1;
	while (head == 1 && r->out[start] != 0)
		start += r->out[start] + 1u;
	return next_hop(c, r, len, start + head + 10);
}

/* The CNAME that stands for a DNAME (RFC 6672 3.1): its target's place, 0 when it does not fit. */
static size_t
put_synthesis(struct reply *r, const uint8_t *prefix, size_t prefix_len, size_t dname_target,
    const uint8_t ttl[4])
{
	uint8_t *p = r->out + r->len;
	size_t place = r->len + 12;
	bool near = dname_target <= POINTER_REACH && hop_place(&r->hop, 0) <= POINTER_REACH;

	if (!near || 14 + prefix_len > r->limit - r->len)
		return 0;
	put_u16(p, (uint16_t)(0xc000u | hop_place(&r->hop, 0)));
	put_u16(p + 2, RR_CNAME);
	put_u16(p + 4, CLASS_IN);
	memcpy(p + 6, ttl, 4);
	put_u16(p + 10, (uint16_t)(prefix_len + 2));
	memcpy(p + 12, prefix, prefix_len);
	put_u16(p + 12 + prefix_len, (uint16_t)(0xc000u | dname_target));
	r->len += 14 + prefix_len;
	r->count[ANSWER]++;
	return place;
}

bool
chain_sent_dname(const struct chain *c, const struct image_node *node)
{
	for (unsigned i = 0; i < c->ndname; i++) {
		if (c->dname[i] == node->key)
			return true;
	}
	return false;
}

/* The DNAME's target's place.  A chain may come by it again: a set is sent once (RFC 2181 5). */
static size_t
put_dname(struct chain *c, struct reply *r, const struct lookup *l, const struct image_set *dname)
{
	size_t start = r->len, target;

	for (unsigned i = 0; i < c->ndname; i++) {
		if (c->dname[i] == l->node.key)
			return c->target[i];
	}
	if (!emit_set(r, ANSWER, dname, hop_label(&r->hop, l->depth)))
		return 0;
	while (r->out[start] < 0xc0 && r->out[start] != 0)
		start += r->out[start] + 1u;
	target = start + (r->out[start] == 0 ? 1 : 2) + 10;
	if (c->ndname <= CHAIN_MAX && target <= POINTER_REACH) {
		c->dname[c->ndname] = l->node.key;
		c->target[c->ndname++] = (uint16_t)target;
	}
	return target;
}

bool
chain_dname(struct chain *c, struct reply *r, const struct lookup *l)
{
	const struct hop *h = &r->hop;
	size_t prefix_len = h->off[hop_label(h, l->depth)], len, place, at;
	uint8_t prefix[NAME_MAX_WIRE], target[NAME_MAX_WIRE];
	struct image_set dname;

	if (!image_set_find(&l->node, RR_DNAME, &dname) ||
	    (len = image_set_name(&h->zone, &dname, h->name, RR_HEAD, target)) == 0) {
		r->rcode = RCODE_SERVFAIL;
		return false;
	}
	at = put_dname(c, r, l, &dname);
	if (at == 0) {
		r->tc = true;
		return false;
	}
	if (prefix_len + len > NAME_MAX_WIRE) {
		r->rcode = RCODE_YXDOMAIN; /* RFC 6672 2.2 */
		r->w->ede = EDE_DNAME;
		return false;
	}
	memcpy(prefix, h->name, prefix_len);
	if (h->at == NULL)
		memcpy(prefix, r->q->pkt + DNS_HEADER, prefix_len); /* in the asker's case */
	/* A target that is the root has no octets to point at but its last. */
	place = put_synthesis(r, prefix, prefix_len, at, dname.body + 6);
	if (place == 0) {
		r->tc = true;
		return false;
	}
	if (r->q->qtype == RR_CNAME)
		return false; /* that was the answer */
	memcpy(next_name(c)->name, prefix, prefix_len);
	memcpy(next_name(c)->name + prefix_len, target, len);
	return next_hop(c, r, prefix_len + len, place);
}
