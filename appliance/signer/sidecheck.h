/* sidecheck - signatures of a start verified by a second thread, while the loop makes the next zones.
 *
 * Nothing of a start is published before all of it is there: so what signcheck.h's sample takes need not be waited for
 * zone by zone, only before the publish.  The thread has copies of all that it needs and touches nothing else; it lives
 * from the first signature to the wait for the last.  Where it has enough to do, or there is none, the loop verifies by
 * itself.  Anything else than a start is verified at once. */
#ifndef NS_SIGNER_SIDECHECK_H
#define NS_SIGNER_SIDECHECK_H

#include "appliance/signer/signcheck.h"

struct sidecheck;

struct sidecheck	*sidecheck_new(void);
void	 sidecheck_destroy(struct sidecheck **);	/* what was not verified is not */
/* A signature of what `c` checks, by c->beside where there is one; false: it does not verify.  True may be taken back. */
bool	 sidecheck_verify(const struct signcheck *c, const struct rrset *, const struct zone_key *,
	    const uint8_t *rdata, size_t len);
/* All of them are verified; the zones of those that do not are told, each once. */
void	 sidecheck_wait(struct sidecheck *, void (*wrong)(void *arg, const uint8_t *apex), void *arg);

#endif
