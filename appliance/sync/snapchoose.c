/* snapchoose - see snapchoose.h. */
#include "appliance/sync/snapchoose.h"

const struct store_retention snap_retention = {
	.least = KEEP_CHANGES,
	.most = KEEP_MOST,
	.keep_ms = KEEP_MS,
	.floor_ms = KEEP_FLOOR_MS,
};

enum snap_choice
snap_choose(const struct snap_place *p)
{
	uint64_t lacks = p->head > p->from ? p->head - p->from : 0;
	double replay = (double)lacks * SNAP_CHANGE_NS;
	double snapshot = (double)p->zones * SNAP_ZONE_NS + (double)p->octets * SNAP_OCTET_NS;
	bool gone = p->from + 1 < p->begins;

	if (p->candidate)
		return gone || p->wanted ? SNAP_CANNOT : SNAP_REPLAY;
	if (p->wanted || gone)
		return SNAP_TAKE;
	return lacks > SNAP_LEAST && replay > SNAP_FACTOR * snapshot ? SNAP_TAKE : SNAP_REPLAY;
}

uint64_t
snap_prune_limit(const struct snap_need *all, size_t n, uint64_t head, uint64_t released)
{
	uint64_t limit = released + 1;

	for (size_t i = 0; i < n; i++) {
		/* One that is so far behind would get a snapshot rather than all that. */
		bool far = head >= all[i].need && head - all[i].need >= KEEP_CHANGES;

		if (all[i].reachable && !far && all[i].need < limit)
			limit = all[i].need;
	}
	return limit;
}
