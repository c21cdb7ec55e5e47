/* address.c - the A or AAAA of a name for whoever asks: one way (addressway.h), chosen by its policies.
 * Runs in the workers: no allocation, no lock. */
#include "appliance/serve/addressway.h"

#include <string.h>

static enum go
from_policy(struct way *w, const struct image_set *set)
{
	struct policy po;
	struct policy_answer a;
	struct picked picked;

	if (!policy_pick(w->r, set, &po, &picked))
		return GO_BROKEN;
	way_lower_ttl(w, po.ttl);
	if (po.type == RR_CNAME)
		return picked.n == 0 ? GO_NONE
		       : policy_answer_at(&po, picked.answer[0], &a) &&
			       way_go_to(w, a.rdata, a.rdlen)
			   ? GO_NEXT
			   : GO_BROKEN;
	way_begin_body(w);
	for (unsigned i = 0; i < picked.n; i++) {
		if (!policy_answer_at(&po, picked.answer[i], &a) ||
		    a.rdlen != (w->type == RR_A ? 4u : 16u))
			return GO_BROKEN;
		way_put_address(w, a.rdata);
	}
	return picked.n > 0 ? GO_FOUND : GO_NONE;
}

enum address_result
address_of(struct reply *r, const struct hop *h, const struct image_node *node, uint16_t type,
    struct address_set *out)
{
	struct way w = {
		.r = r,
		.type = type,
		.ttl = UINT32_MAX,
		.account = h->zone.image->account,
		.out = out,
		.policy = from_policy,
	};
	enum go go;

	out->stale = false;
	go = way_at_node(&w, h, node);
	if (go == GO_NEXT && w.alias[0] == 0)
		go = GO_NONE; /* a CNAME: its own business (RFC 2181 10.3) */
	else if (go == GO_NEXT)
		go = way_follow(&w);
	out->ttl = w.ttl;
	switch (go) {
	case GO_FOUND:
		return ADDRESS_FOUND;
	case GO_NONE:
		return ADDRESS_NONE;
	case GO_OUT:
		return ADDRESS_UNKNOWN;
	default:
		return ADDRESS_BROKEN;
	}
}
