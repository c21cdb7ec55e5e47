/* keyring - the fleet keys, sealed to each appliance that may have them: K-zone to every member, K-apex to the
 * standby as well (and to the primary itself).  At the primary; loop, one reader job, one change.
 *
 * Members say their X25519 key with each receipt.  Whoever has no keyring, too few or an older one gets a
 * new one; whoever says another key than it had gets none; when somebody has left, K-zone is made anew and every ZSK is wrapped with it (keysched.h). */
#ifndef NS_SYNC_KEYRING_H
#define NS_SYNC_KEYRING_H

#include "appliance/store/store.h"
#include "appliance/sync/request.h"
#include "appliance/sync/sync.h"

struct dnssec;

void	 keyring_seen(const char *member, const uint8_t *key, size_t len);
/* What that member said of itself; NULL: nothing, or this is not the primary. */
const uint8_t	*keyring_key(const char *member);
/* All who may have them, and their keys as far as they are known. */
void	 keyring_wish_all(const struct sync *, struct dnssec *);
void	 keyring_tick(struct sync *, uint64_t now_ns);
void	 keyring_stop(void);
/* For status; malloc'ed, NULL: nothing. */
char	*keyring_trouble(const struct sync *);

/* Reader: of those who may have keys, who is to get them now. */
enum ns_err	 keyring_choose(struct dnssec *, const char *own, struct store *);

#endif
