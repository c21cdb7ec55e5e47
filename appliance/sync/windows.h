/* windows - the loop's side of changes that wait for their confirmation: counts the time, saves it, and acts
 * when it ends.  Loop only.
 *
 * The time is the monotonic clock's: a wall clock that is set changes nothing.  What remains is saved every
 * WINDOWS_SAVE_NS, so a crash gives back at most that much.  Every appliance counts; only the primary acts. */
#ifndef NS_SYNC_WINDOWS_H
#define NS_SYNC_WINDOWS_H

#include <stdint.h>

#include "appliance/sync/batch.h"
#include "appliance/sync/sync.h"
#include "ipc/nameserve.pb-c.h"

#define WINDOWS_SAVE_NS	 5000000000ull
#define WINDOWS_STUCK_NS 5000000000ull
#define WINDOWS_RETRY_NS 1000000000ull	/* a change could not be taken back (full disk): again after this */

struct windows	*windows_new(void);
void	 windows_destroy(struct windows **);
/* The windows as they are in the store now: known ones go on, new ones begin, others are over. */
void	 windows_set(struct windows *, const struct window_list *, uint64_t now_ns);
void	 windows_tick(struct sync *, uint64_t now_ns);
/* Another appliance has counted further: what remains is not more than that. */
void	 windows_learn(struct windows *, uint64_t revision, uint64_t remaining_ms, uint64_t now_ns);
void	 windows_status(const struct windows *, Ns__StatusReply *, uint64_t now_ns);

/* A change that should have been taken back some time ago; 0: none. */
uint64_t windows_stuck(const struct windows *, uint64_t now_ns);

/* ---- pure, for the above ---- */
/* What remains of each, in the order they were set. */
void	 windows_remaining(const struct windows *, uint64_t now_ns, struct window_list *);
/* The next one that is over and not being taken back; 0: none.  Counts as tried. */
uint64_t windows_due(struct windows *, uint64_t now_ns, uint64_t *total_ms);

#endif
