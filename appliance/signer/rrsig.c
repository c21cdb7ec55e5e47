/* rrsig.c - see rrsig.h.
 *
 * ECDSA signs a digest with one EVP_PKEY_CTX per key that is kept: setting one up costs a tenth of a
 * signature.  It verifies with one key and one context for all, in which the point alone is set: a key made from
 * rdata costs half a verification, setting the point a fortieth.  Ed25519 signs the whole message, with one
 * context of a key as well. */
#include "appliance/signer/rrsig.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>

#include "appliance/dns/codes.h"
#include "appliance/dns/rrtype.h"
#include "ipc/base/hash.h"
#include "ipc/base/log.h"
#include "ipc/base/xalloc.h"

#define CLASS_IN   1u
#define P256_HALF  32u
#define DER_MAX    80u
#define SHA256_LEN 32u

struct rrsigner {
	EVP_MD *sha256;
	EVP_MD_CTX *md;
	struct wbuf message;
	EVP_PKEY *pkey; /* that `sign` is for; a reference */
	EVP_PKEY_CTX *sign;
	EVP_MD_CTX
	*sign_whole; /* the same of Ed25519, which takes the message; NULL: not set up yet */
	EVP_PKEY *p256; /* of the DNSKEY below; NULL: none yet */
	EVP_PKEY_CTX *verify; /* for it */
	EVP_PKEY *ed25519; /* the same */
	uint8_t of_p256[DNSKEY_RDATA_MAX], of_ed25519[DNSKEY_RDATA_MAX];
};

struct rrsigner *
rrsigner_new(void)
{
	struct rrsigner *s = xcalloc(1, sizeof *s);

	s->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	s->md = EVP_MD_CTX_new();
	if (s->sha256 == NULL || s->md == NULL)
		fatal("signer.openssl", "text=\"SHA-256 is not available\"");
	s->message = wbuf_grow(SIZE_MAX / 2);
	return s;
}

static void
drop_key(struct rrsigner *s)
{
	EVP_PKEY_CTX_free(s->sign);
	EVP_MD_CTX_free(s->sign_whole);
	EVP_PKEY_free(s->pkey);
	s->sign_whole = NULL;
	s->sign = NULL;
	s->pkey = NULL;
}

void
rrsigner_destroy(struct rrsigner **sp)
{
	struct rrsigner *s = *sp;

	*sp = NULL;
	if (s == NULL)
		return;
	drop_key(s);
	EVP_PKEY_CTX_free(s->verify);
	EVP_PKEY_free(s->p256);
	EVP_PKEY_free(s->ed25519);
	EVP_MD_CTX_free(s->md);
	EVP_MD_free(s->sha256);
	wbuf_free(&s->message);
	free(s);
}

/* ---- times ---- */

struct rrsig_window
rrsig_window(const uint8_t *owner, uint16_t type, uint32_t now)
{
	static const uint8_t key[16] = "signature jitter";
	uint8_t what[NAME_MAX_WIRE + 2];
	size_t len = name_len(owner);
	uint64_t jitter;

	memcpy(what, owner, len);
	put_u16(what + len, type);
	jitter = hash_sip24(key, what, len + 2) % RRSIG_JITTER;
	return (struct rrsig_window){ now - RRSIG_SKEW, now + RRSIG_VALID - (uint32_t)jitter };
}

bool
rrsig_read(const uint8_t *rdata, size_t len, struct rrsig *sig)
{
	size_t name;

	if (len <= RRSIG_HEAD)
		return false;
	name = name_check(rdata + RRSIG_HEAD, len - RRSIG_HEAD);
	if (name == 0)
		return false;
	*sig = (struct rrsig){
		.type = get_u16(rdata),
		.algorithm = rdata[2],
		.labels = rdata[3],
		.ttl = get_u32(rdata + 4),
		.window = { .expiration = get_u32(rdata + 8), .inception = get_u32(rdata + 12) },
		.tag = get_u16(rdata + 16),
		.signer = rdata + RRSIG_HEAD,
		.sig = rdata + RRSIG_HEAD + name,
		.sig_len = len - RRSIG_HEAD - name,
	};
	return true;
}

int32_t
rrsig_left(const struct rrsig *sig, uint32_t now)
{
	return (int32_t)(sig->window.expiration - now);
}

bool
rrsig_is_valid_at(const struct rrsig *sig, uint32_t now)
{
	return rrsig_left(sig, now) > 0 && (int32_t)(now - sig->window.inception) >= 0;
}

