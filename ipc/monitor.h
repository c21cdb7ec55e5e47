/* monitor - what libzmq tells of a socket's connections, without a thread of CZMQ's.
 *
 * Inside ipc/ only.  A ZeroMQ socket hides its connections; libzmq reports them on an inproc pair,
 * whose descriptor is as edge-triggered as any other: after every wake-up, call until there is
 * nothing more. */
#ifndef NS_IPC_MONITOR_H
#define NS_IPC_MONITOR_H

#include <czmq.h>
#include <stdbool.h>
#include <stdint.h>

enum link_event { LINK_SAME, LINK_UP, LINK_DOWN, LINK_REFUSED /* it does not speak ZeroMQ */ };

struct monitor {
	void *pair; /* raw inproc socket; NULL: closed */
	void *watched; /* raw; not owned */
	char endpoint[256]; /* of the newest event */
};

/* CONNECT_RETRIED: connecting failed, and libzmq would wait for its own timer before it tries again. */
#define MONITOR_LINK                                                                     \
	(ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED |                        \
	    ZMQ_EVENT_CONNECT_RETRIED |                                                  \
	    ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | \
	    ZMQ_EVENT_HANDSHAKE_FAILED_AUTH)

/* events: of zmq_socket_monitor(3).  Before it connects or binds; 0 or -1. */
int monitor_open(struct monitor *, zsock_t *, int events);
void monitor_close(struct monitor *); /* before the socket is destroyed */
int monitor_fd(const struct monitor *);
bool monitor_take(struct monitor *, uint16_t *event, int32_t *value);
/* Of a DEALER, opened with MONITOR_LINK: what became of its one link. */
enum link_event monitor_next(struct monitor *);

#endif
