/* hashsort - records that begin with a hash put in its order, a part at a time: a zone's NSEC3 chain.
 *
 * Hashes are spread evenly, so 256 parts by the first octet are each small: the sort of a million takes steps of about
 * a millisecond after one pass of 20. */
#ifndef NS_SIGNER_HASHSORT_H
#define NS_SIGNER_HASHSORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HASHSORT_PARTS 256u

struct hashsort {
	uint8_t	*base;			/* the records, in parts */
	size_t	 n, size;		/* octets of a record */
	size_t	 ends[HASHSORT_PARTS];
	unsigned part;			/* in order up to this one */
};

/* Takes the records, malloc()ed; `size` octets each, of which the first 20 are the hash. */
void	 hashsort_begin(struct hashsort *, void *records, size_t n, size_t size);
/* One part; true: there is more to do.  At the end `base` is the caller's. */
bool	 hashsort_step(struct hashsort *);

#endif
