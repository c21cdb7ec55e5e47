/* rrform.c - see rrform.h. */
#include "console/core/rrform.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ipc/base/xalloc.h"

#define U8        255u
#define U16       65535u
#define U32       UINT32_MAX
#define TTL_MOST  2147483647u /* RFC 2181 8 */
#define STRING    255u /* octets of a character-string, RFC 1035 3.3 */
#define LABEL     63u
#define NAME_MOST 1004u /* octets of a name as text, every one escaped */

#define TARGET(hint)                                           \
	{                                                      \
		"target", "TARGET", RR_NAME, 0, 0, false, hint \
	}
#define SVCB_FIELDS                                                                                \
	{                                                                                          \
		{ "priority", "PRIORITY", RR_NUMBER, 8, U16, false, "0: an alias of the target" }, \
		    { "target", "TARGET", RR_NAME, 26, 0, false, ". is the name itself" },         \
		{                                                                                  \
			"params", "PARAMETERS", RR_REST, 0, 0, true,                               \
			    "alpn=h2,h3 port=8443 ipv4hint=192.0.2.1 ipv6hint=2001:db8::1 ech=..." \
		}                                                                                  \
	}

/* clang-format off */
const struct rr_form rr_forms[] = {
	{ "A", "IPv4 addresses", false, {
		{ "address", "ADDRESS", RR_IPV4, 18, 0, false, "192.0.2.1" } } },
	{ "AAAA", "IPv6 addresses", false, {
		{ "address", "ADDRESS", RR_IPV6, 42, 0, false, "2001:db8::1" } } },
	{ "ALIAS", "the addresses of another name, at the apex too", true, { TARGET("a name; its A and AAAA are answered here") } },
	{ "CNAME", "another name for this one", true, { TARGET("the name that has the records") } },
	{ "MX", "who takes mail", false, {
		{ "preference", "PREFERENCE", RR_NUMBER, 10, U16, false, "the least is tried first" },
		{ "exchange", "EXCHANGE", RR_NAME, 0, 0, false, "a name with addresses; . with 0: takes no mail" } } },
	{ "TXT", "text", false, {
		{ "text", "TEXT", RR_STRINGS, 0, 0, false, "quotes and pieces of 255 octets are made for you" } } },
	{ "SRV", "where a service is (RFC 2782)", false, {
		{ "priority", "PRIORITY", RR_NUMBER, 8, U16, false, "the least is tried first" },
		{ "weight", "WEIGHT", RR_NUMBER, 6, U16, false, "share among equal priorities" },
		{ "port", "PORT", RR_NUMBER, 5, U16, false, "where it listens" },
		TARGET("a name with addresses; . : there is no such service") } },
	{ "CAA", "who may issue certificates (RFC 8659)", false, {
		{ "flags", "FLAGS", RR_NUMBER, 5, U8, false, "0, or 128: refuse who does not know the tag" },
		{ "tag", "TAG", RR_WORD, 12, 0, false, "issue issuewild iodef issuemail" },
		{ "value", "VALUE", RR_STRING, 0, 0, true, "letsencrypt.org, ; for nobody, mailto:..." } } },
	{ "HTTPS", "how to reach a web site (RFC 9460)", false, SVCB_FIELDS },
	{ "SVCB", "how to reach a service (RFC 9460)", false, SVCB_FIELDS },
	{ "NS", "name servers of the zone, or of one below", false, { TARGET("a name with addresses") } },
	{ "PTR", "the name of an address", false, { TARGET("host.example.com.") } },
	{ "TLSA", "which certificate a service has (RFC 6698)", false, {
		{ "usage", "USAGE", RR_NUMBER, 5, U8, false, "0 PKIX-TA  1 PKIX-EE  2 DANE-TA  3 DANE-EE" },
		{ "selector", "SELECTOR", RR_NUMBER, 8, U8, false, "0 whole certificate  1 public key" },
		{ "matching-type", "MATCHING", RR_NUMBER, 8, U8, false, "0 as it is  1 SHA-256  2 SHA-512" },
		{ "data", "DATA", RR_HEX, 0, 0, false, "hexadecimal" } } },
	{ "SSHFP", "SSH host keys (RFC 4255)", false, {
		{ "algorithm", "ALGORITHM", RR_NUMBER, 9, U8, false, "1 RSA  2 DSA  3 ECDSA  4 Ed25519  6 Ed448" },
		{ "fingerprint-type", "TYPE", RR_NUMBER, 4, U8, false, "1 SHA-1  2 SHA-256" },
		{ "fingerprint", "FINGERPRINT", RR_HEX, 0, 0, false, "hexadecimal" } } },
	{ "DS", "keys of the zone below (RFC 4034)", false, {
		{ "key-tag", "TAG", RR_NUMBER, 5, U16, false, "of the key that signs its keys" },
		{ "algorithm", "ALGORITHM", RR_NUMBER, 9, U8, false, "8 RSASHA256  13 ECDSAP256SHA256  15 ED25519" },
		{ "digest-type", "DIGEST", RR_NUMBER, 6, U8, false, "2 SHA-256  4 SHA-384" },
		{ "digest", "VALUE", RR_HEX, 0, 0, false, "hexadecimal" } } },
	{ "NAPTR", "rules that rewrite names (RFC 3403)", false, {
		{ "order", "ORDER", RR_NUMBER, 5, U16, false, "the least is taken first" },
		{ "preference", "PREF", RR_NUMBER, 5, U16, false, "among equal orders" },
		{ "flags", "FLAGS", RR_STRING, 5, 0, true, "u s a p, or nothing" },
		{ "services", "SERVICE", RR_STRING, 12, 0, true, "E2U+sip" },
		{ "regexp", "REGEXP", RR_STRING, 20, 0, true, "!^.*$!sip:info@example.com!" },
		{ "replacement", "REPLACE", RR_NAME, 0, 0, false, ". where there is a regexp" } } },
	{ "LOC", "where it stands on earth (RFC 1876)", false, {
		{ "latitude", "LATITUDE", RR_LATITUDE, 14, 0, false, "degrees minutes seconds N or S: 52 22 23.000 N" },
		{ "longitude", "LONGITUDE", RR_LONGITUDE, 15, 0, false, "degrees minutes seconds E or W: 4 53 32.000 E" },
		{ "altitude", "ALTITUDE", RR_WORD, 9, 0, false, "metres: -2.00m" },
		{ "size", "SIZE", RR_WORD, 8, 0, true, "metres; 1m" },
		{ "horizontal-precision", "HORIZ", RR_WORD, 8, 0, true, "metres; 10000m" },
		{ "vertical-precision", "VERT", RR_WORD, 0, 0, true, "metres; 10m" } } },
	{ "URI", "where a resource is (RFC 7553)", false, {
		{ "priority", "PRIORITY", RR_NUMBER, 8, U16, false, "the least is tried first" },
		{ "weight", "WEIGHT", RR_NUMBER, 6, U16, false, "share among equal priorities" },
		{ "target", "TARGET", RR_STRING, 0, 0, false, "https://example.com/" } } },
	{ "DNAME", "all names below are below another (RFC 6672)", true, { TARGET("the other name") } },
	{ "SOA", "start of the zone", true, {
		{ "mname", "PRIMARY", RR_NAME, 16, 0, false, "the first name server" },
		{ "rname", "HOSTMASTER", RR_NAME, 16, 0, false, "a mail address with . for @" },
		{ "serial", "SERIAL", RR_NUMBER, 10, U32, false, "grows by itself with every change" },
		{ "refresh", "REFRESH", RR_NUMBER, 7, U32, false, "seconds" },
		{ "retry", "RETRY", RR_NUMBER, 6, U32, false, "seconds" },
		{ "expire", "EXPIRE", RR_NUMBER, 7, U32, false, "seconds" },
		{ "minimum", "NEGATIVE", RR_NUMBER, 0, U32, false, "so long \"there is none\" is kept, seconds" } } },
	{ NULL, NULL, false, { { NULL, NULL, RR_REST, 0, 0, false, NULL } } },
};
static const struct rr_form any_form = {
	"", "data as in a zone file; of types without a name \\# LENGTH HEX (RFC 3597)", false, {
		{ "data", "DATA", RR_REST, 0, 0, false, "as in a zone file, or \\# 4 C0000201" } }
};
/* clang-format on */