bool
rrsig_is_due(const struct rrsig *sig, uint32_t now)
{
	return rrsig_left(sig, now) < (int32_t)(RRSIG_SPARE + RRSIG_SOON);
}

/* ---- what is signed ---- */

uint8_t
rrsig_labels(const uint8_t *owner)
{
	return (uint8_t)(name_labels(owner) - (name_is_wild(owner) ? 1u : 0u));
}

/* RFC 4034 3.1.8.1: the RRs of the set, behind what is in s->message already. */
static void
put_records(struct rrsigner *s, const struct rrset *set)
{
	struct rbuf r = rbuf_init(set->rdata, set->rdata_len);
	uint8_t head[8];
	const uint8_t *rdata;
	size_t len;

	put_u16(head, set->type);
	put_u16(head + 2, CLASS_IN);
	put_u32(head + 4, set->ttl);
	while ((rdata = rrset_next_rdata(&r, &len)) != NULL) {
		wbuf_put(&s->message, set->owner, set->owner_len);
		wbuf_put(&s->message, head, sizeof head);
		wbuf_u16(&s->message, (uint16_t)len);
		wbuf_put(&s->message, rdata, len);
		rdata_canonical(set->type, s->message.base + s->message.len - len, len);
	}
}

static void
digest(struct rrsigner *s, uint8_t out[SHA256_LEN])
{
	if (EVP_DigestInit_ex(s->md, s->sha256, NULL) != 1 ||
	    EVP_DigestUpdate(s->md, s->message.base, s->message.len) != 1 ||
	    EVP_DigestFinal_ex(s->md, out, NULL) != 1)
		fatal("signer.openssl", "text=\"SHA-256 failed\"");
}

void
rrsigner_print(struct rrsigner *s, const struct rrset *set, uint8_t out[RRSIG_PRINT])
{
	uint8_t md[SHA256_LEN];

	s->message.len = 0;
	put_records(s, set);
	digest(s, md);
	memcpy(out, md, RRSIG_PRINT);
}

/* ---- P-256: r and s of 32 octets each on the wire, DER in OpenSSL ---- */

static bool
raw_from_der(const uint8_t *der, size_t len, uint8_t out[RRSIG_SIG_LEN])
{
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)len);
	bool ok = sig != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(sig), out, P256_HALF) >= 0 &&
		  BN_bn2binpad(ECDSA_SIG_get0_s(sig), out + P256_HALF, P256_HALF) >= 0;

	ECDSA_SIG_free(sig);
	return ok;
}

static size_t
der_from_raw(const uint8_t *raw, uint8_t out[DER_MAX])
{
	ECDSA_SIG *sig = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(raw, P256_HALF, NULL),
	       *s = BN_bin2bn(raw + P256_HALF, P256_HALF, NULL);
	uint8_t *p = out;
	int len = 0;

	if (sig == NULL || r == NULL || s == NULL || ECDSA_SIG_set0(sig, r, s) != 1) {
		BN_free(r);
		BN_free(s);
	} else {
		len = i2d_ECDSA_SIG(sig, &p);
	}
	ECDSA_SIG_free(sig);
	return len > 0 ? (size_t)len : 0;
}

static void
use_key(struct rrsigner *s, EVP_PKEY *pkey)
{
	if (s->pkey == pkey)
		return;
	drop_key(s);
	if (EVP_PKEY_up_ref(pkey) == 1)
		s->pkey = pkey;
}

static bool
p256_sign(struct rrsigner *s, uint8_t out[RRSIG_SIG_LEN])
{
	uint8_t md[SHA256_LEN], der[DER_MAX];
	size_t len = sizeof der;

	if (s->sign == NULL) {
		s->sign = EVP_PKEY_CTX_new_from_pkey(NULL, s->pkey, NULL);
		if (s->sign == NULL || EVP_PKEY_sign_init(s->sign) != 1)
			return false;
	}
	digest(s, md);
	return EVP_PKEY_sign(s->sign, der, &len, md, sizeof md) == 1 && raw_from_der(der, len, out);
}

static bool
p256_use(struct rrsigner *s, const struct zone_key *key)
{
	if (s->verify == NULL) {
		s->p256 = zone_key_p256();
		s->verify = EVP_PKEY_CTX_new_from_pkey(NULL, s->p256, NULL);
		if (s->verify == NULL || EVP_PKEY_verify_init(s->verify) != 1)
			fatal("signer.openssl", "text=\"P-256 is not available\"");
	}
	if (memcmp(s->of_p256, key->rdata, sizeof s->of_p256) == 0)
		return true;
	memset(s->of_p256, 0, sizeof s->of_p256);
	if (!zone_key_p256_set(s->p256, key))
		return false;
	memcpy(s->of_p256, key->rdata, sizeof s->of_p256);
	return true;
}

