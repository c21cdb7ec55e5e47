/* feedblock - what goes to the signer, cut into messages by the threads that have the data at hand,
 * so that the loop only sends.
 *
 * A block is one Feed message of about FEED_BLOCK octets.  A feed_out collects zones into blocks and
 * hands each full one to `emit`, which takes it over.  A block belongs to one thread at a time. */
#ifndef NS_SYNC_FEEDBLOCK_H
#define NS_SYNC_FEEDBLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "appliance/store/store.h"
#include "appliance/sync/queue.h"
#include "appliance/sync/secret.h"
#include "ipc/base/ranges.h"
#include "ipc/base/wbuf.h"
#include "ipc/nameserve.pb-c.h"

#define FEED_BLOCK (256u << 10)		/* NS_CHUNK: octets after which a block is full */

struct feed_item {
	Ns__FeedZone__Kind kind;
	bool		 partial;
	uint32_t	 account;
	uint64_t	 version, base_version;
	size_t		 name, name_len, zwire, zwire_len, gone, gone_len;	/* places in bytes */
	size_t		 changes, nchanges;	/* place of that many numbers, as they are read */
	bool		 alone;
};

/* Keys of a zone; no body: it has none any more. */
struct feed_keys {
	size_t		 name, name_len, body, body_len;		/* places in bytes */
};

struct feed_block {
	struct job	 job;		/* from the feeder to the loop */
	TAILQ_ENTRY(feed_block) link;
	size_t		 size;		/* as it was accounted for */
	uint64_t	 stream;	/* of the feeder's: which catch-up it belongs to; 0: live */
	uint64_t	 revision;
	bool		 publish, start_over, end;	/* end: the last of its catch-up */
	struct secret	 secret;	/* count 0: nothing is said of it */
	size_t		 count, room;
	struct feed_item *items;
	size_t		 nkeys, keys_room;
	struct feed_keys *keys;
	size_t		 keyring, keyring_len;	/* sealed to this appliance; 0: nothing is said of it */
	struct wbuf	 bytes;
};
TAILQ_HEAD(feed_block_list, feed_block);

void	 feed_block_destroy(struct feed_block **);
size_t	 feed_block_size(const struct feed_block *);
/* Take out what it says about a zone up to that version: something newer goes another way. */
void	 feed_block_forget(struct feed_block *, const uint8_t *name, uint64_t version);
/* As a message; zones point into the block. free_fields frees the arrays. */
void	 feed_block_message(const struct feed_block *, Ns__Feed *);
void	 feed_block_message_free(Ns__Feed *);

struct feed_out {
	void	(*emit)(void *arg, struct feed_block *);
	void	*arg;
	struct feed_block *open;
	uint64_t revision;
	struct secret secret;		/* goes with the first block */
	const struct ranges *changes;	/* of the zone that comes next; NULL: nobody knows */
	bool	alone;			/* they touched no other zone, or nobody minds */
};

/* Before any zone of the same batch. */
void	 feed_out_keyring(struct feed_out *, const void *sealed, size_t len);
void	 feed_out_keys(struct feed_out *, const uint8_t *zone, const void *body, size_t len);
void	 feed_out_delete(struct feed_out *, const uint8_t *name, uint64_t version);
/* A whole zone from memory, in pieces where it is large. */
void	 feed_out_replace(struct feed_out *, const struct store_zone *, const void *zwire, size_t len);
/* The same from the store. */
enum ns_err	 feed_out_stored(struct feed_out *, struct store *, const struct store_zone *);
void	 feed_out_delta(struct feed_out *, const struct store_zone *, uint64_t base_version,
	    const struct wbuf *zwire, const struct wbuf *gone);
/* Emits the last block, marked; there always is one. */
void	 feed_out_end(struct feed_out *, bool publish);
void	 feed_out_abandon(struct feed_out *);

/* Octets of whole RRsets (or whole owners) at the start of a zwire: at most `want`, or one. */
size_t	 zwire_cut(const void *zwire, size_t len, size_t want, bool whole_owners);

#endif
