/* negative.c - what is not there: NODATA and NXDOMAIN with the zone's SOA (RFC 2308 3). */
#include "appliance/serve/work.h"

static void
put_soa(struct reply *r)
{
	const struct hop *h = &r->hop;
	struct image_node apex;
	struct image_set soa;
	size_t start;

	proof_flush(r);
	start = r->len;
	if (!image_apex(&h->zone, &apex) || !image_set_find(&apex, RR_SOA, &soa)) {
		r->rcode = RCODE_SERVFAIL;
		return;
	}
	if (!emit_set(r, AUTHORITY, &soa, h->rel)) {
		r->tc = true;
		return;
	}
	/* RFC 2308 3: the lesser of MINIMUM and the SOA's TTL; its signature goes with it. */
	emit_cap_ttl(r, start, h->zone.image->neg_ttl);
}

void
negative_nodata(struct reply *r, const struct lookup *l)
{
	r->class = SERVE_CLASS_NODATA;
	put_soa(r);
	proof_nodata(r, l);
}

void
negative_nxdomain(struct reply *r, const struct lookup *l)
{
	/* RFC 6604 2: the rcode is that of the last name of a chain. */
	r->rcode = RCODE_NXDOMAIN;
	put_soa(r);
	proof_nxdomain(r, l);
}
