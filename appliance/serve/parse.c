/* parse.c - the first step: is this a question, and which?  See work.h.
 *
 * Silence for what is not a query at all (a reply would feed loops and reflection); FORMERR, NOTIMP
 * or BADVERS where the asker can learn from it.  Reads only inside the packet. */
#include "appliance/serve/work.h"

#include "appliance/serve/lower.h"
#include "appliance/zonemap/hash.h"

#define FLAG_QR     0x80u /* octet 2 */
#define OPCODE_MASK 0x78u

/* A name in a record after the question: skipped, pointers and all. */
static void
skip_name(struct rbuf *r)
{
	for (;;) {
		uint8_t n = rbuf_u8(r);

		if (n == 0 || !rbuf_ok(r))
			return;
		if (n >= 0xc0) {
			rbuf_u8(r);
			return;
		}
		if (n >= 0x40)
			r->bad = true;
		rbuf_bytes(r, n);
	}
}

/* Additional records: OPT is for us, others are not looked at (a TSIG cannot be verified: no keys). */
static bool
read_additional(struct parse *in, unsigned n)
{
	struct rbuf *r = &in->r;

	while (n-- > 0) {
		bool root = rbuf_left(r) > 0 && r->base[r->pos] == 0;

		skip_name(r);
		if (rbuf_u16(r) == RR_OPT) {
			/* RFC 6891 6.1.1: at the root, and only one. */
			if (in->w->edns || !root || !edns_read(in))
				return false;
			continue;
		}
		rbuf_bytes(r, 6);
		rbuf_bytes(r, rbuf_u16(r));
	}
	return rbuf_end(r);
}

/* The name of the question in lower case with the places of its labels. */
static bool
read_qname(struct rbuf *r, struct work *w)
{
	const uint8_t *p = r->base;
	size_t pos = DNS_HEADER;
	unsigned labels = 0;

	while (pos < r->len && p[pos] != 0) {
		if (p[pos] > 63 || labels == NAME_MAX_LABELS)
			return false;
		w->off[labels++] = (uint8_t)(pos - DNS_HEADER);
		pos += p[pos] + 1u;
		if (pos - DNS_HEADER >= NAME_MAX_WIRE)
			return false;
	}
	if (pos >= r->len)
		return false;
	w->off[labels] = (uint8_t)(pos - DNS_HEADER);
	w->labels = (uint8_t)labels;
	w->qlen = (uint8_t)(pos + 1 - DNS_HEADER);
	copy_lower(w->lname, p + DNS_HEADER, w->qlen);
	r->pos = pos + 1;
	return true;
}

/* What comes after the question.  An OPT that cannot be read is not answered by one. */
static bool
read_rest(struct parse *in)
{
	const uint8_t *p = in->q->pkt;

	if (p[6] == 0 && p[7] == 0 && p[8] == 0 && p[9] == 0 &&
	    read_additional(in, (unsigned)p[10] << 8 | p[11]))
		return true;
	if (!in->w->bad_option)
		in->w->edns = false;
	return false;
}

/* NOTIFY, UPDATE and what nobody knows are laid out as queries are, which tells whether there is an OPT
 * to answer with one (RFC 6891 7); nothing else of them is looked at. */
static uint8_t
refuse_opcode(struct parse *in)
{
	const uint8_t *p = in->q->pkt;
	struct work *w = in->w;
	unsigned before = ((unsigned)p[6] << 8 | p[7]) + ((unsigned)p[8] << 8 | p[9]);
	unsigned questions = (unsigned)p[4] << 8 | p[5];

	in->r.pos = DNS_HEADER;
	for (; questions > 0 && rbuf_ok(&in->r); questions--) {
		skip_name(&in->r);
		rbuf_bytes(&in->r, 4);
	}
	for (; before > 0 && rbuf_ok(&in->r); before--) {
		skip_name(&in->r);
		rbuf_bytes(&in->r, 8);
		rbuf_bytes(&in->r, rbuf_u16(&in->r));
	}
	if (!rbuf_ok(&in->r) || !read_additional(in, (unsigned)p[10] << 8 | p[11]))
		w->edns = false;
	w->ede = EDE_OPCODE;
	return RCODE_NOTIMP;
}

/* RFC 7873 5.4: no question, but a cookie to be had or to be checked. */
static uint8_t
read_no_question(struct parse *in)
{
	struct work *w = in->w;

	in->r.pos = DNS_HEADER;
	if (!read_rest(in))
		return RCODE_FORMERR;
	if (in->version > 0)
		return RCODE_BADVERS;
	if ((w->options & 1u << OPTION_COOKIE) == 0)
		return RCODE_FORMERR;
	return w->bad_cookie ? RCODE_BADCOOKIE : RCODE_NOERROR;
}

