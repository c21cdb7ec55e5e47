/* hyst.c - see hyst.h. */
#include "appliance/probe/hyst.h"

static bool
become(struct hyst *h, enum vote_state state)
{
	*h = (struct hyst){ .state = state };
	return true;
}

bool
hyst_result(struct hyst *h, bool good, unsigned fall, unsigned rise)
{
	enum vote_state says = good ? VOTE_UP : VOTE_DOWN;
	unsigned need = h->state == VOTE_NONE ? 1 : good ? rise : fall;

	if (says == h->state) {
		h->streak = 0;
		h->recheck = false;
		return false;
	}
	if (h->state == VOTE_NONE && good)
		return become(h, VOTE_UP);
	if (h->recheck)
		return become(h, says);
	if (h->streak < UINT8_MAX)
		h->streak++;
	h->recheck = h->streak >= need;
	return false;
}

uint64_t
hyst_next_ms(const struct hyst *h, uint64_t interval_ms, uint32_t random)
{
	uint64_t spread = interval_ms / 5;

	if (h->recheck)
		return interval_ms < HYST_RECHECK_MS ? interval_ms : HYST_RECHECK_MS;
	return interval_ms - spread / 2 + (spread > 0 ? random % (spread + 1) : 0);
}