const struct rr_form *
rr_form_of(const char *type)
{
	for (const struct rr_form *f = rr_forms; f->type != NULL; f++)
		if (strcasecmp(f->type, type) == 0)
			return f;
	return &any_form;
}

unsigned
rr_fields(const struct rr_form *f)
{
	unsigned n = 0;

	while (n < RR_FIELDS && f->fields[n].name != NULL)
		n++;
	return n;
}

/* ---- text to fields ---- */
/* The end of a word: blanks in quotes, and behind a backslash, belong to it. */
static const char *
word_end(const char *p)
{
	bool quoted = false;

	for (; *p != '\0' && (quoted || !isspace((unsigned char)*p)); p++) {
		if (*p == '\\' && p[1] != '\0')
			p++;
		else if (*p == '"')
			quoted = !quoted;
	}
	return p;
}

static const char *
skip(const char *p)
{
	while (isspace((unsigned char)*p))
		p++;
	return p;
}

static char *
slice(const char *from, const char *to)
{
	size_t n = (size_t)(to - from);
	char *s = xmalloc(n + 1);

	memcpy(s, from, n);
	s[n] = '\0';
	return s;
}

/* Is it one word in quotes?  Then what is in them can be shown alone. */
static bool
one_quoted(const char *from, const char *to)
{
	const char *p = from + 1;

	if (to - from < 2 || *from != '"')
		return false;
	while (p < to && *p != '"')
		p += *p == '\\' && p + 1 < to ? 2 : 1;
	return p == to - 1;
}

