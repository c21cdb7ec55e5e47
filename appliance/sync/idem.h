/* idem - a request that comes twice with the same key is answered twice and done once.
 * The key, the digest of the request and the reply are part of the change's transaction.  Writer thread. */
#ifndef NS_SYNC_IDEM_H
#define NS_SYNC_IDEM_H

#include <stdint.h>

#include "appliance/sync/request.h"

/* NS_NOTFOUND: new, go on.  NS_OK: r->reply is the first answer.  Else a refusal in r->why. */
enum ns_err	 idem_replay(struct request *, struct store *, int64_t now_ms);
enum ns_err	 idem_keep(struct request *, struct store *, int64_t now_ms);

#endif
