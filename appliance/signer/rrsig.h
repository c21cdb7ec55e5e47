/* rrsig - one signature over one RRset (RFC 4034 3, 6): made, verified, and when it is due again.
 *
 * Sets are zwire's, so their records are in canonical order already; names in rdata become lower case
 * here.  Time is an argument everywhere, in UNIX seconds; signature times are serial numbers (RFC 4034
 * 3.1.5), so a clock beyond 2106 works as well.
 *
 * A window begins an hour before it is made, for validators whose clock is behind, and lasts 14 days less a
 * jitter of up to 3 that the set's name and type decide: what was signed together is not due together.  A
 * signature is due when 7 days are left: a signer that is down for less lets none expire. */
#ifndef NS_SIGNER_RRSIG_H
#define NS_SIGNER_RRSIG_H

#include "appliance/dns/zwire.h"
#include "appliance/signer/keys.h"

#define RRSIG_SKEW   3600u
#define RRSIG_VALID  (14u * 86400u)
#define RRSIG_JITTER (3u * 86400u)
#define RRSIG_SPARE  (7u * 86400u)
#define RRSIG_SOON   (12u * 3600u)	/* where one is made anew, those go along that would be due so soon */

#define RRSIG_HEAD   18u		/* up to the signer's name */
#define RRSIG_MAX    (RRSIG_HEAD + NAME_MAX_WIRE + RRSIG_SIG_LEN)

struct rrsig_window {
	uint32_t	inception, expiration;
};
struct rrsig_window	 rrsig_window(const uint8_t *owner, uint16_t type, uint32_t now);

/* The fields of an RRSIG's rdata; points into it. */
struct rrsig {
	uint16_t	type, tag;
	uint8_t		algorithm, labels;
	uint32_t	ttl;
	struct rrsig_window window;
	const uint8_t	*signer;
	const uint8_t	*sig;
	size_t		 sig_len;
};
bool	 rrsig_read(const uint8_t *rdata, size_t len, struct rrsig *);

/* Labels of an owner as they are signed: without the root's and a leading "*" (RFC 4034 3.1.3). */
uint8_t	 rrsig_labels(const uint8_t *owner);

/* Seconds that are left of it at `now`; negative: it has ended. */
int32_t	 rrsig_left(const struct rrsig *, uint32_t now);
bool	 rrsig_is_valid_at(const struct rrsig *, uint32_t now);
bool	 rrsig_is_due(const struct rrsig *, uint32_t now);	/* or soon */

/* Makes and verifies; keeps OpenSSL's contexts between calls.  Not shared by threads. */
struct rrsigner;
struct rrsigner	*rrsigner_new(void);
void	 rrsigner_destroy(struct rrsigner **);
/* The rdata of the signature of `set` by that key, which must have its private half; its length. */
size_t	 rrsigner_make(struct rrsigner *, const struct rrset *set, const struct zone_key *,
	    const uint8_t *apex, struct rrsig_window, uint8_t out[RRSIG_MAX]);
/* Is this a signature of that set by that key, as its rdata says?  Says nothing of time. */
bool	 rrsigner_verify(struct rrsigner *, const struct rrset *set, const struct zone_key *,
	    const uint8_t *rdata, size_t len);
/* SHA-256 over what a signature of the set covers beside the signature's own fields: one set, one value. */
#define RRSIG_PRINT 16u			/* its first octets are kept */
void	 rrsigner_print(struct rrsigner *, const struct rrset *, uint8_t out[RRSIG_PRINT]);

#endif
