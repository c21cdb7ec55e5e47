/* publish - what the primary knows of its replicas, and which piece of the log each gets next.
 *
 * Pure.  ZeroMQ's Clone pattern, with the fan-out on our side of the socket (README.md says why not
 * PUB): changes are numbered, each replica has a cursor into the log, the newest pieces wait in a ring
 * as packets ready to be sent, older ones are read from the log again.  At most WINDOW octets are on
 * their way to a replica that has not said it has them: a slow one costs the primary nothing and
 * nobody else anything. */
#ifndef NS_FLEET_PUBLISH_H
#define NS_FLEET_PUBLISH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/fleet/roster.h"
#include "appliance/fleet/socket.h"
#include "appliance/fleet/vitals.h"
#include "ipc/base/ranges.h"

#define PUBLISH_WINDOW	    (4u << 20)
#define PUBLISH_MESSAGES    8192u /* below FLEET_SEND_HWM: the window is full before the queue is */
#define PUBLISH_RING	    2048u
#define PUBLISH_RING_OCTETS (16u << 20)
#define FLEET_SILENT_NS	    10000000000ull /* then it is not living */
#define FLEET_LAG_NS	    2000000000ull  /* behind for so long is "lag" */

/* A place in the log: the piece of that change's body that begins there. */
struct cursor {
	uint64_t revision, offset;
};
int cursor_cmp(struct cursor, struct cursor);

struct piece {
	struct cursor at, next;
	struct packet *packet;
	bool kept; /* not everybody may have it: read from the log for each */
};
struct ring {
	struct piece items[PUBLISH_RING]; /* a circle of `count` from `first` */
	size_t first, count, octets;
};
/* Takes over the packet's reference.  One that does not follow the newest begins anew. */
void ring_push(struct ring *, const struct piece *);
void ring_clear(struct ring *);
/* The piece at that place; NULL: not in the ring. */
const struct piece *ring_at(const struct ring *, struct cursor);

struct follower {
	char name[FLEET_NAME];
	struct fleet_from peer;
	bool present;	    /* has said hello on a connection that we know of nothing bad */
	bool ever;	    /* heard of since we started */
	bool reading;	    /* the log is being read for it */
	unsigned snap_asked; /* pieces of a snapshot that are being read for it */
	uint64_t session;   /* counts hellos: what was read for an older one is dropped */
	uint64_t heard_ns;
	struct cursor next; /* to be sent */
	uint64_t sent, acked;		   /* octets of this session */
	uint64_t sent_msgs, acked_msgs;
	uint64_t stored, served;	   /* revisions */
	struct ranges late;		   /* of what is served: these are not yet */
	int64_t stored_at_ms, served_at_ms;
	uint64_t behind_ns;		   /* since when it serves less than the head; 0: it does not */
	double qps, p50_us, p99_us, error_percent, uptime_s;
	struct vitals vitals;
	struct clockdiff clock;
	char version[32];
};
bool follower_living(const struct follower *, uint64_t now_ns);
/* May another packet of that size be sent? */
bool follower_open(const struct follower *, size_t len);
void follower_sent(struct follower *, const struct piece *);
/* Its word; false: it cannot be true (more than was sent). */
struct ack {
	uint64_t octets, messages, stored, served;
};
bool follower_ack(struct follower *, const struct ack *, uint64_t head, uint64_t now_ns);
/* ok | lag | silent */
const char *follower_state(const struct follower *, uint64_t head, uint64_t now_ns);

#endif
