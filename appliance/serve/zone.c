/* zone.c - which of our zones a name belongs to: the longest apex that ends it. */
#include "appliance/serve/work.h"

#include "appliance/zonemap/hash.h"

map_off
zone_find(const struct map_view *view, const uint8_t *name, const uint8_t *off, unsigned labels,
    unsigned from)
{
	unsigned most = map_max_labels(view), least = map_min_labels(view);
	size_t len = off[labels] + 1u;

	if (labels > most && from < labels - most)
		from = labels - most;
	for (; from <= labels && labels - from >= least; from++) {
		uint64_t hash =
		    zone_hash(view->map->header->hash_key, name + off[from], len - off[from]);
		map_off image = map_zone_lookup(view, hash, name + off[from], len - off[from]);

		if (image != 0)
			return image;
	}
	return 0;
}

bool
zone_open(const struct map_view *view, map_off off, unsigned labels, struct image_ref *ref)
{
	return image_open(view, off, ref) && ref->image->head.apex_labels <= labels;
}

uint64_t
zone_hash_of_question(const struct map_view *view, const struct work *w)
{
	unsigned from = (unsigned)w->labels - w->zone.image->head.apex_labels, at = w->off[from];

	if (from >= w->hash_at && from - w->hash_at < w->nhash)
		return w->hash[from - w->hash_at];
	return zone_hash(view->map->header->hash_key, w->lname + at, w->qlen - at);
}

/* The pass before came upon the longest suffix whose hash is there: that is it, unless two names have
 * one hash. */
static bool
is_peeked(const struct map_view *view, const struct work *w)
{
	unsigned at = w->off[w->hash_at + w->peeked];
	size_t len;
	const uint8_t *apex = w->image != 0 ? map_image_apex(view, w->image, &len) : NULL;

	return apex != NULL && len == w->qlen - at && memcmp(apex, w->lname + at, len) == 0;
}

map_off
zone_of_question(const struct map_view *view, const struct query *q, const struct work *w)
{
	map_off image = 0;

	if (is_peeked(view, w))
		return w->image;
	for (unsigned i = 0; i < w->nhash && image == 0; i++) {
		unsigned at = w->off[w->hash_at + i];

		image = map_zone_lookup(view, w->hash[i], w->lname + at, w->qlen - at);
	}
	if (image == 0 && w->nhash == WORK_SUFFIXES)
		image = zone_find(view, w->lname, w->off, w->labels, w->hash_at + w->nhash);
	/* A DS question whose parent is not ours is the child's to answer. */
	if (image == 0 && q->qtype == RR_DS)
		image = zone_find(view, w->lname, w->off, w->labels, 0);
	return image;
}
