/* text_ipseckey.c - the text of IPSECKEY (RFC 4025 3.1), whose fourth field has three forms.
 *
 * Not by ldns 1.8.3: it takes a relative gateway for an absolute one and forgets memory when it
 * refuses. */
#include <string.h>

#include "appliance/dns/text.h"

enum gateway { GATEWAY_NONE, GATEWAY_IPV4, GATEWAY_IPV6, GATEWAY_NAME };
enum field { FIELD_TYPE = 1, FIELD_GATEWAY = 3, FIELD_KEY = 4 };

/* Bits that wait for more digits, and how much padding came. */
struct base64 {
	uint32_t bits;
	unsigned digits, padding;
};

static int
base64_digit(char c)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *p = c != '\0' ? strchr(digits, c) : NULL;

	return p != NULL ? (int)(p - digits) : -1;
}

/* False for a character that is none, or stands after padding. */
static bool
base64_take(struct base64 *b, char c, struct wbuf *out)
{
	int v = base64_digit(c);

	if (c == '=' && b->digits % 4 >= 2) {
		b->padding++;
		b->digits++;
		return true;
	}
	if (v < 0 || b->padding > 0)
		return false;
	b->bits = b->bits << 6 | (uint32_t)v;
	if (b->digits++ % 4 > 0) {
		unsigned unused = 6 - (b->digits - 1) % 4 * 2;

		wbuf_u8(out, (uint8_t)(b->bits >> unused));
	}
	return true;
}

/* The rest of the record; it may be missing where there is no key. */
static enum ns_err
read_key(struct text_job *job)
{
	struct base64 b = { 0 };
	struct text_token tok;

	job->field = FIELD_KEY;
	while (text_next(&job->c, &tok)) {
		job->line = tok.line;
		for (size_t i = 0; i < tok.len; i++) {
			if (!base64_take(&b, tok.p[i], &job->out))
				return text_refuse(job, E_RDATA_TEXT, "not base64");
		}
	}
	return b.digits % 4 == 0 ? NS_OK : text_refuse(job, E_RDATA_TEXT, "base64 is cut short");
}

static enum ns_err
put_gateway(struct text_job *job, const struct text_token *tok, uint8_t kind)
{
	uint8_t name[NAME_MAX_WIRE];
	size_t len;
	enum ns_err err;

	switch (kind) {
	case GATEWAY_NONE:
		return tok->len == 1 && *tok->p == '.'
			   ? NS_OK
			   : text_refuse(job, E_RDATA_TEXT, "with gateway type 0 it is \".\"");
	case GATEWAY_IPV4:
		return text_ipv4(job, tok);
	case GATEWAY_IPV6:
		return text_ipv6(job, tok);
	case GATEWAY_NAME:
		err = text_name(job, tok, name, &len);
		if (err == NS_OK)
			wbuf_put(&job->out, name, len);
		return err;
	default:
		job->field = FIELD_TYPE;
		return text_refuse(job, E_RDATA_TEXT, "gateway types are 0 to 3 (RFC 4025 2.3)");
	}
}

enum ns_err
text_ipseckey(struct text_job *job)
{
	struct text_token tok;
	uint8_t kind = 0;
	enum ns_err err;

	for (job->field = 0; job->field <= FIELD_GATEWAY; job->field++) {
		if (!text_next(&job->c, &tok))
			return text_refuse(job, E_RDATA_TEXT,
			    "it is missing; IPSECKEY is written \"%s\"", job->t->words);
		job->line = tok.line;
		err = job->field < FIELD_GATEWAY ? text_number(job, &tok, 1)
						 : put_gateway(job, &tok, kind);
		if (err != NS_OK)
			return err;
		if (job->field == FIELD_TYPE && wbuf_ok(&job->out))
			kind = job->out.base[job->out.len - 1];
	}
	return read_key(job);
}
