/* rrtype.c - the table of record types; see rrtype.h.
 *
 * Indexed by type, so that a look-up in the query path is one load.  Layouts: RFC 1035 3.3 and the
 * RFC in each row's comment.  Which names lose their case in canonical form: RFC 4034 6.2 with
 * RFC 6840 5.1; types younger than RFC 3597 keep it (RFC 3597 7). */
#include "appliance/dns/rrtype.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define TABLE_SIZE 258u

#define FIELDS(...)         \
	{                   \
		__VA_ARGS__ \
	}
#define ROW(t, flags, additional, fields, words) \
	[RR_##t] = { RR_##t, #t, flags, additional, fields, words }
#define META(t) ROW(t, RRT_META, -1, FIELDS(RDF_REST), "rdata")
#define SIG_FIELDS \
	FIELDS(RDF_U16, RDF_U8, RDF_U8, RDF_U32, RDF_U32, RDF_U32, RDF_U16, RDF_NAME, RDF_REST1)
#define SIG_WORDS \
	"type-covered algorithm labels original-ttl expiration inception key-tag signer signature"
#define DS_FIELDS  FIELDS(RDF_U16, RDF_U8, RDF_U8, RDF_REST1)
#define DS_WORDS   "key-tag algorithm digest-type digest"
#define KEY_FIELDS FIELDS(RDF_U16, RDF_U8, RDF_U8, RDF_REST1)
#define KEY_WORDS  "flags protocol algorithm public-key"
#define SVC_FIELDS FIELDS(RDF_U16, RDF_NAME_KEEP, RDF_SVCPARAMS)

/* clang-format off */
static const struct rrtype table[TABLE_SIZE] = {
	ROW(A, 0, -1, FIELDS(RDF_A), "address"),
	ROW(NS, RRT_AT_CUT, 0, FIELDS(RDF_NAME_COMP), "target"),
	ROW(CNAME, RRT_SINGLE, -1, FIELDS(RDF_NAME_COMP), "target"),
	ROW(SOA, RRT_SINGLE, -1, FIELDS(RDF_NAME_COMP, RDF_NAME_COMP, RDF_U32, RDF_U32, RDF_U32, RDF_U32, RDF_U32),
	    "mname rname serial refresh retry expire minimum"),
	ROW(MB, 0, -1, FIELDS(RDF_NAME_COMP), "target"),
	ROW(MG, 0, -1, FIELDS(RDF_NAME_COMP), "target"),
	ROW(MR, 0, -1, FIELDS(RDF_NAME_COMP), "target"),
	ROW(NULL, 0, -1, FIELDS(RDF_REST), "data"),
	ROW(PTR, 0, -1, FIELDS(RDF_NAME_COMP), "target"),
	ROW(HINFO, 0, -1, FIELDS(RDF_STRING, RDF_STRING), "cpu os"),
	ROW(MINFO, 0, -1, FIELDS(RDF_NAME_COMP, RDF_NAME_COMP), "rmailbx emailbx"),
	ROW(MX, 0, 1, FIELDS(RDF_U16, RDF_NAME_COMP), "preference exchange"),
	ROW(TXT, 0, -1, FIELDS(RDF_STRINGS), "text"),
	ROW(RP, 0, -1, FIELDS(RDF_NAME, RDF_NAME), "mailbox text-name"),		/* RFC 1183 */
	ROW(AFSDB, 0, -1, FIELDS(RDF_U16, RDF_NAME), "subtype hostname"),		/* RFC 1183 */
	ROW(RT, 0, -1, FIELDS(RDF_U16, RDF_NAME), "preference intermediate"),	/* RFC 1183 */
	ROW(SIG, 0, -1, SIG_FIELDS, SIG_WORDS),					/* RFC 2931 */
	ROW(KEY, 0, -1, FIELDS(RDF_U16, RDF_U8, RDF_U8, RDF_REST), KEY_WORDS),	/* RFC 2535 */
	ROW(PX, 0, -1, FIELDS(RDF_U16, RDF_NAME, RDF_NAME), "preference map822 mapx400"),
	ROW(AAAA, 0, -1, FIELDS(RDF_AAAA), "address"),				/* RFC 3596 */
	ROW(LOC, 0, -1, FIELDS(RDF_U8, RDF_U8, RDF_U8, RDF_U8, RDF_U32, RDF_U32, RDF_U32),
	    "version size horizontal-precision vertical-precision latitude longitude altitude"),
	ROW(NXT, 0, -1, FIELDS(RDF_NAME, RDF_REST), "next types"),			/* RFC 2535 */
	ROW(SRV, 0, 3, FIELDS(RDF_U16, RDF_U16, RDF_U16, RDF_NAME),
	    "priority weight port target"),					/* RFC 2782 */
	ROW(NAPTR, 0, -1, FIELDS(RDF_U16, RDF_U16, RDF_STRING, RDF_STRING, RDF_STRING, RDF_NAME),
	    "order preference flags services regexp replacement"),		/* RFC 3403 */
	ROW(KX, 0, -1, FIELDS(RDF_U16, RDF_NAME), "preference exchanger"),		/* RFC 2230 */
	ROW(CERT, 0, -1, FIELDS(RDF_U16, RDF_U16, RDF_U8, RDF_REST1),
	    "certificate-type key-tag algorithm certificate"),			/* RFC 4398 */
	ROW(DNAME, RRT_SINGLE, -1, FIELDS(RDF_NAME), "target"),			/* RFC 6672 */
	META(OPT),
	ROW(APL, 0, -1, FIELDS(RDF_REST), "prefixes"),				/* RFC 3123 */
	ROW(DS, RRT_AT_CUT, -1, DS_FIELDS, DS_WORDS),				/* RFC 4034 5 */
	ROW(SSHFP, 0, -1, FIELDS(RDF_U8, RDF_U8, RDF_REST1),
	    "algorithm fingerprint-type fingerprint"),				/* RFC 4255 */
	ROW(IPSECKEY, 0, -1, FIELDS(RDF_U8, RDF_U8, RDF_U8, RDF_GATEWAY, RDF_REST),
	    "precedence gateway-type algorithm gateway public-key"),		/* RFC 4025 */
	ROW(RRSIG, RRT_DNSSEC | RRT_AT_CUT, -1, SIG_FIELDS, SIG_WORDS),		/* RFC 4034 3 */
	ROW(NSEC, RRT_DNSSEC | RRT_AT_CUT, -1, FIELDS(RDF_NAME_KEEP, RDF_BITMAP),
	    "next types"),							/* RFC 4034 4 */
	ROW(DNSKEY, RRT_DNSSEC, -1, KEY_FIELDS, KEY_WORDS),			/* RFC 4034 2 */
	ROW(DHCID, 0, -1, FIELDS(RDF_REST1), "digest"),				/* RFC 4701 */
	ROW(NSEC3, RRT_DNSSEC, -1, FIELDS(RDF_U8, RDF_U8, RDF_U16, RDF_SALT8, RDF_SALT8, RDF_BITMAP),
	    "hash-algorithm flags iterations salt next types"),			/* RFC 5155 3 */
	ROW(NSEC3PARAM, RRT_DNSSEC, -1, FIELDS(RDF_U8, RDF_U8, RDF_U16, RDF_SALT8),
	    "hash-algorithm flags iterations salt"),				/* RFC 5155 4 */
	ROW(TLSA, 0, -1, FIELDS(RDF_U8, RDF_U8, RDF_U8, RDF_REST1),
	    "usage selector matching-type data"),				/* RFC 6698 */
	ROW(SMIMEA, 0, -1, FIELDS(RDF_U8, RDF_U8, RDF_U8, RDF_REST1),
	    "usage selector matching-type data"),				/* RFC 8162 */
	ROW(HIP, 0, -1, FIELDS(RDF_U8, RDF_U8, RDF_U16, RDF_REST1),
	    "hit-length algorithm key-length data"),				/* RFC 8005 */
	ROW(CDS, 0, -1, DS_FIELDS, DS_WORDS),					/* RFC 7344 */
	ROW(CDNSKEY, 0, -1, KEY_FIELDS, KEY_WORDS),				/* RFC 7344 */
	ROW(OPENPGPKEY, 0, -1, FIELDS(RDF_REST1), "public-key"),			/* RFC 7929 */
	ROW(CSYNC, 0, -1, FIELDS(RDF_U32, RDF_U16, RDF_BITMAP), "serial flags types"),	/* RFC 7477 */
	ROW(ZONEMD, 0, -1, FIELDS(RDF_U32, RDF_U8, RDF_U8, RDF_REST1),
	    "serial scheme hash-algorithm digest"),				/* RFC 8976 */
	ROW(SVCB, 0, 1, SVC_FIELDS, "priority target params"),			/* RFC 9460 */
	ROW(HTTPS, 0, 1, SVC_FIELDS, "priority target params"),			/* RFC 9460 */
	ROW(SPF, 0, -1, FIELDS(RDF_STRINGS), "text"),				/* RFC 7208 */
	ROW(NID, 0, -1, FIELDS(RDF_U16, RDF_U16, RDF_U48), "preference node-id node-id"),	/* RFC 6742 */
	ROW(L32, 0, -1, FIELDS(RDF_U16, RDF_A), "preference locator"),
	ROW(L64, 0, -1, FIELDS(RDF_U16, RDF_U16, RDF_U48), "preference locator locator"),
	ROW(LP, 0, -1, FIELDS(RDF_U16, RDF_NAME_KEEP), "preference target"),
	ROW(EUI48, 0, -1, FIELDS(RDF_U48), "address"),				/* RFC 7043 */
	ROW(EUI64, 0, -1, FIELDS(RDF_U16, RDF_U48), "address address"),
	META(TKEY), META(TSIG), META(IXFR), META(AXFR), META(MAILB), META(MAILA), META(ANY),
	ROW(URI, 0, -1, FIELDS(RDF_U16, RDF_U16, RDF_REST1), "priority weight target"),	/* RFC 7553 */
	ROW(CAA, 0, -1, FIELDS(RDF_U8, RDF_STRING, RDF_REST), "flags tag value"),	/* RFC 8659 */
};
/* Far behind the others: not in the table. */
static const struct rrtype far[] = {
	{ RR_ALIAS, "ALIAS", RRT_SINGLE, 0, FIELDS(RDF_NAME), "target" },
	{ RR_NSPOLICY, "NSPOLICY", 0, -1, FIELDS(RDF_U16, RDF_REST1), "type policy" },
};
#define FAR (sizeof far / sizeof far[0])
/* clang-format on */

const struct rrtype *
rrtype_find(uint16_t type)
{
	if (type < TABLE_SIZE)
		return table[type].name != NULL ? &table[type] : NULL;
	for (size_t i = 0; i < FAR; i++) {
		if (far[i].type == type)
			return &far[i];
	}
	return NULL;
}

/* RFC 6895 3.1: 128 to 255 are for questions and meta types, 0 is reserved for SIG(0). */
bool
rrtype_is_meta(uint16_t type)
{
	const struct rrtype *t = rrtype_find(type);

	return type == 0 || (type >= 128 && type <= 255) ||
	       (t != NULL && (t->flags & RRT_META) != 0);
}

/* "TYPE65280" (RFC 3597 5); 0 when it is not one. */
static uint16_t
type_from_number(const char *text, size_t len)
{
	uint32_t v = 0;

	if (len < 5 || len > 9 || strncasecmp(text, "TYPE", 4) != 0)
		return 0;
	for (size_t i = 4; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return 0;
		v = v * 10 + (uint32_t)(text[i] - '0');
	}
	return v <= UINT16_MAX ? (uint16_t)v : 0;
}

uint16_t
rrtype_from_chars(const char *text, size_t len)
{
	if (len == 0 || len >= RRTYPE_MAX_TEXT)
		return 0;
	for (unsigned i = 0; i < TABLE_SIZE; i++) {
		const char *name = table[i].name;

		if (name != NULL && (name[0] | 0x20) == (text[0] | 0x20) && strlen(name) == len &&
		    strncasecmp(name, text, len) == 0)
			return (uint16_t)i;
	}
	for (size_t i = 0; i < FAR; i++) {
		if (len == strlen(far[i].name) && strncasecmp(far[i].name, text, len) == 0)
			return far[i].type;
	}
	return type_from_number(text, len);
}

uint16_t
rrtype_from_text(const char *text)
{
	return rrtype_from_chars(text, strlen(text));
}

char *
rrtype_to_text(uint16_t type, char out[RRTYPE_MAX_TEXT])
{
	const struct rrtype *t = rrtype_find(type);

	if (t != NULL)
		snprintf(out, RRTYPE_MAX_TEXT, "%s", t->name);
	else
		snprintf(out, RRTYPE_MAX_TEXT, "TYPE%u", type);
	return out;
}

char *
rrtype_field_name(const struct rrtype *t, unsigned n, char out[RRTYPE_MAX_FIELD_NAME])
{
	const char *p = t != NULL ? t->words : "";

	while (n-- > 0 && *p != '\0') {
		p += strcspn(p, " ");
		p += strspn(p, " ");
	}
	if (*p == '\0')
		p = "rdata";
	snprintf(out, RRTYPE_MAX_FIELD_NAME, "%.*s", (int)strcspn(p, " "), p);
	return out;
}
