/* text_rdata.c - rdata as people write it, for the types whose text is simply their fields.
 *
 * These are read here and not by ldns, because ldns names no field in its errors, lets numbers wrap
 * (MX 70000 becomes 4464) and wants CAA values quoted.  The layout comes from the table in rrtype.c;
 * a test compares the result with that of ldns over all our real zones.  Every other type goes on
 * to text_ldns.c.  RFC 3597 \# is read here for all types. */
#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "appliance/dns/rdata.h"
#include "appliance/dns/text.h"
#include "appliance/dns/text_policy.h"

#define SHOWN_MAX 80

bool
text_is_plain(uint16_t type)
{
	static const uint16_t plain[] = {
		RR_A,
		RR_AAAA,
		RR_CNAME,
		RR_NS,
		RR_MX,
		RR_TXT,
		RR_SRV,
		RR_SOA,
		RR_PTR,
		RR_CAA,
		RR_DNAME,
		RR_NAPTR,
		RR_URI,
		RR_SPF,
		RR_HINFO,
		RR_RP,
		RR_AFSDB,
		RR_RT,
		RR_KX,
		RR_PX,
		RR_LP,
		RR_L32,
		RR_MB,
		RR_MG,
		RR_MR,
		RR_MINFO,
		RR_ALIAS,
	};

	for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
		if (plain[i] == type)
			return true;
	}
	return false;
}

int
text_shown(const struct text_token *tok)
{
	return (int)(tok->len < SHOWN_MAX ? tok->len : SHOWN_MAX);
}

