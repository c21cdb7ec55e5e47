/* rdata_value.c - what single types ask of their values beyond the shape of the rdata.
 *
 * One small function per type, found in a table; each may assume the shape that rdata_check() has
 * seen.  It answers NULL or the rule that is broken, and the number of the field.  A registry that
 * still grows (algorithms, digest types) is checked only for the values that are known. */
#include "appliance/dns/rdata.h"

#include <ctype.h>

#include "appliance/dns/name.h"
#include "appliance/dns/policy.h"
#include "ipc/base/wbuf.h"

/* A known value and the number of octets that come with it. */
struct length_of {
	uint8_t value;
	uint16_t len;
	const char *rule;
};

#define END_OF_LENGTHS     \
	{                  \
		0, 0, NULL \
	}

static const char *
length_rule(const struct length_of *rows, uint8_t value, size_t len)
{
	for (; rows->rule != NULL; rows++) {
		if (rows->value == value && rows->len != len)
			return rows->rule;
	}
	return NULL;
}

/* RFC 4034 5, RFC 4509, RFC 5933, RFC 6605; CDS 0 0 0 00 asks the parent to remove DS (RFC 8078 4). */
static const char *
ds_rule(const uint8_t *d, size_t len, unsigned *field)
{
	static const struct length_of digests[] = {
		{ 0, 1, "digest type 0 is reserved" },
		{ 1, 20, "a SHA-1 digest has 20 octets" },
		{ 2, 32, "a SHA-256 digest has 32 octets" },
		{ 3, 32, "a GOST digest has 32 octets" },
		{ 4, 48, "a SHA-384 digest has 48 octets" },
		END_OF_LENGTHS,
	};

	*field = 3;
	return length_rule(digests, d[3], len - 4);
}

static const char *
real_ds_rule(const uint8_t *d, size_t len, unsigned *field)
{
	if (d[3] == 0) {
		*field = 2;
		return "digest type 0 is reserved (RFC 8078 4 has it for CDS)";
	}
	return ds_rule(d, len, field);
}

static const char *
cds_rule(const uint8_t *d, size_t len, unsigned *field)
{
	if (d[3] == 0 && (get_u16(d) != 0 || d[2] != 0 || len != 5 || d[4] != 0)) {
		*field = 2;
		return "digest type 0 stands only in \"0 0 0 00\" (RFC 8078 4)";
	}
	return ds_rule(d, len, field);
}

/* RFC 4034 2.1; key lengths of RFC 6605 and RFC 8080. */
static const char *
dnskey_rule(const uint8_t *d, size_t len, unsigned *field)
{
	static const struct length_of keys[] = {
		{ 13, 64, "an ECDSA P-256 key has 64 octets" },
		{ 14, 96, "an ECDSA P-384 key has 96 octets" },
		{ 15, 32, "an Ed25519 key has 32 octets" },
		{ 16, 57, "an Ed448 key has 57 octets" },
		END_OF_LENGTHS,
	};

	if (d[2] != 3) {
		*field = 1;
		return "the protocol is always 3 (RFC 4034 2.1.2)";
	}
	*field = 3;
	return length_rule(keys, d[3], len - 4);
}

static const char *
rrsig_rule(const uint8_t *d, size_t len, unsigned *field)
{
	static const struct length_of signatures[] = {
		{ 13, 64, "an ECDSA P-256 signature has 64 octets" },
		{ 14, 96, "an ECDSA P-384 signature has 96 octets" },
		{ 15, 64, "an Ed25519 signature has 64 octets" },
		{ 16, 114, "an Ed448 signature has 114 octets" },
		END_OF_LENGTHS,
	};

	if (get_u16(d) == 0 || get_u16(d) == RR_RRSIG) {
		*field = 0;
		return "no signature covers that type (RFC 4035 2.2)";
	}
	if (d[3] > NAME_MAX_LABELS) {
		*field = 2;
		return "a name has at most 127 labels";
	}
	*field = 8;
	return length_rule(signatures, d[2], len - 18 - name_len(d + 18));
}

