/* backoff.c - see backoff.h. */
#include "ipc/base/backoff.h"

#include <assert.h>

void
backoff_init(struct backoff *b, uint32_t min_ms, uint32_t cap_ms, uint32_t healthy_ms)
{
	assert(min_ms > 0 && min_ms <= cap_ms);
	*b = (struct backoff){ .min_ms = min_ms, .cap_ms = cap_ms, .healthy_ms = healthy_ms };
}

void
backoff_up(struct backoff *b, uint64_t now_ms)
{
	b->up = true;
	b->up_ms = now_ms;
}

/* min, 2 min, 4 min … cap, for the second, third, fourth … failure in a row. */
static uint32_t
full_wait(const struct backoff *b)
{
	uint64_t wait = b->min_ms;

	for (uint32_t i = 2; i < b->failures && wait < b->cap_ms; i++)
		wait *= 2;
	return wait < b->cap_ms ? (uint32_t)wait : b->cap_ms;
}

uint32_t
backoff_failed(struct backoff *b, uint64_t now_ms, uint32_t random)
{
	uint32_t wait = 0;

	if (b->up && now_ms >= b->up_ms && now_ms - b->up_ms >= b->healthy_ms)
		b->failures = 0;
	b->up = false;
	if (b->failures < UINT32_MAX)
		b->failures++;
	if (b->failures > 1) {
		wait = full_wait(b);
		wait -= random % (wait / 2 + 1);
	}
	b->next_ms = now_ms + wait;
	return wait;
}

uint32_t
backoff_wait(const struct backoff *b, uint64_t now_ms)
{
	/* Never more than was decided, also when the clock that is passed in steps back. */
	uint64_t left = b->next_ms > now_ms ? b->next_ms - now_ms : 0;

	return left < b->cap_ms ? (uint32_t)left : b->cap_ms;
}
