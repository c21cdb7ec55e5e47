/* rrtype - what we know of each record type, as one table.
 *
 * rdata layout (for checks, canonical form, compression and additional data), name, and rules.
 * A type that is not in the table is opaque (RFC 3597).  To add a type: a row in rrtype.c, and a
 * row in the text test. */
#ifndef NS_DNS_RRTYPE_H
#define NS_DNS_RRTYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/base/err.h"

enum rr_type {
	RR_A = 1, RR_NS = 2, RR_CNAME = 5, RR_SOA = 6, RR_MB = 7, RR_MG = 8, RR_MR = 9,
	RR_NULL = 10, RR_PTR = 12, RR_HINFO = 13, RR_MINFO = 14, RR_MX = 15, RR_TXT = 16, RR_RP = 17,
	RR_AFSDB = 18, RR_RT = 21, RR_SIG = 24, RR_KEY = 25, RR_PX = 26, RR_AAAA = 28, RR_LOC = 29,
	RR_NXT = 30, RR_SRV = 33, RR_NAPTR = 35, RR_KX = 36, RR_CERT = 37,
	RR_DNAME = 39, RR_OPT = 41, RR_APL = 42, RR_DS = 43, RR_SSHFP = 44, RR_IPSECKEY = 45,
	RR_RRSIG = 46, RR_NSEC = 47, RR_DNSKEY = 48, RR_DHCID = 49, RR_NSEC3 = 50,
	RR_NSEC3PARAM = 51, RR_TLSA = 52, RR_SMIMEA = 53, RR_HIP = 55, RR_CDS = 59,
	RR_CDNSKEY = 60, RR_OPENPGPKEY = 61, RR_CSYNC = 62, RR_ZONEMD = 63, RR_SVCB = 64,
	RR_HTTPS = 65, RR_SPF = 99, RR_NID = 104, RR_L32 = 105, RR_L64 = 106, RR_LP = 107,
	RR_EUI48 = 108, RR_EUI64 = 109, RR_TKEY = 249, RR_TSIG = 250, RR_IXFR = 251,
	RR_AXFR = 252, RR_MAILB = 253, RR_MAILA = 254, RR_ANY = 255, RR_URI = 256, RR_CAA = 257,
	/* For private use (RFC 6895 3.1), kept in zones and never served.  ALIAS has PowerDNS's number: the
	 * name's A and AAAA are those of its target (serve/alias.c).  NSPOLICY: policy.h. */
	RR_ALIAS = 65401, RR_NSPOLICY = 65534,
};

enum rdata_field {
	RDF_END = 0,		/* ends the row; the rdata must end too */
	RDF_U8, RDF_U16, RDF_U32, RDF_U48, RDF_A, RDF_AAAA,
	RDF_NAME_COMP,		/* may be compressed in replies (RFC 3597 4: RFC 1035 types only) */
	RDF_NAME,		/* never compressed; lower case in canonical form (RFC 4034 6.2) */
	RDF_NAME_KEEP,		/* never compressed, case kept in canonical form (RFC 6840 5.1) */
	RDF_STRING,		/* <character-string> */
	RDF_STRINGS,		/* one or more, to the end */
	RDF_BITMAP,		/* NSEC type bitmap, to the end */
	RDF_SALT8,		/* u8 length + that many octets */
	RDF_SVCPARAMS,		/* RFC 9460 2.2, ascending keys, to the end */
	RDF_REST,		/* anything, maybe empty, to the end */
	RDF_REST1,		/* at least one octet, to the end */
	RDF_GATEWAY,		/* IPSECKEY: as the gateway type says */
};

#define RRTYPE_MAX_FIELDS 10
enum rrtype_flag {
	RRT_META = 1,		/* never in a zone (OPT, TSIG, AXFR, ANY …) */
	RRT_SINGLE = 2,		/* one record at most (CNAME, DNAME, SOA) */
	RRT_DNSSEC = 4,		/* made by signing: RRSIG NSEC NSEC3 NSEC3PARAM DNSKEY */
	RRT_AT_CUT = 8,		/* lives at the parent side of a cut: NS DS NSEC RRSIG */
};
struct rrtype {
	uint16_t	type;
	const char	*name;
	uint8_t		flags;
	int8_t		additional;	/* field number of the name whose addresses are additional; -1 */
	uint8_t		fields[RRTYPE_MAX_FIELDS];
	const char	*words;		/* the fields' names for people, in order, by spaces */
};
#define RRTYPE_MAX_FIELD_NAME 32

const struct rrtype	*rrtype_find(uint16_t type);		/* NULL: opaque */
uint16_t	 rrtype_from_text(const char *);	/* also TYPE65280; 0 when neither */
uint16_t	 rrtype_from_chars(const char *, size_t len);	/* the same, not ended by a NUL */
bool		 rrtype_is_meta(uint16_t type);		/* never in a zone, in the table or not */
#define RRTYPE_MAX_TEXT 16
char		*rrtype_to_text(uint16_t type, char out[RRTYPE_MAX_TEXT]);
/* What field number n is called ("exchange"); "rdata" when there is no name for it. */
char		*rrtype_field_name(const struct rrtype *, unsigned n,
		    char out[RRTYPE_MAX_FIELD_NAME]);

/* Is this the rdata of that type?  why->field names the field that is wrong. */
enum ns_err	 rdata_check(uint16_t type, const uint8_t *rdata, size_t len, struct ns_why *);
/* Canonical form in place (RFC 4034 6.2): names lower case where it says so. */
void		 rdata_canonical(uint16_t type, uint8_t *rdata, size_t len);
/* Order of two rdata of one RRset (RFC 4034 6.3). */
int		 rdata_cmp(const uint8_t *a, size_t alen, const uint8_t *b, size_t blen);
/* The names in checked rdata: offset of name number n, or -1. `kind` gets its rdata_field. */
int		 rdata_name_at(uint16_t type, const uint8_t *rdata, size_t len, unsigned n,
		    enum rdata_field *kind);

#endif
