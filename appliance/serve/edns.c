/* edns.c - EDNS(0), RFC 6891: what the asker can take, the options it sent, and our OPT record.
 *
 * Each option that we know is a row below; others are ignored (RFC 6891 6.1.2).  A row reads its
 * option when the query is parsed and says how much room its answer takes, so that an answer may be cut
 * but never the OPT record.  Of an option that comes twice the first counts (RFC 7873 5.2 says so for
 * cookies). */
#include <string.h>

#include "appliance/serve/cookie.h"
#include "appliance/serve/work.h"
#include "ipc/base/wbuf.h"

#define OPT_SIZE  11u
#define UDP_MIN   512u
#define DO_BIT    0x80u /* of the flags' first octet */
#define PAD_BLOCK 468u /* RFC 8467 4.1 */

/* IANA, DNS EDNS0 Option Codes */
enum option_code {
	CODE_NSID = 3,
	CODE_ECS = 8,
	CODE_COOKIE = 10,
	CODE_KEEPALIVE = 11,
	CODE_PADDING = 12,
	CODE_ZONEVERSION = 19,
};

/* Everything at once behind the longest question, and it still fits: no limit is ever too small. */
_Static_assert(DNS_HEADER + NAME_MAX_WIRE + 4 + OPT_SIZE + /* NSID */ 4 + 64 + /* ECS */ 4 + 20 +
		       /* cookie */ 4 + 24 + /* keepalive */ 6 + /* ZONEVERSION */ 10 +
		       /* padding */ 4 <=
		   UDP_MIN,
    "room for OPT");

/* ---- NSID (RFC 5001) ---- */

static bool
read_nsid(struct parse *in, const uint8_t *data, size_t len)
{
	size_t id = strnlen(in->conf->id, sizeof in->conf->id);

	(void)data;
	(void)len; /* 2.1: to be ignored */
	if (id > 0)
		edns_answer(in->w, OPTION_NSID, id);
	return true;
}

static uint8_t *
write_nsid(const struct reply *r, uint8_t *p)
{
	size_t id = strnlen(r->conf->id, sizeof r->conf->id);

	memcpy(p, r->conf->id, id);
	return p + id;
}

/* ---- client subnet (RFC 7871) ---- */

static bool
read_ecs(struct parse *in, const uint8_t *data, size_t len)
{
	if (!ecs_read(&in->w->ecs, data, len))
		return false;
	edns_answer(in->w, OPTION_ECS, ecs_size(&in->w->ecs));
	return true;
}

static uint8_t *
write_ecs(const struct reply *r, uint8_t *p)
{
	return ecs_write(&r->w->ecs, p);
}

/* ---- how long a connection may stay idle (RFC 7828) ---- */

static bool
read_keepalive(struct parse *in, const uint8_t *data, size_t len)
{
	(void)data;
	/* 3.2.1: nobody may send it over UDP; who does is not answered, and not refused either. */
	if (in->q->transport == SERVE_UDP)
		return true;
	if (len != 0)
		return false;
	if (in->conf->keepalive > 0)
		edns_answer(in->w, OPTION_KEEPALIVE, 2);
	return true;
}

static uint8_t *
write_keepalive(const struct reply *r, uint8_t *p)
{
	put_u16(p, r->conf->keepalive);
	return p + 2;
}

/* ---- which version of the zone (RFC 9660) ---- */

#define ZONEVERSION_SIZE 6u
#define SOA_SERIAL       0u
#define SOA_NUMBERS      20u

static bool
read_zoneversion(struct parse *in, const uint8_t *data, size_t len)
{
	(void)data;
	if (len != 0)
		return false;
	edns_answer(in->w, OPTION_ZONEVERSION, ZONEVERSION_SIZE);
	return true;
}

