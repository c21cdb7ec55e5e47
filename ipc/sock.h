/* sock - the one place that ties a ZeroMQ socket's edge-triggered descriptor to libevent.
 *
 * After every wake-up, every send and every receive the socket is asked for ZMQ_EVENTS until nothing
 * is left; after 64 messages the loop gets a turn (a timer of zero re-arms: event_active would run
 * again before libevent looks at anybody else), and a 250 ms timer covers a missed edge.  Every socket gets the same limits: high-water marks, LINGER, MAXMSGSIZE.
 * No user but root and our own may hold more than 128 connections to a ROUTER.
 * A socket belongs to one thread.  Call ns_zmq_init() before the first CZMQ call of the process. */
#ifndef NS_IPC_SOCK_H
#define NS_IPC_SOCK_H

#include <czmq.h>
#include <stdbool.h>
#include <stdint.h>

#include "ipc/base/err.h"
#include "ipc/nameserve.pb-c.h"

struct event_base;
struct ns_sock;

#define NS_PROTO_MAJOR 1u
#define NS_PROTO_MINOR 0u
#define NS_MSG_MAX     (1u << 20) /* octets of one message; bulk is cut to NS_CHUNK */
#define NS_CHUNK       (256u << 10)

/* Who sent it, as the transport says; never what the message says. */
struct ns_peer {
	uint8_t route[64]; /* ROUTER: the routing id */
	size_t route_len;
	bool local; /* a Unix socket: uid, gid and pid are the kernel's */
	uint32_t uid, gid;
	int32_t pid;
};
/* A decoded message; `env` is freed after the call returns.  Malformed ones are counted, logged with
 * a limit, and never arrive here. */
typedef void ns_recv_fn(void *arg, const struct ns_peer *, const Ns__Envelope *env);

void ns_zmq_init(void);
/* Bind or connect; `path` is an absolute path of a Unix socket ("ipc://" is added). mode: of the
 * socket file after bind (0666 for control, 0660 for the bus). */
struct ns_sock *ns_router_bind(
    struct event_base *, const char *path, unsigned mode, ns_recv_fn *, void *arg, struct ns_why *);
struct ns_sock *
ns_dealer_connect(struct event_base *, const char *path, ns_recv_fn *, void *arg, struct ns_why *);
/* A socket that somebody else has set up (the fleet's: CURVE, TCP), not bound or connected yet: takes
 * it over.  `take` receives one message, which is there, as far as it likes; ns_send() is not for it.
 * After every call into it outside of `take`, bind and connect included: ns_sock_look(). */
typedef void ns_take_fn(void *arg, zsock_t *);
struct ns_sock *
ns_sock_wrap(struct event_base *, zsock_t *, ns_take_fn *, void *arg, struct ns_why *);
void ns_sock_look(struct ns_sock *);
/* Within a callback of this socket too.  Messages already sent leave within 500 ms, or are lost. */
void ns_sock_destroy(struct ns_sock **);
/* A DEALER: call fn when the link comes up (again: the other side knows nothing of us, say hello)
 * and when it is lost.  ZeroMQ reconnects by itself.  Set it before the loop runs. */
typedef void ns_link_fn(void *arg, bool up);
void ns_sock_on_link(struct ns_sock *, ns_link_fn *, void *arg);
/* Messages that wait for one peer, from the next connection on: what one that does not read may cost. */
void ns_sock_limit_send(struct ns_sock *, unsigned messages);
/* Encodes and sends; peer NULL for a DEALER.  NS_UNAVAILABLE when the high-water mark is reached
 * or a DEALER's link is down (one that never was connected queues); NS_NOTFOUND when a ROUTER's peer is
 * gone for good; NS_INVALID, logged, when it is larger
 * than NS_MSG_MAX or a string is not clean (ipc/base/text.h). */
enum ns_err ns_send(struct ns_sock *, const struct ns_peer *, const Ns__Envelope *);
struct ns_sock_stats {
	uint64_t in, out, malformed, dropped, refused /* connections */;
};
void ns_sock_stats(const struct ns_sock *, struct ns_sock_stats *);

/* Path names of the sockets below the run directory. */
char *ns_control_path(const char *run); /* <run>/control; malloc'ed */
char *ns_bus_path(const char *run); /* <run>/bus/sync */

#endif
