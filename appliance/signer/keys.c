/* keys.c - see keys.h: counting, and key pairs as DNSKEY rdata (RFC 4034 2.1, 6605 4, 8080 3). */
#include "appliance/signer/keys.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/params.h>

#include "appliance/dns/ds.h"
#include "ipc/base/wbuf.h"
#include "ipc/base/xalloc.h"

#define CODE_KEYS       5030
#define DNSKEY_HEAD     4u
#define DNSKEY_PROTOCOL 3u
#define P256_POINT      64u /* in a DNSKEY: without the octet that says "uncompressed" */
#define ED25519_POINT   32u

struct zone_keys *
zone_keys_new(void)
{
	struct zone_keys *keys = xcalloc(1, sizeof *keys);

	keys->refs = 1;
	return keys;
}

struct zone_keys *
zone_keys_ref(struct zone_keys *keys)
{
	keys->refs++;
	return keys;
}

void
zone_keys_unref(struct zone_keys **kp)
{
	struct zone_keys *keys = *kp;

	*kp = NULL;
	if (keys == NULL || --keys->refs > 0)
		return;
	for (unsigned i = 0; i < keys->n; i++)
		EVP_PKEY_free(keys->key[i].pkey);
	free(keys->apex);
	free(keys);
}

static bool
is_closed(const struct zone_key *key)
{
	return key->pkey == NULL && key->closed_len > 0;
}

bool
zone_key_makes(const struct zone_key *key)
{
	return key->flags == KEY_ZSK && key->signs && (key->pkey != NULL || key->closed_len > 0);
}

bool
zone_keys_are_open(const struct zone_keys *keys)
{
	for (unsigned i = 0; i < keys->n; i++) {
		if (is_closed(&keys->key[i]))
			return false;
	}
	return true;
}

enum ns_err
zone_keys_open(struct zone_keys *keys, struct ns_why *why)
{
	enum ns_err err = NS_OK;

	for (unsigned i = 0; i < keys->n && err == NS_OK; i++) {
		if (is_closed(&keys->key[i]))
			err = keys->open(keys->open_arg, keys, &keys->key[i], why);
	}
	return err;
}

/* The public half, as it stands in a DNSKEY; its length, 0: not a key of ours. */
static size_t
public_octets(EVP_PKEY *pkey, enum key_algorithm algorithm, uint8_t out[P256_POINT])
{
	uint8_t point[1 + P256_POINT];
	size_t len = 0;

	if (algorithm == KEY_ED25519) {
		len = ED25519_POINT;
		return EVP_PKEY_get_raw_public_key(pkey, out, &len) == 1 ? len : 0;
	}
	if (EVP_PKEY_get_octet_string_param(
		pkey, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, point, sizeof point, &len) != 1 ||
	    len != sizeof point || point[0] != POINT_CONVERSION_UNCOMPRESSED)
		return 0;
	memcpy(out, point + 1, P256_POINT);
	return P256_POINT;
}

static enum key_algorithm
algorithm_of(EVP_PKEY *pkey)
{
	char group[32];
	size_t len = 0;

	if (EVP_PKEY_is_a(pkey, "ED25519"))
		return KEY_ED25519;
	if (EVP_PKEY_is_a(pkey, "EC") &&
	    EVP_PKEY_get_group_name(pkey, group, sizeof group, &len) == 1 &&
	    strcmp(group, "prime256v1") == 0)
		return KEY_P256;
	return 0;
}

enum ns_err
zone_key_take(struct zone_key *key, EVP_PKEY *pkey, enum key_flags flags, struct ns_why *why)
{
	enum key_algorithm algorithm = algorithm_of(pkey);
	size_t len;

	*key = (struct zone_key){ .flags = (uint16_t)flags, .algorithm = (uint8_t)algorithm };
	len = algorithm != 0 ? public_octets(pkey, algorithm, key->rdata + DNSKEY_HEAD) : 0;
	if (len == 0)
		return ns_fail(why, NS_INVALID, CODE_KEYS, "neither a P-256 nor an Ed25519 key");
	put_u16(key->rdata, key->flags);
	key->rdata[2] = DNSKEY_PROTOCOL;
	key->rdata[3] = key->algorithm;
	key->rdlen = (uint8_t)(DNSKEY_HEAD + len);
	key->tag = ds_key_tag(key->rdata, key->rdlen);
	key->pkey = pkey;
	return NS_OK;
}

enum ns_err
zone_key_generate(
    struct zone_key *key, enum key_algorithm algorithm, enum key_flags flags, struct ns_why *why)
{
	EVP_PKEY *pkey = algorithm == KEY_ED25519 ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")
						  : EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	enum ns_err err;

	if (pkey == NULL)
		return ns_fail(why, NS_FAILED, CODE_KEYS, "OpenSSL made no key");
	err = zone_key_take(key, pkey, flags, why);
	if (err != NS_OK)
		EVP_PKEY_free(pkey);
	return err;
}

EVP_PKEY *
zone_key_p256(void)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	EVP_PKEY *pkey = NULL;
	char group[] = "P-256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
		OSSL_PARAM_construct_end(),
	};

	if (ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_KEY_PARAMETERS, params) != 1)
		pkey = NULL;
	EVP_PKEY_CTX_free(ctx);
	return pkey;
}

static bool
set_point(EVP_PKEY *pkey, const uint8_t *octets)
{
	uint8_t point[1 + P256_POINT] = { POINT_CONVERSION_UNCOMPRESSED };

	memcpy(point + 1, octets, P256_POINT);
	return EVP_PKEY_set1_encoded_public_key(pkey, point, sizeof point) == 1;
}

bool
zone_key_p256_set(EVP_PKEY *pkey, const struct zone_key *key)
{
	return key->rdlen == DNSKEY_HEAD + P256_POINT && set_point(pkey, key->rdata + DNSKEY_HEAD);
}

static EVP_PKEY *
p256_public(const uint8_t *octets)
{
	EVP_PKEY *pkey = zone_key_p256();

	if (pkey != NULL && set_point(pkey, octets))
		return pkey;
	EVP_PKEY_free(pkey);
	return NULL;
}

static bool
is_p256(const uint8_t *rdata, size_t len)
{
	return len == DNSKEY_HEAD + P256_POINT && rdata[3] == KEY_P256;
}

static bool
is_ed25519(const uint8_t *rdata, size_t len)
{
	return len == DNSKEY_HEAD + ED25519_POINT && rdata[3] == KEY_ED25519;
}

bool
zone_key_verifies(const struct zone_key *key)
{
	return is_p256(key->rdata, key->rdlen) || is_ed25519(key->rdata, key->rdlen);
}

EVP_PKEY *
zone_key_public(const uint8_t *rdata, size_t len)
{
	if (is_p256(rdata, len))
		return p256_public(rdata + DNSKEY_HEAD);
	if (is_ed25519(rdata, len))
		return EVP_PKEY_new_raw_public_key(
		    EVP_PKEY_ED25519, NULL, rdata + DNSKEY_HEAD, ED25519_POINT);
	return NULL;
}
