/* signatures - what the signer says of them, kept for status: when the first ends here, and which zones that arrived
 * signed have some that ended.  Loop. */
#ifndef NS_SYNC_SIGNATURES_H
#define NS_SYNC_SIGNATURES_H

#include "appliance/sync/sync.h"

void	 signatures_state(struct sync *, const Ns__Envelope *);	/* from the signer */
void	 signatures_status(Ns__StatusReply *, int64_t now_s);	/* adds them, and what is wrong */
void	 signatures_stats(Ns__StatsReply *);	/* adds them and what keysched.h knows */
void	 signatures_stop(void);

#endif