/* RFC 4255 3.1, RFC 6594. */
static const char *
sshfp_rule(const uint8_t *d, size_t len, unsigned *field)
{
	static const struct length_of prints[] = {
		{ 1, 20, "a SHA-1 fingerprint has 20 octets" },
		{ 2, 32, "a SHA-256 fingerprint has 32 octets" },
		END_OF_LENGTHS,
	};

	*field = 2;
	return length_rule(prints, d[1], len - 2);
}

/* RFC 6698 2.1.3, and SMIMEA alike. */
static const char *
tlsa_rule(const uint8_t *d, size_t len, unsigned *field)
{
	static const struct length_of matches[] = {
		{ 1, 32, "matching type 1 is a SHA-256 digest of 32 octets" },
		{ 2, 64, "matching type 2 is a SHA-512 digest of 64 octets" },
		END_OF_LENGTHS,
	};

	*field = 3;
	return length_rule(matches, d[2], len - 3);
}

/* RFC 8976 2.2. */
static const char *
zonemd_rule(const uint8_t *d, size_t len, unsigned *field)
{
	static const struct length_of digests[] = {
		{ 1, 48, "a SHA-384 digest has 48 octets" },
		{ 2, 64, "a SHA-512 digest has 64 octets" },
		END_OF_LENGTHS,
	};

	*field = 3;
	if (len - 6 < 12)
		return "a digest has at least 12 octets";
	return length_rule(digests, d[5], len - 6);
}

/* RFC 5155 3.2: the hash is SHA-1 and the next owner a hash. */
static const char *
nsec3_rule(const uint8_t *d, size_t len, unsigned *field)
{
	uint8_t hash = d[5u + d[4]];

	(void)len;
	*field = 4;
	if (hash == 0)
		return "the next hashed owner is empty";
	return d[0] == 1 && hash != 20 ? "a SHA-1 hash has 20 octets" : NULL;
}

/* RFC 1876 2: sizes are a digit and a power of ten, angles thousandths of a second from 2^31. */
static const char *
loc_rule(const uint8_t *d, size_t len, unsigned *field)
{
	const int64_t degree = 3600000;
	int64_t lat = (int64_t)get_u32(d + 4) - 2147483648,
		lon = (int64_t)get_u32(d + 8) - 2147483648;

	(void)len;
	*field = 0;
	if (d[0] != 0)
		return "the version is always 0 (RFC 1876 2)";
	for (*field = 1; *field <= 3; (*field)++) {
		if (d[*field] >> 4 > 9 || (d[*field] & 15) > 9)
			return "not a digit and a power of ten (RFC 1876 2)";
	}
	*field = 4;
	if (lat < -90 * degree || lat > 90 * degree)
		return "a latitude lies within 90 degrees";
	*field = 5;
	return lon < -180 * degree || lon > 180 * degree ? "a longitude lies within 180 degrees"
							 : NULL;
}

static bool
all_alnum(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!isascii(p[i]) || !isalnum(p[i]))
			return false;
	}
	return true;
}

/* RFC 3403 4.1. */
static const char *
naptr_rule(const uint8_t *d, size_t len, unsigned *field)
{
	const uint8_t *regexp = d + 5 + d[4];
	const uint8_t *name;

	(void)len;
	regexp += *regexp + 1;
	name = regexp + *regexp + 1;
	*field = 2;
	if (!all_alnum(d + 5, d[4]))
		return "flags are letters and digits (RFC 3403 4.1)";
	*field = 4;
	return *regexp > 0 && *name != 0
		   ? "regexp and replacement exclude each other (RFC 3403 4.1)"
		   : NULL;
}