static char *
unquoted(const char *from, const char *to)
{
	/* What would be taken for quotes of its own keeps them. */
	if (one_quoted(from, to) && from[1] != '"' && strncmp(from + 1, "\\\"", 2) != 0)
		return slice(from + 1, to - 1);
	return slice(from, to);
}

static const char *
until_letter(const char *p, const char *letters)
{
	const char *end = p;

	while (*p != '\0') {
		end = word_end(p);
		if (end == p + 1 && strchr(letters, toupper((unsigned char)*p)) != NULL)
			return end;
		p = skip(end);
	}
	return end;
}

static const char *
trimmed_end(const char *p)
{
	const char *end = p + strlen(p);

	while (end > p && isspace((unsigned char)end[-1]) && (end - 1 == p || end[-2] != '\\'))
		end--;
	return end;
}

void
rr_split(const struct rr_form *f, const char *rdata, char *out[RR_FIELDS])
{
	unsigned n = rr_fields(f);
	const char *p = skip(rdata);
	/* RFC 3597 text is no type's fields: it is shown whole, in the first one. */
	bool generic = strncmp(p, "\\#", 2) == 0;

	for (unsigned i = 0; i < RR_FIELDS; i++) {
		enum rr_kind kind = i < n ? f->fields[i].kind : RR_REST;
		const char *end = generic || i + 1 >= n  ? trimmed_end(p)
				  : kind == RR_LATITUDE  ? until_letter(p, "NS")
				  : kind == RR_LONGITUDE ? until_letter(p, "EW")
							 : word_end(p);

		if (i >= n)
			end = p;
		out[i] = kind == RR_STRING || kind == RR_STRINGS ? unquoted(p, end) : slice(p, end);
		p = skip(end);
	}
}

/* ---- fields to text ---- */
/* Octets of one character as it is written: \DDD, \X, or itself. */
static size_t
unit(const char *p)
{
	if (p[0] != '\\' || p[1] == '\0')
		return 1;
	return isdigit((unsigned char)p[1]) && isdigit((unsigned char)p[2]) &&
		       isdigit((unsigned char)p[3])
		   ? 4
		   : 2;
}

/* In quotes, bare ones within escaped; in pieces of what a character-string holds. */
static char *
quoted(const char *text, bool pieces)
{
	char *out = xmalloc(strlen(text) * 5 + 3), *o = out;
	size_t octets = 0;

	*o++ = '"';
	for (size_t n; *text != '\0'; text += n) {
		n = unit(text);
		if (pieces && octets++ == STRING) {
			memcpy(o, "\" \"", 3);
			o += 3;
			octets = 1;
		}
		if (*text == '"' || (*text == '\\' && text[1] == '\0'))
			*o++ = '\\';
		memcpy(o, text, n);
		o += n;
	}
	*o++ = '"';
	*o = '\0';
	return out;
}

static char *
field_text(const struct rr_field *f, const char *typed)
{
	const char *from = skip(typed), *end = trimmed_end(from);
	char *text = slice(from, end), *out;

	if ((f->kind != RR_STRING && f->kind != RR_STRINGS) || *text == '"' ||
	    strncmp(text, "\\#", 2) == 0)
		return text;
	out = quoted(text, f->kind == RR_STRINGS);
	free(text);
	return out;
}

char *
rr_join(const struct rr_form *f, char *const fields[RR_FIELDS])
{
	unsigned n = rr_fields(f);
	bool generic = strncmp(skip(fields[0]), "\\#", 2) == 0;
	char *out = xstrdup(""), *next;

	for (unsigned i = 0; i < (generic ? 1 : n); i++) {
		char *text = field_text(&f->fields[i], fields[i]);

		if (text[0] != '\0') {
			next = xasprintf("%s%s%s", out, out[0] != '\0' ? " " : "", text);
			free(out);
			out = next;
		}
		free(text);
	}
	return out;
}

