/* audit - what people do at this appliance that is no change: they log in, or may not, and are given secrets.
 *
 * The loop gathers, the writer's thread writes once a second at most, without waiting for the disk (store/audit.h):
 * no answer waits for it.  What cannot be written, because the disk is full, is tried again and logged, and never a
 * reason to refuse anybody.  Key events are changes, and in the history as such. */
#ifndef NS_SYNC_AUDIT_H
#define NS_SYNC_AUDIT_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/sync/request.h"
#include "appliance/sync/sync.h"

#define AUDIT_WRITE_NS 1000000000ull
#define AUDIT_RETRY_NS 30000000000ull
#define AUDIT_JOIN_MS  (10 * 60 * 1000ll)	/* a loop of logins is one row, */
#define AUDIT_SPAN_MS  (60 * 60 * 1000ll)	/* of an hour at most */
#define AUDIT_AGE_MS   (400 * 86400 * 1000ll)
#define AUDIT_ROWS     20000u			/* 4 MB */
#define AUDIT_HIS_ROWS 2000u			/* of one person: nobody makes others' go */

struct audit;
struct audit *audit_new(void);
void	 audit_destroy(struct audit **);	/* after the writer */
void	 audit_tick(struct sync *, uint64_t now_ns);
/* What waits goes to the writer, whose queue is about to be closed. */
void	 audit_stop(struct sync *);

/* He said hello, and is whom the caller names, with a role or none. */
void	 audit_hello(struct sync *, const struct caller *);
/* He said to be somebody whom he may not speak for. */
void	 audit_claims(struct sync *, const struct ns_peer *, const Ns__Hello *);
/* A request that is marked so was answered. */
void	 audit_told(struct sync *, const struct request *);

/* Writer thread: true when the job was one of these, and is done. */
struct writer_thread;
bool	 audit_write(struct writer_thread *, struct job *);

#endif
