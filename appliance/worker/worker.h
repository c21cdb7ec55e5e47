/* worker - what the parts of one worker process share.
 *
 * One thread, one loop.  Everything below is taken at the start; between role_ready() and the end
 * nothing is allocated, locked, logged per query or opened. */
#ifndef NS_WORKER_WORKER_H
#define NS_WORKER_WORKER_H

#include <stdbool.h>
#include <stddef.h>

#include "appliance/serve/serve.h"
#include "appliance/worker/guard.h"
#include "appliance/zonemap/map.h"
#include "appliance/zonemap/page.h"

#define WORKER_SOCKETS_MAX 64 /* listen addresses × 2; more is refused at the start */

struct worker {
	struct serve_conf conf;
	struct map map;
	struct worker_memory *memory; /* ours to write, nobody's to trust */
	struct worker_page *page; /* its first page */
	struct guard guard;
};

/* Answers the batch from one view of the map; without a loaded map every query is dropped (cannot
 * happen once role_ready() was said).  Holds the epoch slot during this call only. */
void worker_answer(struct worker *, struct query *, size_t n);

#endif
