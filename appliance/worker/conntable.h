/* conntable - all connections of one worker in memory taken at the start, ordered by last activity.
 *
 * Pure.  Free entries and buffers are used last-in first-out, so that a quiet worker touches few
 * pages.  Whoever takes a connection gives it back once; its buffers go back with it.
 *
 * Clients count by network (IPv4 /24, IPv6 /56), in CONNTABLE_NETS lists that a keyed hash chooses.
 * While the table is more than 3/4 full, a network that holds more than a quarter of it makes room
 * for every newcomer: no crowd ever has the last quarter.  (Who happens to share its list, one in
 * CONNTABLE_NETS, is taken for one of it; another worker has another key.)  All that is asked per
 * connection takes a bounded number of steps. */
#ifndef NS_WORKER_CONNTABLE_H
#define NS_WORKER_CONNTABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/worker/conn.h"

#define CONNTABLE_MAX  4096 /* connections of one worker */
#define CONNTABLE_OUTS 64 /* slow readers with a cut reply at one time: 4 MiB */
#define CONNTABLE_INS  8 /* queries of more than CONN_MSG_MAX octets at one time: 512 KiB */
#define CONNTABLE_SHAKING 256 /* handshakes at one time: 12 MiB of OpenSSL's, 45 if all announce the largest */
#define CONNTABLE_NETS 1024
#define CONNTABLE_LOOK 64 /* connections that are looked at for an idle one */
#define CONNTABLE_NONE UINT32_MAX

struct conn_list {
	uint32_t oldest, newest, count;
};

/* What the caller owns and the table lends. */
struct conntable_memory {
	struct conn *conns; /* [cap], zeros: memory that nobody touched costs nothing */
	uint32_t cap;
	struct conn_out *outs;
	uint32_t n_outs;
	struct conn_in *ins;
	uint32_t n_ins;
};

struct conntable {
	struct conntable_memory m; /* the caller's */
	uint32_t open, fresh; /* fresh: from here on none was ever used, nor touched */
	struct conn_list all, shaking, nets[CONNTABLE_NETS];
	uint16_t counts[CONNTABLE_NETS]; /* of nets, close together: they are searched */
	uint64_t seed;
	uint32_t first_free; /* chained through link[CONN_ALL].newer */
	struct conn_out *free_outs;
	struct conn_in *free_ins;
};

void conntable_init(struct conntable *, const struct conntable_memory *, uint64_t seed);

struct conn *conntable_take(struct conntable *, int fd, const struct sockaddr_storage *client,
    bool secure, uint64_t now); /* NULL: full */
void conntable_give(struct conntable *, struct conn *);
void conntable_touch(struct conntable *, struct conn *); /* is the newest now */
struct conn *conntable_find(struct conntable *, uint32_t index, uint32_t serial); /* or NULL */

/* Who goes when there is no room: of a network with a crowd if there is one, else of all, the longest
 * idle; when none of the first is idle, the longest without activity.  NULL: the table is empty. */
struct conn *conntable_victim(struct conntable *);
/* Who goes before the next one comes, though there may be room; NULL: nobody has to. */
struct conn *conntable_crowd(struct conntable *);
/* TLS: its handshake begins, and ends.  Who has been at it longest when there are too many. */
void conntable_shake(struct conntable *, struct conn *);
void conntable_shaken(struct conntable *, struct conn *);
struct conn *conntable_shaker(struct conntable *); /* NULL: there are not */
/* Who is past its deadline; NULL: nobody.  Start with `from` NULL, go on with conntable_newer(). */
struct conn *conntable_expired(struct conntable *, struct conn *from, uint64_t now);
struct conn *conntable_newer(struct conntable *, const struct conn *);

/* A buffer for a cut reply; false: all are in use. */
bool conntable_out_take(struct conntable *, struct conn *);
void conntable_out_give(struct conntable *, struct conn *);
/* A buffer for a large query; false: all are in use.  conntable_in_give(): if it is needed no more. */
bool conntable_in_take(struct conntable *, struct conn *);
void conntable_in_give(struct conntable *, struct conn *);
/* Who has held a buffer of the kind longest; NULL: nobody. */
struct conn *conntable_slowest(const struct conntable *);
struct conn *conntable_longest(const struct conntable *);

#endif
