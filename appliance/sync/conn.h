/* conn - the connections of the control socket, by their routing id.
 *
 * A connection counts from its hello on.  ZeroMQ does not tell when one goes, so the table is bounded:
 * when it is full, the one that was idle longest is forgotten (it is asked for a new hello). */
#ifndef NS_SYNC_CONN_H
#define NS_SYNC_CONN_H

#include <stdint.h>
#include <sys/queue.h>

#include "appliance/sync/authz.h"
#include "appliance/sync/request.h"
#include "ipc/sock.h"

#define CONN_MAX	 1024u		/* connections known at once */
#define CONN_OUTSTANDING 256u		/* requests of one connection */

struct conn {
	TAILQ_ENTRY(conn) by_age;	/* least recently used first */
	LIST_ENTRY(conn)  in_bucket;
	LIST_HEAD(, request) requests;
	struct ns_peer	 peer;
	struct caller	 caller;
	char		 person[PEOPLE_NAME_MAX + 1];	/* whom its hello named; "": nobody */
	unsigned	 outstanding;
	uint64_t	 full;		/* turn of retrying in which its queue was full */
};

struct conns	*conns_new(void);
void	 conns_destroy(struct conns **);
struct conn	*conn_find(struct conns *, const struct ns_peer *);	/* and mark as used */
/* NULL: full, and nobody is idle. */
struct conn	*conn_add(struct conns *, const struct ns_peer *);
/* Nobody is there any more: its requests lose their connection, and end where they are. */
void	 conn_gone(struct conns *, struct conn *);
struct request	*conn_request(struct conn *, uint64_t id);
/* All of them, for what they may do now. */
typedef void conn_fn(void *arg, struct conn *);
void	 conns_each(struct conns *, conn_fn *, void *arg);
void	 conn_attach(struct conn *, struct request *);
void	 conn_detach(struct request *);

#endif
