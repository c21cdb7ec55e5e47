/* tally - what a batch leaves behind in the worker page.
 *
 * Called once per batch by the UDP and the TCP side of the one thread that writes the page; whoever
 * reads the page never slows it.  The time of a batch (receive → send) counts for each query in it:
 * two clock reads for 32 queries instead of 64. */
#ifndef NS_WORKER_TALLY_H
#define NS_WORKER_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/serve/serve.h"
#include "appliance/zonemap/page.h"

void tally_init(void); /* once, before the first batch */
void tally_batch(struct worker_page *, const struct query *, size_t n, uint64_t ns);

#endif
