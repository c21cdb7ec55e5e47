/* conn - one DNS connection, TCP or TLS, without its socket: framing, pipelining, deadlines (RFC 7766).
 *
 * Pure: fed with octets, counts of octets written, and a `now`; the shell (tcp.c) reads, writes and
 * answers.  One turn of the shell is
 *     conn_room → recv → conn_fed → conn_gather → serve_batch → conn_replies → send → conn_settle
 * A query stays in the input until its reply is written or its rest is kept, so a slow reader costs
 * one buffer at most and what could not be sent yet is simply answered again later.  Queries are
 * answered in the order in which they came: with nothing to wait for there is no other to gain by.
 * Of TLS it knows that it is there; octets here are those inside of it.  Memory is the table's
 * (conntable.h). */
#ifndef NS_WORKER_CONN_H
#define NS_WORKER_CONN_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "appliance/serve/serve.h"

#define CONN_MSG_MAX         4096 /* octets of a query; larger ones need a buffer of the table's */
#define CONN_PREFIX          2 /* RFC 1035 4.2.2: the length in front */
#define CONN_IDLE_MS         10000u /* RFC 7766 6.2.3: "on the order of a few seconds"; what we tell */
#define CONN_IDLE_PRESSED_MS 2000u /* the same while the table is more than 3/4 full */
#define CONN_MESSAGE_MS      5000u /* from a message's first octet to its last */
#define CONN_WRITE_MS        10000u /* for a reader that lets its window fill */
#define CONN_HANDSHAKE_MS    5000u /* from accept to the end of TLS's handshake */

struct tls_conn;

/* The rest of one reply that the socket did not take. */
struct conn_out {
	struct conn_out *next_free;
	struct conn *owner; /* NULL: free */
	uint32_t pos, len;
	uint8_t data[CONN_PREFIX + SERVE_TCP_MAX];
};

/* Room for one query of any size; few have it, at one time. */
struct conn_in {
	struct conn_in *next_free;
	struct conn *owner; /* NULL: free */
	uint8_t data[CONN_PREFIX + SERVE_TCP_MAX];
};

/* The lists of the table that a connection can be in, by last activity in each. */
enum conn_list_id {
	CONN_ALL,
	CONN_NET, /* those of its client's network */
	CONN_SHAKING, /* a handshake has begun and is not over */
	CONN_LISTS
};
struct conn_link {
	uint32_t older, newer;
};

struct conn {
	/* of the table */
	uint32_t index;
	struct conn_link link[CONN_LISTS];
	uint32_t serial; /* raised at each use: tells a ghost's event */
	uint16_t net; /* which of the networks' lists */
	bool shaking; /* in CONN_SHAKING */
	int fd; /* -1: free */
	/* TLS */
	bool secure; /* came to a port of DNS over TLS */
	bool handshaking; /* … and may not ask yet */
	struct tls_conn *tls; /* NULL: it has said nothing yet */
	/* input */
	struct conn_in *big; /* where the input is, for a query that does not fit in `in` */
	uint32_t in_pos, in_len; /* first octet not yet consumed; end */
	bool eof; /* the peer sends no more */
	bool closing; /* nothing after this may be read or answered */
	bool wants_big; /* the next query is larger than `in` */
	/* output */
	bool blocked; /* waits until the socket takes more */
	bool told_blocked; /* what epoll was told last */
	struct conn_out *out; /* NULL: no reply was cut */
	/* milliseconds, monotonic */
	uint64_t active_ms; /* accepted, or a query consumed */
	uint64_t message_ms; /* first octet of the unfinished message; 0: none */
	uint64_t blocked_ms;
	struct sockaddr_storage client;
	uint8_t in[CONN_PREFIX + CONN_MSG_MAX];
};

void conn_start(struct conn *, int fd, bool secure, uint64_t now);

/* Where the next octets go, and how many may come; moves what is left to the front.  Never 0 for a
 * connection whose complete messages were consumed. */
uint8_t *conn_room(struct conn *, size_t *room);
void conn_fed(struct conn *, size_t n, uint64_t now);

/* The next complete messages as queries, not yet consumed; sets pkt, len, transport, client.  A
 * length of 0 ends the gathering and sets closing; one that does not fit sets wants_big. */
size_t conn_gather(struct conn *, struct query *, size_t max);
/* The table lends a buffer: what has come of the query moves there. */
void conn_grow(struct conn *, struct conn_in *);
/* The buffer is not needed any more: what is left moves back, and the table may have it. */
struct conn_in *conn_shrink(struct conn *); /* NULL: still needed, or there is none */
/* The framed replies, in order, up to the first query that gets none.  q->out must have CONN_PREFIX
 * octets in front of it, where the length goes. */
size_t conn_replies(struct query *, size_t n, struct iovec *, size_t *octets);
/* `written` octets of these replies went out: consumes what is done, keeps the rest of a cut reply
 * in `out` (which the connection then owns), leaves the others to be gathered again.  A query that
 * gets no reply sets closing.  Returns how many queries are done. */
size_t conn_settle(struct conn *, struct query *, size_t n, size_t written, uint64_t now);
/* The socket takes no more now. */
void conn_block(struct conn *, uint64_t now);
/* Whether conn_settle() will need c->out for that many octets. */
bool conn_cuts(const struct query *, size_t n, size_t written);

/* All is answered and written and nothing more can come. */
bool conn_finished(const struct conn *);
/* Waits for a query and holds nothing: what is evicted first. */
bool conn_idle(const struct conn *);
uint64_t conn_deadline(const struct conn *, bool pressed);

#endif
