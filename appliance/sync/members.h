/* members - the fleet as the store has it: who belongs to it, and who this appliance follows.  Writer
 * thread, but for the requests' first halves. */
#ifndef NS_SYNC_MEMBERS_H
#define NS_SYNC_MEMBERS_H

#include <stdbool.h>

#include "appliance/fleet/roster.h"
#include "appliance/store/store.h"

struct batch;
struct caller;
struct change;
struct request;

#define MEMBER_KIND "appliance"	/* of the objects that members are */

/* Facts of this appliance alone (store_fact_*). */
struct fleet_facts {
	bool joined;			/* a replica that has enrolled */
	char primary[FLEET_NAME], endpoint[ENDPOINT_MAX];
	uint8_t key[FLEET_KEY];		/* the primary's */
};
enum ns_err	 fleet_facts_load(struct store *, struct fleet_facts *, struct ns_why *);
/* Role, name, term and primary of an appliance that has just enrolled. */
enum ns_err	 fleet_facts_join(struct store *, const char *name, uint64_t term,
		    const struct fleet_facts *, struct ns_why *);
/* The primary moved, or has another key. */
enum ns_err	 fleet_facts_primary(struct store *, const struct fleet_facts *, struct ns_why *);

/* The standby is another one since change `revision`, or none: until the one before has stored that, it takes
 * itself for the standby, and nothing of the change or after it counts.  A fact of the primary, so that it
 * outlives a restart. */
struct handover {
	uint64_t term, revision;	/* 0: none is under way */
	bool must;			/* false: none was named, and one that is silent is not waited for */
	char from[FLEET_NAME];
};
enum ns_err	 handover_put(struct store *, const struct handover *, struct ns_why *);
void	 handover_load(struct store *, struct handover *);

/* All of them; what cannot be read is left out, with a line in the log. malloc'ed. */
struct roster	*members_load(struct store *);
/* Into the store, and into the change that carries it; members_free() ends what it put there. */
enum ns_err	 member_put(struct batch *, struct change *, const struct member *, struct ns_why *);
void	 members_free(struct change *);
/* One member in a change of its own; b->revision is that change's. */
enum ns_err	 member_commit(struct batch *, const struct caller *, const struct member *,
		    const char *comment, struct ns_why *);

#endif
