/* zonenames - see zonenames.h. */
#include "appliance/answer/zonenames.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/zonemap/hash.h"
#include "appliance/zonemap/zonecount.h"

struct wanted {
	uint64_t id;
	size_t number;
};
struct walk {
	struct wanted wanted[ZONENAMES_MAX]; /* by id */
	size_t n;
	uint64_t *hashes;
};

uint64_t
zonenames_hash(const struct map *map, const uint8_t *lname, size_t len)
{
	return zone_hash(map->header->hash_key, lname, len);
}

bool
zonenames_has(const struct map *map, const uint8_t *lname, size_t len)
{
	struct map_view view;
	struct map_root *root = map_glance(map, &view);
	bool has;

	has = root != NULL &&
	      map_zone_lookup(&view, zonenames_hash(map, lname, len), lname, len) != 0;
	free(root);
	return has;
}

static bool
read_name(const struct map *map, const struct map_view *view, uint64_t hash, char *text)
{
	map_off image = map_zone_peek(view, hash);
	uint8_t name[NAME_MAX_WIRE];
	const uint8_t *apex;
	size_t len;

	apex = image != 0 ? map_image_apex(view, image, &len) : NULL;
	if (apex == NULL || len > sizeof name)
		return false;
	memcpy(name, apex, len);
	if (name_check(name, len) != len || zonenames_hash(map, name, len) != hash)
		return false;
	name_to_text(name, text);
	return true;
}

bool
zonenames_of_hash(const struct map *map, uint64_t hash, char text[NAME_MAX_TEXT])
{
	struct map_view view;
	struct map_root *root = map_glance(map, &view);
	bool found = root != NULL && read_name(map, &view, hash, text);

	free(root);
	return found;
}

static int
by_id(const void *a, const void *b)
{
	const struct wanted *wa = a, *wb = b;

	return wa->id < wb->id ? -1 : wa->id > wb->id;
}

static void
on_zone(void *arg, uint64_t hash, map_off image)
{
	struct walk *w = arg;
	struct wanted key = { .id = zonecount_id(hash) };
	const struct wanted *found;

	(void)image;
	found = bsearch(&key, w->wanted, w->n, sizeof key, by_id);
	if (found != NULL)
		w->hashes[found->number] = hash;
}

void
zonenames_of_ids(const struct map *map, const uint64_t *ids, uint64_t *hashes, size_t n)
{
	struct walk w = { .n = n, .hashes = hashes };
	struct map_view view;
	struct map_root *root = map_glance(map, &view);
	uint64_t cursor = 0;

	assert(n <= ZONENAMES_MAX);
	memset(hashes, 0, n * sizeof *hashes);
	if (root == NULL)
		return;
	for (size_t i = 0; i < n; i++)
		w.wanted[i] = (struct wanted){ ids[i], i };
	qsort(w.wanted, n, sizeof w.wanted[0], by_id);
	while (map_zone_page(&view, &cursor, on_zone, &w))
		continue;
	free(root);
}
