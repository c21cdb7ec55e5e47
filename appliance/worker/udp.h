/* udp - the hot path: recvmmsg → answer → sendmmsg, at most SERVE_BATCH datagrams at a time.
 *
 * Never reads ahead: what is not in the batch waits in the socket, which outlives this process, so
 * a kill costs at most one batch.  All sockets share one set of buffers.  Replies leave from the
 * address that was asked: on a wildcard socket by IP_PKTINFO and IPV6_PKTINFO, else by the socket
 * itself. */
#ifndef NS_WORKER_UDP_H
#define NS_WORKER_UDP_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/worker/worker.h"

#define UDP_QUERY_MAX  4096 /* octets; larger datagrams are no queries: dropped */
#define UDP_ROUNDS     8 /* batches per turn of the loop: then TCP and timers get theirs */
#define UDP_SEND_WAITS 2 /* times a batch waits 1 ms for room in the send buffer */

struct udp;

struct udp_socket {
	int fd;
	bool wildcard; /* bound to 0.0.0.0 or :: */
	struct sockaddr_storage own;
	struct udp *udp;
};

struct udp *udp_new(struct worker *);
void udp_destroy(struct udp **);
/* Learns what the socket is bound to; false: it is no UDP socket of ours. */
bool udp_socket_init(struct udp_socket *, struct udp *, int fd);
/* The socket is readable.  True: so busy that the caller should take it out of its epoll set and go on
 * calling udp_poll() instead. */
bool udp_turn(struct udp_socket *);
/* Takes what there is; false: nothing was, the socket may go back into the epoll set. */
bool udp_poll(struct udp_socket *);

#endif
