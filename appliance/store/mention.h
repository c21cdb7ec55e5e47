/* mention - private to this folder: the index of store_mention_each(), from the checks and ALIAS targets that zones
 * name to the owners that name them.
 *
 * content.c keeps it in the transaction that changes the content: what an owner had goes, what it has comes.  The
 * zwire has been checked and is only read.  An error is the store's (store.h), and breaks the transaction. */
#ifndef NS_STORE_MENTION_H
#define NS_STORE_MENTION_H

#include "appliance/store/db.h"

/* Is there anything to index in it?  Most owners have nothing, and cost no statement then. */
bool		 mention_any(const void *zwire, size_t len);
/* What these owners of the zone name; to what is there. */
enum ns_err	 mention_add(struct store *, uint64_t zone, const void *zwire, size_t len);
/* Nothing of the zone, or of one owner, any more. */
enum ns_err	 mention_clear(struct store *, uint64_t zone);
enum ns_err	 mention_clear_owner(struct store *, uint64_t zone, const uint8_t *owner);
/* Of a store that comes from before there was an index. */
enum ns_err	 mention_all(struct store *);

#endif
