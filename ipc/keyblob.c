/* keyblob - see keyblob.h. */
#include "ipc/keyblob.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "ipc/aead.h"
#include "ipc/base/rbuf.h"

#define CODE_BLOB 5042
#define MAGIC     "NSb1"
#define HEAD      (4u + 4u + 4u + AEAD_NONCE)

bool
keyblob_read(const uint8_t *data, size_t len, struct keyblob *b)
{
	struct rbuf r = rbuf_init(data, len);
	const uint8_t *magic = rbuf_bytes(&r, 4);
	uint32_t kind = rbuf_u32(&r);

	b->epoch = rbuf_u32(&r);
	b->nonce = rbuf_bytes(&r, AEAD_NONCE);
	b->kind = (uint8_t)(kind >> 24);
	if (len > KEYBLOB_MAX || !rbuf_ok(&r) || memcmp(magic, MAGIC, 4) != 0 ||
	    (kind & 0xffffff) != 0)
		return false;
	b->ephemeral = b->kind == KEYBLOB_SEALED ? rbuf_bytes(&r, KEYBLOB_KEY) : NULL;
	b->head = data;
	b->head_len = HEAD + (b->kind == KEYBLOB_SEALED ? KEYBLOB_KEY : 0);
	if (!rbuf_ok(&r) || rbuf_left(&r) < AEAD_TAG)
		return false;
	b->body_len = rbuf_left(&r);
	b->body = rbuf_bytes(&r, b->body_len);
	return true;
}

bool
keyblob_get(const struct keyblob *b, const uint8_t master[KEYBLOB_KEY], const void *context,
    size_t context_len, uint8_t *plain)
{
	const struct aead a = { .master = master,
		.info = b->kind,
		.nonce = b->nonce,
		.head = b->head,
		.head_len = b->head_len,
		.context = context,
		.context_len = context_len };

	return aead_open(&a, b->body, b->body_len, plain);
}

enum ns_err
keyblob_put(const struct keyblob_maker *m, const uint8_t *plain, size_t len, struct wbuf *out,
    struct ns_why *why)
{
	uint8_t head[HEAD + KEYBLOB_KEY], body[KEYBLOB_MAX];
	size_t head_len = HEAD;
	struct aead a = { .master = m->master,
		.info = m->kind,
		.head = head,
		.context = m->context,
		.context_len = m->context_len };

	memcpy(head, MAGIC, 4);
	put_u32(head + 4, (uint32_t)m->kind << 24);
	put_u32(head + 8, m->epoch);
	if (RAND_bytes(head + 12, AEAD_NONCE) != 1)
		return ns_fail(why, NS_FAILED, CODE_BLOB, "no random octets");
	if (m->ephemeral != NULL) {
		memcpy(head + HEAD, m->ephemeral, KEYBLOB_KEY);
		head_len += KEYBLOB_KEY;
	}
	a.nonce = head + 12;
	a.head_len = head_len;
	if (head_len + len + AEAD_TAG > KEYBLOB_MAX || !aead_close(&a, plain, len, body))
		return ns_fail(why, NS_FAILED, CODE_BLOB, "OpenSSL does not encrypt");
	wbuf_put(out, head, head_len);
	wbuf_put(out, body, len + AEAD_TAG);
	return NS_OK;
}

/* ---- sealed to an X25519 key ---- */
enum ns_err
keyblob_seal(const uint8_t public_key[KEYBLOB_KEY], uint32_t epoch, const uint8_t *plain,
    size_t len, struct wbuf *out, struct ns_why *why)
{
	uint8_t secret[KEYBLOB_KEY], ephemeral[KEYBLOB_KEY], shared[KEYBLOB_KEY];
	const struct keyblob_maker m = { .kind = KEYBLOB_SEALED,
		.epoch = epoch,
		.master = shared,
		.ephemeral = ephemeral,
		.context = public_key,
		.context_len = KEYBLOB_KEY };
	enum ns_err err;

	if (RAND_priv_bytes(secret, sizeof secret) != 1 || !aead_x25519_public(secret, ephemeral) ||
	    !aead_x25519_shared(secret, public_key, shared))
		err = ns_fail(why, NS_INVALID, CODE_BLOB, "not an X25519 key");
	else
		err = keyblob_put(&m, plain, len, out, why);
	OPENSSL_cleanse(secret, sizeof secret);
	OPENSSL_cleanse(shared, sizeof shared);
	return err;
}

enum ns_err
keyblob_unseal(const uint8_t secret[KEYBLOB_KEY], const uint8_t public_key[KEYBLOB_KEY],
    const uint8_t *blob, size_t len, uint8_t plain[KEYBLOB_MAX], size_t *plain_len,
    struct ns_why *why)
{
	uint8_t shared[KEYBLOB_KEY];
	struct keyblob b;
	bool ok;

	if (!keyblob_read(blob, len, &b) || b.kind != KEYBLOB_SEALED)
		return ns_fail(
		    why, NS_CORRUPT, CODE_BLOB, "the sealed fleet keys are no such blob");
	*plain_len = b.body_len - AEAD_TAG;
	ok = aead_x25519_shared(secret, b.ephemeral, shared) &&
	     keyblob_get(&b, shared, public_key, KEYBLOB_KEY, plain);
	OPENSSL_cleanse(shared, sizeof shared);
	return ok ? NS_OK
		  : ns_fail(why, NS_DENIED, CODE_BLOB,
			"the fleet keys were not sealed to this appliance's key");
}
