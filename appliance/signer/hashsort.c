/* hashsort.c - see hashsort.h. */
#include "appliance/signer/hashsort.h"

#include <stdlib.h>
#include <string.h>

#include "appliance/zonemap/nsec3_chain.h"
#include "ipc/base/xalloc.h"

static int
by_hash(const void *a, const void *b)
{
	return memcmp(a, b, NSEC3_HASH);
}

void
hashsort_begin(struct hashsort *s, void *records, size_t n, size_t size)
{
	const uint8_t *from = records;
	size_t at[HASHSORT_PARTS] = { 0 }, sum = 0;

	*s = (struct hashsort){ .n = n, .size = size };
	s->base = xmalloc(n * size + 1);
	if (n == 0)
		s->part = HASHSORT_PARTS;
	for (size_t i = 0; i < n; i++)
		at[from[i * size]]++;
	for (unsigned p = 0; p < HASHSORT_PARTS; p++) {
		size_t count = at[p];

		at[p] = sum;
		s->ends[p] = sum += count;
	}
	for (size_t i = 0; i < n; i++)
		memcpy(s->base + at[from[i * size]]++ * size, from + i * size, size);
	free(records);
}

bool
hashsort_step(struct hashsort *s)
{
	size_t start;

	if (s->part == HASHSORT_PARTS)
		return false;
	start = s->part > 0 ? s->ends[s->part - 1] : 0;
	if (s->ends[s->part] - start > 1)
		qsort(s->base + start * s->size, s->ends[s->part] - start, s->size, by_hash);
	return ++s->part < HASHSORT_PARTS;
}
