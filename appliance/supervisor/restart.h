/* restart - when a dead child is started again. */
#ifndef NS_SUPERVISOR_RESTART_H
#define NS_SUPERVISOR_RESTART_H

#include <stdbool.h>
#include <stdint.h>

#include "ipc/base/backoff.h"

struct restart {
	struct backoff backoff;
	bool stocked; /* has a stock of immediate starts (workers) */
	bool ready; /* since its last start */
	uint32_t stock;
	uint64_t refilled_ms;
};

void restart_init(struct restart *, bool stocked, uint64_t now_ms);
void restart_ready(struct restart *, uint64_t now_ms);
/* It died.  ms until its next start; 0: at once. */
uint32_t restart_wait(struct restart *, uint64_t now_ms, uint32_t random);

#endif
