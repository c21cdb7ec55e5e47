/* explain - a question asked of the serving code itself, with a listener to its steps; of what is served, or
 * of a sketch of it with drafts applied. */
#ifndef NS_ANSWER_EXPLAIN_H
#define NS_ANSWER_EXPLAIN_H

#include "appliance/serve/serve.h"
#include "appliance/zonemap/sketch.h"
#include "ipc/nameserve.pb-c.h"

#define EXPLAIN_STEPS 64
#define EXPLAIN_QUERY 512		/* octets; a longer one is answered without its signatures as steps */

struct explain {
	struct serve_conf conf;		/* board and place are the caller's */
	struct sketch	*sketch;	/* the caller's; NULL: drafts cannot be asked */
	uint64_t	random;
	size_t		n;
	Ns__TestReply__Step steps[EXPLAIN_STEPS], *list[EXPLAIN_STEPS];
	char		step[EXPLAIN_STEPS][12], text[EXPLAIN_STEPS][256];
	uint8_t		reply[SERVE_TCP_MAX];
	size_t		reply_len;	/* 0: it would not be answered at all */
};

/* Fills steps and reply.  NS_UNAVAILABLE: nothing is loaded, or the map moves too fast to be read; others as
 * sketch_zone() says. */
enum ns_err	 explain_ask(struct explain *, const struct map *, const Ns__Explain *,
		    struct ns_why *) __attribute__((warn_unused_result));

#endif
