/* editview - see editview.h. */
#include "appliance/sync/editview.h"

#include <string.h>

#include "appliance/dns/name.h"

static bool
give(const struct edit_owner *o, const uint8_t **zwire, size_t *len)
{
	*zwire = o->after.base;
	*len = o->after.len;
	return o->after.len > 0;
}

static bool
view_at(void *arg, const uint8_t *owner, const uint8_t **zwire, size_t *len)
{
	const struct edit_view *v = arg;
	const struct edit_owner *o = edit_owner_find(v->e, owner);

	return o != NULL ? give(o, zwire, len) : v->below->at(v->below->arg, owner, zwire, len);
}

/* The first touched owner after this name that is still there. */
static const struct edit_owner *
touched_after(const struct edit *e, const uint8_t *owner)
{
	size_t i = edit_owner_after(e, owner);

	while (i < e->count && e->owners[i].after.len == 0)
		i++;
	return i < e->count ? &e->owners[i] : NULL;
}

static bool
view_after(void *arg, const uint8_t *owner, const uint8_t **zwire, size_t *len)
{
	struct edit_view *v = arg;
	const struct edit_owner *o = touched_after(v->e, owner);
	const uint8_t *at = owner;
	struct zwire_iter it;
	struct rrset first;

	while (v->below->after(v->below->arg, at, zwire, len)) {
		it = zwire_iter(*zwire, *len);
		if (!zwire_next(&it, &first))
			return false;
		if (o != NULL && name_cmp(o->name, first.owner) <= 0)
			break;
		if (edit_owner_find(v->e, first.owner) == NULL)
			return true;
		/* What the view gave is gone with the next call. */
		memcpy(v->cursor, first.owner, first.owner_len);
		at = v->cursor;
	}
	return o != NULL && give(o, zwire, len);
}

void
edit_view_init(struct edit_view *v, const struct edit *e, const struct zone_view *below)
{
	*v = (struct edit_view){ .e = e, .below = below };
	v->zone =
	    (struct zone_view){ .apex = below->apex, .arg = v, .at = view_at, .after = view_after };
}
