/* vault - see vault.h. */
#include "appliance/signer/vault.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "appliance/signer/aead.h"
#include "ipc/base/log.h"
#include "ipc/base/rbuf.h"
#include "ipc/base/xalloc.h"

#define CODE_VAULT   5042
#define MAGIC        "NSb1"
#define HEAD         (4u + 4u + 4u + AEAD_NONCE)
#define RING_VERSION 1
#define FILE_NAME    "appliance.key"

struct ring_key {
	enum vault_kind kind; /* of what it wraps */
	uint32_t epoch;
	uint8_t key[VAULT_KEY];
};
struct vault {
	uint8_t secret[VAULT_KEY], public_key[VAULT_KEY]; /* X25519 */
	unsigned n;
	struct ring_key ring[VAULT_RING_MAX];
};

/* What a blob says of itself; points into it. */
struct blob {
	enum vault_kind kind;
	uint32_t epoch;
	const uint8_t *head, *nonce, *ephemeral, *body;
	size_t head_len, body_len; /* body: ciphertext and tag */
};

static bool
blob_read(const uint8_t *data, size_t len, struct blob *b)
{
	struct rbuf r = rbuf_init(data, len);
	const uint8_t *magic = rbuf_bytes(&r, 4);
	uint32_t kind = rbuf_u32(&r);

	b->epoch = rbuf_u32(&r);
	b->nonce = rbuf_bytes(&r, AEAD_NONCE);
	b->kind = kind >> 24;
	if (len > VAULT_BLOB_MAX || !rbuf_ok(&r) || memcmp(magic, MAGIC, 4) != 0 ||
	    (kind & 0xffffff) != 0 || b->kind < VAULT_OWN || b->kind > VAULT_KSK)
		return false;
	b->ephemeral = b->kind == VAULT_SEALED ? rbuf_bytes(&r, VAULT_KEY) : NULL;
	b->head = data;
	b->head_len = HEAD + (b->kind == VAULT_SEALED ? VAULT_KEY : 0);
	if (!rbuf_ok(&r) || rbuf_left(&r) < AEAD_TAG)
		return false;
	b->body_len = rbuf_left(&r);
	b->body = rbuf_bytes(&r, b->body_len);
	return true;
}

uint32_t
vault_blob_epoch(const uint8_t *data, size_t len)
{
	struct blob b;

	return blob_read(data, len, &b) ? b.epoch : 0;
}

/* ---- one blob ---- */
struct maker {
	enum vault_kind kind;
	uint32_t epoch;
	const uint8_t *master; /* VAULT_KEY octets */
	const uint8_t *ephemeral; /* sealed: goes into the header */
	const void *context;
	size_t context_len;
};

static enum ns_err
blob_put(
    const struct maker *m, const uint8_t *plain, size_t len, struct wbuf *out, struct ns_why *why)
{
	uint8_t head[HEAD + VAULT_KEY], body[VAULT_BLOB_MAX];
	size_t head_len = HEAD;
	struct aead a = { .master = m->master,
		.info = (uint8_t)m->kind,
		.head = head,
		.context = m->context,
		.context_len = m->context_len };

	memcpy(head, MAGIC, 4);
	put_u32(head + 4, (uint32_t)m->kind << 24);
	put_u32(head + 8, m->epoch);
	if (RAND_bytes(head + 12, AEAD_NONCE) != 1)
		return ns_fail(why, NS_FAILED, CODE_VAULT, "no random octets");
	if (m->ephemeral != NULL) {
		memcpy(head + HEAD, m->ephemeral, VAULT_KEY);
		head_len += VAULT_KEY;
	}
	a.nonce = head + 12;
	a.head_len = head_len;
	if (len + AEAD_TAG > sizeof body || !aead_close(&a, plain, len, body))
		return ns_fail(why, NS_FAILED, CODE_VAULT, "OpenSSL does not encrypt");
	wbuf_put(out, head, head_len);
	wbuf_put(out, body, len + AEAD_TAG);
	return NS_OK;
}

static bool
blob_get(const struct blob *b, const uint8_t *master, const void *context, size_t context_len,
    uint8_t *plain)
{
	const struct aead a = { .master = master,
		.info = (uint8_t)b->kind,
		.nonce = b->nonce,
		.head = b->head,
		.head_len = b->head_len,
		.context = context,
		.context_len = context_len };

	return aead_open(&a, b->body, b->body_len, plain);
}

