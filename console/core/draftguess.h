/* draftguess - what a draft's operations make of RRsets, as far as it can be told without the appliance: for the time in
 * which it cannot be asked.  Its plan is the truth: it reads names and data as they count, and refuses.  Pure. */
#ifndef NS_CONSOLE_CORE_DRAFTGUESS_H
#define NS_CONSOLE_CORE_DRAFTGUESS_H

#include "ipc/nameserve.pb-c.h"

/* Fills in what is served of that RRset, malloc'ed into *was, which is not there; nothing when it is not known. */
typedef void draft_was_fn(void *arg, const char *name, const char *type, Ns__Conflict__State *was);

/* A zone with its RRsets, the oldest first; an operation on all types of a name is left out.  Free with
 * ns__plan_reply__free_unpacked. */
Ns__PlanReply *draft_guess(const Ns__Draft *, draft_was_fn *, void *arg);

#endif
