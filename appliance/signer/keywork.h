/* keywork - what is done to a zone's keys: made, rolled, wrapped anew, dropped; at the primary alone.
 *
 * Sync sends a zone's keys as they are stored and what is asked (KeyWork); the answer is what shall be stored
 * instead (KeyWorkDone), which sync commits.  The steps are keystate.h's; here are the octets: new pairs,
 * blobs, and the sets that KSKs sign.  Nothing is kept between two calls. */
#ifndef NS_SIGNER_KEYWORK_H
#define NS_SIGNER_KEYWORK_H

#include "appliance/signer/vault.h"
#include "ipc/nameserve.pb-c.h"

/* Fills the reply, whose parts are malloc'ed: keywork_free(). */
enum ns_err	 keywork_do(struct vault *, const Ns__KeyWork *, Ns__KeyWorkDone *, struct ns_why *)
		    __attribute__((warn_unused_result));
void	 keywork_free(Ns__KeyWorkDone *);

#endif
