/* passkey - see passkey.h. */
#include "ipc/passkey.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include "ipc/aead.h"

/* N * r * 128 octets, and what OpenSSL needs beside them. */
#define MEMORY_MAX ((1ull << PASSKEY_COST_MAX) * PASSKEY_BLOCK * 128 + (1u << 20))

enum ns_err
passkey_begin(Ns__FleetKeys *m, uint8_t salt[PASSKEY_SALT], struct ns_why *why)
{
	if (RAND_bytes(salt, PASSKEY_SALT) != 1)
		return ns_fail(why, NS_FAILED, PASSKEY_CODE, "no random octets");
	ns__fleet_keys__init(m);
	m->salt = (ProtobufCBinaryData){ PASSKEY_SALT, salt };
	m->cost = PASSKEY_COST;
	m->block = PASSKEY_BLOCK;
	m->lanes = PASSKEY_LANES;
	return NS_OK;
}

enum ns_err
passkey_check(const Ns__FleetKeys *m, struct ns_why *why)
{
	if (m->salt.len == PASSKEY_SALT && m->cost >= 1 && m->cost <= PASSKEY_COST_MAX &&
	    m->block == PASSKEY_BLOCK && m->lanes == PASSKEY_LANES && m->sealed.len <= KEYBLOB_MAX)
		return NS_OK;
	return ns_fail(why, NS_INVALID, PASSKEY_CODE,
	    "the backup's fleet keys are closed in a way that this release does not know");
}

static bool
scrypt(const Ns__FleetKeys *m, const void *pass, size_t len, uint8_t out[KEYBLOB_KEY])
{
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "SCRYPT", NULL);
	EVP_KDF_CTX *ctx = kdf != NULL ? EVP_KDF_CTX_new(kdf) : NULL;
	uint64_t n = 1ull << m->cost, r = m->block, p = m->lanes, most = MEMORY_MAX;
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_octet_string(
		    OSSL_KDF_PARAM_PASSWORD, (void *)(uintptr_t)pass, len),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, m->salt.data, m->salt.len),
		OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_N, &n),
		OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_R, &r),
		OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_P, &p),
		OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_MAXMEM, &most),
		OSSL_PARAM_construct_end(),
	};
	bool ok = ctx != NULL && EVP_KDF_derive(ctx, out, KEYBLOB_KEY, params) == 1;

	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	return ok;
}

enum ns_err
passkey_derive(const Ns__FleetKeys *m, const void *passphrase, size_t len, struct passkey *out,
    struct ns_why *why)
{
	enum ns_err err = passkey_check(m, why);

	if (err == NS_OK && (!scrypt(m, passphrase, len, out->secret) ||
				!aead_x25519_public(out->secret, out->public_key)))
		err = ns_fail(why, NS_FAILED, PASSKEY_CODE,
		    "scrypt cannot be done here: it needs %llu MiB of memory",
		    (1ull << m->cost) * m->block * 128 >> 20);
	if (err != NS_OK)
		passkey_wipe(out);
	return err;
}

enum ns_err
passkey_reseal(const struct passkey *p, const Ns__FleetKeys *m,
    const uint8_t public_key[KEYBLOB_KEY], struct wbuf *out, struct ns_why *why)
{
	uint8_t plain[KEYBLOB_MAX];
	struct keyblob b;
	size_t len = 0;
	enum ns_err err = keyblob_unseal(
	    p->secret, p->public_key, m->sealed.data, m->sealed.len, plain, &len, why);

	if (err == NS_DENIED)
		err = ns_fail(why, NS_DENIED, PASSKEY_CODE,
		    "the passphrase does not open the backup's fleet keys: it is another one, or "
		    "they were altered; nothing was changed");
	if (err == NS_OK && keyblob_read(m->sealed.data, m->sealed.len, &b))
		err = keyblob_seal(public_key, b.epoch, plain, len, out, why);
	OPENSSL_cleanse(plain, sizeof plain);
	return err;
}

void
passkey_wipe(struct passkey *p)
{
	OPENSSL_cleanse(p, sizeof *p);
}
