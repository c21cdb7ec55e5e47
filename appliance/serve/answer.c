/* answer.c - RFC 1034 4.3.2 step 3 and what it leads to, for one question in one zone. */
#include "appliance/serve/work.h"

/* RFC 8482 4.1: one RRset stands for all, the first that signing did not make. */
static bool
pick_any(const struct image_node *node, struct image_set *set)
{
	const uint8_t *at = node->sets;
	unsigned left = node->nsets;

	while (image_set_next(node, &at, &left, set)) {
		if (set->count > 0 && set->type != RR_NSEC)
			return true;
	}
	return false;
}

/* Every signature at the name: one RRset, so all of them or none. */
static bool
put_rrsigs(struct reply *r, const struct image_node *node)
{
	const uint8_t *at = node->sets;
	unsigned left = node->nsets;
	struct image_set set;
	size_t start = r->len;
	uint16_t count = r->count[ANSWER];
	bool any = false;

	while (image_set_next(node, &at, &left, &set)) {
		if (set.sig_word == 0)
			continue;
		any = true;
		if (!emit_sigs(r, ANSWER, &set, 0)) {
			r->len = start;
			r->count[ANSWER] = count;
			r->tc = true;
			return true;
		}
	}
	return any;
}

/* The set that answers, its proof when a wildcard gave it, and what it pulls in. */
static void
put_answer(struct reply *r, const struct image_set *set, bool wild)
{
	size_t base = r->len;

	if (!emit_set(r, ANSWER, set, 0)) {
		r->tc = true;
		return;
	}
	if (wild) {
		r->class = SERVE_CLASS_WILDCARD;
		proof_wild(r);
	}
	proof_flush(r);
	if (set->nadd > 0 && set->type != RR_CNAME && !r->tc)
		additional(r, set, base, NULL);
}

/* The name exists (or a wildcard stands for it): answer, NODATA, or the CNAME to go on with. */
static bool
answer_node(struct reply *r, struct chain *c, const struct lookup *l)
{
	bool wild = l->kind == LOOKUP_WILD;
	uint16_t qtype = r->q->qtype;
	struct image_set set;
	bool moved;

	/* The usual case: found in the pass before. */
	if (r->w->has_set && r->hop.at == NULL && l->node.sets == r->w->node.sets) {
		put_answer(r, &r->w->set, wild);
		return false;
	}
	if (qtype == RR_ANY ? pick_any(&l->node, &set) : image_set_find(&l->node, qtype, &set)) {
		/* The chain may have come by it: then it is there already. */
		if (set.type != RR_DNAME || wild || !chain_sent_dname(c, &l->node))
			put_answer(r, &set, wild);
		return false;
	}
	if ((l->node.flags & NODE_POLICY) != 0) {
		if (policy_answer(r, c, l, &moved))
			return moved;
		if (alias_answer(r, l))
			return false;
	}
	if (qtype == RR_RRSIG && put_rrsigs(r, &l->node)) {
		if (wild)
			proof_wild(r);
		return false;
	}
	if (qtype != RR_NSEC && qtype != RR_RRSIG && image_set_find(&l->node, RR_CNAME, &set))
		return chain_cname(c, r, &set, wild);
	negative_nodata(r, l);
	return false;
}

/* A question for the DS of a name whose parent we do not have, while we have an ancestor: the child
 * answers (RFC 4035 3.1.4.1). */
static bool
move_to_child(struct reply *r, struct chain *c)
{
	struct work *w = r->w;
	struct hop *h = &r->hop;
	struct image_ref child;
	map_off image;

	if (h->at != NULL)
		return false;
	image = zone_find(r->view, w->lname, w->off, w->labels, 0);
	if (image == 0 || image == w->image || !zone_open(r->view, image, w->labels, &child))
		return false;
	w->image = c->first = c->image = image;
	w->has_cover = false;
	h->zone = child;
	h->rel = h->labels - child.image->head.apex_labels;
	h->keylen = image_key_padded(h->name, h->off, h->rel, w->key);
	if (child.flat.p != NULL)
		h->found = image_find(&child, h->key, h->keylen, &h->node);
	return true;
}

/* A name that is not in the zone: whether its answer is wanted.  Nothing is written yet. */
static bool
may_answer(struct reply *r, enum serve_class class)
{
	enum serve_gate gate;

	if (r->conf->gate == NULL || r->hop.at != NULL)
		return true;
	gate = r->conf->gate(r->conf->gate_arg, r->q, class);
	if (gate == SERVE_GATE_OPEN)
		return true;
	r->class = class;
	r->aa = false;
	r->tc = true;
	r->silent = gate == SERVE_GATE_SHUT;
	return false;
}

/* One name; true: the hop has moved on to another. */
static bool
answer_hop(struct reply *r, struct chain *c)
{
	struct lookup l;

	lookup_name(&r->hop, &l);
	switch (l.kind) {
	case LOOKUP_WILD:
		if (!may_answer(r, SERVE_CLASS_WILDCARD))
			return false;
		return answer_node(r, c, &l);
	case LOOKUP_NODE:
		return answer_node(r, c, &l);
	case LOOKUP_ENT:
		negative_nodata(r, &l);
		return false;
	case LOOKUP_NXDOMAIN:
		if (may_answer(r, SERVE_CLASS_NXDOMAIN))
			negative_nxdomain(r, &l);
		return false;
	case LOOKUP_DNAME:
		if (!may_answer(r, SERVE_CLASS_WILDCARD))
			return false;
		return chain_dname(c, r, &l);
	case LOOKUP_CUT:
		/* The DS belongs to this side of the cut (RFC 4035 3.1.4.1). */
		if (r->q->qtype == RR_DS && l.depth == r->hop.rel)
			return answer_node(r, c, &l);
		if (r->q->qtype == RR_DS && move_to_child(r, c))
			return true;
		/* A chain that has left its zone is not worth a referral out of another one. */
		if (c->image == c->first)
			referral(r, &l);
		return false;
	default:
		r->rcode = RCODE_SERVFAIL;
		return false;
	}
}

void
answer_question(struct reply *r)
{
	struct chain c;

	r->aa = true;
	chain_begin(&c, r);
	while (answer_hop(r, &c))
		;
	if (r->nwaiting > 0)
		proof_flush(r);
	if (r->rcode == RCODE_SERVFAIL) {
		r->aa = false;
		if (r->w->ede == EDE_NONE)
			r->w->ede = EDE_IMAGE;
	}
}
