/* referral.c - a zone cut at or above the name: the NS set, what DNSSEC says of it, glue.
 *
 * RFC 1034 4.3.2 step 3b; RFC 4035 3.1.4; RFC 9471: glue inside the delegated zone must be sent,
 * or the reply is truncated. */
#include <string.h>

#include "appliance/serve/work.h"

/* NS, what DNSSEC says, glue: all from the place where the reply stands now. */
static enum fit
put_referral(struct reply *r, const struct lookup *l, const struct image_set *ns, bool pack)
{
	unsigned label = hop_label(&r->hop, l->depth);
	struct image_set ds;
	struct packed where;
	size_t base = r->len;

	if (pack ? !emit_packed(r, AUTHORITY, ns, label, &where)
		 : !emit_set(r, AUTHORITY, ns, label))
		return FIT_NOT;
	if (wants_dnssec(r)) {
		if (!image_set_find(&l->node, RR_DS, &ds))
			proof_no_ds(r, l);
		else if (!emit_set(r, AUTHORITY, &ds, label))
			return FIT_NOT;
		if (r->tc)
			return FIT_NOT;
	}
	return additional(r, ns, base, pack ? &where : NULL);
}

/* What put_referral() changes, to try again from; all of struct reply would be 2 KiB. */
struct place {
	size_t len;
	uint16_t count[3];
	unsigned nsent;
	bool tc;
};

static struct place
place_of(const struct reply *r)
{
	struct place p = { .len = r->len, .nsent = r->nsent, .tc = r->tc };

	memcpy(p.count, r->count, sizeof p.count);
	return p;
}

static void
go_back(struct reply *r, const struct place *p)
{
	r->len = p->len;
	r->nsent = p->nsent;
	r->tc = p->tc;
	memcpy(r->count, p->count, sizeof r->count);
}

void
referral(struct reply *r, const struct lookup *l)
{
	struct image_set ns;
	struct place before;
	enum fit fit;

	r->class = SERVE_CLASS_REFERRAL;
	/* The data of the child is not ours to vouch for; a chain's first name stays so. */
	if (r->count[ANSWER] == 0)
		r->aa = false;
	if (!image_set_find(&l->node, RR_NS, &ns)) {
		r->rcode = RCODE_SERVFAIL;
		return;
	}
	proof_flush(r);
	before = place_of(r);
	fit = put_referral(r, l, &ns, false);
	if (fit != FIT_ALL && l->depth < r->hop.rel && ns.count <= PACKED_MAX) {
		go_back(r, &before);
		fit = put_referral(r, l, &ns, true);
	}
	if (fit == FIT_NOT)
		r->tc = true;
}
