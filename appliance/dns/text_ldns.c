/* text_ldns.c - rdata text of the types that ldns reads and writes for us; see text.h.
 *
 * ldns 1.8.3 lets numbers wrap and fills up an odd hexadecimal digit, so both are checked before it
 * sees them, and names go to it absolute, so that ours are the errors.  IPSECKEY is not for it at
 * all: text_ipseckey.c.  What it reads is checked by rdata_check(); what it writes is read again, and when
 * that is not the same rdata the caller falls back to RFC 3597. */
#include <ctype.h>
#include <ldns/ldns.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/dns/text.h"
#include "ipc/base/xalloc.h"

#define LINE_MAX_BYTES (4u * ZONETEXT_MAX_LINE) /* a record whose names were completed */
#define HIP_FIRST_NAME 3 /* its servers are its last fields */

uint16_t
text_ldns_type(const char *text, size_t len)
{
	char name[RRTYPE_MAX_TEXT];

	if (len == 0 || len >= sizeof name)
		return 0;
	memcpy(name, text, len);
	name[len] = '\0';
	return (uint16_t)ldns_get_rr_type_by_name(name);
}

static bool
is_hex_tail(uint16_t type)
{
	return type == RR_DS || type == RR_CDS || type == RR_SSHFP || type == RR_TLSA ||
	       type == RR_SMIMEA || type == RR_ZONEMD;
}

static enum rdata_field
field_kind(const struct text_job *job)
{
	if (job->type == RR_HIP) /* its text has another order than its octets */
		return job->field >= HIP_FIRST_NAME ? RDF_NAME_KEEP : RDF_REST;
	if (job->t == NULL || job->field >= RRTYPE_MAX_FIELDS)
		return RDF_END;
	return job->t->fields[job->field];
}

static bool
all_digits(const struct text_token *tok)
{
	for (size_t i = 0; i < tok->len; i++) {
		if (!isdigit((unsigned char)tok->p[i]))
			return false;
	}
	return tok->len > 0;
}

/* The largest number of a field; 0: no number, or one that may stand for something else. */
static uint64_t
field_max(const struct text_job *job, enum rdata_field kind)
{
	bool is_time = (job->type == RR_RRSIG || job->type == RR_SIG) &&
		       (job->field == 4 || job->field == 5); /* YYYYMMDDHHmmSS */

	if (is_time || job->type == RR_LOC)
		return 0;
	switch (kind) {
	case RDF_U8:
		return UINT8_MAX;
	case RDF_U16:
		return UINT16_MAX;
	case RDF_U32:
		return UINT32_MAX;
	default:
		return 0;
	}
}

/* A number must fit its field; what is not all digits may be a mnemonic, but has no sign. */
static enum ns_err
check_number(struct text_job *job, const struct text_token *tok, uint64_t max)
{
	uint64_t v = 0;

	if (tok->len > 0 && (*tok->p == '-' || *tok->p == '+'))
		return text_refuse(
		    job, E_RDATA_TEXT, "\"%.*s\" is not a number", text_shown(tok), tok->p);
	if (!all_digits(tok))
		return NS_OK;
	for (size_t i = 0; i < tok->len; i++) {
		v = v * 10 + (uint64_t)(tok->p[i] - '0');
		if (v > max)
			return text_refuse(job, E_RDATA_TEXT, "%.*s is too large: 0 to %llu",
			    text_shown(tok), tok->p, (unsigned long long)max);
	}
	if (v == 0 && job->type == RR_CERT && job->field == 0) /* ldns forgets memory over it */
		return text_refuse(
		    job, E_RDATA_VALUE, "certificate type 0 is reserved (RFC 4398 2.1)");
	return NS_OK;
}

static enum ns_err
put_absolute(struct text_job *job, const struct text_token *tok, struct wbuf *line)
{
	uint8_t name[NAME_MAX_WIRE];
	char text[NAME_MAX_TEXT];
	size_t len;
	enum ns_err err = text_name(job, tok, name, &len);

	if (err == NS_OK) {
		name_to_text(name, text);
		wbuf_put(line, text, strlen(text));
	}
	return err;
}

/* The record as one line with absolute names. */
static enum ns_err
put_line(struct text_job *job, struct wbuf *line)
{
	struct text_token tok;
	size_t digits = 0;
	char head[RRTYPE_MAX_TEXT];
	enum ns_err err = NS_OK;

	rrtype_to_text(job->type, head);
	wbuf_put(line, ". 0 IN ", 7);
	wbuf_put(line, head, strlen(head));
	for (job->field = 0; err == NS_OK && text_next(&job->c, &tok); job->field++) {
		enum rdata_field kind = field_kind(job);
		uint64_t max = field_max(job, kind);

		job->line = tok.line;
		wbuf_u8(line, ' ');
		if (max > 0)
			err = check_number(job, &tok, max);
		if (is_hex_tail(job->type) && job->field >= 3u - (job->type == RR_SSHFP))
			digits += tok.len;
		if (kind == RDF_NAME || kind == RDF_NAME_KEEP) {
			err = put_absolute(job, &tok, line);
			continue;
		}
		if (tok.quoted)
			wbuf_u8(line, '"');
		wbuf_put(line, tok.p, tok.len);
		if (tok.quoted)
			wbuf_u8(line, '"');
	}
	wbuf_u8(line, 0);
	if (err == NS_OK && digits % 2 != 0) {
		job->field = 3u - (job->type == RR_SSHFP);
		return text_refuse(job, E_RDATA_TEXT, "a hexadecimal digit is missing or too many");
	}
	return err;
}

