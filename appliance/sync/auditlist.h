/* auditlist - events of audit.h as people read them: a page for the history.  Reader threads. */
#ifndef NS_SYNC_AUDITLIST_H
#define NS_SYNC_AUDITLIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/store/audit.h"
#include "appliance/sync/authz.h"
#include "ipc/nameserve.pb-c.h"

struct filter;

struct event_page {
	const struct caller *to;
	struct filter *filter;		/* of changes; NULL: all */
	int64_t	 now_ms;
	size_t	 limit;
	struct store_event *rows;	/* malloc'ed */
	size_t	 count;
	bool	 more;
	uint64_t last;			/* that was looked at, */
	int64_t	 last_ms;		/* and when it was */
};
/* Those below `before` (0: all), newest first. */
enum ns_err	 event_page_read(struct store *, uint64_t before, struct event_page *);
/* A Change that is one of these; malloc'ed. */
Ns__Change	*event_message(const struct caller *to, const struct store_event *);

/* Where a colleague sits is his; an admin may see it.  Whole, or cut into `cut`. */
const char	*source_told(const struct caller *to, const char *who, const char *source,
		    char cut[SOURCE_LEN]);

#endif
