/* zoneorder - the zones of a list in its order: made by one walk of all, kept for the pages that follow.
 *
 * An order is what a client's `snapshot` means: while it is kept, rows stay where they are, whatever is edited or
 * asked meanwhile.  It holds ids and never changes; any reader thread. */
#ifndef NS_SYNC_ZONEORDER_H
#define NS_SYNC_ZONEORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/base/err.h"

enum zone_sort {
	ZSORT_NAME, ZSORT_SERIAL, ZSORT_RECORDS, ZSORT_RRSETS, ZSORT_QPS, ZSORT_DNSSEC, ZSORT_HEALTH, ZSORT_CHANGED,
	ZSORT_MAX,
};

/* "qps", "-qps"; "": by name. */
enum ns_err	 zone_sort_read(const char *text, enum zone_sort *, bool *reverse, struct ns_why *);

struct zone_order {
	uint64_t snapshot;	/* never 0 */
	char	*what;		/* filter and sort: what it is of */
	uint64_t revision;	/* of the store that it was made from */
	bool	 moves;		/* by what changes without an edit */
	uint64_t made_ms, used_ms;
	unsigned held;
	size_t	 n;
	uint64_t *ids;
};

/* One that is kept: of that number, or else (number 0) of the same and of now.  NULL: none.  Held. */
struct zone_order	*zone_order_find(uint64_t snapshot, const char *what, uint64_t revision, uint64_t now_ms);
/* Keep one that was made: takes over its memory; the result is held. */
struct zone_order	*zone_order_keep(struct zone_order *, uint64_t now_ms);
void	 zone_order_release(struct zone_order **);
/* All, at the end. */
void	 zone_orders_free(void);

/* ---- to make one (pure) ---- */
struct zone_key {
	uint64_t id;
	double	 key;
	size_t	 turn;		/* in order of names */
};
/* By key, then by name; reverse turns the keys round, and names only where they are the key. */
void	 zone_keys_sort(struct zone_key *, size_t n, enum zone_sort, bool reverse);

#endif
