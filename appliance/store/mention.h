/* mention - private to this folder: keeping the index of store_mention_each(). */
#ifndef NS_STORE_MENTION_H
#define NS_STORE_MENTION_H

#include "appliance/store/db.h"

/* Is there anything to index? */
bool		 mention_any(const void *zwire, size_t len);
enum ns_err	 mention_add(struct store *, uint64_t zone, const void *zwire, size_t len);
enum ns_err	 mention_clear(struct store *, uint64_t zone);
enum ns_err	 mention_clear_owner(struct store *, uint64_t zone, const uint8_t *owner);
/* Of a store that comes from before there was an index. */
enum ns_err	 mention_all(struct store *);

#endif
