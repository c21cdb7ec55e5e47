/* aliases - the addresses of ALIAS targets as this appliance's resolver last gave them: the second half of
 * the health board's file (board.h).
 *
 * The probe is its only writer; workers, answer and sync map it read-only.  A slot holds two copies of what
 * is known of a target, and a number that says which one counts: the writer fills the other one, then moves
 * the number on.  So a reader never waits, a writer that dies half-way leaves what was, and a read during
 * which the number moved is made again.  The file is sparse: targets that do not exist cost nothing.
 *
 * A target is found by a keyed hash, in a window of ALIAS_WINDOW slots.  It is not found when it is none (yet),
 * or when the table is full: the probe says so.  Readers trust nothing: counts are cut to what fits. */
#ifndef NS_ZONEMAP_ALIASES_H
#define NS_ZONEMAP_ALIASES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/dns/name.h"

#define ALIAS_SLOTS	(1u << 16)
#define ALIAS_TARGETS	(ALIAS_SLOTS / 2)	/* so that a window is never full but by bad luck */
#define ALIAS_WINDOW	32u
#define ALIAS_ADDRESSES	16u			/* of a family; a target with more gives these */
#define ALIAS_TTL_STALE	5u			/* of addresses whose own time is over (RFC 8767 5) */

enum alias_family { ALIAS_V4, ALIAS_V6, ALIAS_FAMILIES };
enum alias_state {
	ALIAS_UNKNOWN,		/* no look-up has ended with an answer yet */
	ALIAS_HERE,		/* addresses */
	ALIAS_EMPTY,		/* the target has none of the family */
	ALIAS_STATES
};
/* Why the last look-up brought nothing new. */
enum alias_fault {
	ALIAS_OK,
	ALIAS_SILENT,		/* no resolver answered */
	ALIAS_SERVFAIL,
	ALIAS_NXDOMAIN,
	ALIAS_NO_ADDRESS,	/* neither family, though the name exists */
	ALIAS_CLOSED,		/* only addresses in networks that [probe] allow does not open */
	ALIAS_NO_RESOLVER,
	ALIAS_FAULTS
};
const char	*alias_fault_text(enum alias_fault);

struct alias_addresses {		/* of one family; times are UNIX seconds */
	uint8_t		state, count;
	uint16_t	spare;
	uint32_t	until;		/* their TTL is over then */
	uint32_t	keep;		/* and from then on they are not given any more: the ceiling */
	uint8_t		octets[ALIAS_ADDRESSES][16];
};
struct alias_known {			/* what is known of a target */
	uint32_t	tried, good;	/* last look-up, last one with an answer; 0: none */
	uint8_t		fault;		/* enum alias_fault, of the last look-up */
	uint8_t		spare[3];
	struct alias_addresses family[ALIAS_FAMILIES];
};
struct alias_slot {
	_Atomic uint64_t number;	/* copy[number & 1] counts */
	uint8_t		 name[NAME_MAX_WIRE + 1];
	struct alias_known copy[2];
};
struct alias_table {
	_Atomic uint64_t key[2];	/* of the hash; zeros: the table was never written */
	_Atomic uint64_t changes;		/* so often what is answered of some target became another */
	uint64_t	 spare[5];
	_Atomic uint64_t tag[ALIAS_SLOTS];	/* 0: free; else the hash */
	struct alias_slot slot[ALIAS_SLOTS];
};

/* The target of that name, lower case; false: nothing is known of it.  Table NULL: false. */
bool	 alias_read(const struct alias_table *, const uint8_t *name, struct alias_known *);
/* What of a target is answered, as a number: another one when its addresses are others.  0: it is not there. */
uint64_t	 alias_print(const struct alias_table *, const uint8_t *name);
uint64_t	 alias_changes(const struct alias_table *);
/* Has the family addresses to give at that time?  Their TTL then: what is left of their own, or
 * ALIAS_TTL_STALE when that is over and the ceiling is not. */
bool	 alias_ttl(const struct alias_addresses *, uint32_t now_s, uint32_t *ttl);

/* ---- the probe's ---- */
/* The hash's key, once in the life of the file. */
void	 alias_begin(struct alias_table *, const uint64_t key[2]);
/* False: no room in its window. */
bool	 alias_write(struct alias_table *, const uint8_t *name, const struct alias_known *);
void	 alias_remove(struct alias_table *, const uint8_t *name);

#endif
