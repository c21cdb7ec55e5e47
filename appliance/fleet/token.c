/* token.c - see token.h. */
#include "appliance/fleet/token.h"

#include <assert.h>
#include <openssl/sha.h>
#include <string.h>

#include "appliance/fleet/codes.h"
#include "appliance/fleet/roster.h"
#include "ipc/base/rbuf.h"
#include "ipc/base/wbuf.h"

#define PREFIX "nsj1-"
#define SUM    4u
#define BINARY 280u

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void
put_text(struct wbuf *w, const char *text)
{
	wbuf_u8(w, (uint8_t)strlen(text));
	wbuf_put(w, text, strlen(text));
}

static void
checksum(const uint8_t *data, size_t len, uint8_t out[SHA256_DIGEST_LENGTH])
{
	SHA256(data, len, out);
}

void
token_write(const struct token *t, char out[TOKEN_TEXT])
{
	uint8_t mem[BINARY], sum[SHA256_DIGEST_LENGTH];
	struct wbuf w = wbuf_init(mem, sizeof mem);
	size_t n = sizeof PREFIX - 1;

	put_text(&w, t->endpoint);
	put_text(&w, t->name);
	wbuf_put(&w, t->primary, FLEET_KEY);
	wbuf_put(&w, t->secret, FLEET_KEY);
	checksum(mem, w.len, sum);
	wbuf_put(&w, sum, SUM);
	assert(wbuf_ok(&w) && 4 * (w.len + 2) / 3 + sizeof PREFIX < TOKEN_TEXT);
	memcpy(out, PREFIX, n);
	for (size_t i = 0; i < w.len; i += 3) {
		uint32_t v = (uint32_t)mem[i] << 16;
		size_t left = w.len - i;

		if (left > 1)
			v |= (uint32_t)mem[i + 1] << 8;
		if (left > 2)
			v |= mem[i + 2];
		out[n++] = alphabet[v >> 18];
		out[n++] = alphabet[v >> 12 & 63];
		if (left > 1)
			out[n++] = alphabet[v >> 6 & 63];
		if (left > 2)
			out[n++] = alphabet[v & 63];
	}
	out[n] = '\0';
}

/* Octets of base64url without padding; 0: it is none, or too long. */
static size_t
decode(const char *text, size_t len, uint8_t *out, size_t size)
{
	uint32_t v = 0;
	unsigned bits = 0;
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		const char *at = text[i] != '\0' ? strchr(alphabet, text[i]) : NULL;

		if (at == NULL)
			return 0;
		v = v << 6 | (uint32_t)(at - alphabet);
		if ((bits += 6) < 8)
			continue;
		bits -= 8;
		if (n == size)
			return 0;
		out[n++] = (uint8_t)(v >> bits);
		v &= (1u << bits) - 1;
	}
	/* One text for one token: what is left over is less than a character, and zero. */
	return v == 0 && bits < 6 ? n : 0;
}

static bool
get_text(struct rbuf *r, char *out, size_t size)
{
	size_t len = rbuf_u8(r);
	const uint8_t *p = rbuf_bytes(r, len);

	if (p == NULL || len >= size || memchr(p, '\0', len) != NULL)
		return false;
	memcpy(out, p, len);
	out[len] = '\0';
	return true;
}

static bool
parse(const uint8_t *data, size_t len, struct token *t)
{
	uint8_t sum[SHA256_DIGEST_LENGTH];
	struct sockaddr_storage ss;
	const uint8_t *primary, *secret;
	struct rbuf r;
	socklen_t n;

	if (len <= SUM)
		return false;
	checksum(data, len - SUM, sum);
	if (memcmp(sum, data + len - SUM, SUM) != 0)
		return false;
	r = rbuf_init(data, len - SUM);
	if (!get_text(&r, t->endpoint, sizeof t->endpoint) ||
	    !get_text(&r, t->name, sizeof t->name))
		return false;
	primary = rbuf_bytes(&r, FLEET_KEY);
	secret = rbuf_bytes(&r, FLEET_KEY);
	if (!rbuf_end(&r) || !member_name_ok(t->name) ||
	    endpoint_read(t->endpoint, false, &ss, &n, NULL) != NS_OK)
		return false;
	memcpy(t->primary, primary, FLEET_KEY);
	memcpy(t->secret, secret, FLEET_KEY);
	return true;
}

enum ns_err
token_read(const char *text, struct token *t, struct ns_why *why)
{
	uint8_t mem[BINARY];
	size_t len, n;

	memset(t, 0, sizeof *t);
	text += strspn(text, " \t\r\n");
	len = strcspn(text, " \t\r\n");
	if (strspn(text + len, " \t\r\n") != strlen(text + len))
		len = 0; /* two words */
	if (len > sizeof PREFIX - 1 && len < TOKEN_TEXT &&
	    memcmp(text, PREFIX, sizeof PREFIX - 1) == 0) {
		n = decode(text + sizeof PREFIX - 1, len - (sizeof PREFIX - 1), mem, sizeof mem);
		if (n > 0 && parse(mem, n, t))
			return NS_OK;
	}
	memset(t, 0, sizeof *t);
	return ns_fail(why, NS_USAGE, EF_TOKEN,
	    "not an invitation: copy the whole line that `nameserve fleet invite` printed, it "
	    "begins with " PREFIX);
}