static bool
put_rr(const ldns_rr *rr, struct wbuf *out)
{
	for (size_t i = 0; i < ldns_rr_rd_count(rr); i++) {
		const ldns_rdf *rdf = ldns_rr_rdf(rr, i);

		wbuf_put(out, ldns_rdf_data(rdf), ldns_rdf_size(rdf));
	}
	return wbuf_ok(out);
}

static enum ns_err
refuse_line(struct text_job *job, ldns_status status)
{
	char type[RRTYPE_MAX_TEXT];

	rrtype_to_text(job->type, type);
	job->field = RRTYPE_MAX_FIELDS;
	if (job->t == NULL)
		return text_refuse(
		    job, E_RDATA_TEXT, "no %s rdata: %s", type, ldns_get_errorstr_by_id(status));
	return text_refuse(job, E_RDATA_TEXT, "no %s rdata (it is written \"%s\"): %s", type,
	    job->t->words, ldns_get_errorstr_by_id(status));
}

enum ns_err
text_ldns_read(struct text_job *job)
{
	struct wbuf line = wbuf_grow(LINE_MAX_BYTES);
	ldns_rr *rr = NULL;
	ldns_status status = LDNS_STATUS_MEM_ERR;
	enum ns_err err = put_line(job, &line);

	if (err == NS_OK && wbuf_ok(&line))
		status = ldns_rr_new_frm_str(&rr, (const char *)line.base, 0, NULL, NULL);
	if (err == NS_OK && status != LDNS_STATUS_OK)
		err = refuse_line(job, status);
	if (err == NS_OK)
		put_rr(rr, &job->out); /* a full buffer is told by text_rdata */
	ldns_rr_free(rr);
	wbuf_free(&line);
	return err;
}

/* The rdata part of ldns's line, its runs of blanks made one. */
static void
put_squeezed(const char *text, struct wbuf *out)
{
	bool quote = false, blank = false, any = false;

	for (unsigned tabs = 0; *text != '\0' && tabs < 4; text++)
		tabs += *text == '\t';
	for (; *text != '\0' && *text != '\n'; text++) {
		if (!quote && (*text == ' ' || *text == '\t')) {
			blank = true;
			continue;
		}
		if (blank && any)
			wbuf_u8(out, ' ');
		blank = false;
		any = true;
		wbuf_u8(out, (uint8_t)*text);
		if (*text == '\\' && text[1] != '\0')
			wbuf_u8(out, (uint8_t) * ++text);
		else if (*text == '"')
			quote = !quote;
	}
}

/* Through the whole reader, because ldns leaves quotes and semicolons in names as they are. */
static bool
reads_back(uint16_t type, const uint8_t *rdata, size_t len, struct wbuf *out, size_t from)
{
	struct ns_why why;
	uint8_t *back;
	size_t n = 0;
	bool same;

	wbuf_u8(out, 0);
	if (!wbuf_ok(out))
		return false;
	back = xmalloc(UINT16_MAX);
	same = rdata_from_text(type, (const char *)out->base + from, (const uint8_t *)"", true,
		   back, UINT16_MAX, &n, &why) == NS_OK &&
	       n == len && (len == 0 || memcmp(back, rdata, len) == 0);
	out->len--;
	free(back);
	return same;
}

bool
text_ldns_print(uint16_t type, const uint8_t *rdata, size_t len, struct wbuf *out)
{
	struct wbuf wire = wbuf_grow(UINT16_MAX + 16u);
	size_t start = out->len, pos = 0;
	ldns_rr *rr = NULL;
	char *text = NULL;
	bool done = false;

	wbuf_u8(&wire, 0); /* owner: the root */
	wbuf_u16(&wire, type);
	wbuf_u16(&wire, LDNS_RR_CLASS_IN);
	wbuf_u32(&wire, 0);
	wbuf_u16(&wire, (uint16_t)len);
	wbuf_put(&wire, rdata, len);
	if (ldns_wire2rr(&rr, wire.base, wire.len, &pos, LDNS_SECTION_ANSWER) == LDNS_STATUS_OK)
		text = ldns_rr2str_fmt(ldns_output_format_nocomments, rr);
	if (text != NULL) {
		put_squeezed(text, out);
		done = wbuf_ok(out) && reads_back(type, rdata, len, out, start);
	}
	if (!done && wbuf_ok(out))
		out->len = start;
	free(text);
	ldns_rr_free(rr);
	wbuf_free(&wire);
	return done;
}
