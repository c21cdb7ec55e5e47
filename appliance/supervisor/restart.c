/* restart - how long a dead child waits for its next start.  Pure: time and chance are arguments.
 *
 * Everybody has the exponential back-off of ipc/base.  Beyond it a worker that had been ready has a
 * stock of immediate starts, refilled with time: a burst of deaths (a killer, a query of death) does
 * not keep a socket waiting, and a lasting one settles at the rate of the refill. */
#include "appliance/supervisor/restart.h"

#define BACKOFF_MIN_MS     20
#define BACKOFF_CAP_MS     30000
#define BACKOFF_HEALTHY_MS 1000 /* ready this long: the next start is at once */
#define STOCK_MAX          32
#define STOCK_REFILL_MS    500

void
restart_init(struct restart *r, bool stocked, uint64_t now_ms)
{
	*r = (struct restart){ .stocked = stocked, .stock = STOCK_MAX, .refilled_ms = now_ms };
	backoff_init(&r->backoff, BACKOFF_MIN_MS, BACKOFF_CAP_MS, BACKOFF_HEALTHY_MS);
}

void
restart_ready(struct restart *r, uint64_t now_ms)
{
	r->ready = true;
	backoff_up(&r->backoff, now_ms);
}

static void
refill(struct restart *r, uint64_t now_ms)
{
	uint64_t n = now_ms > r->refilled_ms ? (now_ms - r->refilled_ms) / STOCK_REFILL_MS : 0;

	if (r->stock + n >= STOCK_MAX) {
		r->stock = STOCK_MAX;
		r->refilled_ms = now_ms;
	} else {
		r->stock += (uint32_t)n;
		r->refilled_ms += n * STOCK_REFILL_MS;
	}
}

uint32_t
restart_wait(struct restart *r, uint64_t now_ms, uint32_t random)
{
	bool was_ready = r->ready;

	r->ready = false;
	refill(r, now_ms);
	if (r->stocked && was_ready && r->stock > 0) {
		r->stock--;
		return 0;
	}
	return backoff_failed(&r->backoff, now_ms, random);
}