/* ---- the first check ---- */
static const char *
check_ipv4(const char *text, char *why, size_t size)
{
	struct in_addr a;
	unsigned octet = 1, v = 0, digits = 0;

	if (inet_pton(AF_INET, text, &a) == 1)
		return NULL;
	for (const char *p = text;; p++) {
		if (isdigit((unsigned char)*p) && digits < 9) {
			v = v * 10 + (unsigned)(*p - '0');
			digits++;
			continue;
		}
		if (v > U8) {
			snprintf(why, size,
			    "E1102 not an IPv4 address: octet %u is %u, must be 0-255", octet, v);
			return why;
		}
		if (*p != '.')
			break;
		octet++;
		v = digits = 0;
	}
	snprintf(why, size, "E1102 not an IPv4 address: four numbers like 192.0.2.1");
	return why;
}

static const char *
check_name(const char *text, char *why, size_t size)
{
	size_t label = 0, all = strlen(text);

	for (const char *p = text; *p != '\0'; p += unit(p)) {
		if (*p == '.' && label == 0 && strcmp(text, ".") != 0) {
			snprintf(why, size, "E1101 not a name: two dots, or one at its beginning");
			return why;
		}
		label = *p == '.' ? 0 : label + 1;
		if (label > LABEL || all > NAME_MOST || isspace((unsigned char)*p)) {
			snprintf(why, size, "E1101 not a name: %s",
			    isspace((unsigned char)*p) ? "there is a blank in it"
						       : "a part is longer than 63 octets");
			return why;
		}
	}
	return NULL;
}

static const char *
check_number(const struct rr_field *f, const char *text, char *why, size_t size)
{
	char *end;
	unsigned long long v = strtoull(text, &end, 10);

	if (isdigit((unsigned char)*text) && *end == '\0' && strlen(text) < 12 && v <= f->max)
		return NULL;
	snprintf(why, size, "E1105 a number from 0 to %u", f->max);
	return why;
}

static const char *
check_hex(const char *text, char *why, size_t size)
{
	size_t digits = 0;

	for (const char *p = text; *p != '\0'; p++) {
		digits += isxdigit((unsigned char)*p) != 0;
		if (!isxdigit((unsigned char)*p) && *p != ' ') {
			snprintf(why, size, "E1105 hexadecimal digits only");
			return why;
		}
	}
	if (digits % 2 == 0)
		return NULL;
	snprintf(why, size, "E1105 an odd number of hexadecimal digits");
	return why;
}

const char *
rr_check(const struct rr_field *f, const char *typed, char *why, size_t size)
{
	const char *from = skip(typed), *wrong = NULL;
	char *text = slice(from, trimmed_end(from));
	struct in6_addr a;

	if (text[0] == '\0') {
		if (!f->optional)
			snprintf(why, size, "E1104 %s is missing", f->name);
		wrong = f->optional ? NULL : why;
	} else if (strncmp(text, "\\#", 2) == 0) {
		wrong = NULL; /* RFC 3597: the appliance reads it */
	} else if (f->kind == RR_IPV4) {
		wrong = check_ipv4(text, why, size);
	} else if (f->kind == RR_IPV6 && inet_pton(AF_INET6, text, &a) != 1) {
		snprintf(why, size, "E1103 not an IPv6 address, like 2001:db8::1");
		wrong = why;
	} else if (f->kind == RR_NAME) {
		wrong = check_name(text, why, size);
	} else if (f->kind == RR_NUMBER) {
		wrong = check_number(f, text, why, size);
	} else if (f->kind == RR_HEX) {
		wrong = check_hex(text, why, size);
	} else if (f->kind == RR_WORD && strpbrk(text, " \t") != NULL) {
		snprintf(why, size, "E1105 one word: there is a blank in it");
		wrong = why;
	}
	free(text);
	return wrong;
}

bool
rr_ttl(const char *text, uint32_t *ttl)
{
	static const char units[] = "smhdw";
	static const unsigned seconds[] = { 1, 60, 3600, 86400, 604800 };
	char *end;
	unsigned long long v = strtoull(text, &end, 10);
	const char *unit_at = *end != '\0' ? strchr(units, tolower((unsigned char)*end)) : NULL;

	if (!isdigit((unsigned char)*text) || strlen(text) > 10 ||
	    (*end != '\0' && (unit_at == NULL || end[1] != '\0')))
		return false;
	if (unit_at != NULL)
		v *= seconds[unit_at - units];
	*ttl = (uint32_t)v;
	return v <= TTL_MOST;
}
