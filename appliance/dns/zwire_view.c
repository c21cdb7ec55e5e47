/* zwire_view.c - a whole zwire as the zone check sees it, and an RRset of any view; see zonecheck.h.
 *
 * An index of the places where an owner begins, built in one pass; the zwire must outlive the view.
 * A zwire that breaks its own form ends where it breaks: callers that do not trust it ask
 * zwire_check() first. */
#include <stdlib.h>

#include "appliance/dns/zonecheck.h"
#include "ipc/base/xalloc.h"

struct zwire_view {
	struct zone_view view;
	const uint8_t *base;
	size_t *at; /* where owner i begins; at[count] is the end */
	size_t count, cap;
};

static void
add_place(struct zwire_view *v, size_t place)
{
	if (v->count == v->cap) {
		v->cap = v->cap > 0 ? v->cap * 2 : 32;
		v->at = xreallocarray(v->at, v->cap, sizeof *v->at);
	}
	v->at[v->count++] = place;
}

static const uint8_t *
owner_of(const struct zwire_view *v, size_t i)
{
	return v->base + v->at[i] + 1; /* after the owner's length */
}

/* Index of the first owner that is not before this one. */
static size_t
lower_bound(const struct zwire_view *v, const uint8_t *owner)
{
	size_t low = 0, high = v->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (name_cmp(owner_of(v, mid), owner) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool
give(const struct zwire_view *v, size_t i, const uint8_t **zwire, size_t *len)
{
	if (i >= v->count)
		return false;
	*zwire = v->base + v->at[i];
	*len = v->at[i + 1] - v->at[i];
	return true;
}

static bool
view_at(void *arg, const uint8_t *owner, const uint8_t **zwire, size_t *len)
{
	const struct zwire_view *v = arg;
	size_t i = lower_bound(v, owner);

	return i < v->count && name_equal(owner_of(v, i), owner) && give(v, i, zwire, len);
}

static bool
view_after(void *arg, const uint8_t *owner, const uint8_t **zwire, size_t *len)
{
	const struct zwire_view *v = arg;
	size_t i = lower_bound(v, owner);

	if (i < v->count && name_equal(owner_of(v, i), owner))
		i++;
	return give(v, i, zwire, len);
}

struct zwire_view *
zwire_view_new(const uint8_t *apex, const void *zwire, size_t len)
{
	struct zwire_view *v = xcalloc(1, sizeof *v);
	struct zwire_iter it = zwire_iter(zwire, len);
	const uint8_t *last = NULL;
	struct rrset set;
	size_t end = 0;

	v->base = zwire;
	v->view = (struct zone_view){ .apex = apex, .arg = v, .at = view_at, .after = view_after };
	while (zwire_next(&it, &set)) {
		if (last == NULL || !name_equal(last, set.owner))
			add_place(v, end);
		last = set.owner;
		end += set.raw_len;
	}
	add_place(v, end);
	v->count--;
	return v;
}

const struct zone_view *
zwire_view_get(struct zwire_view *v)
{
	return &v->view;
}

void
zwire_view_destroy(struct zwire_view **vp)
{
	struct zwire_view *v = *vp;

	if (v == NULL)
		return;
	free(v->at);
	free(v);
	*vp = NULL;
}

const struct rrset *
zone_view_set(const struct zone_view *v, const struct rrset *key, struct rrset *out)
{
	const uint8_t *zwire;
	struct zwire_iter it;
	size_t len;

	if (!v->at(v->arg, key->owner, &zwire, &len))
		return NULL;
	it = zwire_iter(zwire, len);
	while (zwire_next(&it, out))
		if (rrset_cmp(out, key) == 0)
			return out;
	return NULL;
}