/* ---- the key pair of the appliance ---- */
bool
vault_secure_heap(void)
{
	return CRYPTO_secure_malloc_init(VAULT_SECURE, 32) == 1;
}

static enum ns_err
read_kek(int fd, uint8_t kek[VAULT_KEY], struct ns_why *why)
{
	uint8_t more[VAULT_KEY + 1];
	ssize_t n = fd >= 0 ? pread(fd, more, sizeof more, 0) : -1;

	memcpy(kek, more, VAULT_KEY);
	OPENSSL_cleanse(more, sizeof more);
	if (n == VAULT_KEY)
		return NS_OK;
	OPENSSL_cleanse(kek, VAULT_KEY);
	return ns_fail(why, NS_UNAVAILABLE, CODE_VAULT,
	    "this appliance has no key file ([keys] kek: %u octets), so it can keep no key",
	    VAULT_KEY);
}

static enum ns_err
make_pair(struct vault *v, const uint8_t *kek, const char *path, struct ns_why *why)
{
	struct maker m = { .kind = VAULT_OWN, .master = kek, .context = FILE_NAME };
	struct wbuf blob = wbuf_grow(VAULT_BLOB_MAX);
	char fresh[PATH_MAX];
	enum ns_err err = NS_OK;
	int fd;

	m.context_len = strlen(FILE_NAME);
	if (RAND_priv_bytes(v->secret, VAULT_KEY) != 1)
		return ns_fail(why, NS_FAILED, CODE_VAULT, "no random octets");
	err = blob_put(&m, v->secret, VAULT_KEY, &blob, why);
	snprintf(fresh, sizeof fresh, "%.4000s.new", path);
	fd = err == NS_OK ? open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600)
			  : -1;
	if (err == NS_OK && (fd < 0 || write(fd, blob.base, blob.len) != (ssize_t)blob.len ||
				fsync(fd) != 0 || rename(fresh, path) != 0))
		err = ns_fail(why, NS_UNAVAILABLE, CODE_VAULT, "%.200s cannot be written: %s", path,
		    strerror(errno));
	if (fd >= 0)
		close(fd);
	wbuf_free(&blob);
	return err;
}

static enum ns_err
open_pair(struct vault *v, const uint8_t *kek, int fd, const char *path, struct ns_why *why)
{
	uint8_t data[VAULT_BLOB_MAX];
	ssize_t n = read(fd, data, sizeof data);
	struct blob b;

	if (n < 0 || !blob_read(data, (size_t)n, &b) || b.kind != VAULT_OWN ||
	    b.body_len != VAULT_KEY + AEAD_TAG)
		return ns_fail(why, NS_CORRUPT, CODE_VAULT, "%.200s is damaged", path);
	if (!blob_get(&b, kek, FILE_NAME, strlen(FILE_NAME), v->secret))
		return ns_fail(why, NS_DENIED, CODE_VAULT,
		    "[keys] kek does not open %.200s: it is another file than the one that "
		    "appliance was set up with",
		    path);
	return NS_OK;
}

