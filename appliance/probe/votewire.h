/* votewire - the octets in which probes tell each other their votes (message Votes).
 *
 * Pure.  Whoever wrote it may be hostile, though he holds an appliance's key: a message whose columns do
 * not fit or that is too long is refused whole, a row that cannot be is passed over. */
#ifndef NS_PROBE_VOTEWIRE_H
#define NS_PROBE_VOTEWIRE_H

#include "appliance/probe/hyst.h"
#include "ipc/base/err.h"
#include "ipc/nameserve.pb-c.h"

#define VOTES_MAX	 8192u		/* rows of one message: at most 200 KiB with their reasons */
#define VOTES_REASONS	 512u
#define VOTE_REASON_MAX	 128u
#define VOTE_AGE_MAX_MS	 (24u * 3600 * 1000)	/* the longest interval is an hour */
#define VOTE_RTT_MAX_US	 (120u * 1000000)	/* the longest timeout is a minute */

struct vote_row {
	uint64_t	 check;
	enum vote_state	 state;
	bool		 abstains;
	uint32_t	 rtt_us;	/* 0: none */
	uint32_t	 age_ms;	/* of the look; */
	bool		 looked;	/* false: there was none yet */
	const char	*reason;
};

/* ---- in ---- */
/* NULL: refused, *why says it.  ns__votes__free_unpacked() ends it. */
Ns__Votes	*votes_read(const void *, size_t len, const char **why);
/* Borrows the reason.  false: that row cannot be. */
bool	 votes_row(const Ns__Votes *, size_t i, struct vote_row *);

/* ---- out ---- */
struct votes_draft {
	Ns__Votes	 m;
	uint64_t	*checks;	/* VOTES_MAX each */
	uint32_t	*columns[4];
	const char	*reasons[VOTES_REASONS];
};
void	 votes_begin(struct votes_draft *, uint64_t epoch, uint64_t seq);
/* Borrows the reason until it is packed.  false: full. */
bool	 votes_add(struct votes_draft *, const struct vote_row *);
/* malloc'ed. */
uint8_t	*votes_pack(const struct votes_draft *, size_t *len);
void	 votes_free(struct votes_draft *);

#endif
