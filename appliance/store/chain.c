/* chain.c - see chain.h.  Called with each change that is appended, and by verify for each that is
 * there. */
#include "appliance/store/chain.h"

#include <openssl/evp.h>
#include <string.h>

#define HEADER_MAX (1 + 6 * 8 + 6 * 2 + 64 + 16 + 16 + 512 + 48 + 64)

static void
put_text(struct wbuf *w, const char *text)
{
	size_t len = strlen(text);

	wbuf_u16(w, (uint16_t)len);
	wbuf_put(w, text, len);
}

static void
put_header(struct wbuf *w, const struct store_change *c)
{
	bool whence = c->source[0] != '\0' || c->appliance[0] != '\0';

	wbuf_u8(w, whence ? 2 : 1);
	wbuf_u64(w, c->revision);
	wbuf_u64(w, c->term);
	wbuf_u64(w, (uint64_t)c->at_ms);
	put_text(w, c->author);
	put_text(w, c->via);
	put_text(w, c->kind);
	put_text(w, c->comment);
	wbuf_u64(w, c->added);
	wbuf_u64(w, c->removed);
	wbuf_u64(w, c->zone_count);
	if (!whence)
		return;
	put_text(w, c->source);
	put_text(w, c->appliance);
}

bool
chain_digest(const void *body, size_t body_len, uint8_t digest[STORE_HASH])
{
	return EVP_Digest(body_len > 0 ? body : "", body_len, digest, NULL, EVP_sha256(), NULL) ==
	       1;
}

bool
chain_hash_digest(
    const struct store_change *c, const uint8_t digest[STORE_HASH], uint8_t hash[STORE_HASH])
{
	uint8_t mem[STORE_HASH + HEADER_MAX + STORE_HASH];
	struct wbuf w = wbuf_init(mem, sizeof mem);

	wbuf_put(&w, c->prev, STORE_HASH);
	put_header(&w, c);
	wbuf_put(&w, digest, STORE_HASH);
	return wbuf_ok(&w) && EVP_Digest(mem, w.len, hash, NULL, EVP_sha256(), NULL) == 1;
}

bool
chain_hash(
    const struct store_change *c, const void *body, size_t body_len, uint8_t hash[STORE_HASH])
{
	uint8_t digest[STORE_HASH];

	return chain_digest(body, body_len, digest) && chain_hash_digest(c, digest, hash);
}
