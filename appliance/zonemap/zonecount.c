/* zonecount - see zonecount.h.  Writer: the worker, in the query path; reader: answer. */
#include "appliance/zonemap/zonecount.h"

#include <stddef.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "appliance/zonemap/word.h"

/* A bucket takes its zones until it is half full; then the emptier one of the two does: 100,000 fit, 13 %
 * of them in the second. */
#define WAYS_AT_EASE 4u

_Static_assert(ZONECOUNT_WAYS == 8, "two vectors");

/* The way with that tag, whatever its age; ZONECOUNT_WAYS: none.  All eight at once: which way it is
 * differs from query to query, and a loop would be mispredicted each time.  We alone write the tags,
 * so reading them as plain words is no race. */
static inline unsigned
find(const struct zonecount_bucket *b, uint32_t tag)
{
#ifdef __SSE2__
	const __m128i *tags = (const __m128i *)(const void *)b->tag;
	const __m128i want = _mm_set1_epi32((int)(tag >> 4)), none = _mm_setzero_si128();
	__m128i low = _mm_cmpeq_epi32(_mm_srli_epi32(tags[0], 4), want);
	__m128i high = _mm_cmpeq_epi32(_mm_srli_epi32(tags[1], 4), want);
	int hit = _mm_movemask_epi8(_mm_packs_epi16(_mm_packs_epi32(low, high), none));

	return (unsigned)__builtin_ctz((unsigned)hit | 1u << ZONECOUNT_WAYS);
#else
	unsigned way = 0;

	while (way < ZONECOUNT_WAYS && half_load(&b->tag[way]) >> 4 != tag >> 4)
		way++;
	return way;
#endif
}

static unsigned
used(const struct zonecount_bucket *b)
{
	unsigned n = 0;

	for (unsigned i = 0; i < ZONECOUNT_WAYS; i++)
		n += half_load(&b->tag[i]) != 0;
	return n;
}

/* Ages since its last query, at least. */
static uint32_t
quiet(uint32_t tag, uint32_t age)
{
	return (age - tag) % ZONECOUNT_AGES;
}

static unsigned
vacant(const struct zonecount_bucket *b, uint32_t age)
{
	bool full = used(b) == ZONECOUNT_WAYS;
	unsigned i = 0;

	while (i < ZONECOUNT_WAYS &&
	       (full ? quiet(half_load(&b->tag[i]), age) <= 1 : half_load(&b->tag[i]) != 0))
		i++;
	return i;
}

/* A reader that sees the new counts sees that the tag was gone (zonecount_read()). */
static void
take(struct zonecount *z, struct zonecount_bucket *b, unsigned way, uint32_t tag)
{
	if (half_load(&b->tag[way]) != 0)
		word_add(&z->reclaimed, 1);
	half_store(&b->tag[way], 0);
	atomic_thread_fence(memory_order_release);
	half_store(&b->queries[way], 0);
	half_store(&b->nxdomain[way], 0);
	half_store(&b->errors[way], 0);
	atomic_store_explicit(&b->tag[way], tag, memory_order_release);
}

/* A zone's first query, or its first after it lost its place: a new one in the first bucket or its twin. */
static struct zonecount_bucket *
settle(struct zonecount *z, uint32_t at, uint32_t tag, uint32_t age, unsigned *way)
{
	struct zonecount_bucket *b = &z->bucket[at], *twin = &z->bucket[zonecount_twin(at, tag)];

	if (used(b) > WAYS_AT_EASE && used(twin) < used(b))
		b = twin;
	*way = vacant(b, age);
	if (*way == ZONECOUNT_WAYS) {
		b = b == twin ? &z->bucket[at] : twin;
		*way = vacant(b, age);
	}
	if (*way < ZONECOUNT_WAYS)
		take(z, b, *way, tag | age);
	return b;
}

static inline void
count(struct zonecount_bucket *b, unsigned way, uint32_t tag, bool nxdomain, bool error)
{
	if (half_load(&b->tag[way]) != tag)
		half_store(&b->tag[way], tag);
	half_store(&b->queries[way], half_load(&b->queries[way]) + 1);
	if (nxdomain)
		half_store(&b->nxdomain[way], half_load(&b->nxdomain[way]) + 1);
	if (error)
		half_store(&b->errors[way], half_load(&b->errors[way]) + 1);
}

/* Not in the first bucket.  Out of line, so that the usual query saves no registers for it. */
static __attribute__((noinline)) void
count_elsewhere(struct zonecount *z, uint64_t hash, uint32_t age, bool nxdomain, bool error)
{
	uint32_t tag = zonecount_tag(hash), at = zonecount_bucket(hash);
	struct zonecount_bucket *b = &z->bucket[zonecount_twin(at, tag)];
	unsigned way = find(b, tag);

	if (way == ZONECOUNT_WAYS)
		b = settle(z, at, tag, age, &way);
	if (way < ZONECOUNT_WAYS) {
		count(b, way, tag | age, nxdomain, error);
		return;
	}
	word_add(&z->other_queries, 1);
	word_add(&z->other_nxdomain, nxdomain);
	word_add(&z->other_errors, error);
}

void
zonecount_add(struct zonecount *z, uint64_t hash, bool nxdomain, bool error, uint64_t now_ns)
{
	uint32_t tag = zonecount_tag(hash);
	uint32_t age = (uint32_t)(now_ns >> ZONECOUNT_AGE_SHIFT) % ZONECOUNT_AGES;
	struct zonecount_bucket *b = &z->bucket[zonecount_bucket(hash)];
	unsigned way = find(b, tag);

	if (way < ZONECOUNT_WAYS)
		count(b, way, tag | age, nxdomain, error);
	else
		count_elsewhere(z, hash, age, nxdomain, error);
}

static uint64_t
id_of(uint32_t bucket, uint32_t tag)
{
	uint32_t twin = zonecount_twin(bucket, tag);

	return (uint64_t)(twin < bucket ? twin : bucket) << 28 | tag >> 4;
}

uint64_t
zonecount_id(uint64_t hash)
{
	return id_of(zonecount_bucket(hash), zonecount_tag(hash));
}

bool
zonecount_read(const struct zonecount *z, uint32_t index, struct zonecount_value *v)
{
	uint32_t at = index / ZONECOUNT_WAYS % ZONECOUNT_BUCKETS, way = index % ZONECOUNT_WAYS;
	const struct zonecount_bucket *b = &z->bucket[at];
	uint32_t tag = atomic_load_explicit(&b->tag[way], memory_order_acquire), again;

	if (tag >> 4 == 0)
		return false;
	v->queries = half_load(&b->queries[way]);
	v->nxdomain = half_load(&b->nxdomain[way]);
	v->errors = half_load(&b->errors[way]);
	atomic_thread_fence(memory_order_acquire);
	again = half_load(&b->tag[way]);
	v->id = id_of(at, tag);
	return tag >> 4 == again >> 4;
}
