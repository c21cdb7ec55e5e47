/* secret - what DNS cookies are made with (RFC 7873, 9018), the same on every appliance of the fleet.
 *
 * The primary makes one at its first start and a new one each day; the one before stays good for an hour,
 * as long as a cookie lives.  It is a change like any other (kind "secret", author "nameserve"), so that
 * a replica learns it as it learns everything else (apply.h).  The store keeps it among the settings, under a name that no request knows; no
 * list, export or history shows it.  Writer thread, but for secret_load() and what is pure. */
#ifndef NS_SYNC_SECRET_H
#define NS_SYNC_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/store/store.h"

#define SECRET_SIZE	16u
#define SECRET_ROLL_MS	86400000	/* a day: RFC 9018 5 asks for no more than 36 days */
#define SECRET_KEEP_MS	3600000		/* RFC 9018 4.3: no cookie is older */
/* A clock that was set back by less is waited for, and within so much of the monotonic clock there is
 * no second roll, whatever the wall clock does: the cookies that are out stay good. */
#define SECRET_HOLD_MS	3600000

struct secret {
	uint8_t		value[2][SECRET_SIZE];	/* the current one, and the one before */
	unsigned	count;			/* of them; 0: there is none yet */
	int64_t		rolled_ms;		/* wall clock */
};

/* Pure.  since_ms: monotonic, since the last roll that this process made; UINT64_MAX: it made none. */
bool	 secret_due(const struct secret *, int64_t now_ms, uint64_t since_ms);
void	 secret_roll(struct secret *, const uint8_t fresh[SECRET_SIZE], int64_t now_ms);
/* Until when the one before is good: as in struct map_cookie. */
static inline uint32_t
secret_until(const struct secret *s)
{
	return (uint32_t)((s->rolled_ms + SECRET_KEEP_MS) / 1000);
}
/* As it stands in the store.  False: not what we wrote. */
#define SECRET_TEXT	96u
void	 secret_to_text(const struct secret *, char out[SECRET_TEXT]);
bool	 secret_from_text(const char *, struct secret *);

/* NS_OK and count 0: there is none, or none that can be read (a new one heals that). */
enum ns_err	 secret_load(struct store *, struct secret *, struct ns_why *);
/* What the change says that was made at `at_ms`; *now is what there is after it. */
enum ns_err	 secret_apply(struct store *, const uint8_t value[SECRET_SIZE], int64_t at_ms,
		    struct secret *now, struct ns_why *);
struct batch;
/* That setting was fetched again: if it is the secret, it is the one that counts now. */
enum ns_err	 secret_repaired(struct batch *, const char *setting, struct ns_why *);
/* A new one, as a change in the batch. */
enum ns_err	 secret_commit(struct batch *, struct ns_why *);

#endif
