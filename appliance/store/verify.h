/* verify - the state of one walk of store_verify_step().  Private to verify.c and verify_zone.c. */
#ifndef NS_STORE_VERIFY_H
#define NS_STORE_VERIFY_H

#include "appliance/store/db.h"
#include "appliance/store/rows.h"

enum verify_phase { VERIFY_TABLES, VERIFY_ZONES, VERIFY_TOMBS, VERIFY_LOG, VERIFY_END };

struct verify {
	uint64_t	 pieces;		/* is the cursor */
	enum verify_phase phase;
	uint64_t	 at;			/* table, zone id or revision: done up to here */
	store_fault_fn	*fault;
	void		*arg;

	/* The zone in work. */
	bool		 in_zone;
	bool		 fresh_piece;		/* a piece begins: the zone may have changed */
	unsigned	 restarts;		/* of this zone, because it was edited */
	struct store_zone zone;
	uint64_t	 records, rrsets, bytes;	/* found so far */
	bool		 any;			/* a part was seen: key and last are set */
	struct skey	 key;			/* of the last part */
	uint8_t		 last[NAME_MAX_WIRE];	/* its last owner */

	uint64_t	 begins;		/* the log, all of it from there on */
	uint8_t		 prev[STORE_HASH];	/* of the change before */
};

void	 verify_fault(struct verify *, const char *what, const char *zone, const char *text);
/* Begins a zone, or checks one part, or ends the zone. */
enum ns_err	 verify_step_zone(struct store *, struct verify *);

#endif
