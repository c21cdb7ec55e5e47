/* cookie.c - see cookie.h. */
#include "appliance/serve/cookie.h"

#include <endian.h>
#include <string.h>

#include "appliance/serve/work.h"
#include "ipc/base/hash.h"
#include "ipc/base/wbuf.h"

#define VERSION 1u
#define TIME_AT 12u
#define HASH_AT 16u

/* SipHash is defined over little-endian words wherever they come from. */
static inline uint64_t
load_le64(const void *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof v);
	return le64toh(v);
}

static inline uint64_t
load_le32(const void *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof v);
	return le32toh(v);
}

static inline uint64_t
hash_of(const uint8_t secret[MAP_SECRET], const struct sockaddr_storage *client,
    const uint8_t cookie[HASH_AT])
{
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)client;
	const struct sockaddr_in *in = (const struct sockaddr_in *)client;
	struct sip s = sip_begin(load_le64(secret), load_le64(secret + 8));

	sip_word(&s, load_le64(cookie));
	sip_word(&s, load_le64(cookie + 8));
	if (client->ss_family == AF_INET)
		return sip_end(&s, load_le32(&in->sin_addr) | (HASH_AT + 4ull) << 56);
	sip_word(&s, load_le64(in6->sin6_addr.s6_addr));
	sip_word(&s, load_le64(in6->sin6_addr.s6_addr + 8));
	return sip_end(&s, (HASH_AT + 16ull) << 56);
}

/* After a roll what the old secret made may still come back, for as long as it would be young enough.
 * A time before the roll is a clock that was set back; some of that is forgiven. */
static bool
is_of_previous(const struct map_cookie *c, const struct sockaddr_storage *client, uint32_t now_s,
    const uint8_t cookie[COOKIE_OURS])
{
	return c->count > 1 && c->until - now_s <= COOKIE_PAST_S + COOKIE_FUTURE_S &&
	       hash_of(c->secret[1], client, cookie) == load_le64(cookie + HASH_AT);
}

enum cookie_state
cookie_check(const struct map_cookie *c, const struct sockaddr_storage *client, uint32_t now_s,
    const uint8_t cookie[COOKIE_OURS])
{
	/* RFC 1982: the clock's 32 bits run over in 2106. */
	int32_t age = (int32_t)(now_s - get_u32(cookie + TIME_AT));

	if (cookie[COOKIE_CLIENT] != VERSION || age > COOKIE_PAST_S || age < -COOKIE_FUTURE_S)
		return COOKIE_BAD;
	/* One comparison of two registers takes the same time wherever they differ. */
	if (hash_of(c->secret[0], client, cookie) == load_le64(cookie + HASH_AT))
		return age <= COOKIE_RENEW_S ? COOKIE_GOOD : COOKIE_OLD;
	return is_of_previous(c, client, now_s, cookie) ? COOKIE_OLD : COOKIE_BAD;
}

void
cookie_make(const struct map_cookie *c, const struct sockaddr_storage *client, uint32_t now_s,
    uint8_t cookie[COOKIE_OURS])
{
	uint64_t hash;

	put_u32(cookie + COOKIE_CLIENT, VERSION << 24);
	put_u32(cookie + TIME_AT, now_s);
	hash = hash_of(c->secret[0], client, cookie);
	hash = htole64(hash);
	memcpy(cookie + HASH_AT, &hash, sizeof hash);
}

/* ---- the option ---- */

/* A cookie that is missing, foreign, forged or too old costs no answer, and never a BADCOOKIE but for
 * 5.4 (parse.c): of the choices of 5.2.3 the plain answer is what serves resolvers behind an address
 * that changes, and those that other servers of the same address gave a cookie of another make.  What an
 * answer to a forged address may cost is the rate limit's to say, which reads cookie_ok. */
bool
cookie_read(struct parse *in, const uint8_t *data, size_t len)
{
	const struct map_cookie *c = &in->view->root->cookie;
	const struct sockaddr_storage *client = &in->q->client;
	enum cookie_state state = COOKIE_BAD;
	struct work *w = in->w;

	if (len != COOKIE_OURS && len != COOKIE_CLIENT && (len < COOKIE_MIN || len > COOKIE_MAX))
		return false;
	/* Without a secret we are one who does not know cookies. */
	if (!cookie_can(c, client))
		return true;
	edns_answer(w, OPTION_COOKIE, COOKIE_OURS);
	memcpy(w->cookie, data, COOKIE_CLIENT);
	if (len == COOKIE_OURS) {
		memcpy(w->cookie, data, COOKIE_OURS);
		state = cookie_check(c, client, in->conf->now_s, data);
		in->q->cookie_ok = state != COOKIE_BAD;
		if (state == COOKIE_GOOD)
			return true;
	}
	cookie_make(c, client, in->conf->now_s, w->cookie);
	w->bad_cookie = state == COOKIE_BAD && len != COOKIE_CLIENT;
	return true;
}

uint8_t *
cookie_write(const struct reply *r, uint8_t *p)
{
	memcpy(p, r->w->cookie, COOKIE_OURS);
	return p + COOKIE_OURS;
}
