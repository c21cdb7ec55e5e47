/* guard.c - see guard.h.
 *
 * A descriptor's number may be another's by the time we look: whose it is, is asked anew each time,
 * and an entry that is overwritten is counted back, so the counts heal by themselves. */
#include "ipc/guard.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zmq.h>

#include "ipc/base/xalloc.h"

#define GUARD_FREE UINT32_MAX /* (uid_t)-1 is nobody's */
#define GUARD_FDS  (1 << 20) /* the kernel's default fs.nr_open */

int
guard_open(struct guard *g, zsock_t *z)
{
	*g = (struct guard){ 0 };
	return monitor_open(&g->monitor, z, ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_DISCONNECTED);
}

void
guard_close(struct guard *g)
{
	monitor_close(&g->monitor);
	free(g->owner);
	*g = (struct guard){ 0 };
}

static bool
is_limited(uint32_t uid)
{
	return uid != 0 && uid != geteuid();
}

static void
forget(struct guard *g, int fd)
{
	if ((size_t)fd >= g->size || g->owner[fd] == GUARD_FREE)
		return;
	g->others -= is_limited(g->owner[fd]);
	g->owner[fd] = GUARD_FREE;
}

static void
remember(struct guard *g, int fd, uint32_t uid)
{
	if ((size_t)fd >= g->size) {
		size_t size = (size_t)fd * 2 + 64;

		g->owner = xreallocarray(g->owner, size, sizeof *g->owner);
		for (size_t i = g->size; i < size; i++)
			g->owner[i] = GUARD_FREE;
		g->size = size;
	}
	g->owner[fd] = uid;
	g->others += is_limited(uid);
}

static unsigned
count(const struct guard *g, uint32_t uid)
{
	unsigned n = 0;

	for (size_t i = 0; i < g->size; i++)
		n += g->owner[i] == uid;
	return n;
}

/* True: it was one too many. */
static bool
accepted(struct guard *g, int fd, uint32_t *uid)
{
	struct ucred cred;
	socklen_t len = sizeof cred;

	forget(g, fd);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) != 0 || cred.uid == GUARD_FREE)
		return false; /* gone again */
	if (is_limited(cred.uid) &&
	    (g->others >= GUARD_OTHERS || count(g, cred.uid) >= GUARD_PER_USER)) {
		shutdown(fd, SHUT_RDWR);
		g->refused++;
		*uid = cred.uid;
		return true;
	}
	remember(g, fd, cred.uid);
	return false;
}

bool
guard_next(struct guard *g, uint32_t *uid)
{
	uint16_t event;
	int32_t fd;

	while (monitor_take(&g->monitor, &event, &fd)) {
		if (fd < 0 || fd >= GUARD_FDS)
			continue;
		if (event == ZMQ_EVENT_DISCONNECTED)
			forget(g, fd);
		else if (accepted(g, fd, uid))
			return true;
	}
	return false;
}
