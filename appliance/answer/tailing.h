/* tailing - the tail that sync asks for: wish, workers' rings, filter, and the rows as a message.
 *
 * Asked for again and again by who watches; three seconds after the last time nobody does, and what was kept
 * goes.  Clients are cut to /24 and /48 unless sync says that the asker may see them whole. */
#ifndef NS_ANSWER_TAILING_H
#define NS_ANSWER_TAILING_H

#include "appliance/answer/tailbook.h"
#include "appliance/dns/name.h"
#include "appliance/zonemap/map.h"
#include "ipc/nameserve.pb-c.h"

#define TAILING_COLLECT_MS 100u

struct tailing {
	struct tail_wish *wish; /* NULL: cannot be told; nothing is ever shown */
	struct tailbook book;
	const char *appliance;
	/* the last reply */
	Ns__TailRows message;
	Ns__TailReply reply;
	Ns__TailMark mark, *marks[1];
	Ns__TailRow rows[TAILBOOK_OUT], *list[TAILBOOK_OUT];
	char fault[TAILFILTER_WHY];
	struct tailing_text {
		char at[32], client[64], type[16], name[NAME_MAX_TEXT];
	} texts[TAILBOOK_OUT];
};

/* The workers' rows, taken in; false: nobody watches, there is no need to come back. */
bool tailing_collect(
    struct tailing *, const struct worker_memory *const *, size_t workers, uint64_t now_ns);
/* The message is the tailing's, until the next one. */
Ns__TailRows *tailing_ask(struct tailing *, const struct map *, const struct worker_memory *const *,
    size_t workers, const Ns__TailAsk *, uint64_t now_ns, int64_t wall_ms);

#endif
