/* toplist - who asks most and what is asked most: the workers' sketches and the zones' totals as rows of
 * a message.  The memory is the caller's struct; what the pages say is checked before it is shown. */
#ifndef NS_ANSWER_TOPLIST_H
#define NS_ANSWER_TOPLIST_H

#include "appliance/answer/totals.h"
#include "appliance/answer/zonenames.h"
#include "appliance/answer/zonepast.h"
#include "appliance/zonemap/page.h"
#include "ipc/nameserve.pb-c.h"

#define TOPLIST_MAX	100u
#define TOPLIST_DEFAULT 10u

struct toplist {
	Ns__StatsReply__Top rows[TOPLIST_MAX], *list[TOPLIST_MAX];
	char names[TOPLIST_MAX][NAME_MAX_TEXT], most[TOPLIST_MAX][NAME_MAX_TEXT];
	size_t n, max;
};

void toplist_begin(struct toplist *, uint32_t limit);
/* With their past, or NULL without. */
void toplist_zones(
    struct toplist *, const struct zonetotals *, const struct zonepast *, const struct map *, uint64_t now_ms);
void toplist_clients(
    struct toplist *, const struct worker_memory *const *, size_t workers, uint64_t now_ns);
void toplist_names(
    struct toplist *, const struct worker_memory *const *, size_t workers, uint64_t now_ns);
void toplist_qtypes(struct toplist *, const struct totals *);

#endif
