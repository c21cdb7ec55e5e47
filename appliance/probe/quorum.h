/* quorum - who looks at a check, and what the votes of several appliances make of it.
 *
 * Pure; every appliance judges by itself, with the same list and nearly the same votes.  A flip needs
 * fresh votes of a majority of those assigned, from two sites where two are assigned; else the last
 * verdict stands, and is called stale.  A fleet of one or two decides on what it has. */
#ifndef NS_PROBE_QUORUM_H
#define NS_PROBE_QUORUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/probe/hyst.h"

#define QUORUM_FRESH_MS	 25000u	/* all votes come every 10 s: two may be lost */
#define QUORUM_SILENT_MS 60000u	/* then others look in its place */
#define QUORUM_MEMBERS	 256u

struct quorum_member {
	const char	*name, *site;
	bool		 out;		/* drained or removed */
	uint64_t	 silent_ms;	/* since it was heard; 0: ourselves */
};
struct quorum_vote {
	enum vote_state	 state;		/* VOTE_NONE: none, or it abstains */
	uint64_t	 age_ms;
};
struct quorum_verdict {
	enum vote_state	 state;
	bool		 stale;		/* too few fresh votes: it is the one before */
};

/* The members that look at this check, by rendezvous hashing: `want` of those who are in and not silent
 * (0: all).  Indices in *out, which has room for QUORUM_MEMBERS; how many. */
size_t	 quorum_assign(const struct quorum_member *, size_t n, uint64_t check_id, size_t want,
	    uint16_t *out);
/* votes[i] is that of members[assigned[i]]. */
struct quorum_verdict	 quorum_judge(const struct quorum_member *, size_t n,
	    const uint16_t *assigned, size_t nassigned, const struct quorum_vote *votes,
	    enum vote_state before);
/* We hear of fewer than half of the fleet's sites: it may be us who are cut off. */
bool	 quorum_frozen(const struct quorum_member *, size_t n);

#endif
