/* fleetdoor - what libzmq tells of connections to the fleet port, and who is shown out (fleet/door.h).
 *
 * The reports come over an inproc pair without a limit: libzmq's thread would wait for us otherwise. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <zmq.h>

#include "appliance/fleet/door.h"
#include "appliance/sync/fleet.h"
#include "ipc/base/clock.h"
#include "ipc/base/log.h"
#include "ipc/base/xalloc.h"

#define REPORTS   "inproc://fleet-door"
#define EVENTS    (ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_DISCONNECTED)
#define RECENT_NS 10000000000ull
#define LOG_BURST 1 /* lines a second that strangers can cause */

struct fleet_door {
	struct door door;
	zsock_t *reports_z;
	struct ns_sock *reports;
	struct log_limit limit;
	uint64_t crowd_ns; /* the last one was shown out */
};

static void
came(struct fleet_door *d, int fd)
{
	struct fleet_from from = { .fd = -1 };
	struct sockaddr_storage remote = { 0 };
	socklen_t len = sizeof remote;

	if (getpeername(fd, (struct sockaddr *)&remote, &len) != 0)
		return; /* gone again */
	from.fd = door_came(&d->door, fd, &remote, &from.remote);
	if (from.fd < 0)
		return;
	fleet_cut(&from);
	d->crowd_ns = clock_mono_ns();
	if (log_allowed(&d->limit, LOG_BURST))
		log_warn("fleet.door", "thrown_out=%llu waiting=%u",
		    (unsigned long long)d->door.thrown_out, d->door.waiting);
}

/* Two frames: the event (16 bits) and its value (32 bits) in host order; the endpoint.  False: no more. */
static bool
report(struct fleet_door *d)
{
	void *raw = zsock_resolve(d->reports_z);
	uint8_t head[8], endpoint[128];
	uint16_t event;
	int32_t fd;
	int len = zmq_recv(raw, head, sizeof head, ZMQ_DONTWAIT);

	if (len < 0)
		return false;
	(void)zmq_recv(raw, endpoint, sizeof endpoint, ZMQ_DONTWAIT);
	if (len < (int)(sizeof event + sizeof fd))
		return true;
	memcpy(&event, head, sizeof event);
	memcpy(&fd, head + sizeof event, sizeof fd);
	if (event == ZMQ_EVENT_DISCONNECTED)
		door_forget(&d->door, fd);
	else
		came(d, fd);
	return true;
}

static void
reported(void *arg, zsock_t *z)
{
	struct sync *s = arg;

	(void)z;
	(void)report(s->fleet->door);
}

bool
fleet_door_open(struct sync *s)
{
	struct fleet *f = s->fleet;
	struct fleet_door *d = f->door = xcalloc(1, sizeof *d);
	struct ns_why why = { 0 };

	d->reports_z = zsock_new(ZMQ_PAIR);
	if (d->reports_z == NULL)
		return false;
	zsock_set_rcvhwm(d->reports_z, 0);
	zsock_set_linger(d->reports_z, 0);
	if (zmq_socket_monitor(zsock_resolve(f->router_z), REPORTS, EVENTS) != 0)
		return false;
	d->reports = ns_sock_wrap(s->role->base, d->reports_z, reported, s, &why);
	if (d->reports == NULL || zsock_connect(d->reports_z, "%s", REPORTS) != 0)
		return false;
	ns_sock_look(d->reports);
	return true;
}

/* Before the router is destroyed. */
void
fleet_door_close(struct sync *s)
{
	struct fleet_door *d = s->fleet->door;

	if (d == NULL)
		return;
	(void)zmq_socket_monitor(zsock_resolve(s->fleet->router_z), NULL, 0);
	ns_sock_destroy(&d->reports);
	door_free(&d->door);
	free(d);
	s->fleet->door = NULL;
}

/* A member's word came by it.  That it was accepted was reported before. */
void
fleet_door_known(struct sync *s, const struct fleet_from *from)
{
	struct fleet_door *d = s->fleet->door;

	while (report(d))
		continue;
	ns_sock_look(d->reports);
	door_forget(&d->door, from->fd);
}

char *
fleet_door_trouble(const struct sync *s)
{
	const struct fleet_door *d = s->fleet->door;

	if (d == NULL || d->crowd_ns == 0 || clock_since(clock_mono_ns(), d->crowd_ns) > RECENT_NS)
		return NULL;
	return xasprintf("too many connections without a key at the fleet port: %llu shown out "
			 "since the start",
	    (unsigned long long)d->door.thrown_out);
}
