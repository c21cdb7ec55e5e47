/* part.c - see part.h.
 *
 * Called by content.c and verify.c in whatever thread owns the store handle; no state. */
#include "appliance/store/part.h"

#include <string.h>

#include "appliance/dns/name.h"
#include "appliance/dns/zwire.h"
#include "ipc/base/hash.h"

_Static_assert(PART_KEY_MAX == NAME_MAX_KEY, "part.h names it for those who need no names");

/* A walk owner by owner: one step is all sets of one owner. */
struct walk {
	struct zwire_iter it;
	struct rrset set; /* the first set of the next owner, when `ahead` */
	const uint8_t *base;
	bool ahead;
};

static struct walk
walk_start(const void *body, size_t len)
{
	struct walk w = { .it = zwire_iter(body, len), .base = body };

	w.ahead = zwire_next(&w.it, &w.set);
	return w;
}

static bool
walk_ok(const struct walk *w)
{
	return rbuf_ok(&w->it.r);
}

static bool
same_owner(const struct rrset *a, const uint8_t *owner, uint8_t owner_len)
{
	/* zwire is lower case throughout, so bytes decide. */
	return a->owner_len == owner_len && memcmp(a->owner, owner, owner_len) == 0;
}

/* The owner ahead as a span, with its name; false at the end or when broken. */
static bool
walk_owner(struct walk *w, struct part_span *span, const uint8_t **owner)
{
	uint8_t owner_len = w->set.owner_len;

	if (!w->ahead)
		return false;
	*owner = w->set.owner;
	*span = (struct part_span){ .from = (size_t)(w->set.raw - w->base), .owners = 1 };
	do {
		span->rrsets++;
		span->records += w->set.count;
		span->to = (size_t)(w->set.raw - w->base) + w->set.raw_len;
		w->ahead = zwire_next(&w->it, &w->set);
	} while (w->ahead && same_owner(&w->set, *owner, owner_len));
	return walk_ok(w);
}

static void
span_add(struct part_span *all, const struct part_span *one)
{
	all->to = one->to;
	all->owners += one->owners;
	all->rrsets += one->rrsets;
	all->records += one->records;
}

bool
part_find(const void *body, size_t len, const uint8_t *owner, struct part_span *out)
{
	struct walk w = walk_start(body, len);
	const uint8_t *at;

	while (walk_owner(&w, out, &at)) {
		int order = name_cmp(at, owner);

		if (order == 0)
			return true;
		if (order > 0) {
			*out = (struct part_span){ .from = out->from, .to = out->from };
			return true;
		}
	}
	*out = (struct part_span){ .from = len, .to = len };
	return walk_ok(&w);
}

bool
part_after(const void *body, size_t len, const uint8_t *owner, struct part_span *out)
{
	size_t last;

	return part_run(body, len, owner, 1, out, &last);
}

bool
part_run(const void *body, size_t len, const uint8_t *owner, size_t want, struct part_span *out,
    size_t *last)
{
	struct walk w = walk_start(body, len);
	struct part_span one;
	const uint8_t *at;
	bool past = owner == NULL;

	*out = (struct part_span){ .from = len, .to = len };
	*last = 0;
	while (walk_owner(&w, &one, &at)) {
		if (!past && name_cmp(at, owner) <= 0)
			continue;
		past = true;
		if (out->owners == 0)
			out->from = one.from;
		span_add(out, &one);
		*last = one.from + 1;
		if (out->to - out->from >= want)
			return true;
	}
	return walk_ok(&w);
}

bool
part_measure(const void *body, size_t len, struct part_span *out, size_t *fattest)
{
	struct walk w = walk_start(body, len);
	struct part_span one;
	const uint8_t *at;

	*out = (struct part_span){ 0 };
	*fattest = 0;
	while (walk_owner(&w, &one, &at)) {
		span_add(out, &one);
		if (one.to - one.from > *fattest)
			*fattest = one.to - one.from;
	}
	return walk_ok(&w);
}

size_t
part_cut(const void *body, size_t len, size_t target, size_t limit)
{
	struct walk w = walk_start(body, len);
	struct part_span one;
	const uint8_t *at;
	size_t cut = 0;

	while (walk_owner(&w, &one, &at)) {
		if (cut > 0 && one.to > limit)
			return cut;
		cut = one.to;
		if (cut >= target)
			return cut;
	}
	return walk_ok(&w) ? cut : 0;
}

size_t
part_target(size_t len, size_t limit)
{
	size_t pieces = (len + limit - 1) / limit;

	return pieces > 1 ? (len + pieces - 1) / pieces : limit;
}

bool
part_first_key(const void *body, size_t len, uint8_t key[PART_KEY_MAX], size_t *key_len)
{
	struct zwire_iter it = zwire_iter(body, len);
	struct rrset set;

	if (!zwire_next(&it, &set))
		return false;
	*key_len = name_sort_key(set.owner, key);
	return true;
}

uint64_t
part_sum(uint64_t zone, const void *body, size_t len)
{
	/* Not a secret: the key only keeps a part from passing for another zone's. */
	uint8_t key[16] = { 0, 0, 0, 0, 0, 0, 0, 0, 'n', 's', '-', 'p', 'a', 'r', 't', '1' };

	for (unsigned i = 0; i < 8; i++)
		key[i] = (uint8_t)(zone >> (8 * i));
	return hash_sip24(key, body, len);
}
