/* tcp - DNS over TCP and TLS: the sockets around conn.h, conntable.h and tls.h (RFC 7766, RFC 7858).
 *
 * Listeners and connections live in an epoll set of their own, which the loop watches as one
 * descriptor: adding a connection then allocates nothing, in us or in libevent. */
#ifndef NS_WORKER_TCP_H
#define NS_WORKER_TCP_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/worker/worker.h"

#define TCP_ACCEPT_BURST 16 /* per listener and turn */
#define TCP_EVENTS       64 /* connections served per turn, at most */
#define TCP_TURN_NS      2000000u /* after that long UDP and the clock have their turn */
#define TCP_RECORDS      16 /* of TLS, read at once from one connection */
#define TCP_SHAKES       4 /* steps of TLS handshakes per turn: an RSA signature takes a millisecond */
#define TCP_LISTENERS    (2 * WORKER_SOCKETS_MAX) /* TCP and TLS */
#define TCP_TICK_MS      250u /* how often deadlines are looked at */
#define TCP_SNDBUF       (128 << 10) /* per connection: two of the largest replies */
#define TCP_RCVBUF       (32 << 10) /* per connection: hundreds of queries */
#define TCP_FD_RESERVE   256 /* descriptors below RLIMIT_NOFILE that are not connections */

struct tcp;
struct tls;

/* tls: borrowed; NULL: none is served. */
struct tcp *tcp_new(struct worker *, struct tls *tls); /* fatal() when the kernel gives no epoll set */
void tcp_destroy(struct tcp **); /* closes the connections, not the listeners */
bool tcp_listener_add(struct tcp *, int fd, bool secure); /* before tcp_start() */
void tcp_start(struct tcp *); /* from here connections are accepted */
int tcp_fd(const struct tcp *); /* readable: call tcp_turn() */
void tcp_turn(struct tcp *);
void tcp_tick(struct tcp *, uint64_t now_ms);
/* The end is near: answers what has come in, so that a stop loses no query that was received. */
void tcp_drain(struct tcp *);

#endif
