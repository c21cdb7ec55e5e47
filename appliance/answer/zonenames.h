/* zonenames - which zone a hash or an id of a counter means: looked up in the zone map, which says it all.
 *
 * Answer has no page, so what it reads may be reused under it: a name counts when its hash is the one
 * that was asked for (map_glance()). */
#ifndef NS_ANSWER_ZONENAMES_H
#define NS_ANSWER_ZONENAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/dns/name.h"
#include "appliance/zonemap/map.h"

#define ZONENAMES_MAX 256u

/* zone_hash() of a lower-case wire name. */
uint64_t zonenames_hash(const struct map *, const uint8_t *lname, size_t len);
bool zonenames_has(const struct map *, const uint8_t *lname, size_t len);
/* Text of the zone of a hash; false: none. */
bool zonenames_of_hash(const struct map *, uint64_t hash, char text[NAME_MAX_TEXT]);
/* Hashes of n (≤ ZONENAMES_MAX) ids (zonecount_id()), 0 where there is no zone; one walk of the map. */
void zonenames_of_ids(const struct map *, const uint64_t *ids, uint64_t *hashes, size_t n);

#endif
