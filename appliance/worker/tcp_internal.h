/* tcp_internal - what tcp.c (listeners, the table, the clock) and tcp_turn.c (one connection) share. */
#ifndef NS_WORKER_TCP_INTERNAL_H
#define NS_WORKER_TCP_INTERNAL_H

#include "appliance/worker/conntable.h"
#include "appliance/worker/tcp.h"
#include "ipc/base/log.h"

struct listener {
	int fd;
	bool secure;
};

struct tcp {
	struct worker *worker;
	struct tls *tls; /* the worker's; NULL: not configured */
	int epfd;
	struct listener listeners[TCP_LISTENERS];
	unsigned n_listeners;
	unsigned shakes; /* steps of handshakes that are left in this turn */
	unsigned first; /* of the events that are ready: who comes first */
	bool accepting;
	struct log_limit log_limit;
	struct conntable table;
	struct conn *conns;
	struct conn_out *outs;
	struct conn_in *ins;
	uint8_t *slots;
	struct query query[SERVE_BATCH];
	struct iovec iov[SERVE_BATCH];
};

/* tcp.c: the connection is gone after the first two. */
void tcp_drop(struct tcp *, struct conn *);
void tcp_evict(struct tcp *, struct conn *); /* to make room */
bool tcp_watch_again(struct tcp *, struct conn *); /* tells epoll when what it waits for changed */

/* tcp_turn.c: it is readable, or writable if it was blocked. */
void tcp_conn_turn(struct tcp *, struct conn *, uint64_t now);

#endif
