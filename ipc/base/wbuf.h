/* wbuf - bounded writer, the mirror of rbuf: host order in, network order out.
 *
 * The first write that does not fit sets bad; from then on nothing is written.  Ask wbuf_ok() once.
 * wbuf_init() writes into the caller's memory and never grows; wbuf_grow() owns its memory, grows
 * up to max, and is ended with wbuf_free().  Grown memory comes from xrealloc (we stop on OOM). */
#ifndef NS_BASE_WBUF_H
#define NS_BASE_WBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct wbuf {
	uint8_t	*base;
	size_t	 len;		/* written so far */
	size_t	 cap;		/* room in base */
	size_t	 max;		/* 0: fixed memory of the caller; else grows up to this */
	bool	 bad;
};

static inline struct wbuf
wbuf_init(void *mem, size_t cap)
{
	return (struct wbuf){ .base = mem, .cap = cap };
}

static inline struct wbuf
wbuf_grow(size_t max)
{
	return (struct wbuf){ .max = max };
}

void	 wbuf_free(struct wbuf *);
bool	 wbuf_more(struct wbuf *, size_t need);		/* internal: make room or set bad */

static inline bool
wbuf_ok(const struct wbuf *w)
{
	return !w->bad;
}

/* n bytes of room, which count as written; NULL when they do not fit. */
static inline uint8_t *
wbuf_room(struct wbuf *w, size_t n)
{
	uint8_t *p;

	if (w->bad || (n > w->cap - w->len && !wbuf_more(w, n))) {
		w->bad = true;
		return NULL;
	}
	p = w->base + w->len;
	w->len += n;
	return p;
}

static inline void
wbuf_put(struct wbuf *w, const void *data, size_t n)
{
	uint8_t *p = n > 0 ? wbuf_room(w, n) : NULL;

	if (p != NULL)
		memcpy(p, data, n);
}

static inline void
wbuf_u8(struct wbuf *w, uint8_t v)
{
	wbuf_put(w, &v, 1);
}

static inline void
put_u16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void
put_u32(uint8_t *p, uint32_t v)
{
	put_u16(p, (uint16_t)(v >> 16));
	put_u16(p + 2, (uint16_t)v);
}

static inline uint16_t
get_u16(const uint8_t *p)
{
	return (uint16_t)((p[0] << 8) | p[1]);
}

static inline uint32_t
get_u32(const uint8_t *p)
{
	return ((uint32_t)get_u16(p) << 16) | get_u16(p + 2);
}

static inline void
wbuf_u16(struct wbuf *w, uint16_t v)
{
	uint8_t b[2];

	put_u16(b, v);
	wbuf_put(w, b, sizeof b);
}

static inline void
wbuf_u32(struct wbuf *w, uint32_t v)
{
	uint8_t b[4];

	put_u32(b, v);
	wbuf_put(w, b, sizeof b);
}

static inline void
wbuf_u64(struct wbuf *w, uint64_t v)
{
	wbuf_u32(w, (uint32_t)(v >> 32));
	wbuf_u32(w, (uint32_t)v);
}

#endif
