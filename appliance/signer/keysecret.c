/* keysecret - see keysecret.h. */
#include "appliance/signer/keysecret.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>

#include "appliance/dns/ds.h"
#include "appliance/dns/name.h"
#include "ipc/base/xalloc.h"

#define CODE_SECRET 5043
#define RDATA_HEAD  4u
#define P256_OCTETS 64u

static enum vault_kind
kind_of(const uint8_t *rdata)
{
	return get_u16(rdata) == KEY_KSK ? VAULT_KSK : VAULT_ZSK;
}

struct context {
	uint8_t octets[NAME_MAX_WIRE + DNSKEY_RDATA_MAX];
	size_t len;
};

static void
context_of(const uint8_t *zone, const uint8_t *rdata, size_t len, struct context *c)
{
	c->len = name_len(zone);
	memcpy(c->octets, zone, c->len);
	memcpy(c->octets + c->len, rdata, len);
	c->len += len;
}

static bool
export_secret(const struct zone_key *k, uint8_t secret[VAULT_KEY])
{
	BIGNUM *bn = NULL;
	size_t len = VAULT_KEY;
	bool ok;

	if (k->algorithm == KEY_ED25519)
		return EVP_PKEY_get_raw_private_key(k->pkey, secret, &len) == 1 && len == VAULT_KEY;
	ok = EVP_PKEY_get_bn_param(k->pkey, OSSL_PKEY_PARAM_PRIV_KEY, &bn) == 1 &&
	     BN_bn2binpad(bn, secret, VAULT_KEY) == VAULT_KEY;
	BN_clear_free(bn);
	return ok;
}

static EVP_PKEY *
p256_pair(const uint8_t *point_octets, const uint8_t secret[VAULT_KEY])
{
	uint8_t point[1 + P256_OCTETS] = { POINT_CONVERSION_UNCOMPRESSED };
	BIGNUM *bn = BN_secure_new();
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	OSSL_PARAM *params = NULL;
	EVP_PKEY *pkey = NULL;

	memcpy(point + 1, point_octets, P256_OCTETS);
	if (bn != NULL && bld != NULL && BN_bin2bn(secret, VAULT_KEY, bn) != NULL &&
	    OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) == 1 &&
	    OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point) ==
		1 &&
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_PRIV_KEY, bn) == 1)
		params = OSSL_PARAM_BLD_to_param(bld);
	if (params == NULL || ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_KEYPAIR, params) != 1)
		pkey = NULL;
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(bld);
	EVP_PKEY_CTX_free(ctx);
	BN_clear_free(bn);
	return pkey;
}

/* OpenSSL keeps an imported key of this kind in common memory, its copy in the secure heap. */
static EVP_PKEY *
ed25519_pair(const uint8_t secret[VAULT_KEY])
{
	EVP_PKEY *common = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret, VAULT_KEY);
	EVP_PKEY *pkey = common != NULL ? EVP_PKEY_dup(common) : NULL;

	EVP_PKEY_free(common); /* wiped */
	return pkey;
}

static EVP_PKEY *
pair_of(const uint8_t *rdata, const uint8_t secret[VAULT_KEY])
{
	return rdata[3] == KEY_ED25519 ? ed25519_pair(secret)
				       : p256_pair(rdata + RDATA_HEAD, secret);
}

static enum ns_err
wrap(const struct vault *v, const uint8_t *zone, const uint8_t *rdata, size_t len,
    const uint8_t secret[VAULT_KEY], Ns__ZoneKeys__Key *m, struct ns_why *why)
{
	struct wbuf blob = wbuf_grow(VAULT_BLOB_MAX);
	struct context c;
	enum ns_err err;

	context_of(zone, rdata, len, &c);
	err = vault_wrap(v, kind_of(rdata), secret, c.octets, c.len, &blob, why);
	if (err != NS_OK) {
		wbuf_free(&blob);
		return err;
	}
	free(m->wrapped.data);
	m->wrapped = (ProtobufCBinaryData){ blob.len, blob.base }; /* malloc'ed: the message's */
	return NS_OK;
}

enum ns_err
keysecret_wrap(const struct vault *v, const uint8_t *zone, const struct zone_key *k,
    Ns__ZoneKeys__Key *m, struct ns_why *why)
{
	uint8_t secret[VAULT_KEY];
	enum ns_err err;

	if (!export_secret(k, secret))
		return ns_fail(why, NS_FAILED, CODE_SECRET, "OpenSSL does not give the new key");
	err = wrap(v, zone, k->rdata, k->rdlen, secret, m, why);
	OPENSSL_cleanse(secret, sizeof secret);
	if (err != NS_OK)
		return err;
	m->dnskey.data = xmalloc(k->rdlen);
	m->dnskey.len = k->rdlen;
	memcpy(m->dnskey.data, k->rdata, k->rdlen);
	return NS_OK;
}

static enum ns_err
unwrap(const struct vault *v, const uint8_t *zone, const Ns__ZoneKeys__Key *m,
    uint8_t secret[VAULT_KEY], struct ns_why *why)
{
	struct context c;

	context_of(zone, m->dnskey.data, m->dnskey.len, &c);
	return vault_unwrap(v, kind_of(m->dnskey.data), m->wrapped.data, m->wrapped.len, c.octets,
	    c.len, secret, why);
}

static enum ns_err
take(EVP_PKEY *pkey, const Ns__ZoneKeys__Key *m, struct zone_key *k, struct ns_why *why)
{
	enum ns_err err =
	    pkey == NULL ? NS_CORRUPT : zone_key_take(k, pkey, get_u16(m->dnskey.data), why);

	if (err == NS_OK &&
	    (k->rdlen != m->dnskey.len || memcmp(k->rdata, m->dnskey.data, k->rdlen) != 0)) {
		k->pkey = NULL;
		err = NS_CORRUPT;
	}
	if (err != NS_OK) {
		EVP_PKEY_free(pkey);
		return ns_fail(why, NS_CORRUPT, CODE_SECRET, "a key is not that of its DNSKEY");
	}
	return NS_OK;
}

enum ns_err
keysecret_open(const struct vault *v, const uint8_t *zone, const Ns__ZoneKeys__Key *m,
    struct zone_key *k, struct ns_why *why)
{
	uint8_t secret[VAULT_KEY];
	enum ns_err err = unwrap(v, zone, m, secret, why);

	if (err == NS_OK)
		err = take(pair_of(m->dnskey.data, secret), m, k, why);
	OPENSSL_cleanse(secret, sizeof secret);
	return err;
}

enum ns_err
keysecret_public(const Ns__ZoneKeys__Key *m, struct zone_key *k, struct ns_why *why)
{
	if (m->dnskey.len > sizeof k->rdata)
		return ns_fail(why, NS_CORRUPT, CODE_SECRET, "a DNSKEY is too long");
	*k = (struct zone_key){ .flags = get_u16(m->dnskey.data),
		.algorithm = m->dnskey.data[3],
		.tag = ds_key_tag(m->dnskey.data, m->dnskey.len),
		.rdlen = (uint8_t)m->dnskey.len };
	memcpy(k->rdata, m->dnskey.data, m->dnskey.len);
	return NS_OK;
}

enum ns_err
keysecret_rewrap(
    const struct vault *v, const uint8_t *zone, Ns__ZoneKeys__Key *m, struct ns_why *why)
{
	uint8_t secret[VAULT_KEY];
	enum ns_err err = unwrap(v, zone, m, secret, why);

	if (err == NS_OK)
		err = wrap(v, zone, m->dnskey.data, m->dnskey.len, secret, m, why);
	OPENSSL_cleanse(secret, sizeof secret);
	return err;
}
