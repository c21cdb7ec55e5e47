/* pipe - the link to an appliance of another host: `ssh DESTINATION nameserve proxy --stdio`, and messages on its
 * standard input and output.
 *
 * Inside ipc/client/ only, but for what a destination is (pipe_is, pipe_check).  ssh is the operator's own, with its configuration, agent and known hosts; it asks
 * nothing (BatchMode), for there is nobody to answer between our cells.  $NAMESERVE_SSH may name it with options.
 * Never blocks; the process ends with pipe_close(). */
#ifndef NS_IPC_CLIENT_PIPE_H
#define NS_IPC_CLIENT_PIPE_H

#include <stdbool.h>

#include "ipc/base/err.h"
#include "ipc/client/stream.h"
#include "ipc/nameserve.pb-c.h"

struct pipe;

/* "ssh:USER@HOST" or "ssh://USER@HOST:PORT"; everything else is a path. */
bool pipe_is(const char *address);
/* NS_USAGE: what stands behind ssh: is no destination. */
enum ns_err pipe_check(const char *address, struct ns_why *);
/* epoll: an epoll descriptor in which it is watched.  NULL with why. */
struct pipe *pipe_open(const char *address, int epoll, struct ns_why *);
void pipe_close(struct pipe **);
/* Takes in and writes out what it can without waiting; a whole message is here? */
bool pipe_readable(struct pipe *);
/* The next message; NULL: none, or it was malformed and thrown away. */
Ns__Envelope *pipe_recv(struct pipe *);
/* NS_UNAVAILABLE: too much waits to be written. */
enum ns_err pipe_send(struct pipe *, const void *message, size_t len);
/* It ended, or does not speak our protocol: with why. */
bool pipe_gone(const struct pipe *, struct ns_why *);

#endif
