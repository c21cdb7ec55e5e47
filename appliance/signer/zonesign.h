/* zonesign - a zone's content and its keys become what is served: the zone signed (RFC 4035 2, RFC 5155 7.1).
 *
 * Pure: octets, keys and a time in, octets out.  Content is zwire without what signing makes (keys.h).
 * What is authoritative is signed: not the NS of a delegation, nothing below one or below a DNAME.  The
 * chain, NSEC or NSEC3, leads over all names that are; for a policy the types that it answers for count.
 * Signatures that exist are kept while they are of a key that signs and not due; `have` finds them. */
#ifndef NS_SIGNER_ZONESIGN_H
#define NS_SIGNER_ZONESIGN_H

#include "appliance/signer/rrsig.h"

/* Rdata of a signature over that very set (same records, same TTL) by that key; its length, 0: none. */
typedef size_t zonesign_have_fn(void *arg, const struct rrset *, const struct zone_key *,
	    uint8_t out[RRSIG_MAX]);

/* One that was made now. */
typedef void zonesign_made_fn(void *arg, const struct rrset *, const uint8_t *rdata, size_t len);
/* The RRSIG set over NSPOLICY (emissions.h) or ALIAS (aliassign.h) that a name had; *out stays empty when there is none. */
typedef void zonesign_had_fn(void *arg, const uint8_t *owner, uint16_t covers, struct rrset *out);
/* What that owner's ALIAS to the target may answer; the caller's. */
struct alias_sets;
typedef struct alias_sets *zonesign_aliases_fn(void *arg, const uint8_t *owner,
	    const uint8_t *target);

struct board;
struct zonesign {
	const uint8_t	*apex;
	struct zone_keys *keys;		/* opened when the first signature is made */
	uint32_t	 now;
	struct rrsigner	*signer;
	zonesign_have_fn *have;		/* may be NULL, as the next */
	zonesign_made_fn *made;
	zonesign_had_fn	*had_emissions;
	zonesign_aliases_fn *aliases;	/* NULL: ALIASes keep the signatures that they had */
	void		*arg;
	const struct board *board;	/* health, for policies; NULL: all is up */
};
struct zonesign_done {
	uint64_t	made, kept;	/* signatures */
	uint32_t	expires;	/* the first of them; 0: none */
};

/* The whole zone, appended to `out`, in slices: content, out and done stay where they are until _end, which destroys
 * it either way.  NS_CORRUPT: the content breaks its form, or has no SOA. */
struct zonesign_run;
struct zonesign_run	*zonesign_begin(const struct zonesign *, const void *content, size_t len,
		    struct wbuf *out, struct zonesign_done *);
/* Until the deadline (clock_mono_ns), one owner at least; true: there is more to do. */
bool	 zonesign_step(struct zonesign_run *, uint64_t deadline_ns);
enum ns_err	 zonesign_end(struct zonesign_run **, struct ns_why *)
		    __attribute__((warn_unused_result));
void	 zonesign_destroy(struct zonesign_run **);
unsigned zonesign_percent(const struct zonesign_run *);	/* of it that is done, about */

/* All of it at once. */
enum ns_err	 zonesign_all(const struct zonesign *, const void *content, size_t len,
		    struct wbuf *out, struct zonesign_done *, struct ns_why *)
		    __attribute__((warn_unused_result));

/* Is it one that signing makes, so that the content cannot have it?  At the apex, or elsewhere. */
bool	 zonesign_makes(uint16_t type, bool at_apex);

#endif
