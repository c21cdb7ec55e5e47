/* signcheck - is a zone that was signed here fit to be served?  Asked of every image before it is.
 *
 * Reads what was made with other eyes than zonesign's: from the signed zwire alone and the keys.
 *   - every RRset that must have signatures has one of each algorithm that signs, by a key that is published,
 *     with a window that is open now; so has each answer in the tables of policies and ALIASes (signtables.h), and
 *     each denial there;
 *   - the chain is complete: each name that belongs to it is in it, and each link leads to the next;
 *   - cryptographically: one signature of each key (KSK: DNSKEY's, ZSK: SOA's) at the keys' load, and of the
 *     others those that the caller's sample picks. */
#ifndef NS_SIGNER_SIGNCHECK_H
#define NS_SIGNER_SIGNCHECK_H

#include "appliance/signer/zonesign.h"

#define SIGNCHECK_ALL	64u		/* new signatures of a change up to which all are verified */
#define SIGNCHECK_ONE_IN 64u		/* of the rest */

/* One place in each 64, another one each time: zones that are alike shall not always show the same set. */
static inline bool
signcheck_turn(uint64_t n)
{
	uint64_t block = (n / SIGNCHECK_ONE_IN + 1) * 0x9e3779b97f4a7c15u;

	return n % SIGNCHECK_ONE_IN == (block >> 32) % SIGNCHECK_ONE_IN;
}

struct signcheck {
	const uint8_t	*apex;
	const struct zone_keys *keys;
	uint32_t	 now;
	struct rrsigner	*signer;
	bool		 aliases;		/* an ALIAS has a table (zonesign.h) */
	bool		 later;			/* what closed keys signed is verified when they are loaded (keyload.h) */
	struct sidecheck *beside;		/* NULL: all is verified at once */
	/* How many signatures have been seen new (made at `now`) and in all: counted on here, over all zones
	 * of one change. */
	uint64_t	 fresh, seen;
	uint64_t	 verified;		/* out */
	bool		 unsound;		/* out: a ZSK's signature does not verify */
};

/* Whole owners of a zone alone: their signatures and the types in their NSECs; an owner without one is below a
 * delegation.  The links are resign.h's. */
enum ns_err	 signcheck_part(struct signcheck *, const void *zwire, size_t len, struct ns_why *)
		    __attribute__((warn_unused_result));
/* A whole zone: NS_INVALID with owner, type and reason in why. */
enum ns_err	 signcheck_zone(struct signcheck *, const void *zwire, size_t len, struct ns_why *)
		    __attribute__((warn_unused_result));
/* The same in slices, until the deadline (clock_mono_ns) each, one owner at least; _step: there is more to do.  What is
 * checked stays where it is until _end, which destroys the run. */
struct signcheck_run;
struct signcheck_run	*signcheck_begin(struct signcheck *, const void *zwire, size_t len);
bool	 signcheck_step(struct signcheck_run *, uint64_t deadline_ns);
enum ns_err	 signcheck_end(struct signcheck_run **, struct ns_why *)
		    __attribute__((warn_unused_result));
void	 signcheck_destroy(struct signcheck_run **);

#endif
