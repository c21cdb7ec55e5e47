/* ds.c - see ds.h. */
#include "appliance/dns/ds.h"

#include <string.h>

#include <openssl/evp.h>

#include "appliance/dns/name.h"
#include "ipc/base/wbuf.h"

#define DNSKEY_HEAD 4u /* flags, protocol, algorithm */
#define FLAG_ZONE   0x0100u
#define FLAG_REVOKE 0x0080u
#define FLAG_SEP    0x0001u

uint16_t
ds_key_tag(const uint8_t *dnskey, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += i & 1 ? dnskey[i] : (uint32_t)dnskey[i] << 8;
	return (uint16_t)(sum + (sum >> 16));
}

bool
ds_key_is_sep(const uint8_t *dnskey, size_t len)
{
	return len > DNSKEY_HEAD &&
	       (get_u16(dnskey) & (FLAG_ZONE | FLAG_REVOKE | FLAG_SEP)) == (FLAG_ZONE | FLAG_SEP);
}

static const EVP_MD *
digest_of(uint8_t type)
{
	return type == 1           ? EVP_sha1()
	       : type == DS_SHA256 ? EVP_sha256()
	       : type == 4         ? EVP_sha384()
				   : NULL;
}

/* digest = hash(owner in canonical form || DNSKEY rdata) */
static size_t
digest(uint8_t type, const uint8_t *owner, const uint8_t *dnskey, size_t len,
    uint8_t out[EVP_MAX_MD_SIZE])
{
	const EVP_MD *md = digest_of(type);
	EVP_MD_CTX *ctx = md != NULL ? EVP_MD_CTX_new() : NULL;
	uint8_t name[NAME_MAX_WIRE];
	unsigned n = 0;
	bool ok;

	if (ctx == NULL)
		return 0;
	name_lower(name, owner, name_len(owner));
	ok = EVP_DigestInit_ex(ctx, md, NULL) == 1 &&
	     EVP_DigestUpdate(ctx, name, name_len(owner)) == 1 &&
	     EVP_DigestUpdate(ctx, dnskey, len) == 1 && EVP_DigestFinal_ex(ctx, out, &n) == 1;
	EVP_MD_CTX_free(ctx);
	return ok ? n : 0;
}

bool
ds_matches(
    const uint8_t *owner, const uint8_t *ds, size_t ds_len, const uint8_t *dnskey, size_t len)
{
	uint8_t want[EVP_MAX_MD_SIZE];
	size_t n;

	if (ds_len <= 4 || len <= DNSKEY_HEAD || get_u16(ds) != ds_key_tag(dnskey, len) ||
	    ds[2] != dnskey[3])
		return false;
	n = digest(ds[3], owner, dnskey, len, want);
	return n > 0 && n == ds_len - 4 && memcmp(want, ds + 4, n) == 0;
}

size_t
ds_make(const uint8_t *owner, const uint8_t *dnskey, size_t len, uint8_t out[DS_MAX])
{
	uint8_t md[EVP_MAX_MD_SIZE];
	size_t n = len > DNSKEY_HEAD ? digest(DS_SHA256, owner, dnskey, len, md) : 0;

	if (n == 0)
		return 0;
	put_u16(out, ds_key_tag(dnskey, len));
	out[2] = dnskey[3];
	out[3] = DS_SHA256;
	memcpy(out + 4, md, n);
	return 4 + n;
}