/* RFC 8659 4.1. */
static const char *
caa_rule(const uint8_t *d, size_t len, unsigned *field)
{
	(void)len;
	*field = 1;
	if (d[1] == 0)
		return "the tag is empty";
	return all_alnum(d + 2, d[1]) ? NULL : "a tag is letters and digits (RFC 8659 4.1)";
}

/* RFC 4398 2.1. */
static const char *
cert_rule(const uint8_t *d, size_t len, unsigned *field)
{
	(void)len;
	*field = 0;
	return get_u16(d) == 0 ? "certificate type 0 is reserved (RFC 4398 2.1)" : NULL;
}

/* RFC 3123 4: family, prefix, negation and length, address without trailing zeros. */
static const char *
apl_rule(const uint8_t *d, size_t len, unsigned *field)
{
	struct rbuf r = rbuf_init(d, len);

	*field = 0;
	while (rbuf_left(&r) > 0) {
		uint16_t family = rbuf_u16(&r);
		uint8_t prefix = rbuf_u8(&r), n = rbuf_u8(&r) & 0x7f;
		const uint8_t *addr = rbuf_bytes(&r, n);

		if (addr == NULL)
			return "an item is cut short (RFC 3123 4)";
		if (n > 0 && addr[n - 1] == 0)
			return "an address ends in a zero octet (RFC 3123 4)";
		if ((family == 1 && (prefix > 32 || n > 4)) ||
		    (family == 2 && (prefix > 128 || n > 16)))
			return "a prefix is longer than an address (RFC 3123 4)";
	}
	return NULL;
}

/* RFC 8005 5: HIT, key, then names to the end. */
static const char *
hip_rule(const uint8_t *d, size_t len, unsigned *field)
{
	struct rbuf r = rbuf_init(d, len);

	rbuf_bytes(&r, 4);
	*field = 3;
	if (d[0] == 0 || get_u16(d + 2) == 0)
		return "HIT and public key are not empty (RFC 8005 5)";
	rbuf_bytes(&r, d[0]);
	rbuf_bytes(&r, get_u16(d + 2));
	while (rbuf_left(&r) > 0)
		rdata_skip_field(&r, RDF_NAME_KEEP);
	return rbuf_ok(&r) ? NULL : "shorter than its lengths say, or a server is not a name";
}

/* RFC 9460 2. */
static const char *
svcb_rule(const uint8_t *d, size_t len, unsigned *field)
{
	size_t at = 2 + name_len(d + 2);

	*field = 2;
	return svcparams_rule(d + at, len - at);
}

static const char *
nspolicy_rule(const uint8_t *rdata, size_t len, unsigned *field)
{
	*field = 1;
	return policy_check(rdata, len);
}

static const struct {
	uint16_t type;
	const char *(*rule)(const uint8_t *, size_t, unsigned *);
} rules[] = {
	{ RR_DS, real_ds_rule },
	{ RR_CDS, cds_rule },
	{ RR_DNSKEY, dnskey_rule },
	{ RR_RRSIG, rrsig_rule },
	{ RR_SSHFP, sshfp_rule },
	{ RR_TLSA, tlsa_rule },
	{ RR_SMIMEA, tlsa_rule },
	{ RR_ZONEMD, zonemd_rule },
	{ RR_NSEC3, nsec3_rule },
	{ RR_LOC, loc_rule },
	{ RR_NAPTR, naptr_rule },
	{ RR_CAA, caa_rule },
	{ RR_APL, apl_rule },
	{ RR_HIP, hip_rule },
	{ RR_CERT, cert_rule },
	{ RR_SVCB, svcb_rule },
	{ RR_HTTPS, svcb_rule },
	{ RR_NSPOLICY, nspolicy_rule },
};

const char *
rdata_value_rule(uint16_t type, const uint8_t *rdata, size_t len, unsigned *field)
{
	if (type < RR_LOC) /* most records: nothing to look for */
		return NULL;
	for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
		if (rules[i].type == type)
			return rules[i].rule(rdata, len, field);
	}
	return NULL;
}
