/* client - how CLI, console, api and tests talk to an appliance.  No curses, no loop of its own.
 *
 * Requests carry an id, a deadline and can be cancelled; the reply goes to a callback.  No call
 * blocks: wait on ns_client_fd() and call ns_client_dispatch(), or let ns_client_wait() do both (the
 * CLI).  A lost connection is retried for ever with back-off; a request that was sent when it was
 * lost ends with NS_UNAVAILABLE, or NS_UNKNOWN when it could have changed something (the same when
 * its deadline passes).  One that could not be sent for 300 ms ends with NS_UNAVAILABLE: nothing was
 * changed.  A client belongs to one thread. */
#ifndef NS_IPC_CLIENT_H
#define NS_IPC_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "ipc/base/err.h"
#include "ipc/nameserve.pb-c.h"

struct ns_client;

struct ns_client_options {
	/* A path, or "ssh:USER@HOST" (pipe.h); NULL: $NAMESERVE_SOCKET, else /run/nameserve/control. */
	const char *socket;
	const char *person; /* for whom a shared account speaks; NULL: who the kernel says */
	bool read_only; /* what could change something is refused here, and not sent */
	const char *software; /* "console 0.1.0": for the history; NULL: the version alone */
};
struct ns_client *ns_client_open(const struct ns_client_options *, struct ns_why *);
/* The same with a socket alone. */
struct ns_client *ns_client_new(const char *socket, struct ns_why *);
const char *ns_client_socket(const char *socket); /* what it will be */
/* Within a callback too.  What is outstanding is forgotten without a callback. */
void ns_client_destroy(struct ns_client **);
/* Who is to answer from now on: an appliance of the fleet, to which this one passes requests on in our name;
 * NULL or "": this one.  What is under way is still answered by who was asked. */
void ns_client_to(struct ns_client *, const char *name);
const char *ns_client_at(const struct ns_client *); /* "": this one */
int ns_client_fd(struct ns_client *); /* poll for POLLIN */
int ns_client_timeout_ms(struct ns_client *); /* until dispatch is wanted; -1: none */
void ns_client_dispatch(struct ns_client *, unsigned max_messages);

/* The reply: env of the expected kind, or NULL with why.  Called again while env->more.  The memory is
 * the client's and gone after the call. */
typedef void ns_reply_fn(void *arg, const Ns__Envelope *env, const struct ns_why *why);
/* Sends req (its id and deadline_ms are filled in).  timeout_ms 0: 10 s; it counts anew from every
 * reply of a stream.  The number names it for cancel.  Calls back exactly once with an end (error, or
 * more = false); never from inside this call. */
uint64_t ns_client_request(
    struct ns_client *, Ns__Envelope *req, unsigned timeout_ms, ns_reply_fn *, void *arg);
void ns_client_cancel(struct ns_client *, uint64_t request); /* no callback follows */

/* Blocking twin for programs without a loop: the reply (free with ns__envelope__free_unpacked), or
 * NULL with why.  For requests with one reply. */
Ns__Envelope *
ns_client_call(struct ns_client *, Ns__Envelope *req, unsigned timeout_ms, struct ns_why *);
/* The last refusal as it came, with what struct ns_why has no room for (a conflict); NULL: there was
 * none yet.  For the callback, and after ns_client_call; the client's, until the next refusal. */
const Ns__Error *ns_client_error(const struct ns_client *);
uint64_t ns_client_refused(const struct ns_client *); /* the number of that request; 0: none */
/* Run until `*until` is true or nothing is outstanding. */
void ns_client_wait(struct ns_client *, const bool *until);
const Ns__HelloReply *ns_client_hello(const struct ns_client *); /* NULL: not connected now */
/* Why there is no connection, for a banner; NS_OK when there is one or it is being made. */
enum ns_err ns_client_trouble(const struct ns_client *, struct ns_why *);
/* How many requests have no end yet. */
unsigned ns_client_outstanding(const struct ns_client *);
/* How long a lost connection is waited for: min, twice that, four times … cap; 20 ms to 2 s unless it is said. */
void ns_client_backoff(struct ns_client *, unsigned min_ms, unsigned cap_ms);
/* ms until the next attempt, and how many there were in a row; 0: there is a connection, or it is being made. */
unsigned ns_client_waits(const struct ns_client *, unsigned *tries);
/* Do not wait for the back-off: try again at the next dispatch. */
void ns_client_retry(struct ns_client *);

#endif
