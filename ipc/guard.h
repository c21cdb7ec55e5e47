/* guard - how many connections one user may hold on a ROUTER's Unix socket.
 *
 * Inside ipc/ only.  libzmq accepts whatever comes and aborts the process when there are no more
 * descriptors (ipc_listener.cpp), so anybody who may connect could end sync.  libzmq tells of each
 * accepted descriptor; the kernel says whose it is; one too many is shut down, and libzmq closes it.
 * We look a few milliseconds late: the process needs descriptors to spare (the supervisor raises
 * RLIMIT_NOFILE).  Root and our own user are not limited. */
#ifndef NS_IPC_GUARD_H
#define NS_IPC_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/monitor.h"

#define GUARD_PER_USER 128u /* a console has one, the api a few */
#define GUARD_OTHERS   2048u /* all limited users together */

struct guard {
	struct monitor monitor;
	uint32_t *owner; /* by descriptor: uid, or GUARD_FREE */
	size_t size;
	unsigned others;
	uint64_t refused;
};

int guard_open(struct guard *, zsock_t *); /* before it binds; 0 or -1 */
void guard_close(struct guard *); /* before the socket is destroyed */
/* Take in what happened.  True: a connection of *uid was refused, call again. */
bool guard_next(struct guard *, uint32_t *uid);

#endif
