/* asof - zones, their keys and health checks as they were at an earlier head, from the change log.
 *
 * For a signer that needs zones, or a probe that needs checks, while changes wait for the standby (gate.h):
 * nobody may hear of those, the map least of all.  asof_load() goes once over what waits; each zone that it
 * touched is then the store's with its earlier RRsets put back (past.h).  Feeder or reader thread, in one read transaction. */
#ifndef NS_SYNC_ASOF_H
#define NS_SYNC_ASOF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "appliance/store/store.h"

struct asof_zone {
	uint64_t	 id, changed;	/* by which change first */
	uint64_t	 version;	/* that it had */
	bool		 there;
	uint8_t		 name[255];
};
struct asof_object {
	char		 kind[16], name[256];
	uint64_t	 id, version;	/* that it had, */
	bool		 there;
	struct wbuf	 body;		/* when it was */
};
struct asof {
	struct store	*store;
	uint64_t	 revision;
	struct asof_zone *zones;	/* that were touched since, by id */
	size_t		 nzones, zones_room;
	struct asof_object *objects;	/* keys, keyrings, checks */
	size_t		 nobjects;
};

enum ns_err	 asof_load(struct asof *, struct store *, uint64_t revision, uint64_t head,
		    struct ns_why *) __attribute__((warn_unused_result));
void	 asof_free(struct asof *);
/* All RRsets that it had, and its row; NS_NOTFOUND: the log does not tell. */
enum ns_err	 asof_content(const struct asof *, const struct asof_zone *, struct store_zone *,
		    struct wbuf *zwire, struct ns_why *) __attribute__((warn_unused_result));

/* ---- what of it was touched; NULL: it is as the store has it ---- */
static inline const struct asof_zone *
asof_zone(const struct asof *a, uint64_t id)
{
	size_t low = 0, high = a->nzones;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (a->zones[mid].id == id)
			return &a->zones[mid];
		if (a->zones[mid].id < id)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

static inline const struct asof_object *
asof_object(const struct asof *a, const char *kind, const char *name)
{
	for (size_t i = 0; i < a->nobjects; i++)
		if (strcmp(a->objects[i].kind, kind) == 0 && strcmp(a->objects[i].name, name) == 0)
			return &a->objects[i];
	return NULL;
}

#endif
