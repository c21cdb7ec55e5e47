/* rdata.c - rdata by the layout of its type: shape, canonical form, names; see rrtype.h.
 *
 * Pure functions over bytes that may come from anywhere; nothing is read outside a rbuf. */
#include "appliance/dns/rdata.h"

#include <string.h>

#include "appliance/dns/codes.h"
#include "appliance/dns/name.h"

static void
skip_name(struct rbuf *r)
{
	size_t left = rbuf_left(r);
	size_t n = left > 0 ? name_check(r->base + r->pos, left) : 0;

	if (n == 0)
		r->bad = true;
	else
		rbuf_bytes(r, n);
}

static void
skip_counted(struct rbuf *r)
{
	rbuf_bytes(r, rbuf_u8(r));
}

static void
skip_strings(struct rbuf *r)
{
	do
		skip_counted(r);
	while (rbuf_left(r) > 0);
}

/* RFC 4034 4.1.2: windows ascend, 1 to 32 octets each, no trailing zero octet. */
static void
skip_bitmap(struct rbuf *r)
{
	int last = -1;

	while (rbuf_left(r) > 0) {
		uint8_t window = rbuf_u8(r);
		uint8_t n = rbuf_u8(r);
		const uint8_t *bits = rbuf_bytes(r, n);

		if (bits == NULL || n == 0 || n > 32 || window <= last || bits[n - 1] == 0)
			r->bad = true;
		last = window;
	}
}

/* RFC 4025 2.3: precedence, gateway type and algorithm stand before the gateway. */
static void
skip_gateway(struct rbuf *r)
{
	uint8_t kind = r->pos >= 2 ? r->base[r->pos - 2] : 255;

	if (kind == 1)
		rbuf_bytes(r, 4);
	else if (kind == 2)
		rbuf_bytes(r, 16);
	else if (kind == 3)
		skip_name(r);
	else if (kind != 0)
		r->bad = true;
}

static void
skip_rest(struct rbuf *r, size_t least)
{
	size_t left = rbuf_left(r);

	rbuf_bytes(r, left < least ? least : left);
}

void
rdata_skip_field(struct rbuf *r, enum rdata_field kind)
{
	static const uint8_t fixed[] = {
		[RDF_U8] = 1,
		[RDF_U16] = 2,
		[RDF_U32] = 4,
		[RDF_U48] = 6,
		[RDF_A] = 4,
		[RDF_AAAA] = 16,
	};

	switch (kind) {
	case RDF_NAME_COMP:
	case RDF_NAME:
	case RDF_NAME_KEEP:
		skip_name(r);
		break;
	case RDF_STRING:
	case RDF_SALT8:
		skip_counted(r);
		break;
	case RDF_STRINGS:
		skip_strings(r);
		break;
	case RDF_BITMAP:
		skip_bitmap(r);
		break;
	case RDF_SVCPARAMS:
	case RDF_REST:
		skip_rest(r, 0);
		break;
	case RDF_REST1:
		skip_rest(r, 1);
		break;
	case RDF_GATEWAY:
		skip_gateway(r);
		break;
	default:
		rbuf_bytes(r, fixed[kind]);
		break;
	}
}

static const char *
field_shape(enum rdata_field kind)
{
	static const char *const text[] = {
		[RDF_U8] = "one octet is missing",
		[RDF_U16] = "two octets are missing",
		[RDF_U32] = "four octets are missing",
		[RDF_U48] = "six octets are missing",
		[RDF_A] = "an IPv4 address has 4 octets",
		[RDF_AAAA] = "an IPv6 address has 16 octets",
		[RDF_NAME_COMP] = "not a domain name",
		[RDF_NAME] = "not a domain name",
		[RDF_NAME_KEEP] = "not a domain name",
		[RDF_STRING] = "a string is cut short",
		[RDF_STRINGS] = "a string is cut short, or there is none",
		[RDF_BITMAP] = "not a type bitmap (RFC 4034 4.1.2)",
		[RDF_SALT8] = "cut short",
		[RDF_SVCPARAMS] = "cut short",
		[RDF_REST] = "cut short",
		[RDF_REST1] = "it is empty",
		[RDF_GATEWAY] = "not what the gateway type says (RFC 4025 2.3)",
	};

	return text[kind];
}

