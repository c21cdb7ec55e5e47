/* bucket - see bucket.h. */
#include "appliance/worker/bucket.h"

#include <stdlib.h>
#include <string.h>

bool
bucket_init(struct bucket_table *t, unsigned bits, const uint64_t key[2])
{
	size_t size = sizeof *t->word * (BUCKET_WAYS << bits);

	t->bits = bits;
	memcpy(t->key, key, sizeof t->key);
	t->word = aligned_alloc(64, size);
	if (t->word != NULL)
		memset(t->word, 0, size);
	return t->word != NULL;
}

void
bucket_fini(struct bucket_table *t)
{
	free(t->word);
	t->word = NULL;
}

struct bucket_rate
bucket_rate(uint32_t per_second, uint32_t burst)
{
	struct bucket_rate r;

	r.interval = per_second < BUCKET_SECOND ? BUCKET_SECOND / (per_second + !per_second) : 1;
	r.burst = r.interval * burst;
	if (r.burst > BUCKET_TICK_MASK / 4)
		r.burst = BUCKET_TICK_MASK / 4;
	return r;
}
