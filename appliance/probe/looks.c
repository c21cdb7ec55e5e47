/* looks - see looks.h. */
#include "appliance/probe/looks.h"

void
looks_add(struct looks *l, uint32_t rtt_us)
{
	l->us[l->at] = rtt_us;
	l->at = (uint8_t)((l->at + 1u) % LOOKS_KEPT);
	if (l->n < LOOKS_KEPT)
		l->n++;
}

size_t
looks_last(const struct looks *l, size_t most, uint32_t *out)
{
	size_t n = l->n < most ? l->n : most;

	for (size_t i = 0; i < n; i++)
		out[i] = l->us[(l->at + LOOKS_KEPT - n + i) % LOOKS_KEPT];
	return n;
}
