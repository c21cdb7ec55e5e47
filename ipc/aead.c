/* aead - see aead.h. */
#include "ipc/aead.h"

#include <limits.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

static bool
derive(const struct aead *a, uint8_t key[AEAD_KEY])
{
	static char digest[] = "SHA256";
	char info[] = "nameserve blob  ";
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *ctx = kdf != NULL ? EVP_KDF_CTX_new(kdf) : NULL;
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_octet_string(
		    OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)a->master, AEAD_KEY),
		OSSL_PARAM_construct_octet_string(
		    OSSL_KDF_PARAM_SALT, (void *)(uintptr_t)a->nonce, AEAD_NONCE),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info, sizeof info - 1),
		OSSL_PARAM_construct_end(),
	};
	bool ok;

	info[sizeof info - 2] = (char)('0' + a->info);
	ok = ctx != NULL && EVP_KDF_derive(ctx, key, AEAD_KEY, params) == 1;
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	return ok;
}

static bool
associate(EVP_CIPHER_CTX *ctx, const struct aead *a, bool encrypt)
{
	int (*update)(EVP_CIPHER_CTX *, unsigned char *, int *, const unsigned char *, int) =
	    encrypt ? EVP_EncryptUpdate : EVP_DecryptUpdate;
	int n;

	if (a->head_len > INT_MAX || a->context_len > INT_MAX)
		return false;
	return update(ctx, NULL, &n, a->head, (int)a->head_len) == 1 &&
	       (a->context_len == 0 || update(ctx, NULL, &n, a->context, (int)a->context_len) == 1);
}

bool
aead_close(const struct aead *a, const uint8_t *plain, size_t len, uint8_t *out)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t key[AEAD_KEY];
	int n = 0, end = 0;
	bool ok = ctx != NULL && len <= INT_MAX && derive(a, key) &&
		  EVP_EncryptInit_ex2(ctx, EVP_aes_256_gcm(), key, a->nonce, NULL) == 1 &&
		  associate(ctx, a, true) &&
		  EVP_EncryptUpdate(ctx, out, &n, plain, (int)len) == 1 &&
		  EVP_EncryptFinal_ex(ctx, out + n, &end) == 1 && (size_t)(n + end) == len &&
		  EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, AEAD_TAG, out + len) == 1;

	OPENSSL_cleanse(key, sizeof key);
	EVP_CIPHER_CTX_free(ctx);
	return ok;
}

bool
aead_open(const struct aead *a, const uint8_t *body, size_t len, uint8_t *out)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	size_t plain = len - AEAD_TAG;
	uint8_t key[AEAD_KEY];
	int n = 0, end = 0;
	bool ok = ctx != NULL && len >= AEAD_TAG && len <= INT_MAX && derive(a, key) &&
		  EVP_DecryptInit_ex2(ctx, EVP_aes_256_gcm(), key, a->nonce, NULL) == 1 &&
		  associate(ctx, a, false) &&
		  EVP_DecryptUpdate(ctx, out, &n, body, (int)plain) == 1 &&
		  EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, AEAD_TAG,
		      (void *)(uintptr_t)(body + plain)) == 1 &&
		  EVP_DecryptFinal_ex(ctx, out + n, &end) == 1;

	if (!ok && len >= AEAD_TAG)
		OPENSSL_cleanse(out, plain);
	OPENSSL_cleanse(key, sizeof key);
	EVP_CIPHER_CTX_free(ctx);
	return ok;
}

bool
aead_x25519_public(const uint8_t secret[AEAD_KEY], uint8_t out[AEAD_KEY])
{
	EVP_PKEY *own = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, secret, AEAD_KEY);
	size_t len = AEAD_KEY;
	bool ok = own != NULL && EVP_PKEY_get_raw_public_key(own, out, &len) == 1;

	EVP_PKEY_free(own);
	return ok;
}

/* OpenSSL refuses points of small order: the result would be zero. */
bool
aead_x25519_shared(
    const uint8_t secret[AEAD_KEY], const uint8_t theirs[AEAD_KEY], uint8_t out[AEAD_KEY])
{
	EVP_PKEY *own = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, secret, AEAD_KEY);
	EVP_PKEY *peer = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, theirs, AEAD_KEY);
	EVP_PKEY_CTX *ctx = own != NULL ? EVP_PKEY_CTX_new(own, NULL) : NULL;
	size_t len = AEAD_KEY;
	bool ok = ctx != NULL && peer != NULL && EVP_PKEY_derive_init(ctx) == 1 &&
		  EVP_PKEY_derive_set_peer(ctx, peer) == 1 &&
		  EVP_PKEY_derive(ctx, out, &len) == 1 && len == AEAD_KEY;

	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(peer);
	EVP_PKEY_free(own);
	return ok;
}
