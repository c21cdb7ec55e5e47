/* standby - who may acknowledge an edit, and who may become the primary.
 *
 * Pure: tables of what an appliance knows, and the word that follows.  sync's gate.c and promote.c ask;
 * tests/unit/standby_test has every row. */
#ifndef NS_FLEET_STANDBY_H
#define NS_FLEET_STANDBY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STANDBY_SILENT_NS 2000000000ull /* no word of the standby for so long: edits are refused */

/* ---- may the primary acknowledge? ---- */
enum gate_state {
	GATE_OPEN,
	GATE_SILENT,	 /* the standby is not heard any more */
	GATE_UNHEARD,	 /* restarted: the standby, or without one anybody, was not heard yet */
	GATE_SUPERSEDED, /* a member knows a newer term */
	GATE_HELD,	 /* another appliance asked to hold: it is being promoted */
	GATE_REPLICA,	 /* not the primary at all */
};
struct gate_view {
	bool primary;
	uint64_t term, newest_term; /* ours; the newest that a member told */
	bool held;
	bool others;	    /* there are other appliances in the fleet */
	bool standby;	    /* one is named */
	bool standby_ever;  /* heard since we started */
	bool standby_now;   /* its link is there, and its last word is young */
	bool leaving;	    /* another one takes its place, and the one before must hear so first: */
	bool leaving_ever, leaving_now;
	bool heard;	    /* others since we started, or this process was promoted */
};
enum gate_state gate_judge(const struct gate_view *);
/* What is committed up to `revision` may be told to the signer, to others, to whoever asked for it. */
bool gate_passes(enum gate_state, bool standby, uint64_t stored, uint64_t revision);

/* ---- may this appliance be promoted? ---- */
struct position {
	uint64_t log_term, revision; /* of the newest change */
};
int position_cmp(struct position, struct position);

struct candidate_peer {
	bool reachable;
	bool standby;	   /* is the one that is named */
	uint64_t term;	   /* newest that it knows */
	struct position at;
};
enum promote_verdict {
	PROMOTE_GO,
	PROMOTE_FETCH,	     /* *which has more: get that first */
	PROMOTE_HIGHER_TERM, /* *which knows a higher term than we */
	PROMOTE_NOT_STANDBY, /* *which is the named standby, and reachable */
};
enum promote_verdict promote_judge(uint64_t term, struct position own,
    const struct candidate_peer *, size_t n, size_t *which);

/* ---- where do two histories part? ---- */
enum rewind_verdict {
	REWIND_OURS,	/* the place is of our history: follow from there */
	REWIND_BACK,	/* of an older term: try *revision */
	REWIND_REFUSED, /* of the same term, which has one history: somebody's disk lies */
};
/* A replica stands at `at`, which our log does not have: it has a change of the term `here` at that
 * number (0: nothing), and `older` is our last change before it of a term not newer than the replica's. */
enum rewind_verdict rewind_judge(uint64_t term, struct position at, uint64_t here, uint64_t older,
    uint64_t *revision);

#endif
