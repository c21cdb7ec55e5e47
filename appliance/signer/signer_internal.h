/* signer_internal - what signer.c (start, messages), signersay.c (what sync is told) and signertime.c (timers) share.
 * Nobody else includes it. */
#ifndef NS_SIGNER_SIGNER_INTERNAL_H
#define NS_SIGNER_SIGNER_INTERNAL_H

#include <event2/event.h>

#include "appliance/keys/keyclock.h"
#include "appliance/role/role.h"
#include "appliance/signer/aliasbook.h"
#include "appliance/signer/digest.h"
#include "appliance/signer/feed.h"
#include "appliance/signer/keyload.h"
#include "appliance/signer/keystore.h"
#include "appliance/signer/keyturn.h"
#include "appliance/signer/refresh.h"
#include "appliance/signer/sigfile.h"
#include "appliance/signer/troubles.h"
#include "appliance/signer/watch.h"
#include "appliance/zonemap/board.h"
#include "appliance/zonemap/writer.h"
#include "ipc/base/log.h"
#include "ipc/sock.h"

struct signer {
	struct role *role;
	struct writer *w;
	size_t workers;
	struct worker_page *pages[ROLE_MAX_WORKERS];
	struct feed *feed;
	struct digest *digest;
	struct refresh *refresh;
	struct watch *watch;
	struct aliasbook *book;
	struct troubles *troubles;
	char troubled[TROUBLES_TEXT]; /* as it was told */
	struct sigfile *file;
	struct board board;
	struct vault *vault; /* NULL: no_vault says why */
	struct ns_why no_vault;
	struct keystore *keys;
	struct keyload loads;
	struct keyturn *turn;
	struct ns_sock *bus;
	struct event *second, *reclaim, *hold, *retry, *slice, *huge, *renew, *health,
	    *make, *load, *work;
	unsigned reclaim_ms, retry_ms;
	unsigned seconds;
	uint64_t alive_ns; /* last said so out of the loop */
	uint64_t loading_ns; /* last told how much of a start is loaded; 0: that it is over */
	size_t lost; /* when the hold timer was last set */
	struct keyclock clock; /* for signatures */
	bool welcome, ask_all;
	bool current; /* what came since the hello has been published once */
	bool adopted; /* what an earlier signer left is watched as well */
	bool told_full;
	bool making; /* as sync was told */
	struct log_limit log_limit;
};

uint32_t signer_now(void *signer);	/* UNIX seconds: what signatures are made and judged by */

void	 signer_key_work(struct signer *, uint64_t id, const Ns__KeyWork *);

/* ---- signersay.c ---- */
void	 say_hello(struct signer *);
void	 say_ack(struct signer *, uint64_t seq);
void	 say_error(struct signer *, uint64_t id, const struct ns_why *);
void	 say(struct signer *, uint64_t id, Ns__Envelope *);
void	 say_state(struct signer *);
/* feed_calls and digest_reply_fn */
void	 say_resync(void *signer, const uint8_t *name, const char *why);
void	 say_resync_all(void *signer);
void	 say_published(void *signer, bool full, const char *text);
void	 say_refused(void *signer, const uint8_t *name, const struct ns_why *);
void	 say_locked(void *signer, const uint8_t *name, const struct ns_why *);
void	 say_opened(void *signer, const uint8_t *name);
void	 say_fit(void *signer, const uint8_t *name);
void	 say_alias(void *signer, const uint8_t *apex, const uint8_t *owner);
void	 say_troubles(struct signer *);
void	 say_digest(void *signer, uint64_t id, const Ns__DigestReply *);

/* ---- signertime.c ---- */
void	 timers_make(struct signer *);
void	 timers_free(struct signer *);
void	 want_soon(struct event *);		/* after the sockets had their turn */
void	 want_reclaim(struct signer *);
void	 want_look(struct signer *, unsigned ms);	/* at health */
/* After every feed: is somebody to be waited for, is something to be asked for later, or to be made? */
void	 want_feed(struct signer *);

#endif