/* RFC 1035 4.1.2, and what came after it.  The rcode of a refusal, 0 when all is well. */
static uint8_t
read_question(struct parse *in)
{
	const uint8_t *p = in->q->pkt;
	struct work *w = in->w;

	if ((p[2] & OPCODE_MASK) != 0)
		return refuse_opcode(in);
	if (p[4] == 0 && p[5] == 0)
		return read_no_question(in);
	if (p[4] != 0 || p[5] != 1 || !read_qname(&in->r, w))
		return RCODE_FORMERR;
	in->q->qtype = rbuf_u16(&in->r);
	w->qclass = rbuf_u16(&in->r);
	if (!rbuf_ok(&in->r))
		return RCODE_FORMERR;
	w->has_question = true;
	if (!read_rest(in))
		return RCODE_FORMERR;
	return in->version > 0 ? RCODE_BADVERS : RCODE_NOERROR;
}

/* Hashes of the suffixes that may be apexes, longest first, with their slots on the way.  A pass of its
 * own, so that the name it reads is not still on its way to the cache. */
void
hash_suffixes(const struct map_view *view, const struct query *q, struct work *w)
{
	unsigned most = map_max_labels(view), least = map_min_labels(view), at = 0;

	/* The DS of a zone is its parent's (RFC 4035 3.1.4.1). */
	if (q->qtype == RR_DS && w->labels > 0)
		at = 1;
	if (w->labels - at > most)
		at = w->labels - most;
	w->hash_at = (uint8_t)at;
	for (; w->nhash < WORK_SUFFIXES && at <= w->labels && w->labels - at >= least; at++) {
		uint64_t hash = zone_hash(
		    view->map->header->hash_key, w->lname + w->off[at], w->qlen - w->off[at]);

		w->hash[w->nhash++] = hash;
		__builtin_prefetch(map_slot_prefetch(view, hash));
	}
}

/* Transfers are another role's. */
static uint8_t
refuse_transfer(const struct map_view *view, const struct query *q, struct work *w)
{
	uint64_t hash = zone_hash(view->map->header->hash_key, w->lname, w->qlen);

	if (q->qtype == RR_AXFR && q->transport == SERVE_UDP) {
		w->ede = EDE_TRANSFER_UDP;
		return RCODE_NOTIMP; /* RFC 5936 4.2: not defined over UDP */
	}
	if (map_zone_lookup(view, hash, w->lname, w->qlen) == 0) {
		w->ede = EDE_NO_APEX;
		return RCODE_NOTAUTH;
	}
	w->ede = EDE_TRANSFER;
	return RCODE_REFUSED;
}

void
parse_query(
    const struct serve_conf *conf, const struct map_view *view, struct query *q, struct work *w)
{
	struct parse in = { .conf = conf, .view = view, .q = q, .w = w };
	uint8_t rcode;

	w->done = true;
	w->has_question = w->edns = w->dnssec_ok = w->bad_option = w->bad_cookie = false;
	w->options = w->seen = 0;
	w->ede = EDE_NONE;
	w->ecs.family = 0;
	w->opt_len = 0;
	w->nhash = 0;
	w->image = 0;
	w->limit = 512;
	q->verdict = SERVE_DROP;
	q->out_len = 0;
	q->rcode = 0;
	q->qtype = 0;
	q->truncated = false;
	q->routed = 0;
	q->class = SERVE_CLASS_ERROR;
	q->zone = 0;
	q->zone_hash = 0;
	q->name_hash = 0;
	q->cookie_ok = false;
	q->policy_unsigned = false;
	if (q->len < DNS_HEADER || (q->pkt[2] & FLAG_QR) != 0)
		return;
	in.r = rbuf_init(q->pkt, q->len);
	rcode = read_question(&in);
	if (q->transport != SERVE_UDP)
		w->limit = (uint16_t)(q->out_cap < SERVE_TCP_MAX ? q->out_cap : SERVE_TCP_MAX);
	if (rcode != 0 || !w->has_question) {
		reply_error(conf, q, rcode);
	} else if (w->qclass == CLASS_CH) {
		chaos(conf, q);
	} else if (w->qclass != CLASS_IN) {
		w->ede = EDE_CLASS;
		reply_error(conf, q, RCODE_REFUSED);
	} else if (q->qtype == RR_AXFR || q->qtype == RR_IXFR) {
		reply_error(conf, q, refuse_transfer(view, q, w));
	} else {
		w->done = false;
	}
}