/* NULL: the question is in no zone of ours, or the reply is cut down to nothing. */
static uint8_t *
write_zoneversion(const struct reply *r, uint8_t *p)
{
	struct image_ref zone;
	struct image_node apex;
	struct image_set soa;

	if (r->view == NULL || r->q->zone == 0 || !image_open(r->view, r->w->image, &zone) ||
	    !image_apex(&zone, &apex) || !image_set_find(&apex, RR_SOA, &soa) ||
	    soa.body_len < SOA_NUMBERS)
		return NULL;
	p[0] = zone.image->head.apex_labels;
	p[1] = SOA_SERIAL;
	memcpy(p + 2, soa.body + soa.body_len - SOA_NUMBERS, 4);
	return p + ZONEVERSION_SIZE;
}

/* ---- padding (RFC 7830) ---- */

static bool
read_padding(struct parse *in, const uint8_t *data, size_t len)
{
	(void)data;
	(void)len;
	/* Where everybody can read the reply its length hides nothing. */
	if (in->q->transport == SERVE_TLS)
		edns_answer(in->w, OPTION_PADDING, 0);
	return true;
}

/* The last option: the message ends at a multiple of PAD_BLOCK, or where it has to. */
static uint8_t *
write_padding(const struct reply *r, uint8_t *p)
{
	size_t len = (size_t)(p - r->out) + OPTION_HEAD, cap = r->limit + r->w->opt_len;
	size_t padded = (len + PAD_BLOCK - 1) / PAD_BLOCK * PAD_BLOCK;

	if (padded > cap)
		padded = cap;
	put_u16(p, CODE_PADDING);
	put_u16(p + 2, (uint16_t)(padded - len));
	memset(p + OPTION_HEAD, 0, padded - len);
	return p + OPTION_HEAD + (padded - len);
}

/* ---- the table ---- */

static const struct option {
	uint16_t code;
	uint8_t bad; /* enum ede of a FORMERR */
	bool (*read)(struct parse *, const uint8_t *data, size_t len);
	uint8_t *(*write)(const struct reply *, uint8_t *p);
} options[OPTIONS] = {
	[OPTION_NSID] = { CODE_NSID, EDE_OPTIONS, read_nsid, write_nsid },
	[OPTION_ECS] = { CODE_ECS, EDE_ECS, read_ecs, write_ecs },
	[OPTION_COOKIE] = { CODE_COOKIE, EDE_COOKIE, cookie_read, cookie_write },
	[OPTION_KEEPALIVE] = { CODE_KEEPALIVE, EDE_KEEPALIVE, read_keepalive, write_keepalive },
	[OPTION_ZONEVERSION] = { CODE_ZONEVERSION, EDE_ZONEVERSION, read_zoneversion,
	    write_zoneversion },
	[OPTION_PADDING] = { CODE_PADDING, EDE_OPTIONS, read_padding, NULL },
};

/* By code: the row + 1, 0 where there is none. */
static const uint8_t by_code[] = {
	[CODE_NSID] = 1 + OPTION_NSID,
	[CODE_ECS] = 1 + OPTION_ECS,
	[CODE_COOKIE] = 1 + OPTION_COOKIE,
	[CODE_KEEPALIVE] = 1 + OPTION_KEEPALIVE,
	[CODE_PADDING] = 1 + OPTION_PADDING,
	[CODE_ZONEVERSION] = 1 + OPTION_ZONEVERSION,
};

/* RFC 6891 7: a problem inside OPT is a FORMERR with an OPT record, which tells it from a server that
 * does not know EDNS. */
static bool
refuse_options(struct work *w, enum ede why)
{
	w->bad_option = true;
	w->ede = (uint8_t)why;
	w->options = 0;
	w->opt_len = OPT_SIZE;
	return false;
}

