/* draftop - what is done with a draft before it is saved: operations on it, what a request makes of it, and what
 * the answers to a conflict make of it.  Pure; for CLI and console. */
#ifndef NS_IPC_CLIENT_DRAFTOP_H
#define NS_IPC_CLIENT_DRAFTOP_H

#include <stdbool.h>
#include <stdint.h>

#include "ipc/nameserve.pb-c.h"

/* Free with ns__draft__free_unpacked(d, NULL).  now_ms: wall clock. */
Ns__Draft	*draft_new(const char *zone, uint64_t version, uint32_t serial, int64_t now_ms);
void		 draft_add(Ns__Draft *, const Ns__RecordOp *, int64_t now_ms);	/* a copy */
Ns__RecordOp	*op_copy(const Ns__RecordOp *);
/* All operations anew, and their base, as one step. */
void		 draft_replace(Ns__Draft *, const Ns__ZoneEdit *, int64_t now_ms);
/* Why, for the commit; of a text that is too long the beginning. */
void		 draft_comment(Ns__Draft *, const char *text);
/* The same operations on another version of the zone. */
void		 draft_rebase(Ns__Draft *, uint64_t version, uint32_t serial, int64_t now_ms);
/* What was done last, taken back: an operation, or a step; for redo, or to be freed.  false: nothing. */
struct draft_undone { Ns__RecordOp *op; Ns__Draft__Step *step; };	/* one of them */
bool		 draft_undo(Ns__Draft *, struct draft_undone *, int64_t now_ms);
void		 draft_redo(Ns__Draft *, struct draft_undone *, int64_t now_ms);	/* takes it */
void		 draft_undone_free(struct draft_undone *);
/* Every operation on that RRset taken off, as one step; how many.  One that removes all types of a name stays. */
size_t		 draft_leave_out(Ns__Draft *, const char *name, const char *type, int64_t now_ms);
/* Does the operation say something of that RRset?  Names are text, absolute or relative to the zone. */
bool		 op_names(const Ns__RecordOp *, const char *zone, const char *name, const char *type);

/* Is the name in the zone? Its octets then, else 0: of several zones the longest holds it.  The zone as drafts name it. */
size_t		 draft_holds(const char *zone, const char *name);

/* For plan and commit; borrows from the draft. */
void		 draft_edit(Ns__ZoneEdit *, const Ns__Draft *);
/* The same drafts with the same words are the same request: when its outcome is unknown, trying again is
 * harmless, and needs no key of the user's.  malloc'ed. */
char		*draft_key(const Ns__CommitRequest *);

/* How many RRsets are signed anew by what is planned, the SOA among them; 0: the zone is not signed. */
size_t		 plan_signs(const Ns__PlanReply__Zone *);

/* ---- conflicts ---- */
/* NULL: not told (too long). */
bool		 state_same(const Ns__Conflict__State *, const Ns__Conflict__State *);
/* What DECIDE_BOTH makes of it: with what either side added and without what either took away, and my TTL; where one side
 * is that it goes, the other's.  rdata: room for both sides', borrowed from them. */
Ns__Conflict__State	 draft_both(const Ns__Conflict__RRset *, char **rdata);
enum decision { DECIDE_NOT, DECIDE_MINE, DECIDE_THEIRS, DECIDE_BOTH };
/* The draft anew, on the newest version: an operation for each RRset that is mine alone, and for those that overlap
 * what was decided.  false, and the draft as it was: one is not decided, or the conflict is not told whole. */
bool		 draft_settle(Ns__Draft *, const Ns__Conflict *, const enum decision *, int64_t now_ms);

#endif
