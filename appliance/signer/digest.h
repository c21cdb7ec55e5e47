/* digest - what the images say, for sync's verify: DigestRequest → DigestReply, a page at a time.
 *
 * Pages go by canonical order of the names, the map by hash; so at the first request the names are
 * collected (4 MB for 100,000 zones), kept true while pages are asked for, and given back when nobody
 * has asked for a minute.  Names in the set that have no zone any more are dropped when they are met.
 * With `signatures` each image's are verified too (sigaudit.h), from the beginning when the zone changes meanwhile.
 * Everything is done in slices: the signer's loop calls digest_step() between feeds. */
#ifndef NS_SIGNER_DIGEST_H
#define NS_SIGNER_DIGEST_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/zonemap/writer.h"
#include "ipc/nameserve.pb-c.h"

#define DIGEST_PAGE	500u		/* zones of one reply: 30 KB */
#define DIGEST_QUEUE	4u		/* requests that wait */

struct digest;
typedef void digest_reply_fn(void *arg, uint64_t id, const Ns__DigestReply *);

struct digest	*digest_new(struct writer *, digest_reply_fn *, void *arg);
void	 digest_destroy(struct digest **);
/* False: too many wait already. */
bool	 digest_ask(struct digest *, uint64_t id, const Ns__DigestRequest *);
void	 digest_forget(struct digest *);	/* the asker is gone */
/* Works until `deadline` (clock_mono_ns); true: there is more to do. */
bool	 digest_step(struct digest *, uint64_t deadline_ns);
void	 digest_staged(struct digest *, const uint8_t *name);	/* a zone that may be new */
void	 digest_idle(struct digest *, uint64_t now_ns);		/* now and then */

#endif
