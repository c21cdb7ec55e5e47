/* plan - the zones of one change, planned: what `plan` shows and `commit` writes.
 *
 * Nothing is written before all zones of it are planned without a refusal, so a change is all or nothing.
 * Writer or reader thread. */
#ifndef NS_SYNC_PLAN_H
#define NS_SYNC_PLAN_H

#include "appliance/sync/request.h"
#include "appliance/sync/zoneplan.h"

/* The safety rail: more than this part of a zone's records goes or changes only when the zone is named a
 * second time.  Small zones are edited by hand as a whole. */
#define RAIL_PERCENT 30u
#define RAIL_RECORDS 20u

#define PLAN_WARNINGS 100u		/* the first ones */

struct plan {
	size_t		 count, room;
	struct zoneplan	*zones;		/* do not move */
	size_t		 nwarnings;
	Ns__Error	**warnings;	/* malloc'ed, and each of them; the reply may take them over */
};
struct plan_for {
	struct store	*store;
	int64_t		 now_ms;
	struct request	*request;	/* gets the conflict */
	uint64_t	 except;	/* a change whose window does not count: it is taken back */
};

void	 plan_init(struct plan *, size_t room);
void	 plan_free(struct plan *);
/* One zone more, begun; NULL with why.  The caller adds to it and calls plan_end(). */
struct zoneplan	*plan_zone(struct plan *, struct store *, const uint8_t *apex, struct ns_why *);
/* All edits of a request.  Stale ones are gathered: NS_CONFLICT with the request's conflict filled. */
enum ns_err	 plan_edits(struct plan *, const struct edit_request *, const struct plan_for *,
		    struct ns_why *) __attribute__((warn_unused_result));
/* Rules, serial and difference of the zone begun last. */
enum ns_err	 plan_end(struct plan *, const struct plan_for *, struct ns_why *)
		    __attribute__((warn_unused_result));

#define PLAN_HASH 65			/* hex, with its NUL */
/* Of what would change, RRset by RRset; not of the serial, which has today's date in it. */
void	 plan_hash(const struct plan *, char out[PLAN_HASH]);
/* NS_CONFIRM when too much of a zone would change that `confirm` does not name. */
/* Does one of these names, or "*", name the zone? */
bool	 zone_confirmed(const uint8_t *apex, char *const *confirm, size_t n);
bool	 rail_hit(const struct store_zone *, uint64_t touched);
enum ns_err	 rail_check(const struct store_zone *, uint64_t touched, char *const *confirm, size_t n,
		    struct ns_why *) __attribute__((warn_unused_result));
enum ns_err	 plan_rail(const struct plan *, char *const *confirm, size_t n, struct ns_why *)
		    __attribute__((warn_unused_result));

/* Handlers of the table in control.c. */
enum ns_err	 plan_text(struct request *);
enum ns_err	 plan_read(struct request *, struct store *);

#endif
