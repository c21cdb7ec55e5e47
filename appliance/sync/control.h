/* control - the control socket: who asked, may he, who works on it, and the way back.  Loop only. */
#ifndef NS_SYNC_CONTROL_H
#define NS_SYNC_CONTROL_H

#include "appliance/sync/request.h"
#include "appliance/sync/sync.h"

ns_recv_fn	control_recv;		/* arg: struct sync */

/* Send reply or refusal and end the request.  When the peer's queue is full it is tried again until
 * the deadline. */
void	 request_finish(struct sync *, struct request *);
/* Refuse and end. */
void	 request_refuse(struct sync *, struct request *, enum ns_err, uint16_t code, const char *text);
/* To a queue; a full one is a refusal. */
void	 request_push(struct sync *, struct queue *, enum lane, struct request *);
/* The row of a request; NULL: none that is answered here. */
const struct request_kind *control_kind(Ns__Envelope__BodyCase);
/* A request that another appliance passed on: may its caller, and begin. */
void	 control_start(struct sync *, struct request *, const char *relay);
/* What only the loop knows of a reply that is complete else. */
void	 control_completes(struct sync *, struct request *);
void	 control_to_writer(struct sync *, struct request *);
void	 control_to_reader(struct sync *, struct request *);
/* Requests whose peer's queue was full. */
void	 control_retry(struct sync *);
void	 control_free(struct sync *);

#endif
