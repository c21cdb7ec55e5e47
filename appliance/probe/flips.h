/* flips - the history of changes of state on this appliance, over all checks: the last FLIPS_KEPT.
 *
 * A ring in memory, and in a file of ours (data/probe/flips) of records of FLIP_OCTETS, so that it
 * outlives probe and appliance.  A record that was torn or is no record is left out; nothing in the file
 * is trusted further than to be shown. */
#ifndef NS_PROBE_FLIPS_H
#define NS_PROBE_FLIPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FLIPS_KEPT  16384u	/* 4 MiB */
#define FLIP_OCTETS 256u	/* a power of two: no record lies across two blocks of the disk */
#define FLIP_NAME   80u		/* with its NUL */
#define FLIP_REASON 128u

struct flip {
	uint64_t	 seq;		/* set by flips_note(), from 1 */
	uint64_t	 check;		/* the store's number */
	int64_t		 at_ms;		/* wall clock */
	uint8_t		 state;		/* enum board_state: up or down */
	char		 name[FLIP_NAME], reason[FLIP_REASON];
};

struct flips;
/* fd -1: in memory alone.  The descriptor stays the caller's. */
struct flips	*flips_new(int fd);
void	 flips_destroy(struct flips **);
void	 flips_note(struct flips *, const struct flip *);
/* Newest first, until fn says false. */
void	 flips_each(const struct flips *, bool (*fn)(void *arg, const struct flip *), void *arg);

/* ---- pure ---- */
void	 flip_encode(const struct flip *, uint8_t out[FLIP_OCTETS]);
/* What its first eight octets must be. */
uint64_t flip_sum(const uint8_t record[FLIP_OCTETS]);
bool	 flip_decode(const uint8_t in[FLIP_OCTETS], struct flip *);

#endif
