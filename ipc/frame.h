/* frame - one envelope in, one out, on a ZeroMQ socket; who sent it; the limits of every socket.
 *
 * Inside ipc/ only: sock.c (libevent) and client/ (no loop) stand on it.  Never blocks. */
#ifndef NS_IPC_FRAME_H
#define NS_IPC_FRAME_H

#include <czmq.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/base/err.h"
#include "ipc/sock.h"

enum frame_verdict { FRAME_NONE, FRAME_OK, FRAME_MALFORMED };

/* A socket of this type (ZMQ_ROUTER, ZMQ_DEALER) with our limits, neither bound nor connected;
 * NULL when there are no more descriptors. */
zsock_t *frame_socket(int type);
/* The next message, if one is there.  FRAME_OK: *env is the caller's (ns__envelope__free_unpacked),
 * peer is filled.  FRAME_MALFORMED: it was thrown away, why says what was wrong with it. */
enum frame_verdict
frame_recv(zsock_t *, bool router, struct ns_peer *, Ns__Envelope **env, struct ns_why *);
/* Encoded into a message of ZeroMQ's (zmq_msg_close it, or send it); NS_INVALID when it is larger
 * than NS_MSG_MAX or breaks the rules of ipc/envelope.h, with why. */
enum ns_err frame_pack(const Ns__Envelope *, zmq_msg_t *, struct ns_why *);
/* Sends and closes msg, whatever happens.  peer NULL: a DEALER.  NS_UNAVAILABLE: its queue is full;
 * NS_NOTFOUND: that peer is gone for good. */
enum ns_err frame_send(zsock_t *, const struct ns_peer *, zmq_msg_t *msg);
/* Something to read?  Asking also lets ZeroMQ take in what happened since. */
bool frame_readable(zsock_t *);

/* "host:UID:GID:PID" as libzmq writes for a Unix socket; anything else: not local. */
void frame_parse_peer(const char *address, struct ns_peer *);

#endif
