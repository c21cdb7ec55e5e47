/* socket - the one function that sets up every socket between appliances, and how messages come and go.
 *
 * CURVE on all of them, limits named here.  A peer is who its key says (ZAP gives the connection a
 * name, zap.h); its bytes reach no parser before `admit` has said yes to that name.  The listening
 * socket is made before the sandbox is up (sync may not ask the kernel for interfaces later) and
 * handed to libzmq. */
#ifndef NS_FLEET_SOCKET_H
#define NS_FLEET_SOCKET_H

#include <czmq.h>

#include "appliance/fleet/roster.h"
#include "ipc/sock.h"

#define FLEET_MSG_MAX	  NS_MSG_MAX
#define FLEET_PIECE	  NS_CHUNK /* octets of a body or zone in one message */
#define FLEET_HANDSHAKE_MS 3000	   /* who connects and does not finish is thrown out */
#define FLEET_BEAT_MS	  1000	   /* ZMTP's own heartbeats: a dead link is found ... */
#define FLEET_DEAD_MS	  4000	   /* ... after so long */
#define FLEET_BACKLOG	  1024
/* Messages per connection.  The window (publish.h) keeps well below; what is over it is lost, and
 * found by its number. */
#define FLEET_SEND_HWM	  16384
#define FLEET_RECV_HWM	  256
/* Handshakes of strangers cost the second I/O thread of libzmq; local requests have the first. */
#define FLEET_IO_THREADS  2
#define FLEET_AFFINITY	  2
#define FLEET_DOMAIN	  "fleet"

/* ZMQ_ROUTER, ZMQ_DEALER.  server NULL: it listens, and its peers must show a key that ZAP admits;
 * else the key that whoever it connects to must have. */
zsock_t *fleet_socket(int type, const struct fleet_keys *own, const uint8_t *server);

/* A listening TCP socket (both families on a wildcard); -1 with why. */
int fleet_listen(const char *endpoint, struct ns_why *);
/* Give it to a ROUTER of fleet_socket(). */
enum ns_err fleet_bind(zsock_t *, int fd, const char *endpoint, struct ns_why *);
/* Another key of its own from now on, on that descriptor of the same socket: connections end. */
enum ns_err fleet_rebind(
    zsock_t *, const struct fleet_keys *, int fd, const char *endpoint, struct ns_why *);
enum ns_err fleet_connect(zsock_t *, const char *endpoint, struct ns_why *);

/* Who sent it. */
struct fleet_from {
	uint8_t route[64];
	size_t route_len;
	char user[FLEET_USER]; /* of a ROUTER's peers: as ZAP named the connection */
	int fd; /* of the connection, -1 unknown */
	struct sockaddr_storage remote; /* its other end, while it was there */
	size_t len; /* octets of the message */
};
enum fleet_verdict { FLEET_NONE, FLEET_OK, FLEET_STRANGER, FLEET_MALFORMED };
/* End its connection, if that still is the one it came by: descriptors are given again. */
void fleet_cut(const struct fleet_from *);
typedef bool fleet_admit_fn(void *arg, struct fleet_from *);
/* The next message.  FLEET_OK: *env is the caller's.  FLEET_STRANGER: admit said no, nothing was
 * read.  admit NULL: a DEALER, whose peer has proved the key that it was asked for. */
enum fleet_verdict fleet_recv(zsock_t *, bool router, fleet_admit_fn *, void *arg,
    struct fleet_from *, Ns__Envelope **env, struct ns_why *);

/* A message ready to be sent to several; counted references, any thread. */
struct packet {
	_Atomic unsigned refs;
	size_t len;
	uint8_t data[];
};
struct packet *packet_new(const Ns__Envelope *); /* NULL: larger than FLEET_MSG_MAX */
struct packet *packet_ref(struct packet *);
void packet_unref(struct packet *);
/* from NULL: a DEALER.  Keeps a reference while it is on its way.  NS_UNAVAILABLE: the queue is
 * full; NS_NOTFOUND: that peer is gone. */
enum ns_err fleet_send(zsock_t *, const struct fleet_from *, struct packet *);

#endif
