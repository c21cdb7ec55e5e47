/* bucket - many token buckets in a table of fixed size, each a single word (the generic cell rate
 * algorithm: a bucket is the time at which it will be full again).
 *
 * Pure: the caller brings the time and, once, the randomness.  A bucket that is full is the same as
 * none, so nothing has to be removed: its word is free for the next one.  Where a set of two holds
 * none that is full, the one that owes less is forgotten, in the asker's favour.  One thread. */
#ifndef NS_WORKER_BUCKET_H
#define NS_WORKER_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

#define BUCKET_WAYS	  2u
#define BUCKET_TICK_SHIFT 6u /* a tick is 64 ns: 40 bits of them wrap after 19 hours */
#define BUCKET_SECOND	  (1000000000ull >> BUCKET_TICK_SHIFT)

struct bucket_table {
	uint64_t *word; /* BUCKET_WAYS << bits of them */
	unsigned bits;
	uint64_t key[2]; /* random: nobody outside can choose what shares a set */
};

/* In ticks: what one takes, and what a full bucket holds. */
struct bucket_rate {
	uint64_t interval, burst;
};

/* When it is empty: the second, fourth … refusal in a row of this bucket is EVEN. */
enum bucket_verdict { BUCKET_PASS, BUCKET_ODD, BUCKET_EVEN };

/* False: no memory.  2^bits sets. */
bool bucket_init(struct bucket_table *, unsigned bits, const uint64_t key[2])
    __attribute__((warn_unused_result));
void bucket_fini(struct bucket_table *);
struct bucket_rate bucket_rate(uint32_t per_second, uint32_t burst);

/* A word: 23 bits of the hash, one that alternates with each refusal, and 40 bits of the tick at which
 * the bucket is full.  What lies further ahead than a bucket can owe is from before a wrap, or from
 * before the rate was changed: it counts as full. */
#define BUCKET_TICK_BITS 40u
#define BUCKET_TICK_MASK ((1ull << BUCKET_TICK_BITS) - 1)
#define BUCKET_ODD_BIT   (1ull << BUCKET_TICK_BITS)
#define BUCKET_TAG_SHIFT (BUCKET_TICK_BITS + 1)

/* Which bucket two numbers mean. */
static inline uint64_t
bucket_hash(const struct bucket_table *t, uint64_t a, uint64_t b)
{
	unsigned __int128 m = (unsigned __int128)(a ^ t->key[0]) * (b ^ t->key[1]);

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

static inline void
bucket_prefetch(const struct bucket_table *t, uint64_t hash)
{
	__builtin_prefetch(t->word + (hash >> (64 - t->bits)) * BUCKET_WAYS, 1);
}
static inline uint64_t
bucket_debt(uint64_t word, uint64_t now, uint64_t burst)
{
	uint64_t debt = (word - now) & BUCKET_TICK_MASK;

	return debt <= burst ? debt : 0;
}

/* Here, to be inlined: it is done for every query. */
static inline enum bucket_verdict
bucket_take(struct bucket_table *t, uint64_t hash, const struct bucket_rate *rate, uint64_t now_ns)
{
	uint64_t *w = t->word + (hash >> (64 - t->bits)) * BUCKET_WAYS;
	uint64_t now = now_ns >> BUCKET_TICK_SHIFT, burst = rate->burst;
	uint64_t tag = hash << BUCKET_TAG_SHIFT, word = *w, debt = bucket_debt(word, now, burst);

	_Static_assert(BUCKET_WAYS == 2, "both are looked at by name");
	if ((word ^ tag) >> BUCKET_TAG_SHIFT != 0) {
		uint64_t other = w[1], owed = bucket_debt(other, now, burst);

		if ((other ^ tag) >> BUCKET_TAG_SHIFT == 0) {
			word = other;
			debt = owed;
			w++;
		} else {
			w += debt > owed;
			word = tag;
			debt = 0;
		}
	}
	debt += rate->interval;
	if (__builtin_expect(debt > burst, 0)) {
		*w ^= BUCKET_ODD_BIT;
		return (word & BUCKET_ODD_BIT) != 0 ? BUCKET_EVEN : BUCKET_ODD;
	}
	*w = (word & ~BUCKET_TICK_MASK) | ((now + debt) & BUCKET_TICK_MASK);
	return BUCKET_PASS;
}

#endif
