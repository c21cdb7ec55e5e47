/* floods - zones whose answers to names that they do not have are being limited, for status and stats.
 *
 * From the lines that workers leave in their pages (page.h); those of one zone are added up.  A zone is
 * told for FLOODS_QUIET_NS after its last limited answer, so that status does not flicker. */
#ifndef NS_ANSWER_FLOODS_H
#define NS_ANSWER_FLOODS_H

#include "appliance/answer/zonenames.h"
#include "appliance/zonemap/page.h"
#include "ipc/nameserve.pb-c.h"

#define FLOODS_MAX	8u
#define FLOODS_QUIET_NS 3000000000ull

struct floods {
	Ns__StatsReply__Flood rows[FLOODS_MAX], *list[FLOODS_MAX];
	char names[FLOODS_MAX][NAME_MAX_TEXT];
	uint64_t hash[FLOODS_MAX];
	size_t n;
};

void floods_read(struct floods *, const struct worker_page *const *, size_t workers,
    const struct map *, uint64_t now_ns);

#endif
