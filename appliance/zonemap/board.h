/* board - the health board: what the probe says of every check, for whoever serves.
 *
 * A memfd of fixed size that the supervisor makes; the probe is its only writer, signer, answer and
 * workers map it read-only.  Slot i is the check with the store's number i (never used again), one
 * 64-bit word, so that a read is one load and never torn.  Zeros: nobody has said anything of it.
 * The file is sparse: what no check has costs nothing.  Behind the slots are the addresses of ALIAS
 * targets (aliases.h).
 * Readers trust nothing: each word is cut to what can be meant, an unknown number reads as zeros. */
#ifndef NS_ZONEMAP_BOARD_H
#define NS_ZONEMAP_BOARD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/zonemap/aliases.h"

#define BOARD_SLOTS  (1u << 24)	/* numbers of checks that can ever be given */
#define BOARD_OCTETS ((size_t)BOARD_SLOTS * sizeof(uint64_t))
#define BOARD_FILE   (BOARD_OCTETS + sizeof(struct alias_table))

/* What an answer bound to a check counts as.  BOARD_UNKNOWN: no probe has written here (it is starting,
 * or there is no such check): no reason to take the answer away. */
enum board_state { BOARD_UNKNOWN, BOARD_UP, BOARD_DOWN };

/* How it came to that; for explain and lists, never for the choice. */
enum board_flag {
	BOARD_INITIAL = 1 << 2,		/* no verdict yet: what the check's `initial` says */
	BOARD_OVERRIDDEN = 1 << 3,	/* a person said so */
	BOARD_STALE = 1 << 4,		/* too few fresh votes: the last verdict stands */
	BOARD_FROZEN = 1 << 5,		/* this appliance sees too little of the fleet to change anything */
};

/* One slot, unpacked: bits 0-1 state, 2-7 flags, 8-31 RTT, 32-63 since. */
struct board_word {
	enum board_state state;
	unsigned	 flags;		/* enum board_flag */
	uint32_t	 rtt_us;	/* this appliance's own, smoothed; 0: not known.  Multiples of 10 */
	uint32_t	 since;		/* UNIX seconds of the last change of state */
};

struct board {
	_Atomic uint64_t *slots;	/* NULL: not mapped; everything reads as unknown */
	struct alias_table *aliases;	/* NULL: not mapped */
};

/* Map the descriptor.  False: slots stays NULL, and reading is safe all the same. */
bool	 board_map(struct board *, int fd, bool writable);
void	 board_unmap(struct board *);

static inline uint64_t
board_raw(const struct board *b, uint64_t check_id)
{
	if (b->slots == NULL || check_id >= BOARD_SLOTS)
		return 0;
	return atomic_load_explicit(&b->slots[check_id], memory_order_relaxed);
}

static inline enum board_state
board_state(const struct board *b, uint64_t check_id)
{
	uint64_t word = board_raw(b, check_id) & 3;

	return word == 3 ? BOARD_UNKNOWN : (enum board_state)word;
}

/* Does an answer with this check count as up?  check_id 0: it has none. */
static inline bool
board_up(const struct board *b, uint64_t check_id)
{
	return check_id == 0 || board_state(b, check_id) != BOARD_DOWN;
}

static inline uint32_t
board_rtt_of(uint64_t raw)
{
	return (uint32_t)(raw >> 8 & 0xffffff) * 10;
}

/* RTT of this appliance to the check's target, 0: not known. */
static inline uint32_t
board_rtt_us(const struct board *b, uint64_t check_id)
{
	return board_rtt_of(board_raw(b, check_id));
}

struct board_word	 board_word_of(uint64_t raw);
struct board_word	 board_read(const struct board *, uint64_t check_id);
/* The probe's.  A number that has no slot is not written. */
void	 board_write(struct board *, uint64_t check_id, const struct board_word *);
void	 board_clear(struct board *, uint64_t check_id);

#endif
