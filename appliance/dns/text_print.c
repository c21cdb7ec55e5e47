/* text_print.c - records as people read them; see zonetext.h.
 *
 * Whatever is written here is read back to the same octets.  Names are absolute. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "appliance/dns/rdata.h"
#include "appliance/dns/text.h"
#include "appliance/dns/text_policy.h"

static void
put_text(struct wbuf *w, const char *text)
{
	wbuf_put(w, text, strlen(text));
}

static void
put_quoted(struct wbuf *w, const uint8_t *p, size_t n)
{
	wbuf_u8(w, '"');
	for (size_t i = 0; i < n; i++) {
		uint8_t c = p[i];

		if (c < ' ' || c > '~') {
			const uint8_t escaped[] = { '\\', (uint8_t)('0' + c / 100),
				(uint8_t)('0' + c / 10 % 10), (uint8_t)('0' + c % 10) };

			wbuf_put(w, escaped, sizeof escaped);
			continue;
		}
		if (c == '"' || c == '\\')
			wbuf_u8(w, '\\');
		wbuf_u8(w, c);
	}
	wbuf_u8(w, '"');
}

static void
put_number(struct wbuf *w, uint32_t v)
{
	char text[16];

	snprintf(text, sizeof text, "%u", v);
	put_text(w, text);
}

static void
put_address(struct wbuf *w, int family, const uint8_t *addr)
{
	char text[INET6_ADDRSTRLEN];

	put_text(w, inet_ntop(family, addr, text, sizeof text));
}

static void
put_string(struct wbuf *w, struct rbuf *r, bool bare)
{
	size_t n = rbuf_u8(r);
	const uint8_t *p = rbuf_bytes(r, n);

	if (p == NULL)
		return;
	if (bare)
		wbuf_put(w, p, n);
	else
		put_quoted(w, p, n);
}

static void
put_strings(struct wbuf *w, struct rbuf *r)
{
	put_string(w, r, false);
	while (rbuf_left(r) > 0) {
		wbuf_u8(w, ' ');
		put_string(w, r, false);
	}
}

static void
put_field(struct wbuf *w, uint16_t type, enum rdata_field kind, struct rbuf *r)
{
	struct rbuf whole = *r;
	char text[NAME_MAX_TEXT];

	rdata_skip_field(r, kind);
	if (!rbuf_ok(r))
		return;
	switch (kind) {
	case RDF_U8:
		put_number(w, rbuf_u8(&whole));
		break;
	case RDF_U16:
		put_number(w, rbuf_u16(&whole));
		break;
	case RDF_U32:
		put_number(w, rbuf_u32(&whole));
		break;
	case RDF_A:
		put_address(w, AF_INET, whole.base + whole.pos);
		break;
	case RDF_AAAA:
		put_address(w, AF_INET6, whole.base + whole.pos);
		break;
	case RDF_NAME_COMP:
	case RDF_NAME:
	case RDF_NAME_KEEP:
		put_text(w, name_to_text(whole.base + whole.pos, text));
		break;
	case RDF_STRING:
		put_string(w, &whole, type == RR_CAA); /* a tag is letters and digits */
		break;
	case RDF_STRINGS:
		put_strings(w, &whole);
		break;
	default:
		put_quoted(w, whole.base + whole.pos, r->pos - whole.pos);
		break;
	}
}

static bool
put_plain(struct wbuf *w, const struct rrtype *t, const uint8_t *rdata, size_t len)
{
	struct rbuf r = rbuf_init(rdata, len);

	for (unsigned i = 0; t->fields[i] != RDF_END; i++) {
		if (i > 0)
			wbuf_u8(w, ' ');
		put_field(w, t->type, t->fields[i], &r);
	}
	return rbuf_end(&r);
}

static void
put_generic(struct wbuf *w, const uint8_t *rdata, size_t len)
{
	static const char digits[] = "0123456789abcdef";

	put_text(w, "\\# ");
	put_number(w, (uint32_t)len);
	if (len > 0)
		wbuf_u8(w, ' ');
	for (size_t i = 0; i < len; i++) {
		wbuf_u8(w, (uint8_t)digits[rdata[i] >> 4]);
		wbuf_u8(w, (uint8_t)digits[rdata[i] & 15]);
	}
}

/* A type without a row in our table keeps to RFC 3597, whatever ldns may know: what is opaque to
 * the checks is opaque to the reader. */
static void
put_rdata(struct wbuf *w, uint16_t type, const uint8_t *rdata, size_t len)
{
	const struct rrtype *t = rrtype_find(type);
	size_t start = w->len;

	if (type == RR_NSPOLICY) {
		if (policy_to_text(rdata, len, w))
			return;
		w->len = start;
	} else if (t != NULL && text_is_plain(type)) {
		if (put_plain(w, t, rdata, len))
			return;
		w->len = start;
	} else if (t != NULL && text_ldns_print(type, rdata, len, w)) {
		return;
	}
	put_generic(w, rdata, len);
}

bool
rdata_to_text(uint16_t type, const uint8_t *rdata, size_t len, char *out, size_t outsize)
{
	struct wbuf w = wbuf_init(out, outsize);

	put_rdata(&w, type, rdata, len);
	wbuf_u8(&w, '\0');
	return wbuf_ok(&w);
}

void
rrset_to_text(const struct rrset *set, struct wbuf *out)
{
	struct rbuf r = rbuf_init(set->rdata, set->rdata_len);
	char owner[NAME_MAX_TEXT], type[RRTYPE_MAX_TEXT];
	const uint8_t *rdata;
	size_t len;

	name_to_text(set->owner, owner);
	rrtype_to_text(set->type, type);
	while ((rdata = rrset_next_rdata(&r, &len)) != NULL) {
		put_text(out, owner);
		wbuf_u8(out, ' ');
		put_number(out, set->ttl);
		put_text(out, " IN ");
		put_text(out, type);
		wbuf_u8(out, ' ');
		put_rdata(out, set->type, rdata, len);
		wbuf_u8(out, '\n');
	}
}