static bool
p256_verify(struct rrsigner *s, const struct zone_key *key, const uint8_t *sig)
{
	uint8_t md[SHA256_LEN], der[DER_MAX];
	size_t len = der_from_raw(sig, der);

	digest(s, md);
	return len > 0 && p256_use(s, key) &&
	       EVP_PKEY_verify(s->verify, der, len, md, sizeof md) == 1;
}

static bool
sign_whole(struct rrsigner *s, uint8_t out[RRSIG_SIG_LEN])
{
	size_t len = RRSIG_SIG_LEN;

	return s->sign_whole != NULL &&
	       EVP_DigestSign(s->sign_whole, out, &len, s->message.base, s->message.len) == 1 &&
	       len == RRSIG_SIG_LEN;
}

/* One context for all of a key's, as `openssl speed` has it; a library that takes none twice gets a fresh one. */
static bool
ed25519_sign(struct rrsigner *s, uint8_t out[RRSIG_SIG_LEN])
{
	if (sign_whole(s, out))
		return true;
	ERR_clear_error();
	EVP_MD_CTX_free(s->sign_whole);
	s->sign_whole = EVP_MD_CTX_new();
	return s->sign_whole != NULL &&
	       EVP_DigestSignInit(s->sign_whole, NULL, NULL, NULL, s->pkey) == 1 &&
	       sign_whole(s, out);
}

static bool
ed25519_verify(struct rrsigner *s, const struct zone_key *key, const uint8_t *sig)
{
	EVP_MD_CTX *ctx;
	bool ok;

	if (s->ed25519 == NULL || memcmp(s->of_ed25519, key->rdata, sizeof s->of_ed25519) != 0) {
		EVP_PKEY_free(s->ed25519);
		s->ed25519 = zone_key_public(key->rdata, key->rdlen);
		memcpy(s->of_ed25519, key->rdata, sizeof s->of_ed25519);
	}
	ctx = s->ed25519 != NULL ? EVP_MD_CTX_new() : NULL;
	ok = ctx != NULL && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, s->ed25519) == 1 &&
	     EVP_DigestVerify(ctx, sig, RRSIG_SIG_LEN, s->message.base, s->message.len) == 1;
	EVP_MD_CTX_free(ctx);
	return ok;
}

/* ---- the two ---- */

size_t
rrsigner_make(struct rrsigner *s, const struct rrset *set, const struct zone_key *key,
    const uint8_t *apex, struct rrsig_window window, uint8_t out[RRSIG_MAX])
{
	size_t len = RRSIG_HEAD;

	put_u16(out, set->type);
	out[2] = key->algorithm;
	out[3] = rrsig_labels(set->owner);
	put_u32(out + 4, set->ttl);
	put_u32(out + 8, window.expiration);
	put_u32(out + 12, window.inception);
	put_u16(out + 16, key->tag);
	name_lower(out + len, apex, name_len(apex));
	len += name_len(apex);
	s->message.len = 0;
	wbuf_put(&s->message, out, len);
	put_records(s, set);
	use_key(s, key->pkey);
	if (!(key->algorithm == KEY_P256 ? p256_sign(s, out + len) : ed25519_sign(s, out + len)))
		fatal("signer.openssl", "tag=%u text=\"a signature cannot be made\"", key->tag);
	return len + RRSIG_SIG_LEN;
}

bool
rrsigner_verify(struct rrsigner *s, const struct rrset *set, const struct zone_key *key,
    const uint8_t *rdata, size_t len)
{
	struct rrsig sig;
	uint8_t head[RRSIG_MAX];
	size_t head_len;

	if (!rrsig_read(rdata, len, &sig) || sig.sig_len != RRSIG_SIG_LEN ||
	    sig.type != set->type || sig.ttl != set->ttl || sig.algorithm != key->algorithm ||
	    sig.tag != key->tag || sig.labels != rrsig_labels(set->owner))
		return false;
	head_len = len - RRSIG_SIG_LEN;
	memcpy(head, rdata, RRSIG_HEAD);
	name_lower(head + RRSIG_HEAD, sig.signer, head_len - RRSIG_HEAD);
	s->message.len = 0;
	wbuf_put(&s->message, head, head_len);
	put_records(s, set);
	return key->algorithm == KEY_P256 ? p256_verify(s, key, sig.sig)
					  : ed25519_verify(s, key, sig.sig);
}
