/* ranges.c - see ranges.h. */
#include "ipc/base/ranges.h"

#include <string.h>

static void
cut_out(struct ranges *r, unsigned i)
{
	r->n--;
	memmove(&r->of[i], &r->of[i + 1], (r->n - i) * sizeof r->of[0]);
}

/* The two with the least between them become one. */
static void
join_nearest(struct ranges *r)
{
	unsigned best = 0;

	for (unsigned i = 1; i + 1 < r->n; i++) {
		if (r->of[i + 1].from - r->of[i].to < r->of[best + 1].from - r->of[best].to)
			best = i;
	}
	r->of[best].to = r->of[best + 1].to;
	cut_out(r, best + 1);
}

void
ranges_add(struct ranges *r, uint64_t from, uint64_t to)
{
	unsigned i = 0;

	if (from > to)
		return;
	if (r->n == RANGES_MAX)
		join_nearest(r);
	while (i < r->n && r->of[i].to < from && from - r->of[i].to > 1)
		i++;
	while (i < r->n && (r->of[i].from <= to || r->of[i].from - to == 1)) {
		from = r->of[i].from < from ? r->of[i].from : from;
		to = r->of[i].to > to ? r->of[i].to : to;
		cut_out(r, i);
	}
	memmove(&r->of[i + 1], &r->of[i], (r->n - i) * sizeof r->of[0]);
	r->of[i] = (struct range){ from, to };
	r->n++;
}

void
ranges_union(struct ranges *r, const struct ranges *more)
{
	for (unsigned i = 0; i < more->n; i++)
		ranges_add(r, more->of[i].from, more->of[i].to);
}

bool
ranges_has(const struct ranges *r, uint64_t number)
{
	for (unsigned i = 0; i < r->n; i++) {
		if (number >= r->of[i].from && number <= r->of[i].to)
			return true;
	}
	return false;
}

size_t
ranges_put(const struct ranges *r, uint64_t out[RANGES_MAX * 2])
{
	for (unsigned i = 0; i < r->n; i++) {
		out[2 * i] = r->of[i].from;
		out[2 * i + 1] = r->of[i].to;
	}
	return (size_t)r->n * 2;
}

void
ranges_read(struct ranges *r, const uint64_t *pairs, size_t n)
{
	r->n = 0;
	for (size_t i = 0; i + 1 < n; i += 2)
		ranges_add(r, pairs[i], pairs[i + 1]);
}
