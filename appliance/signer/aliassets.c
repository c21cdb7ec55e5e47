/* aliassets.c - see aliassets.h. */
#include "appliance/signer/aliassets.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/dns/rrtype.h"
#include "appliance/signer/aliasbook.h"
#include "appliance/zonemap/aliassig.h"
#include "ipc/base/xalloc.h"

struct looking {
	const struct alias_view *view;
	struct alias_sets *sets;
	enum alias_family family;
	struct wbuf one;
};

static void
on_name(void *arg, const uint8_t *name)
{
	struct looking *l = arg;

	if (l->view->book != NULL)
		aliasbook_follow(l->view->book, l->view->apex, name,
		    l->view->board != NULL ? l->view->board->aliases : NULL);
}

static void
on_check(void *arg, uint64_t check)
{
	struct looking *l = arg;

	if (l->view->check != NULL)
		l->view->check(l->view->arg, l->view->apex, check);
}

static int
by_v4(const void *a, const void *b)
{
	return memcmp(a, b, 4);
}

static int
by_v6(const void *a, const void *b)
{
	return memcmp(a, b, 16);
}

/* The set's addresses in order, each once, in l->one; how many. */
static unsigned
read_addresses(struct looking *l, const struct image_set *set)
{
	size_t len = aliassig_len(l->family), size = RR_HEAD + len;
	unsigned n = 0;

	l->one.len = 0;
	for (unsigned at = 0; at + size <= set->body_len; at += (unsigned)size, n++)
		wbuf_put(&l->one, set->body + at + RR_HEAD, len);
	if (n > 1)
		qsort(l->one.base, n, len, l->family == ALIAS_V4 ? by_v4 : by_v6);
	for (unsigned i = 1, kept = 1, all = n; i < all; i++) {
		if (memcmp(l->one.base + i * len, l->one.base + (kept - 1) * len, len) == 0)
			n--;
		else
			memmove(l->one.base + kept++ * len, l->one.base + i * len, len);
	}
	l->one.len = n * len;
	return n;
}

static int
compare(
    const struct alias_sets *s, const struct alias_set *a, const struct looking *l, unsigned count)
{
	if (a->family != l->family)
		return a->family < l->family ? -1 : 1;
	if (a->count != count)
		return a->count < count ? -1 : 1;
	return memcmp(s->octets.base + a->at, l->one.base, l->one.len);
}

static void
add_set(struct looking *l, unsigned count)
{
	struct alias_sets *s = l->sets;
	size_t lo = 0, hi = s->n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		int d = compare(s, &s->set[mid], l, count);

		if (d == 0)
			return;
		if (d < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (s->n == ALIASSIG_SETS) {
		s->cut = true;
		return;
	}
	if (s->n == s->cap) {
		s->cap = s->cap > 0 ? s->cap * 2 : 4;
		s->set = xreallocarray(s->set, s->cap, sizeof *s->set);
	}
	memmove(s->set + lo + 1, s->set + lo, (s->n - lo) * sizeof *s->set);
	s->set[lo] = (struct alias_set){ l->family, (uint16_t)count, s->octets.len };
	s->n++;
	wbuf_put(&s->octets, l->one.base, l->one.len);
}

static void
on_end(void *arg, enum address_result result, const struct image_set *set)
{
	struct looking *l = arg;
	uint8_t bit = (uint8_t)(1u << l->family);
	unsigned count = result == ADDRESS_FOUND ? read_addresses(l, set) : 0;

	if (count > 0) {
		l->sets->some |= bit;
		add_set(l, count);
	} else if (result == ADDRESS_NONE || result == ADDRESS_FOUND) {
		l->sets->none |= bit;
	} else {
		l->sets->unknown |= bit;
	}
}

static void
on_more(void *arg)
{
	((struct looking *)arg)->sets->cut = true;
}

struct alias_sets *
alias_sets_of(const struct alias_view *view, const uint8_t *target)
{
	struct alias_sets *s = xcalloc(1, sizeof *s);
	struct looking l = { .view = view, .sets = s, .one = wbuf_grow(1 << 20) };
	const struct address_each each = {
		.name = on_name, .check = on_check, .end = on_end, .more = on_more, .arg = &l
	};

	s->octets = wbuf_grow(SIZE_MAX / 2);
	for (l.family = ALIAS_V4; l.family < ALIAS_FAMILIES; l.family++)
		address_each(view->map, view->board, view->account, target,
		    l.family == ALIAS_V4 ? RR_A : RR_AAAA, &each);
	wbuf_free(&l.one);
	return s;
}

void
alias_sets_free(struct alias_sets **sp)
{
	struct alias_sets *s = *sp;

	*sp = NULL;
	if (s == NULL)
		return;
	wbuf_free(&s->octets);
	free(s->set);
	free(s);
}

uint8_t
alias_sets_denied(const struct alias_sets *s)
{
	return (uint8_t)(s->none & ~s->some & ~s->unknown);
}
