/* part - editing one part: a zwire of whole owners, as the bytes of one database row.
 *
 * Pure: no I/O, no allocation, no SQLite, so that it is fuzzed by itself.  The bytes are not trusted;
 * functions say false when they break the rules of zwire.h. */
#ifndef NS_STORE_PART_H
#define NS_STORE_PART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PART_KEY_MAX 512u	/* NAME_MAX_KEY */

/* Octets [from, to) of a part: whole owners. */
struct part_span {
	size_t		from, to;
	uint64_t	owners, rrsets, records;
};

/* Where the owner is, or where it would be (from == to).  Reads no further than it must. */
bool	 part_find(const void *body, size_t len, const uint8_t *owner, struct part_span *);
/* The first owner after this one (NULL: the first); from == to at the end. */
bool	 part_after(const void *body, size_t len, const uint8_t *owner, struct part_span *);
/* Whole owners after this one (NULL: from the start) until `want` octets are reached, one at least
 * (empty at the end); `last` is where in body the last owner's name is. */
bool	 part_run(const void *body, size_t len, const uint8_t *owner, size_t want,
	    struct part_span *, size_t *last);
/* All of it; `fattest` gets the octets of the biggest owner. */
bool	 part_measure(const void *body, size_t len, struct part_span *, size_t *fattest);

/* How many octets of the front make the next part: whole owners, at least one, ends at the first owner
 * boundary at or after `target`, never over `limit` unless one owner alone is. 0: broken. */
size_t	 part_cut(const void *body, size_t len, size_t target, size_t limit);
/* Into how even pieces a body of len octets is cut, at most `limit` each. */
size_t	 part_target(size_t len, size_t limit);

/* Sort key of the first owner (the root's is empty); false: there is none. */
bool	 part_first_key(const void *body, size_t len, uint8_t key[PART_KEY_MAX], size_t *key_len);

/* Checksum of a stored part, bound to its zone: a flipped bit is found at the next read. */
uint64_t part_sum(uint64_t zone, const void *body, size_t len);

#endif
