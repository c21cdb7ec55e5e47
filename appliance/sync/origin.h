/* origin - a request that came from another appliance: forwarded to the primary, or relayed to whom it is for.
 * Who asked, with what rights, and how the reply or the refusal goes back.  Loop only. */
#ifndef NS_SYNC_ORIGIN_H
#define NS_SYNC_ORIGIN_H

#include "appliance/sync/fleet.h"
#include "appliance/sync/request.h"

struct origin {
	struct fleet_from from;
	uint64_t	 id;		/* of the one who asked */
	Ns__Envelope__BodyCase reply;	/* in what it goes back: FLEET_FORWARD_REPLY or FLEET_RELAYED */
};
/* As that appliance says of its client. */
struct origin_caller {
	const struct member *member;
	const char	*principal, *role, *via;
	const char	*source, *appliance;	/* where its client is */
	uint32_t	 deadline_ms;
};

/* The request starts here: of that kind, as that caller, whose role is what the member is trusted with at most.
 * finish() has it at the end, and hands it to origin_answer(). */
void	 origin_start(struct sync *, const struct origin *, const struct origin_caller *,
    const struct request_kind *, Ns__Envelope *, void (*finish)(struct sync *, struct request *));
/* Its reply or refusal goes back, and it is gone. */
void	 origin_answer(struct sync *, struct request *);
/* Without a request. */
void	 origin_refuse(struct sync *, const struct origin *, struct ns_why *);

#endif
