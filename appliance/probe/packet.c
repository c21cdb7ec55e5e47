/* packet.c - see packet.h. */
#include "appliance/probe/packet.h"

#include <stdlib.h>
#include <string.h>

#include <ldns/ldns.h>

#include "appliance/dns/name.h"
#include "appliance/dns/rrtype.h"
#include "ipc/base/rbuf.h"
#include "ipc/base/xalloc.h"

#define CLASS_IN    1
#define FLAG_QR     0x8000u
#define FLAG_OPCODE 0x7800u
#define FLAG_AA     0x0400u
#define FLAG_TC     0x0200u
#define FLAG_RD     0x0100u
#define EDNS_DO     0x8000u
#define RDATA_MAX   65535u

void
packet_query(struct wbuf *out, uint16_t id, const struct packet_question *q)
{
	wbuf_u16(out, id);
	wbuf_u16(out, q->recurse ? FLAG_RD : 0);
	wbuf_u16(out, 1);
	wbuf_u16(out, 0);
	wbuf_u16(out, 0);
	wbuf_u16(out, 1);
	wbuf_put(out, q->name, name_len(q->name));
	wbuf_u16(out, q->type);
	wbuf_u16(out, CLASS_IN);
	/* OPT: DO, because a signed parent gives its DS only to those who ask so. */
	wbuf_u8(out, 0);
	wbuf_u16(out, RR_OPT);
	wbuf_u16(out, PACKET_UDP);
	wbuf_u32(out, EDNS_DO);
	wbuf_u16(out, 0);
}

/* Header and question alone, before anything is believed. */
static enum packet_verdict
look(struct rbuf *r, uint16_t id, const struct packet_question *q, uint16_t counts[SECTION_MAX],
    struct packet *out)
{
	uint8_t name[NAME_MAX_WIRE];
	uint16_t flags, questions;
	bool same = rbuf_u16(r) == id;
	unsigned records = 0;

	flags = rbuf_u16(r);
	questions = rbuf_u16(r);
	for (enum packet_section s = 0; s < SECTION_MAX; s++) {
		counts[s] = rbuf_u16(r);
		records += counts[s];
	}
	if (!rbuf_ok(r) || !same || !(flags & FLAG_QR) || flags & FLAG_OPCODE)
		return PACKET_STRAY;
	out->rcode = flags & 0xf;
	out->aa = flags & FLAG_AA;
	/* A server that understood nothing may leave the question out (RFC 1035 4.1.1 as lived). */
	if (questions == 0 && out->rcode != 0 && records <= 1)
		return PACKET_GOOD;
	if (questions != 1 || name_read(r, name) == 0 || !name_equal(name, q->name) ||
	    rbuf_u16(r) != q->type || rbuf_u16(r) != CLASS_IN || !rbuf_ok(r))
		return PACKET_STRAY;
	if (flags & FLAG_TC)
		return PACKET_CUT;
	return records <= PACKET_RECORDS ? PACKET_GOOD : PACKET_BROKEN;
}

/* One record of ldns's as one of ours; false: it is not what its type says. */
static bool
take(const ldns_rr *rr, enum packet_section section, struct packet_record *out)
{
	const ldns_rdf *owner = ldns_rr_owner(rr);
	struct wbuf rdata = wbuf_grow(RDATA_MAX);
	size_t len = owner != NULL ? ldns_rdf_size(owner) : 0;

	if (len == 0 || name_check(ldns_rdf_data(owner), len) != len)
		return false;
	out->section = section;
	out->type = (uint16_t)ldns_rr_get_type(rr);
	/* RFC 2181 8: what looks negative is 0. */
	out->ttl = ldns_rr_ttl(rr) <= INT32_MAX ? ldns_rr_ttl(rr) : 0;
	name_lower(out->owner, ldns_rdf_data(owner), len);
	for (size_t i = 0; i < ldns_rr_rd_count(rr); i++) {
		const ldns_rdf *rdf = ldns_rr_rdf(rr, i);

		wbuf_put(&rdata, ldns_rdf_data(rdf), ldns_rdf_size(rdf));
	}
	if (!wbuf_ok(&rdata) || rdata_check(out->type, rdata.base, rdata.len, NULL) != NS_OK) {
		wbuf_free(&rdata);
		return false;
	}
	out->rdata = rdata.base;
	out->len = rdata.len;
	return true;
}

/* The section's n records from *pos on.  One record after the other and not ldns's whole message: that loses
 * a TSIG for each one after the first (ldns 1.8.3), and a stranger may send hundreds. */
static bool
take_section(const struct rbuf *msg, size_t *pos, uint16_t n, enum packet_section section,
    struct packet *out)
{
	for (uint16_t i = 0; i < n; i++) {
		ldns_rr *rr;
		bool ours, ok;

		if (ldns_wire2rr(&rr, msg->base, msg->len, pos, LDNS_SECTION_ANSWER) !=
		    LDNS_STATUS_OK)
			return false;
		ours = ldns_rr_get_class(rr) == LDNS_RR_CLASS_IN &&
		       !rrtype_is_meta((uint16_t)ldns_rr_get_type(rr));
		ok = !ours || take(rr, section, &out->records[out->n]);
		ldns_rr_free(rr);
		if (!ok)
			return false;
		out->n += ours;
	}
	return true;
}

enum packet_verdict
packet_read(const uint8_t *data, size_t len, uint16_t id, const struct packet_question *q,
    struct packet *out)
{
	struct rbuf r = rbuf_init(data, len);
	uint16_t counts[SECTION_MAX];
	enum packet_verdict verdict;
	size_t pos;

	*out = (struct packet){ 0 };
	verdict = look(&r, id, q, counts, out);
	if (verdict != PACKET_GOOD || (out->rcode != 0 && rbuf_end(&r)))
		return verdict;
	out->records = xcalloc(PACKET_RECORDS, sizeof *out->records);
	pos = r.pos;
	for (enum packet_section s = 0; s < SECTION_MAX; s++)
		if (!take_section(&r, &pos, counts[s], s, out)) {
			packet_free(out);
			return PACKET_BROKEN;
		}
	return PACKET_GOOD;
}

void
packet_free(struct packet *p)
{
	for (size_t i = 0; i < p->n; i++)
		free((void *)(uintptr_t)p->records[i].rdata);
	free(p->records);
	p->records = NULL;
	p->n = 0;
}
