/* status - what `status` says, from memory alone: it answers while everything else is busy.  Loop only. */
#ifndef NS_SYNC_STATUS_H
#define NS_SYNC_STATUS_H

#include "appliance/sync/request.h"
#include "appliance/sync/sync.h"

struct status	*status_new(void);
void	 status_destroy(struct status **);
void	 status_request(struct sync *, struct request *);
/* From the supervisor; arg is struct sync. */
role_table_fn	status_table;
double	 status_uptime_s(const struct sync *);	/* of this appliance, where the supervisor told it, else of sync */
/* A copy of the supervisor's table. */
size_t	 status_processes(const struct sync *, Ns__StatusReply__Process ***);
/* What the last commit met: the text of a failure, or NULL when it went well. */
void	 status_problem(Ns__StatusReply *, const char *code, char *text);	/* takes text */
void	 status_store(struct sync *, const char *trouble);
/* What answer says of floods; NULL: answer is gone. */
void	 status_notice(struct sync *, const Ns__Envelope *);

#endif
