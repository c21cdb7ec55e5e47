/* storeview - a stored zone as zonecheck and edit see it.  Writer thread; remembers the first
 * failure of the store, because a view has no way to tell it. */
#ifndef NS_SYNC_STOREVIEW_H
#define NS_SYNC_STOREVIEW_H

#include "appliance/dns/zonecheck.h"
#include "appliance/store/store.h"
#include "ipc/base/wbuf.h"

struct store_view {
	struct zone_view zone;
	struct store	*store;
	uint64_t	 id;
	struct wbuf	 buf;
	enum ns_err	 err;
};
void	 store_view_init(struct store_view *, struct store *, uint64_t zone, const uint8_t *apex);
void	 store_view_free(struct store_view *);

/* All content of a zone, appended. */
enum ns_err	 store_content_all(struct store *, const struct store_zone *, struct wbuf *);

#endif