/* rdata of no octets may come as NULL, which must not be counted from. */
static struct rbuf
reader(const uint8_t *rdata, size_t len)
{
	return rbuf_init(len > 0 ? rdata : (const uint8_t *)"", len);
}

static enum ns_err
refuse(struct ns_why *why, const struct rrtype *t, unsigned field, uint16_t code, const char *rule)
{
	char name[RRTYPE_MAX_FIELD_NAME];

	rrtype_field_name(t, field, name);
	if (why != NULL) {
		memcpy(why->field, name, sizeof name);
		rrtype_to_text(t->type, why->type);
	}
	return ns_fail(why, NS_INVALID, code, "field \"%s\": %s", name, rule);
}

enum ns_err
rdata_check(uint16_t type, const uint8_t *rdata, size_t len, struct ns_why *why)
{
	const struct rrtype *t = rrtype_find(type);
	struct rbuf r = reader(rdata, len);
	const char *rule;
	unsigned n;

	if (rrtype_is_meta(type))
		return ns_fail(why, NS_INVALID, E_META,
		    "type %u exists in messages only: no zone holds a record of it", type);
	if (len > UINT16_MAX)
		return ns_fail(why, NS_INVALID, E_RDATA, "rdata has at most 65535 octets");
	if (t == NULL)
		return NS_OK;
	for (n = 0; n < RRTYPE_MAX_FIELDS && t->fields[n] != RDF_END; n++) {
		rdata_skip_field(&r, t->fields[n]);
		if (!rbuf_ok(&r))
			return refuse(why, t, n, E_RDATA, field_shape(t->fields[n]));
	}
	if (!rbuf_end(&r))
		return refuse(why, t, n > 0 ? n - 1 : 0, E_RDATA, "octets are left over after it");
	rule = rdata_value_rule(type, r.base, len, &n);
	return rule != NULL ? refuse(why, t, n, E_RDATA_VALUE, rule) : NS_OK;
}

static bool
is_name(enum rdata_field kind)
{
	return kind == RDF_NAME_COMP || kind == RDF_NAME || kind == RDF_NAME_KEEP;
}

int
rdata_name_at(uint16_t type, const uint8_t *rdata, size_t len, unsigned n, enum rdata_field *kind)
{
	const struct rrtype *t = rrtype_find(type);
	struct rbuf r = reader(rdata, len);

	for (unsigned i = 0; t != NULL && i < RRTYPE_MAX_FIELDS && t->fields[i] != RDF_END; i++) {
		enum rdata_field field = t->fields[i];
		size_t at = r.pos;

		if (field == RDF_GATEWAY && at >= 2 && r.base[at - 2] == 3)
			field = RDF_NAME_KEEP;
		rdata_skip_field(&r, field);
		if (!rbuf_ok(&r))
			return -1;
		if (is_name(field) && n-- == 0) {
			if (kind != NULL)
				*kind = field;
			return (int)at;
		}
	}
	return -1;
}

void
rdata_canonical(uint16_t type, uint8_t *rdata, size_t len)
{
	enum rdata_field kind = RDF_END;
	int at;

	for (unsigned n = 0; (at = rdata_name_at(type, rdata, len, n, &kind)) >= 0; n++) {
		if (kind != RDF_NAME_KEEP)
			name_lower(rdata + at, rdata + at, name_len(rdata + at));
	}
}

int
rdata_cmp(const uint8_t *a, size_t alen, const uint8_t *b, size_t blen)
{
	size_t n = alen < blen ? alen : blen;
	int d = n > 0 ? memcmp(a, b, n) : 0;

	return d != 0 ? d : (alen > blen) - (alen < blen);
}
