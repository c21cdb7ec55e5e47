/* sheet.c - see sheet.h. */
#include "appliance/signer/sheet.h"

#include <stdlib.h>

#include "ipc/base/xalloc.h"

void
sheet_init(struct sheet *s)
{
	*s = (struct sheet){ .mem = wbuf_grow(SIZE_MAX / 2) };
}

void
sheet_free(struct sheet *s)
{
	free(s->set);
	wbuf_free(&s->mem);
}

void
sheet_begin(struct sheet *s, const uint8_t *owner)
{
	s->owner = owner;
	s->n = 0;
	s->mem.len = 0;
}

static struct sheet_set *
more(struct sheet *s)
{
	if (s->n == s->cap) {
		s->cap = s->cap > 0 ? s->cap * 2 : 32;
		s->set = xreallocarray(s->set, s->cap, sizeof *s->set);
	}
	return &s->set[s->n++];
}

void
sheet_have(struct sheet *s, const struct rrset *set)
{
	*more(s) = (struct sheet_set){ .set = *set };
}

void
sheet_add(struct sheet *s, uint16_t type, uint16_t covers, uint32_t ttl, uint16_t count,
    const void *body, size_t len)
{
	struct sheet_set *to = more(s);

	*to = (struct sheet_set){
		.set = { .owner = s->owner,
		    .owner_len = (uint8_t)name_len(s->owner),
		    .type = type,
		    .covers = covers,
		    .ttl = ttl,
		    .count = count,
		    .rdata_len = len },
		.at = s->mem.len,
	};
	wbuf_put(&s->mem, body, len);
}

struct rrset
sheet_at(const struct sheet *s, size_t i)
{
	struct rrset set = s->set[i].set;

	if (set.rdata == NULL)
		set.rdata = s->mem.base + s->set[i].at;
	return set;
}

const struct sheet_set *
sheet_find(const struct sheet *s, uint16_t type)
{
	for (size_t i = 0; i < s->n; i++) {
		if (s->set[i].set.type == type)
			return &s->set[i];
	}
	return NULL;
}

static int
by_type(const void *pa, const void *pb)
{
	const struct sheet_set *a = pa, *b = pb;
	int d = (int)a->set.type - (int)b->set.type;

	return d != 0 ? d : (int)a->set.covers - (int)b->set.covers;
}

void
sheet_put(struct sheet *s, struct wbuf *out)
{
	if (s->n > 1)
		qsort(s->set, s->n, sizeof *s->set, by_type);
	for (size_t i = 0; i < s->n; i++) {
		struct rrset set = sheet_at(s, i);

		zwire_put(out, &set);
	}
}
