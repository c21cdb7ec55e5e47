/* signowner - one owner signed: its sets, its place in the chain, its signatures.
 *
 * What zonesign.c does for every owner and resign.c for those that an edit touches.  An owner's part in the
 * zone (`enum owner_part`) and its neighbours in the chain are the caller's to know. */
#ifndef NS_SIGNER_SIGNOWNER_H
#define NS_SIGNER_SIGNOWNER_H

#include "appliance/signer/sheet.h"
#include "appliance/signer/typemap.h"
#include "appliance/signer/zonesign.h"
#include "appliance/zonemap/nsec3_chain.h"

enum owner_part {
	OWNER_OURS,			/* authoritative; the apex too */
	OWNER_CUT,			/* a delegation: NS, DS and NSEC are the parent's */
	OWNER_HIDDEN,			/* below a delegation or a DNAME: no part of the chain */
};

struct signing {			/* of one zone */
	const struct zonesign	*z;
	struct zonesign_done	*done;
	struct sheet		 sheet;
	struct typemap		 types;
	struct wbuf		 body;
	uint32_t		 chain_ttl;	/* RFC 9077: the lesser of SOA's TTL and MINIMUM */
	enum ns_err		 err;		/* a key does not open: what was signed since is incomplete */
	struct ns_why		 why;
};
void	 signing_init(struct signing *, const struct zonesign *, struct zonesign_done *);
void	 signing_free(struct signing *);

struct owner {
	const uint8_t	*name;
	const uint8_t	*raw;		/* its sets as zwire, without what signing makes */
	size_t		 raw_len;
	enum owner_part	 part;
	bool		 ds;		/* a cut with one */
	bool		 policy;	/* has one */
	bool		 alias;		/* has one, which is looked up: aliassign.h */
	uint8_t		 denied;	/* of its families, 1 << enum alias_family */
	struct alias_sets *sets;	/* NULL: those that it had: */
	struct rrset	 had;		/* its rdata a copy, for the image it is from may be another by then; no owner: none */
};
/* Appends the owner with its signatures; where chain->next is set, with an NSEC to that name.  False: a policy of
 * it has too many answers to sign. */
struct emission_chain;
bool	 sign_owner(struct signing *, const struct owner *, const struct emission_chain *,
	    struct wbuf *out);

/* An NSEC3: the owner's hash and the next one, its types as a bitmap. */
void	 sign_nsec3(struct signing *, const uint8_t hash[NSEC3_HASH], const uint8_t next[NSEC3_HASH],
	    const uint8_t *bitmap, size_t len, struct wbuf *out);
/* That bitmap; none: an empty non-terminal. */
void	 owner_nsec3_types(struct signing *, const struct owner *, struct wbuf *bitmap);
bool	 owner_has_nsec3(const struct zone_keys *, const struct owner *);

/* ---- for emissions.c: the sheet is filled; `without`: a type that is left out, 0: none ---- */
/* Rdata of a new signature; 0: the key does not open (s->err). */
size_t	 signing_make(struct signing *, const struct rrset *, const struct zone_key *,
	    struct rrsig_window, uint8_t out[RRSIG_MAX]);
void	 signing_note(struct signing *, uint32_t expiration);
void	 signing_nsec(struct signing *, const struct owner *, const uint8_t *next, uint16_t without,
	    struct wbuf *rdata);
void	 signing_nsec3(struct signing *, const struct owner *, const uint8_t next[NSEC3_HASH],
	    uint16_t without, struct wbuf *rdata);
void	 signing_nsec3_owner(const struct signing *, const uint8_t hash[NSEC3_HASH],
	    uint8_t owner[NAME_MAX_WIRE]);

#endif
