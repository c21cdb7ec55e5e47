/* request - one thing that a client of the control socket asked for, from arrival to reply.
 *
 * Made by the loop, worked on by one thread at a time, ended by the loop.  It has its own copy of the
 * message.  A handler fills `reply` (a malloc'ed message tree, freed here) or `why`. */
#ifndef NS_SYNC_REQUEST_H
#define NS_SYNC_REQUEST_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "appliance/sync/authz.h"
#include "appliance/sync/queue.h"
#include "ipc/base/err.h"
#include "ipc/nameserve.pb-c.h"
#include "ipc/sock.h"

struct conn;
struct batch;
struct request;
struct store;
struct sync;

enum request_on { ON_LOOP, ON_READER, ON_WRITER };

/* A row of the table in control.c: what may be asked, by whom, and who works on it. */
struct request_kind {
	Ns__Envelope__BodyCase body;
	const char	*name;
	enum user_role	 need;
	enum request_on	 on;
	enum lane	 lane;
	bool		 waits_served;	/* the reply goes out when the change is served */
	bool		 secret;	/* its reply is one: who was given it is kept (audit.h) */
	bool		 primary_only;	/* only on the primary's own socket: never forwarded */
	bool		 relayed;	/* ON_LOOP, and forwarded all the same: what it begins is the primary's */
	void		 (*start)(struct sync *, struct request *);		/* ON_LOOP */
	enum ns_err	 (*read)(struct request *, struct store *);		/* ON_READER */
	enum ns_err	 (*text)(struct request *);		/* before writer or reader; may be NULL */
	enum ns_err	 (*write)(struct request *, struct batch *);		/* ON_WRITER */
};

struct request {
	struct job	 job;
	LIST_ENTRY(request) of_conn;
	TAILQ_ENTRY(request) waiting;	/* receipts, blocked sends */
	const struct request_kind *kind;
	struct conn	*conn;		/* loop only; NULL: nobody to answer */
	struct ns_peer	 peer;
	struct caller	 caller;
	uint64_t	 id, arrived_ns, deadline_ns;
	atomic_bool	 cancelled;
	const char	*own_name;	/* of this appliance */
	const char	*own_site;
	const char	*store_dir;	/* for handlers that need a handle of their own, */
	struct queue	*reads;		/* and where it is closed again: reader_close() */
	Ns__Envelope	*env;		/* what was asked */
	enum ns_err	 err;
	struct ns_why	 why;
	Ns__Conflict	*conflict;	/* goes with an NS_CONFLICT; NULL: none */
	Ns__Envelope	*reply;
	bool		 again;		/* after this reply, work once more (streams, slices) */
	uint64_t	 asked_id;	/* of what another process was asked for it; 0: nothing */
	uint64_t	 revision;	/* answer when this is served; 0: now */
	void		*state;		/* of the handler */
	void		 (*free_state)(void *);
	/* Instead of the control socket: whoever asked for it gets it back, and ends it. */
	void		 (*finish)(struct sync *, struct request *);
	void		*origin;	/* of whoever asked for finish */
	uint64_t	 forward_id;	/* at a replica: of the request at the primary */
	bool		 wait_all;	/* --wait served: not only this appliance */
};
TAILQ_HEAD(request_list, request);

struct request	*request_new(const struct ns_peer *, const Ns__Envelope *);
void	 request_destroy(struct request **);
/* Time over or cancelled: threads ask before they begin. Fills why. */
bool	 request_expired(struct request *);
/* Somebody waits for its answer: by the control socket, or whoever has it done here, as another appliance.  Loop only. */
static inline bool
request_awaited(const struct request *r)
{
	return r->conn != NULL || r->finish != NULL;
}

/* Fills why; field: what of the request it is about, "" for none.  Returns err. */
enum ns_err
request_reject(struct request *, enum ns_err err, uint16_t code, const char *field, const char *text);
/* Why, for the history; "": nothing is said. */
const char	*request_comment(const Ns__Envelope *);
/* A fresh reply envelope of that kind; msg is a malloc'ed message that it takes over. */
void	 request_reply(struct request *, Ns__Envelope__BodyCase, void *msg);
/* What another appliance answered it, as its reply or its refusal; takes it over. */
void	 request_hear(struct request *, Ns__Envelope *);
/* Strings of message trees: malloc'ed. */
char	*reply_name(const uint8_t *wire);
char	*reply_time(int64_t wall_ms);
char	*reply_hex(const uint8_t *, size_t);

/* The text of a zone's name to wire form, lower case.  NS_INVALID. */
enum ns_err	 zone_name_read(const char *text, uint8_t out[255], struct ns_why *);

#endif
