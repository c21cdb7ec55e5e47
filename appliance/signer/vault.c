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
#include <openssl/rand.h>

#include "ipc/aead.h"
#include "ipc/base/log.h"
#include "ipc/base/rbuf.h"
#include "ipc/base/xalloc.h"
#include "ipc/keyblob.h"

#define CODE_VAULT   5042
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

uint32_t
vault_blob_epoch(const uint8_t *data, size_t len)
{
	struct keyblob b;

	return keyblob_read(data, len, &b) ? b.epoch : 0;
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
	struct keyblob_maker m = { .kind = VAULT_OWN, .master = kek, .context = FILE_NAME };
	struct wbuf blob = wbuf_grow(VAULT_BLOB_MAX);
	char fresh[PATH_MAX];
	enum ns_err err = NS_OK;
	int fd;

	m.context_len = strlen(FILE_NAME);
	if (RAND_priv_bytes(v->secret, VAULT_KEY) != 1)
		return ns_fail(why, NS_FAILED, CODE_VAULT, "no random octets");
	err = keyblob_put(&m, v->secret, VAULT_KEY, &blob, why);
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
	struct keyblob b;

	if (n < 0 || !keyblob_read(data, (size_t)n, &b) || b.kind != VAULT_OWN ||
	    b.body_len != VAULT_KEY + AEAD_TAG)
		return ns_fail(why, NS_CORRUPT, CODE_VAULT, "%.200s is damaged", path);
	if (!keyblob_get(&b, kek, FILE_NAME, strlen(FILE_NAME), v->secret))
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

struct vault *
vault_copy(const struct vault *v)
{
	struct vault *copy = OPENSSL_secure_malloc(sizeof *copy);

	if (copy != NULL)
		*copy = *v;
	return copy;
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

static enum ns_err
ring_add(struct vault *v, enum vault_kind kind, uint32_t after, struct ns_why *why)
{
	struct ring_key *k = &v->ring[v->n];
	uint32_t newest = vault_epoch(v, kind);

	if (v->n == VAULT_RING_MAX || RAND_priv_bytes(k->key, VAULT_KEY) != 1)
		return ns_fail(why, NS_FAILED, CODE_VAULT,
		    "no new fleet key: %u are in use; wait until zones are wrapped anew", v->n);
	k->epoch = (newest > after ? newest : after) + 1;
	k->kind = kind;
	v->n++;
	return NS_OK;
}

enum ns_err
vault_make(struct vault *v, uint32_t after, struct ns_why *why)
{
	bool first = v->n == 0;
	enum ns_err err = ring_add(v, VAULT_ZSK, after, why);

	return err == NS_OK && first ? ring_add(v, VAULT_KSK, after, why) : err;
}

enum ns_err
vault_make_apex(struct vault *v, uint32_t after, struct ns_why *why)
{
	return ring_add(v, VAULT_KSK, after, why);
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
	uint8_t text[RING_TEXT];
	enum ns_err err;

	if (apex && !vault_has(v, VAULT_KSK))
		return ns_fail(why, NS_DENIED, CODE_VAULT,
		    "this appliance does not have the fleet key for KSKs");
	err = keyblob_seal(
	    public_key, vault_epoch(v, VAULT_ZSK), text, ring_write(v, apex, text), blob, why);
	OPENSSL_cleanse(text, sizeof text);
	return err;
}

enum ns_err
vault_take(struct vault *v, const uint8_t *data, size_t len, struct ns_why *why)
{
	uint8_t text[VAULT_BLOB_MAX];
	struct vault *fresh = OPENSSL_secure_zalloc(sizeof *fresh);
	size_t n = 0;
	enum ns_err err = keyblob_unseal(v->secret, v->public_key, data, len, text, &n, why);

	if (err == NS_OK && (fresh == NULL || !ring_read(fresh, text, n)))
		err = ns_fail(why, NS_DENIED, CODE_VAULT, "the sealed fleet keys cannot be read");
	if (err == NS_OK) {
		memcpy(v->ring, fresh->ring, sizeof v->ring);
		v->n = fresh->n;
	}
	OPENSSL_secure_clear_free(fresh, sizeof *fresh);
	OPENSSL_cleanse(text, sizeof text);
	return err;
}

/* ---- zone keys ---- */
enum ns_err
vault_wrap(const struct vault *v, enum vault_kind kind, const uint8_t secret[VAULT_KEY],
    const void *context, size_t context_len, struct wbuf *blob, struct ns_why *why)
{
	const struct ring_key *k = newest(v, kind);
	struct keyblob_maker m = {
		.kind = (uint8_t)kind, .context = context, .context_len = context_len
	};

	if (k == NULL)
		return ns_fail(why, NS_DENIED, CODE_VAULT,
		    "this appliance does not have the fleet key for %s",
		    kind == VAULT_KSK ? "KSKs" : "ZSKs");
	m.epoch = k->epoch;
	m.master = k->key;
	return keyblob_put(&m, secret, VAULT_KEY, blob, why);
}

enum ns_err
vault_unwrap(const struct vault *v, enum vault_kind kind, const uint8_t *data, size_t len,
    const void *context, size_t context_len, uint8_t secret[VAULT_KEY], struct ns_why *why)
{
	struct keyblob b;

	if (!keyblob_read(data, len, &b) || b.kind != kind || b.body_len != VAULT_KEY + AEAD_TAG)
		return ns_fail(why, NS_CORRUPT, CODE_VAULT, "a wrapped key is no such blob");
	for (unsigned i = 0; i < v->n; i++) {
		if (v->ring[i].kind != kind || v->ring[i].epoch != b.epoch)
			continue;
		if (keyblob_get(&b, v->ring[i].key, context, context_len, secret))
			return NS_OK;
		return ns_fail(why, NS_CORRUPT, CODE_VAULT,
		    "a wrapped key does not open: it is damaged, or not of this zone");
	}
	return ns_fail(why, NS_DENIED, CODE_VAULT,
	    "this appliance does not have the fleet key that opens a %s (number %u)",
	    kind == VAULT_KSK ? "KSK" : "ZSK", b.epoch);
}
