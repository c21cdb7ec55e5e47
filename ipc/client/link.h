/* link - the client's connection: probe, connect, hello, loss, back-off.
 *
 * Inside ipc/client/ only.  Each connection is a ZeroMQ socket of its own, or an ssh of its own (pipe.h), so
 * that nothing that was queued for a dead appliance reaches its successor.  Never blocks, never calls back: client.c asks
 * what happened. */
#ifndef NS_IPC_CLIENT_LINK_H
#define NS_IPC_CLIENT_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "ipc/base/backoff.h"
#include "ipc/base/err.h"
#include "ipc/base/source.h"
#include "ipc/client/client.h"
#include "ipc/client/pipe.h"
#include "ipc/frame.h"
#include "ipc/monitor.h"

enum link_state {
	LINK_WAITING, /* for the back-off; `why` says why */
	LINK_GREETING, /* hello is sent */
	LINK_READY,
};

struct link {
	char *path;
	int epoll; /* what ns_client_fd() gives */
	enum link_state state;
	char *person, *software; /* of the hello */
	char source[SOURCE_LEN];
	zsock_t *z; /* NULL while waiting, or when it is */
	struct pipe *pipe; /* this one */
	struct monitor monitor;
	bool gone; /* the other side closed; what it sent may still be read */
	bool refused; /* trying again soon will not help: rights, version */
	uint64_t hello_id;
	uint64_t hello_until_ms;
	struct ns_why why;
	struct backoff backoff;
	uint64_t seed;
	Ns__Envelope *hello; /* the reply; owned */
};

int link_init(struct link *, const struct ns_client_options *, struct ns_why *);
void link_end(struct link *);
void link_open(struct link *, uint64_t now_ms, uint64_t hello_id);
/* Say hello (again) on a connection that is there. */
void link_greet(struct link *, uint64_t now_ms, uint64_t hello_id);
/* The answer to hello.  Takes env over when it returns true. */
bool link_greeted(struct link *, Ns__Envelope *env, uint64_t now_ms);
/* Close, remember why (copied unless it is link->why itself), start the back-off. */
void link_lose(struct link *, uint64_t now_ms, const struct ns_why *);
void link_watch(struct link *); /* take in what became of the connection: sets gone */
bool link_is_open(const struct link *);
void link_gone_why(const struct link *, struct ns_why *);

/* ---- messages, whatever carries them ---- */
bool link_readable(struct link *);
/* false: none, or it was malformed and thrown away; else *env is the caller's. */
bool link_recv(struct link *, Ns__Envelope **env);
/* Takes msg over.  NS_UNAVAILABLE: the queue is full; the descriptor wakes when that ends. */
enum ns_err link_send(struct link *, zmq_msg_t *msg);

#endif
