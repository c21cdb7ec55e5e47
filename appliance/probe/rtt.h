/* rtt - what an appliance says how far a target is, from the times of its own probes: pure.
 *
 * Latency policies go by what is shown here, so it must not follow every hiccup: the median of the last
 * three times (one lost packet moves nothing), smoothed (EWMA, a quarter each), and shown anew only when
 * it has left a band of RTT_BAND around what is shown.  Two targets whose RTTs cross back and forth
 * within the band therefore keep their order, for every worker and for `test` alike. */
#ifndef NS_PROBE_RTT_H
#define NS_PROBE_RTT_H

#include <stdint.h>

#define RTT_BAND_PERCENT 15u
#define RTT_BAND_US	 500u	/* at least: below it nobody is nearer than anybody */

struct rtt {
	uint32_t last[2];	/* times before, the newer one first; 0: none */
	uint32_t smooth;	/* in 1/16 µs */
	uint32_t shown;		/* µs; 0: not known */
};

/* One more time; at most RTT_MAX_US counts.  0 is none and changes nothing.  What is shown now. */
#define RTT_MAX_US 100000000u
uint32_t rtt_take(struct rtt *, uint32_t us);
/* What was shown in an earlier life counts like what was measured; only where nothing was yet. */
void	 rtt_resume(struct rtt *, uint32_t shown);

#endif
