/* tail - the queries that a worker shows to whoever watches: a ring in its shared memory (page.h), and one page
 * that says whether anybody does.
 *
 * The wish is a memfd that the supervisor makes; answer is its only writer, workers map it read-only.  While it
 * is over, a worker reads one word a batch and writes nothing.
 * The ring has one writer, the worker; a slot's turn is odd while it is written, so that a reader sees a whole
 * row or none.  Nobody trusts what stands there: tail_get() cuts every field to what can be meant. */
#ifndef NS_ZONEMAP_TAIL_H
#define NS_ZONEMAP_TAIL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TAIL_SLOTS	512u
#define TAIL_NAME	255u			/* octets of a name */
#define TAIL_WORDS	(6u + (TAIL_NAME + 7u) / 8u)
#define TAIL_ONE_IN_MAX	1000000u
#define TAIL_WISH_FILE	4096u

struct tail_wish {
	_Atomic uint64_t	until_ns;	/* CLOCK_MONOTONIC; in the past: nobody watches */
	_Atomic uint32_t	one_in;		/* of so many queries one, by chance */
};

struct tail_slot {
	_Atomic uint64_t	turn;		/* 2 * number + 2 of the row that is here; odd: being written */
	_Atomic uint64_t	words[TAIL_WORDS];
};
struct tail {
	_Atomic uint64_t	head;		/* rows ever written */
	_Atomic uint64_t	missed;		/* taken by chance, and not written: too many at once */
	struct tail_slot	slots[TAIL_SLOTS];
};

enum tail_flag { TAIL_DROPPED = 1, TAIL_TCP = 2, TAIL_TLS = 4, TAIL_TRUNCATED = 8 };

struct tail_row {
	uint64_t	at_ns;			/* when it was answered; CLOCK_MONOTONIC */
	uint32_t	us10;			/* tenths of a µs: its batch, from receive to send */
	uint16_t	qtype;
	uint8_t		rcode, flags;		/* enum tail_flag */
	uint32_t	one_in;
	uint8_t		family;			/* 4, 6; 0: not known */
	uint8_t		address[16];
	uint64_t	zone_hash;		/* 0: none of ours */
	uint8_t		name_len, name[TAIL_NAME];	/* wire form, lower case */
};

void	 tail_put(struct tail *, const struct tail_row *);
/* Row `number` (0 is the first ever); false: overwritten, being written, or not one. */
bool	 tail_get(const struct tail *, uint64_t number, struct tail_row *);

/* Map the descriptor; NULL: cannot be, and nobody watches. */
struct tail_wish *tail_wish_map(int fd, bool writable);

#endif