enum ns_err
vault_open(int kek_fd, const char *dir, struct vault **out, struct ns_why *why)
{
	struct vault *v = OPENSSL_secure_zalloc(sizeof *v);
	uint8_t kek[VAULT_KEY];
	char path[PATH_MAX];
	enum ns_err err;
	int fd;

	*out = NULL;
	if (v == NULL)
		return ns_fail(why, NS_FAILED, CODE_VAULT, "no secure memory");
	snprintf(path, sizeof path, "%s/%s", dir, FILE_NAME);
	err = read_kek(kek_fd, kek, why);
	if (err == NS_OK) {
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		if (fd >= 0)
			err = open_pair(v, kek, fd, path, why);
		else if (errno == ENOENT)
			err = make_pair(v, kek, path, why);
		else
			err = ns_fail(
			    why, NS_UNAVAILABLE, CODE_VAULT, "%.200s: %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
	}
	OPENSSL_cleanse(kek, sizeof kek);
	if (err == NS_OK && !aead_x25519_public(v->secret, v->public_key))
		err = ns_fail(why, NS_FAILED, CODE_VAULT, "OpenSSL knows no X25519");
	if (err != NS_OK)
		vault_close(&v);
	*out = v;
	return err;
}

void
vault_close(struct vault **vp)
{
	OPENSSL_secure_clear_free(*vp, sizeof **vp);
	*vp = NULL;
}

const uint8_t *
vault_public(const struct vault *v)
{
	return v->public_key;
}

/* ---- fleet keys ---- */
static const struct ring_key *
newest(const struct vault *v, enum vault_kind kind)
{
	const struct ring_key *best = NULL;

	for (unsigned i = 0; i < v->n; i++)
		if (v->ring[i].kind == kind && (best == NULL || v->ring[i].epoch > best->epoch))
			best = &v->ring[i];
	return best;
}

bool
vault_has(const struct vault *v, enum vault_kind kind)
{
	return newest(v, kind) != NULL;
}

uint32_t
vault_epoch(const struct vault *v, enum vault_kind kind)
{
	const struct ring_key *k = newest(v, kind);

	return k != NULL ? k->epoch : 0;
}

void
vault_forget_before(struct vault *v, uint32_t epoch)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < v->n; i++)
		if (v->ring[i].kind != VAULT_ZSK || v->ring[i].epoch >= epoch)
			v->ring[kept++] = v->ring[i];
	OPENSSL_cleanse(&v->ring[kept], (v->n - kept) * sizeof v->ring[0]);
	v->n = kept;
}

static bool
ring_add(struct vault *v, enum vault_kind kind)
{
	struct ring_key *k = &v->ring[v->n];

	if (v->n == VAULT_RING_MAX || RAND_priv_bytes(k->key, VAULT_KEY) != 1)
		return false;
	k->epoch = vault_epoch(v, kind) + 1;
	k->kind = kind;
	v->n++;
	return true;
}

enum ns_err
vault_make(struct vault *v, struct ns_why *why)
{
	if (v->n > 0 && !vault_has(v, VAULT_KSK))
		return ns_fail(why, NS_DENIED, CODE_VAULT,
		    "this appliance does not have the fleet key for KSKs");
	if (!ring_add(v, VAULT_ZSK) || (!vault_has(v, VAULT_KSK) && !ring_add(v, VAULT_KSK)))
		return ns_fail(why, NS_FAILED, CODE_VAULT,
		    "no new fleet key: %u are in use; wait until zones are wrapped anew", v->n);
	return NS_OK;
}

#define RING_TEXT (2u + VAULT_RING_MAX * (1 + 4 + VAULT_KEY))

static size_t
ring_write(const struct vault *v, bool apex, uint8_t out[RING_TEXT])
{
	struct wbuf w = wbuf_init(out, RING_TEXT);
	unsigned n = 0;

	wbuf_u8(&w, RING_VERSION);
	wbuf_u8(&w, 0);
	for (unsigned i = 0; i < v->n; i++) {
		if (v->ring[i].kind == VAULT_KSK && !apex)
			continue;
		wbuf_u8(&w, (uint8_t)v->ring[i].kind);
		wbuf_u32(&w, v->ring[i].epoch);
		wbuf_put(&w, v->ring[i].key, VAULT_KEY);
		n++;
	}
	out[1] = (uint8_t)n;
	return w.len;
}

static bool
ring_read(struct vault *v, const uint8_t *data, size_t len)
{
	struct rbuf r = rbuf_init(data, len);
	unsigned version = rbuf_u8(&r), n = rbuf_u8(&r);

	if (version != RING_VERSION || n > VAULT_RING_MAX || len != 2 + n * (5u + VAULT_KEY))
		return false;
	for (v->n = 0; v->n < n; v->n++) {
		struct ring_key *k = &v->ring[v->n];

		k->kind = rbuf_u8(&r);
		k->epoch = rbuf_u32(&r);
		memcpy(k->key, rbuf_bytes(&r, VAULT_KEY), VAULT_KEY);
		if ((k->kind != VAULT_ZSK && k->kind != VAULT_KSK) || k->epoch == 0)
			return false;
	}
	return true;
}

