/* zonecount - queries, NXDOMAINs and errors of each zone, in a worker's shared memory (page.h).
 *
 * One writer, the worker, with plain stores; answer reads whenever it likes and slows nobody.  Buckets
 * of eight zones in two cache lines, of which the usual query touches one; a zone's entry is in one of two buckets, so 100,000 zones
 * have a place each, and 131,072 all but one in a thousand.  Counters are 32 bits and wrap: the reader comes often enough (zonetotals.h).  What
 * has no place is counted under `other`, unless an entry of its two buckets has been quiet for more than
 * a quarter of an hour: that one is read long since and is given to the newcomer.
 *
 * Nobody trusts the content: an entry says who it is by where it stands and by its tag, and every tag
 * says something. */
#ifndef NS_ZONEMAP_ZONECOUNT_H
#define NS_ZONEMAP_ZONECOUNT_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define ZONECOUNT_WAYS	  8u
#define ZONECOUNT_BUCKETS 20480u		/* 163,840 entries, 2.5 MiB */
#define ZONECOUNT_ENTRIES (ZONECOUNT_BUCKETS * ZONECOUNT_WAYS)
#define ZONECOUNT_AGE_SHIFT 40u			/* of nanoseconds: an age lasts 18 minutes */
#define ZONECOUNT_AGES	  16u			/* they come again after 5 hours: nothing is lost by it */

struct zonecount_bucket {
	/* 28 bits of the hash, 4 of the age; 0: free */
	alignas(128) _Atomic uint32_t tag[ZONECOUNT_WAYS];
	_Atomic uint32_t queries[ZONECOUNT_WAYS], nxdomain[ZONECOUNT_WAYS], errors[ZONECOUNT_WAYS];
};
struct zonecount {
	_Atomic uint64_t other_queries, other_nxdomain, other_errors;
	_Atomic uint64_t reclaimed;
	struct zonecount_bucket bucket[ZONECOUNT_BUCKETS];
};

/* Where a hash may stand.  The second bucket follows from the first and the tag alone, both ways, so
 * that an entry's place tells its id. */
static inline uint32_t
zonecount_tag(uint64_t hash)
{
	return (uint32_t)hash << 4 != 0 ? (uint32_t)hash << 4 : 16u;
}
static inline uint32_t
zonecount_bucket(uint64_t hash)
{
	return (uint32_t)((hash >> 32) * ZONECOUNT_BUCKETS >> 32);
}
static inline uint32_t
zonecount_twin(uint32_t bucket, uint32_t tag)
{
	uint32_t sum = (uint32_t)((uint64_t)((tag >> 4) * 2654435769u) * ZONECOUNT_BUCKETS >> 32);

	return sum >= bucket ? sum - bucket : sum + ZONECOUNT_BUCKETS - bucket;
}
static inline void
zonecount_prefetch(const struct zonecount *z, uint64_t hash)
{
	__builtin_prefetch(&z->bucket[zonecount_bucket(hash)], 1);
}

/* Writer: one query. */
void	 zonecount_add(struct zonecount *, uint64_t hash, bool nxdomain, bool error, uint64_t now_ns);

/* Reader.  One entry as it is, false: free, or about to change hands. */
struct zonecount_value {
	uint64_t id;				/* zonecount_id() of its zone; never 0 */
	uint32_t queries, nxdomain, errors;
};
bool	 zonecount_read(const struct zonecount *, uint32_t index, struct zonecount_value *);
/* The same for every hash of one zone, in any worker; 42 bits, so two zones in 100,000 × 100,000 / 2 /
 * 2^42 tables share one. */
uint64_t zonecount_id(uint64_t hash);

#endif
