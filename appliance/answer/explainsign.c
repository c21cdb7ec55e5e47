/* explainsign.c - see explainsign.h. */
#include "appliance/answer/explainsign.h"

#include <stdio.h>
#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/dns/rrtype.h"
#include "ipc/base/clock.h"
#include "ipc/base/rbuf.h"

#define HEADER   12u
#define HOPS_MAX 128u
#define DO_BIT   0x80u

struct record {
	uint8_t owner[NAME_MAX_WIRE];
	uint16_t type;
	struct rbuf rdata;
};

/* The name at the reader's place, whole; compressed as names in a message are. */
static bool
read_name(struct rbuf *r, uint8_t out[NAME_MAX_WIRE])
{
	struct rbuf at = *r;
	size_t len = 0;
	bool jumped = false;

	for (unsigned hops = 0; hops < HOPS_MAX && rbuf_ok(&at); hops++) {
		uint8_t n = rbuf_u8(&at);

		if (n >= 0xc0) {
			size_t to = (size_t)(n & 0x3f) << 8 | rbuf_u8(&at);

			if (!jumped)
				*r = at;
			jumped = true;
			at = rbuf_init(r->base, r->len);
			(void)rbuf_bytes(&at, to);
			continue;
		}
		const uint8_t *label = rbuf_bytes(&at, n);

		if (label == NULL || n > 63 || len + n + 1u > NAME_MAX_WIRE)
			return false;
		out[len] = n;
		memcpy(out + len + 1, label, n);
		len += n + 1u;
		if (n > 0)
			continue;
		if (!jumped)
			*r = at;
		return true;
	}
	return false;
}

static bool
read_record(struct rbuf *r, struct record *out)
{
	if (!read_name(r, out->owner))
		return false;
	out->type = rbuf_u16(r);
	(void)rbuf_u16(r);
	(void)rbuf_u32(r);
	out->rdata = rbuf_sub(r, rbuf_u16(r));
	return rbuf_ok(r);
}

static const char *
algorithm_text(uint8_t algorithm, char other[16])
{
	switch (algorithm) {
	case 8:
		return "RSASHA256";
	case 10:
		return "RSASHA512";
	case 13:
		return "ECDSAP256SHA256";
	case 14:
		return "ECDSAP384SHA384";
	case 15:
		return "ED25519";
	case 16:
		return "ED448";
	default:
		snprintf(other, 16, "algorithm %u", algorithm);
		return other;
	}
}

static void
tell(const struct record *sig, serve_trace_fn *fn, void *arg)
{
	char line[256], name[NAME_MAX_TEXT], type[RRTYPE_MAX_TEXT], other[16];
	char until[CLOCK_RFC3339_LEN];
	struct rbuf r = sig->rdata;
	uint16_t covers = rbuf_u16(&r);
	uint8_t algorithm = rbuf_u8(&r);
	uint32_t expires;
	uint16_t tag;

	(void)rbuf_bytes(&r, 5); /* labels, TTL */
	expires = rbuf_u32(&r);
	(void)rbuf_u32(&r); /* inception */
	tag = rbuf_u16(&r);
	if (!rbuf_ok(&r))
		return;
	clock_rfc3339((int64_t)expires * 1000, until);
	until[sizeof "2026-11-22T06:00:00" - 1] = 'Z';
	until[sizeof "2026-11-22T06:00:00Z" - 1] = '\0';
	snprintf(line, sizeof line, "key %u (%s), RRSIG expires %s: %s of %.120s", tag,
	    algorithm_text(algorithm, other), until, rrtype_to_text(covers, type),
	    name_to_text(sig->owner, name));
	fn(arg, "sign", line);
}

/* How many signatures a section has; with `fn` each is told. */
static unsigned
section(struct rbuf *r, unsigned records, serve_trace_fn *fn, void *arg)
{
	struct record record;
	unsigned n = 0;

	while (records-- > 0 && read_record(r, &record)) {
		if (record.type == RR_RRSIG && n++ < EXPLAIN_SIGNS && fn != NULL)
			tell(&record, fn, arg);
	}
	return n;
}

void
explain_sign(const uint8_t *reply, size_t len, serve_trace_fn *fn, void *arg)
{
	struct rbuf r = rbuf_init(reply, len);
	uint8_t name[NAME_MAX_WIRE];
	unsigned questions, answers, proofs, n;
	char line[64];

	(void)rbuf_u32(&r);
	questions = rbuf_u16(&r);
	answers = rbuf_u16(&r);
	proofs = rbuf_u16(&r);
	(void)rbuf_u16(&r);
	while (questions-- > 0 && read_name(&r, name))
		(void)rbuf_u32(&r);
	n = section(&r, answers, fn, arg);
	if (answers == 0)
		n = section(&r, proofs, fn, arg);
	if (n > EXPLAIN_SIGNS) {
		snprintf(line, sizeof line, "and %u more", n - EXPLAIN_SIGNS);
		fn(arg, "sign", line);
	}
}

size_t
explain_with_do(const uint8_t *query, size_t len, uint8_t *out, size_t cap, bool *had)
{
	size_t name = len > HEADER ? name_check(query + HEADER, len - HEADER) : 0;
	size_t flags =
	    HEADER + name + 4 + 1 + 2 + 2 + 2; /* question; root, type, class, high bits */

	if (name == 0 || flags >= len || len > cap)
		return 0;
	memcpy(out, query, len);
	*had = (out[flags] & DO_BIT) != 0;
	out[flags] |= DO_BIT;
	return len;
}
