/* monitor.c - see monitor.h.  The pair lives in CZMQ's context, like every socket of ours. */
#include "ipc/monitor.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <zmq.h>

int
monitor_open(struct monitor *m, zsock_t *z, int events)
{
	static atomic_uint number; /* inproc names are the process's, sockets any thread's */
	char name[64];
	int linger = 0;

	*m = (struct monitor){ .watched = zsock_resolve(z) };
	snprintf(name, sizeof name, "inproc://ns-monitor-%u", atomic_fetch_add(&number, 1));
	if (zmq_socket_monitor(m->watched, name, events) != 0)
		return -1;
	m->pair = zmq_socket(zsys_init(), ZMQ_PAIR);
	if (m->pair != NULL && zmq_setsockopt(m->pair, ZMQ_LINGER, &linger, sizeof linger) == 0 &&
	    zmq_connect(m->pair, name) == 0)
		return 0;
	monitor_close(m);
	return -1;
}

void
monitor_close(struct monitor *m)
{
	if (m->watched != NULL)
		zmq_socket_monitor(m->watched, NULL, 0);
	if (m->pair != NULL)
		zmq_close(m->pair);
	*m = (struct monitor){ 0 };
}

int
monitor_fd(const struct monitor *m)
{
	int fd = -1;
	size_t len = sizeof fd;

	if (m->pair != NULL)
		zmq_getsockopt(m->pair, ZMQ_FD, &fd, &len);
	return fd;
}

/* Frame one: event (16 bits) and value (32 bits) in host order; frame two: the endpoint. */
bool
monitor_take(struct monitor *m, uint16_t *event, int32_t *value)
{
	uint8_t head[64];
	int len;

	if (m->pair == NULL)
		return false;
	len = zmq_recv(m->pair, head, sizeof head, ZMQ_DONTWAIT);
	if (len < (int)(sizeof *event + sizeof *value))
		return false;
	memset(m->endpoint, 0, sizeof m->endpoint);
	zmq_recv(m->pair, m->endpoint, sizeof m->endpoint - 1, ZMQ_DONTWAIT);
	memcpy(event, head, sizeof *event);
	memcpy(value, head + sizeof *event, sizeof *value);
	return true;
}

enum link_event
monitor_next(struct monitor *m)
{
	uint16_t event;
	int32_t value;

	while (monitor_take(m, &event, &value)) {
		if (event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED)
			return LINK_UP;
		if (event == ZMQ_EVENT_DISCONNECTED || event == ZMQ_EVENT_CONNECT_RETRIED)
			return LINK_DOWN;
		if (event & MONITOR_LINK)
			return LINK_REFUSED;
	}
	return LINK_SAME;
}
