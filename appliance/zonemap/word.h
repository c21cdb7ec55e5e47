/* word - a number in memory that is shared: one process writes it, others read it, and neither waits.  What has to come
 * before what is the caller's care (fences). */
#ifndef NS_ZONEMAP_WORD_H
#define NS_ZONEMAP_WORD_H

#include <stdatomic.h>
#include <stdint.h>

static inline uint64_t
word_load(const _Atomic uint64_t *word)
{
	return atomic_load_explicit(word, memory_order_relaxed);
}

static inline void
word_store(_Atomic uint64_t *word, uint64_t value)
{
	atomic_store_explicit(word, value, memory_order_relaxed);
}

static inline void
word_add(_Atomic uint64_t *word, uint64_t n)	/* one writer: no locked instruction needed */
{
	word_store(word, word_load(word) + n);
}

/* The same, of half the size. */
static inline uint32_t
half_load(const _Atomic uint32_t *half)
{
	return atomic_load_explicit(half, memory_order_relaxed);
}

static inline void
half_store(_Atomic uint32_t *half, uint32_t value)
{
	atomic_store_explicit(half, value, memory_order_relaxed);
}

#endif
