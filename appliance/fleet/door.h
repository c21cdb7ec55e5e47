/* door - how many who have proved nothing yet may stand at the fleet port.
 *
 * libzmq accepts whatever comes, and keeps it for FLEET_HANDSHAKE_MS: buffers, a session and a
 * descriptor each, until there are no more descriptors for anything else.  It tells of each accepted
 * connection; one too many from an address, or altogether, and the oldest of those that wait goes.
 * Not the newest: who holds a key proves it in a few round trips, and is in before enough others
 * have come, also from behind the address that the strangers come from.  A connection is known from
 * its first message with a member's name on.  In sync's loop; we look a few milliseconds late. */
#ifndef NS_FLEET_DOOR_H
#define NS_FLEET_DOOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define DOOR_PER_ADDRESS 64u   /* an IPv6 network of 64 bits counts as one */
#define DOOR_WAITING	 1024u /* of all addresses */
#define DOOR_FDS	 (1 << 20) /* the kernel's default fs.nr_open */

struct door_place {
	struct sockaddr_storage remote;
	uint64_t since; /* counts arrivals; 0: nobody waits under this descriptor */
};
/* Pure; the places are the door's. */
struct door {
	struct door_place *places; /* by descriptor */
	size_t size;
	unsigned waiting;
	uint64_t arrivals, thrown_out;
};
void door_free(struct door *);
/* Who came; the descriptor to be cut off in return, or -1.  Its other end is in `remote` then:
 * descriptors are given again. */
int door_came(struct door *, int fd, const struct sockaddr_storage *remote, struct sockaddr_storage *out);
/* It has proved who it is, or is gone. */
void door_forget(struct door *, int fd);

#endif
