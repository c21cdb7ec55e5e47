/* request - one request of a client (client.h) from its making to its end: when it may be sent, how long it is
 * waited for, and what is known of its outcome.
 *
 * Inside ipc/client/ only; no I/O, time is an argument.  A request is `sent` or waits for the link. */
#ifndef NS_IPC_CLIENT_REQUEST_H
#define NS_IPC_CLIENT_REQUEST_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <zmq.h>

#include "ipc/client/client.h"
#include "ipc/client/link.h"

struct request {
	TAILQ_ENTRY(request) entry;
	uint64_t id;
	Ns__Envelope__BodyCase kind;
	unsigned timeout_ms;
	uint64_t deadline_ms, patience_ms;
	bool sent, resent;
	bool packed; /* msg is valid, else why says what was wrong */
	zmq_msg_t msg; /* kept: a hello that was forgotten makes us send again */
	struct ns_why *why;
	ns_reply_fn *fn;
	void *arg;
};
TAILQ_HEAD(requests, request);

/* Packs req, whose id and deadline_ms it fills in.  What cannot be packed, or writes though read_only, is over
 * at once (request_is_over).  timeout_ms 0: 10 s. */
struct request *request_new(
    uint64_t id, Ns__Envelope *req, bool read_only, unsigned timeout_ms, uint64_t now_ms);
void request_free(struct request *);
/* The one that was sent under this id; NULL: none. */
struct request *request_find(const struct requests *, uint64_t id);

/* It was on its way and ends without a reply: NS_UNKNOWN when it could have changed something, else
 * NS_UNAVAILABLE. */
void request_unclear(const struct request *, uint16_t code, const char *text, struct ns_why *);
/* Fills why when it returns true. */
bool request_is_over(const struct request *, const struct link *, uint64_t now_ms, struct ns_why *);
/* When it wants dispatch; 0: now.  blocked: the link takes nothing at the moment. */
uint64_t request_due(const struct request *, const struct link *, bool blocked);

#endif