enum ns_err
vault_seal(const struct vault *v, const uint8_t public_key[VAULT_KEY], bool apex, struct wbuf *blob,
    struct ns_why *why)
{
	uint8_t secret[VAULT_KEY], ephemeral[VAULT_KEY], shared[VAULT_KEY], text[RING_TEXT];
	struct maker m = { .kind = VAULT_SEALED,
		.epoch = vault_epoch(v, VAULT_ZSK),
		.master = shared,
		.ephemeral = ephemeral,
		.context = public_key,
		.context_len = VAULT_KEY };
	enum ns_err err;

	if (apex && !vault_has(v, VAULT_KSK))
		return ns_fail(why, NS_DENIED, CODE_VAULT,
		    "this appliance does not have the fleet key for KSKs");
	if (RAND_priv_bytes(secret, VAULT_KEY) != 1 || !aead_x25519_public(secret, ephemeral) ||
	    !aead_x25519_shared(secret, public_key, shared))
		err = ns_fail(why, NS_INVALID, CODE_VAULT, "not an X25519 key");
	else
		err = blob_put(&m, text, ring_write(v, apex, text), blob, why);
	OPENSSL_cleanse(secret, sizeof secret);
	OPENSSL_cleanse(shared, sizeof shared);
	OPENSSL_cleanse(text, sizeof text);
	return err;
}

enum ns_err
vault_take(struct vault *v, const uint8_t *data, size_t len, struct ns_why *why)
{
	uint8_t shared[VAULT_KEY], text[VAULT_BLOB_MAX];
	struct vault *fresh;
	struct blob b;
	bool ok = false;

	if (!blob_read(data, len, &b) || b.kind != VAULT_SEALED)
		return ns_fail(
		    why, NS_CORRUPT, CODE_VAULT, "the sealed fleet keys are no such blob");
	fresh = OPENSSL_secure_zalloc(sizeof *fresh);
	if (fresh != NULL && aead_x25519_shared(v->secret, b.ephemeral, shared) &&
	    blob_get(&b, shared, v->public_key, VAULT_KEY, text))
		ok = ring_read(fresh, text, b.body_len - AEAD_TAG);
	if (ok) {
		memcpy(v->ring, fresh->ring, sizeof v->ring);
		v->n = fresh->n;
	}
	OPENSSL_secure_clear_free(fresh, sizeof *fresh);
	OPENSSL_cleanse(shared, sizeof shared);
	OPENSSL_cleanse(text, sizeof text);
	return ok ? NS_OK
		  : ns_fail(why, NS_DENIED, CODE_VAULT,
			"the fleet keys were not sealed to this appliance's key");
}

/* ---- zone keys ---- */
enum ns_err
vault_wrap(const struct vault *v, enum vault_kind kind, const uint8_t secret[VAULT_KEY],
    const void *context, size_t context_len, struct wbuf *blob, struct ns_why *why)
{
	const struct ring_key *k = newest(v, kind);
	struct maker m = { .kind = kind, .context = context, .context_len = context_len };

	if (k == NULL)
		return ns_fail(why, NS_DENIED, CODE_VAULT,
		    "this appliance does not have the fleet key for %s",
		    kind == VAULT_KSK ? "KSKs" : "ZSKs");
	m.epoch = k->epoch;
	m.master = k->key;
	return blob_put(&m, secret, VAULT_KEY, blob, why);
}

enum ns_err
vault_unwrap(const struct vault *v, enum vault_kind kind, const uint8_t *data, size_t len,
    const void *context, size_t context_len, uint8_t secret[VAULT_KEY], struct ns_why *why)
{
	struct blob b;

	if (!blob_read(data, len, &b) || b.kind != kind || b.body_len != VAULT_KEY + AEAD_TAG)
		return ns_fail(why, NS_CORRUPT, CODE_VAULT, "a wrapped key is no such blob");
	for (unsigned i = 0; i < v->n; i++) {
		if (v->ring[i].kind != kind || v->ring[i].epoch != b.epoch)
			continue;
		if (blob_get(&b, v->ring[i].key, context, context_len, secret))
			return NS_OK;
		return ns_fail(why, NS_CORRUPT, CODE_VAULT,
		    "a wrapped key does not open: it is damaged, or not of this zone");
	}
	return ns_fail(why, NS_DENIED, CODE_VAULT,
	    "this appliance does not have the fleet key that opens a %s (number %u)",
	    kind == VAULT_KSK ? "KSK" : "ZSK", b.epoch);
}