/* All of [p, end), which is in the packet. */
static bool
read_options(struct parse *in, const uint8_t *p, const uint8_t *end)
{
	struct work *w = in->w;

	while (p < end) {
		unsigned code, len, row;

		if ((size_t)(end - p) < OPTION_HEAD)
			return refuse_options(w, EDE_OPTIONS);
		code = get_u16(p);
		len = get_u16(p + 2);
		p += OPTION_HEAD;
		if ((size_t)(end - p) < len)
			return refuse_options(w, EDE_OPTIONS);
		row = code < sizeof by_code ? by_code[code] : 0;
		if (row != 0 && (w->seen & 1u << (row - 1)) == 0) {
			w->seen |= (uint8_t)(1u << (row - 1));
			if (!options[row - 1].read(in, p, len))
				return refuse_options(w, options[row - 1].bad);
		}
		p += len;
	}
	return true;
}

bool
edns_read(struct parse *in)
{
	const uint8_t *head = rbuf_bytes(&in->r, OPT_SIZE - 3), *rdata;
	struct work *w = in->w;
	unsigned size, len;

	if (head == NULL)
		return false;
	/* size, extended rcode (means nothing in a query), version, flags, length */
	size = get_u16(head);
	in->version = head[3];
	len = get_u16(head + 6);
	rdata = rbuf_bytes(&in->r, len);
	if (rdata == NULL)
		return false;
	/* RFC 6891 6.2.3: less than 512 means 512. */
	w->limit = (uint16_t)(size < UDP_MIN         ? UDP_MIN
			      : size > SERVE_UDP_MAX ? SERVE_UDP_MAX
						     : size);
	w->edns = true;
	w->dnssec_ok = (head[4] & DO_BIT) != 0;
	w->opt_len = OPT_SIZE;
	/* What options mean in another version is that version's to say. */
	if (len == 0 || in->version != 0)
		return true;
	/* What nearly every resolver sends that sends any: past the loop, for 30 instructions less. */
	if (len == OPTION_HEAD + COOKIE_OURS &&
	    get_u32(rdata) == ((uint32_t)CODE_COOKIE << 16 | COOKIE_OURS))
		return cookie_read(in, rdata + OPTION_HEAD, COOKIE_OURS);
	return read_options(in, rdata, rdata + len);
}

static uint8_t *
write_options(const struct reply *r, uint8_t *p)
{
	const unsigned padding = 1u << OPTION_PADDING;
	const struct work *w = r->w;
	const uint8_t *end = r->out + r->limit + w->opt_len;

	for (unsigned left = w->options & ~padding; left != 0; left &= left - 1) {
		const struct option *o = &options[__builtin_ctz(left)];
		uint8_t *next = o->write(r, p + OPTION_HEAD);

		if (next == NULL)
			continue;
		put_u32(p, (uint32_t)o->code << 16 | (uint32_t)(next - p - OPTION_HEAD));
		p = next;
	}
	if ((w->options & padding) != 0)
		end -= OPTION_HEAD;
	if (w->ede != EDE_NONE)
		p = ede_write(w->ede, p, (size_t)(end - p));
	return (w->options & padding) != 0 ? write_padding(r, p) : p;
}

/* Its room was kept free from the start: an answer may be cut, the OPT record never. */
void
edns_write(struct reply *r)
{
	uint8_t *opt = r->out + r->len, *p = opt + OPT_SIZE;
	const struct work *w = r->w;

	if (!w->edns)
		return;
	opt[0] = 0;
	put_u16(opt + 1, RR_OPT);
	put_u16(opt + 3, SERVE_UDP_MAX);
	opt[5] = (uint8_t)(r->rcode >> 4);
	opt[6] = 0;
	opt[7] = w->dnssec_ok ? DO_BIT : 0;
	opt[8] = 0;
	if (w->options == 1u << OPTION_COOKIE && w->ede == EDE_NONE) {
		put_u32(p, (uint32_t)CODE_COOKIE << 16 | COOKIE_OURS);
		p = cookie_write(r, p + OPTION_HEAD);
	} else if ((w->options | w->ede) != 0) {
		p = write_options(r, p);
	}
	put_u16(opt + 9, (uint16_t)(p - opt - OPT_SIZE));
	r->len = (size_t)(p - r->out);
	r->count[ADDITIONAL]++;
}