enum ns_err
text_refuse(struct text_job *job, uint16_t code, const char *fmt, ...)
{
	char field[RRTYPE_MAX_FIELD_NAME], text[sizeof job->why->text];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	rrtype_field_name(job->t, job->field, field);
	if (job->why != NULL) {
		memcpy(job->why->field, field, sizeof field);
		rrtype_to_text(job->type, job->why->type);
		job->why->line = job->line;
	}
	return ns_fail(job->why, NS_INVALID, code, "field \"%s\": %s", field, text);
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static uint64_t
unit_seconds(char c)
{
	switch (c) {
	case 's':
	case 'S':
		return 1;
	case 'm':
	case 'M':
		return 60;
	case 'h':
	case 'H':
		return 3600;
	case 'd':
	case 'D':
		return 86400;
	case 'w':
	case 'W':
		return 604800;
	default:
		return 0;
	}
}

/* Seconds as a number or as 1w2d3h4m5s, at most max. */
static bool
read_period(const char *text, size_t len, uint64_t max, uint64_t *out)
{
	uint64_t sum = 0, v = 0;
	bool digits = false;

	for (size_t i = 0; i < len; i++) {
		uint64_t unit = unit_seconds(text[i]);

		if (is_digit(text[i])) {
			v = v * 10 + (uint64_t)(text[i] - '0');
			digits = true;
		} else if (unit > 0 && digits) {
			sum += v * unit;
			v = 0;
			digits = false;
		} else {
			return false;
		}
		if (v > UINT32_MAX || sum > UINT32_MAX)
			return false;
	}
	*out = sum + v;
	return len > 0 && *out <= max;
}

bool
text_ttl(const char *text, size_t len, uint32_t *ttl)
{
	uint64_t v;

	if (!read_period(text, len, TTL_MAX, &v))
		return false;
	*ttl = (uint32_t)v;
	return true;
}

static enum ns_err
read_number(struct text_job *job, const struct text_token *tok, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;

	for (size_t i = 0; i < tok->len; i++) {
		if (!is_digit(tok->p[i]))
			return text_refuse(
			    job, E_RDATA_TEXT, "\"%.*s\" is not a number", text_shown(tok), tok->p);
		v = v * 10 + (uint64_t)(tok->p[i] - '0');
		if (v > max)
			return text_refuse(job, E_RDATA_TEXT, "%.*s is too large: 0 to %llu",
			    text_shown(tok), tok->p, (unsigned long long)max);
	}
	if (tok->len == 0)
		return text_refuse(job, E_RDATA_TEXT, "it is empty, and should be a number");
	*out = v;
	return NS_OK;
}

/* RFC 1035 writes plain seconds in SOA; BIND's 1h and 2w are everywhere. */
enum ns_err
text_number(struct text_job *job, const struct text_token *tok, unsigned octets)
{
	uint64_t max = (1ULL << (octets * 8)) - 1, v;
	enum ns_err err;

	if (job->type != RR_SOA || job->field < 3 || !read_period(tok->p, tok->len, max, &v)) {
		err = read_number(job, tok, max, &v);
		if (err != NS_OK)
			return err;
	}
	while (octets-- > 0)
		wbuf_u8(&job->out, (uint8_t)(v >> (octets * 8)));
	return NS_OK;
}

/* Strict by hand, because the error should name the octet; 010 is refused as nobody agrees on it. */
enum ns_err
text_ipv4(struct text_job *job, const struct text_token *tok)
{
	unsigned octet = 1, v = 0;
	size_t digits = 0;

	for (size_t i = 0; i <= tok->len; i++) {
		char c = i < tok->len ? tok->p[i] : '.';

		if (c == '.' && digits > 0 && octet <= 4) {
			wbuf_u8(&job->out, (uint8_t)v);
			octet++;
			v = 0;
			digits = 0;
			continue;
		}
		if (!is_digit(c) || octet > 4)
			return text_refuse(job, E_IPV4,
			    "\"%.*s\" is not an IPv4 address: four numbers with dots",
			    text_shown(tok), tok->p);
		if (digits++ > 0 && v == 0)
			return text_refuse(job, E_IPV4,
			    "\"%.*s\" is not an IPv4 address: octet %u has a leading zero",
			    text_shown(tok), tok->p, octet);
		v = v * 10 + (unsigned)(c - '0');
		if (v > 255) {
			const char *from = tok->p + i + 1 - digits;

			while (i < tok->len && is_digit(tok->p[i]))
				i++;
			return text_refuse(job, E_IPV4,
			    "not an IPv4 address: octet %u is %.*s, must be 0-255", octet,
			    (int)(tok->p + i - from), from);
		}
	}
	if (octet != 5)
		return text_refuse(job, E_IPV4,
		    "\"%.*s\" is not an IPv4 address: it has %u octets, not 4", text_shown(tok),
		    tok->p, octet - 1);
	return NS_OK;
}

enum ns_err
text_ipv6(struct text_job *job, const struct text_token *tok)
{
	char text[INET6_ADDRSTRLEN];
	uint8_t addr[16];

	if (tok->len < sizeof text) {
		memcpy(text, tok->p, tok->len);
		text[tok->len] = '\0';
		if (inet_pton(AF_INET6, text, addr) == 1) {
			wbuf_put(&job->out, addr, sizeof addr);
			return NS_OK;
		}
	}
	return text_refuse(job, E_IPV6, "\"%.*s\" is not an IPv6 address%s", text_shown(tok),
	    tok->p,
	    memchr(tok->p, ':', tok->len) == NULL && memchr(tok->p, '.', tok->len) != NULL
		? ": an IPv4 address goes into an A record"
		: "");
}

/* A dot inside and none at the end, escaped ones not counted. */
static bool
is_ambiguous(const struct text_token *tok)
{
	bool inside = false, last = false;

	for (size_t i = 0; i < tok->len; i++) {
		last = tok->p[i] == '.';
		inside |= last;
		if (tok->p[i] == '\\')
			i++;
	}
	return inside && !last;
}

enum ns_err
text_name(
    struct text_job *job, const struct text_token *tok, uint8_t out[NAME_MAX_WIRE], size_t *len)
{
	struct ns_why inner = { 0 };
	char whole[NAME_MAX_TEXT];

	if (name_from_chars(tok->p, tok->len, job->origin, out, len, &inner) != NS_OK)
		return text_refuse(job, inner.code, "%s", inner.text);
	if (!job->strict || !is_ambiguous(tok))
		return NS_OK;
	return text_refuse(job, E_NAME_DOT,
	    "\"%.*s\" has no final dot: write \"%.*s.\" (as it stands) or \"%.160s\" (completed "
	    "with the "
	    "zone)",
	    text_shown(tok), tok->p, text_shown(tok), tok->p, name_to_text(out, whole));
}

static enum ns_err
put_name(struct text_job *job, const struct text_token *tok)
{
	uint8_t name[NAME_MAX_WIRE];
	size_t len;
	enum ns_err err = text_name(job, tok, name, &len);

	if (err == NS_OK)
		wbuf_put(&job->out, name, len);
	return err;
}

/* One octet of text with its escape resolved; -1 when the escape is broken. */
static int
take_octet(const struct text_token *tok, size_t *pos)
{
	const char *p = tok->p;
	int v;

	if (p[*pos] != '\\')
		return (uint8_t)p[(*pos)++];
	if (++*pos == tok->len)
		return -1;
	if (!is_digit(p[*pos]))
		return (uint8_t)p[(*pos)++];
	if (tok->len - *pos < 3 || !is_digit(p[*pos + 1]) || !is_digit(p[*pos + 2]))
		return -1;
	v = (p[*pos] - '0') * 100 + (p[*pos + 1] - '0') * 10 + (p[*pos + 2] - '0');
	*pos += 3;
	return v <= 255 ? v : -1;
}

/* The octets of a token; with `counted` as a <character-string>. */
static enum ns_err
put_string(struct text_job *job, const struct text_token *tok, bool counted)
{
	size_t start = job->out.len;

	if (counted)
		wbuf_u8(&job->out, 0);
	for (size_t pos = 0; pos < tok->len;) {
		int c;

		if (!tok->quoted && tok->p[pos] == '"')
			return text_refuse(
			    job, E_RDATA_TEXT, "a quote stands inside a word: quote all of it");
		c = take_octet(tok, &pos);
		if (c < 0)
			return text_refuse(
			    job, E_RDATA_TEXT, "an escape is \\X or \\DDD with 000 to 255");
		wbuf_u8(&job->out, (uint8_t)c);
	}
	if (!counted || !wbuf_ok(&job->out))
		return NS_OK;
	if (job->out.len - start - 1 > 255)
		return text_refuse(job, E_RDATA_TEXT,
		    "a string has %zu octets, at most 255 are possible: split it, \"...\" \"...\"",
		    job->out.len - start - 1);
	job->out.base[start] = (uint8_t)(job->out.len - start - 1);
	return NS_OK;
}

static enum ns_err
put_field(struct text_job *job, enum rdata_field kind, const struct text_token *tok)
{
	switch (kind) {
	case RDF_U8:
		return text_number(job, tok, 1);
	case RDF_U16:
		return text_number(job, tok, 2);
	case RDF_U32:
		return text_number(job, tok, 4);
	case RDF_A:
		return text_ipv4(job, tok);
	case RDF_AAAA:
		return text_ipv6(job, tok);
	case RDF_NAME_COMP:
	case RDF_NAME:
	case RDF_NAME_KEEP:
		return put_name(job, tok);
	case RDF_STRING:
	case RDF_STRINGS:
		return put_string(job, tok, true);
	default: /* the tail of CAA and URI */
		return put_string(job, tok, false);
	}
}

static enum ns_err
read_plain(struct text_job *job)
{
	struct text_token tok;
	enum ns_err err;

	for (job->field = 0; job->t->fields[job->field] != RDF_END; job->field++) {
		enum rdata_field kind = job->t->fields[job->field];

		if (!text_next(&job->c, &tok))
			return text_refuse(job, E_RDATA_TEXT, "it is missing; %s is written \"%s\"",
			    job->t->name, job->t->words);
		do {
			job->line = tok.line;
			err = put_field(job, kind, &tok);
			if (err != NS_OK)
				return err;
		} while (kind == RDF_STRINGS && text_next(&job->c, &tok));
	}
	job->field--;
	if (!text_next(&job->c, &tok))
		return NS_OK;
	job->line = tok.line;
	return text_refuse(
	    job, E_RDATA_TEXT, "\"%.*s\" is left over after it", text_shown(&tok), tok.p);
}

static int
hex_digit(char c)
{
	if (is_digit(c))
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static enum ns_err
generic_error(struct text_job *job, const char *text)
{
	job->t = NULL; /* the fields have no names in this form */
	return text_refuse(job, E_RDATA_TEXT, "%s (RFC 3597 5)", text);
}

/* \# LENGTH HEX..., white space anywhere between the digits. */
static enum ns_err
read_generic(struct text_job *job)
{
	struct text_token tok;
	uint64_t want;
	unsigned half = 0, digits = 0;
	enum ns_err err;

	if (!text_next(&job->c, &tok))
		return generic_error(job, "\\# is followed by a length and hexadecimal digits");
	job->line = tok.line;
	err = read_number(job, &tok, UINT16_MAX, &want);
	while (err == NS_OK && text_next(&job->c, &tok)) {
		job->line = tok.line;
		for (size_t i = 0; i < tok.len; i++) {
			int v = hex_digit(tok.p[i]);

			if (v < 0)
				return generic_error(job, "not a hexadecimal digit");
			half = half << 4 | (unsigned)v;
			if (++digits % 2 == 0)
				wbuf_u8(&job->out, (uint8_t)half);
		}
	}
	if (err == NS_OK && digits != want * 2)
		return generic_error(job, "the length is not that of the digits");
	return err;
}

static enum ns_err
read_by_form(struct text_job *job)
{
	struct text_cursor ahead = job->c;
	struct text_token tok;

	if (text_next(&ahead, &tok) && !tok.quoted && tok.len == 2 &&
	    memcmp(tok.p, "\\#", 2) == 0) {
		job->c = ahead;
		return read_generic(job);
	}
	if (job->type == RR_IPSECKEY)
		return text_ipseckey(job);
	return text_is_plain(job->type) ? read_plain(job) : text_ldns_read(job);
}

enum ns_err
text_rdata(struct text_job *job)
{
	enum ns_err err;

	if (!rrtype_is_meta(job->type)) {
		err = read_by_form(job);
		if (err != NS_OK)
			return err;
		if (!wbuf_ok(&job->out))
			return text_refuse(
			    job, E_RDATA, "rdata has at most %zu octets", job->out.cap);
	}
	err = rdata_check(job->type, job->out.base, job->out.len, job->why);
	if (err != NS_OK && job->why != NULL)
		job->why->line = job->line;
	return err;
}

/* One rdata stands alone: the collector removes parentheses and comments from it as in a file. */
enum ns_err
rdata_from_text(uint16_t type, const char *text, const uint8_t *origin, bool strict, uint8_t *out,
    size_t outsize, size_t *outlen, struct ns_why *why)
{
	char buf[ZONETEXT_MAX_LINE];
	struct text_line line;
	struct text_job job = {
		.type = type, .t = rrtype_find(type), .origin = origin, .strict = strict
	};
	enum text_line_state state;
	size_t len = strlen(text), used = 0;
	enum ns_err err;

	/* JSON has quotes and braces of its own. */
	if (type == RR_NSPOLICY)
		return policy_from_text(text, len, out, outsize, outlen, why);
	text_line_init(&line, buf);
	state = text_line_feed(&line, text, len, &used, why);
	if (state == TEXT_LINE_READY && used < len)
		return ns_fail(why, NS_INVALID, E_TEXT_SYNTAX, "one rdata is one line");
	if (state == TEXT_LINE_MORE)
		state = text_line_end(&line, why);
	if (state == TEXT_LINE_BAD)
		return NS_INVALID;
	job.c = text_line_cursor(&line);
	job.out = wbuf_init(out, outsize);
	job.why = why;
	err = text_rdata(&job);
	if (why != NULL)
		why->line = 0;
	*outlen = err == NS_OK ? job.out.len : 0;
	return err;
}
