/* hyst - from single results to a verdict of this appliance: fall and rise, and a quick second look.
 *
 * Pure.  `fall` bad results in a row (or `rise` good ones) are not enough: the flip waits for one more
 * of its kind a second later, so that a hiccup in the last of them decides nothing.  Without a verdict
 * yet the first good result is one, a bad one wants its second look. */
#ifndef NS_PROBE_HYST_H
#define NS_PROBE_HYST_H

#include <stdbool.h>
#include <stdint.h>

#define HYST_RECHECK_MS 1000u

enum vote_state { VOTE_NONE, VOTE_UP, VOTE_DOWN };

struct hyst {
	enum vote_state	 state;
	uint8_t		 streak;	/* results in a row that speak against state */
	bool		 recheck;	/* the next one decides */
};

/* True: state changed. */
bool	 hyst_result(struct hyst *, bool good, unsigned fall, unsigned rise);
/* How long until the next probe; the interval gets up to a tenth more or less by `random`, so that
 * appliances and checks do not march in step. */
uint64_t hyst_next_ms(const struct hyst *, uint64_t interval_ms, uint32_t random);

#endif
