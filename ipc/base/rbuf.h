/* rbuf - bounded reader over bytes we do not trust.
 *
 * The first short read sets bad; from then on every read returns zero and moves nothing, so a
 * parser reads straight through and asks rbuf_ok() once.  Network order in, host order out.
 * Never owns the bytes.  Header-only, because the answer path reads through it. */
#ifndef NS_BASE_RBUF_H
#define NS_BASE_RBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rbuf {
	const uint8_t	*base;
	size_t		 len, pos;
	bool		 bad;
};

static inline struct rbuf
rbuf_init(const void *data, size_t len)
{
	return (struct rbuf){ .base = data, .len = len, .pos = 0, .bad = false };
}

static inline bool
rbuf_ok(const struct rbuf *r)
{
	return !r->bad;
}

static inline size_t
rbuf_left(const struct rbuf *r)
{
	return r->bad ? 0 : r->len - r->pos;
}

/* Ok and nothing left over. */
static inline bool
rbuf_end(const struct rbuf *r)
{
	return !r->bad && r->pos == r->len;
}

/* The next n bytes, which are skipped; NULL when short. */
static inline const uint8_t *
rbuf_bytes(struct rbuf *r, size_t n)
{
	const uint8_t *p;

	if (r->bad || n > r->len - r->pos) {
		r->bad = true;
		return NULL;
	}
	p = r->base + r->pos;
	r->pos += n;
	return p;
}

static inline uint8_t
rbuf_u8(struct rbuf *r)
{
	const uint8_t *p = rbuf_bytes(r, 1);

	return p != NULL ? *p : 0;
}

static inline uint16_t
rbuf_u16(struct rbuf *r)
{
	const uint8_t *p = rbuf_bytes(r, 2);

	/* Not one expression with ?: -- with -fsanitize=undefined gcc takes that for a conversion. */
	if (p == NULL)
		return 0;
	return (uint16_t)((p[0] << 8) | p[1]);
}

static inline uint32_t
rbuf_u32(struct rbuf *r)
{
	const uint8_t *p = rbuf_bytes(r, 4);

	return p != NULL ? ((uint32_t)p[0] << 24) | ((uint32_t)p[1] << 16) | ((uint32_t)p[2] << 8) |
	    p[3] : 0;
}

static inline uint64_t
rbuf_u64(struct rbuf *r)
{
	uint64_t hi = rbuf_u32(r);

	return (hi << 32) | rbuf_u32(r);
}

/* A bounded view of the next n bytes; the parent skips them.  Bad when short. */
static inline struct rbuf
rbuf_sub(struct rbuf *r, size_t n)
{
	const uint8_t *p = rbuf_bytes(r, n);
	struct rbuf sub = rbuf_init(p, p != NULL ? n : 0);

	sub.bad = p == NULL;
	return sub;
}

#endif
