/* historymerge - see historymerge.h. */
#include "appliance/sync/historymerge.h"

static int64_t
time_of(const struct merge_side *s)
{
	if (s->taken < s->n)
		return s->at_ms(s->rows, s->taken);
	return s->more ? s->reached_ms : INT64_MIN;
}

size_t
history_merge(struct merge_side side[2], size_t limit, uint8_t *order)
{
	size_t n = 0;

	side[0].taken = side[1].taken = 0;
	while (n < limit) {
		uint8_t newer = time_of(&side[0]) >= time_of(&side[1]) ? 0 : 1;

		/* The page of that one is at its end: nobody knows what is behind it. */
		if (side[newer].taken == side[newer].n)
			break;
		side[newer].taken++;
		order[n++] = newer;
	}
	return n;
}
