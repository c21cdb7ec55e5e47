/* storeview - see storeview.h. */
#include "appliance/sync/storeview.h"

#include "appliance/dns/zwire.h"

#define SLICE (1u << 20)

static bool
give(struct store_view *v, enum ns_err err, const uint8_t **zwire, size_t *len)
{
	if (err == NS_OK) {
		*zwire = v->buf.base;
		*len = v->buf.len;
		return v->buf.len > 0;
	}
	if (err != NS_NOTFOUND && v->err == NS_OK)
		v->err = err;
	return false;
}

static bool
view_at(void *arg, const uint8_t *owner, const uint8_t **zwire, size_t *len)
{
	struct store_view *v = arg;

	v->buf.len = 0;
	return give(v, store_owner_get(v->store, v->id, owner, &v->buf), zwire, len);
}

static bool
view_after(void *arg, const uint8_t *owner, const uint8_t **zwire, size_t *len)
{
	struct store_view *v = arg;

	v->buf.len = 0;
	return give(v, store_owner_after(v->store, v->id, owner, &v->buf), zwire, len);
}

void
store_view_init(struct store_view *v, struct store *s, uint64_t zone, const uint8_t *apex)
{
	*v = (struct store_view){ .store = s, .id = zone, .buf = wbuf_grow(4 * OWNER_MAX_WIRE) };
	v->zone = (struct zone_view){ .apex = apex, .arg = v, .at = view_at, .after = view_after };
}

void
store_view_free(struct store_view *v)
{
	wbuf_free(&v->buf);
}

enum ns_err
store_content_all(struct store *s, const struct store_zone *z, struct wbuf *out)
{
	uint8_t last[NAME_MAX_WIRE];
	bool begun = false;
	enum ns_err err;

	while ((err = store_content_get(s, z->id, begun ? last : NULL, SLICE, out, last)) == NS_OK)
		begun = true;
	return err == NS_NOTFOUND ? NS_OK : err;
}
