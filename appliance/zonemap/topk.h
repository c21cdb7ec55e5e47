/* topk - who asks most and what is asked most, in a worker's shared memory (page.h).
 *
 * Space-saving (Metwally, Agrawal, El Abbadi 2005): TOPK_SLOTS counters; a key that has none takes over
 * the smallest one with its count, which is noted as the error.  What was seen more than 1/TOPK_SLOTS of
 * the time is there for certain.  Two windows of a minute take turns, so the sum speaks of the last one
 * to two minutes.
 *
 * One writer, the worker, with plain stores, and a copy of what it compares in memory of its own, because
 * nobody trusts what stands here: the reader checks lengths, and the caller of the reader the keys. */
#ifndef NS_ZONEMAP_TOPK_H
#define NS_ZONEMAP_TOPK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TOPK_SLOTS     64u
#define TOPK_KEY       256u		/* octets of a key */
#define TOPK_WINDOW_NS 60000000000ull

struct topk_slot {
	_Atomic uint64_t hash;		/* 0: free */
	_Atomic uint64_t weight, error;
	_Atomic uint64_t len;
	_Atomic uint64_t key[TOPK_KEY / 8];
};
struct topk {
	_Atomic uint64_t began_ns;	/* of the current window; CLOCK_MONOTONIC */
	_Atomic uint32_t current, pad;
	struct topk_slot window[2][TOPK_SLOTS];
};

/* The writer's side. */
struct topk_writer {
	struct topk	*shared;
	uint64_t	 began_ns;
	unsigned	 current;
	/* Of the current window: half of each hash, all of each weight, and where the smallest may be. */
	_Alignas(16) uint32_t tag[TOPK_SLOTS];
	uint64_t	 weight[TOPK_SLOTS], floor;
	unsigned	 cursor;
};
void	 topk_open(struct topk_writer *, struct topk *, uint64_t now_ns);	/* continues what is there */
/* Once a batch: begins a new window when it is time. */
void	 topk_tick(struct topk_writer *, uint64_t now_ns);
/* Its slot of the current window; *taken, which may be NULL: the key has it since now. */
unsigned topk_add(struct topk_writer *, uint64_t hash, const void *key, size_t len, uint64_t weight,
	    bool *taken);

/* The reader's side: a slot of the current window (0) or of the one before (1), if that still counts. */
struct topk_value {
	uint64_t	weight, error;
	size_t		len;		/* ≤ TOPK_KEY */
	uint8_t		key[TOPK_KEY];
};
bool	 topk_read(const struct topk *, unsigned window, unsigned slot, uint64_t now_ns,
	    struct topk_value *);
/* Which of the two windows in memory that is; seconds that both windows speak of, the one before only if it is wanted. */
unsigned topk_window(const struct topk *, unsigned window);
double	 topk_span(const struct topk *, bool both, uint64_t now_ns);

#endif
