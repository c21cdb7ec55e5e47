/* looks - the last looks at one target, for people to see how it went.  Pure. */
#ifndef NS_PROBE_LOOKS_H
#define NS_PROBE_LOOKS_H

#include <stddef.h>
#include <stdint.h>

#define LOOKS_KEPT 60u

struct looks {
	uint32_t us[LOOKS_KEPT]; /* round trip; 0: it failed */
	uint8_t at, n;
};

/* A look that failed has rtt_us 0; a good one is at least 1. */
void looks_add(struct looks *, uint32_t rtt_us);
/* The last `most` of them into *out, the newest last; how many. */
size_t looks_last(const struct looks *, size_t most, uint32_t *out);

#endif
