/* past - RRsets of a zone as they were at an earlier version of it, from the change log.
 *
 * Each change says what its RRsets were before it.  Of all changes after the version, the oldest one that
 * touched an RRset tells what it was then; what none touched is as it is now.  So the cost is that of the
 * changes in between, not of the zone.  Reader or writer thread. */
#ifndef NS_SYNC_PAST_H
#define NS_SYNC_PAST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/dns/zwire.h"
#include "appliance/store/store.h"
#include "ipc/nameserve.pb-c.h"

#define PAST_OCTETS  (256u << 20)	/* of change bodies that are gone through */
#define PAST_CHANGES 100000u

struct past_set {
	struct rrset	 key;		/* owner, type, covers */
	bool		 there;		/* then `set` is what it was */
	struct rrset	 set;
	uint64_t	 revision;	/* of the oldest change that touched it */
};
struct past {
	struct past_set	*sets;		/* in the order of a zwire, each key once */
	size_t		 count, room;
	uint64_t	 version;	/* of which this is the state */
	Ns__ChangeBody	**bodies;	/* that sets point into */
	size_t		 nbodies, octets;
};

enum past_by { PAST_VERSION, PAST_SERIAL };
/* The zone when it was at that version, or at that serial (NS_NOTFOUND when it never was). */
enum ns_err	 past_load(struct past *, struct store *, uint64_t zone, enum past_by, uint64_t value,
		    struct ns_why *) __attribute__((warn_unused_result));
void	 past_free(struct past *);
/* What one zone of a change was made on: removed and added, as a past of one change. */
void	 past_of_zone(struct past *, const Ns__ChangeBody__Zone *, uint64_t revision);

#endif
