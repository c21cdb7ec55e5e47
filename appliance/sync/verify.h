/* verify - does the store keep its own rules, does the log's chain hold, and is what is served what is
 * stored?  The loop asks, reader threads look in slices, the signer gives the digests of its images. */
#ifndef NS_SYNC_VERIFY_H
#define NS_SYNC_VERIFY_H

#include "appliance/sync/request.h"
#include "appliance/sync/sync.h"

void	 verify_request(struct sync *, struct request *);
void	 verify_digests(struct sync *, const Ns__Envelope *);	/* from the signer */
void	 verify_tick(struct sync *, uint64_t now_ns);
void	 verify_stop(void);

#endif
