/* draft - what the commands around drafts share: draft.c (one more operation, shown, committed),
 * draftset.c (several at once) and drafttake.c (whole drafts that the appliance made). */
#ifndef NS_CLI_DRAFT_H
#define NS_CLI_DRAFT_H

#include "console/cli/cli.h"
#include "ipc/client/draft.h"
#include "ipc/client/draftop.h"

/* The drafts for the appliance that answers here, locked; NULL after a message, with *code. */
struct ns_drafts *cli_drafts_linked(struct cli *, int *code);
json_t *cli_draft_json(const Ns__Draft *);
int cli_draft_print(struct cli *, const Ns__Draft *);

/* A zone as it is now, and the reply that holds it, which the caller frees; NULL after a message. */
const Ns__ZoneInfo *cli_zone(struct cli *, const char *name, Ns__Envelope **, int *code);
void cli_plan_print(const Ns__PlanReply *);
/* The reply to a plan request, or NULL after a message. */
Ns__Envelope *cli_plan(struct cli *, Ns__ZoneEdit **, size_t n, int *code);

/* Drafts and, as a request takes them, their edits. */
struct draft_set {
	Ns__Draft **drafts;
	Ns__ZoneEdit *edits, **list;
	size_t n, damaged;
};
/* Those that the command line names, all, or that of the zone that its first word is in; false after a message, with
 * *code. */
enum draft_which { DRAFTS_NAMED, DRAFTS_ALL, DRAFTS_OF_NAME };
bool draft_set_load(
    struct cli *, struct ns_drafts *, enum draft_which, struct draft_set *, int *code);
void draft_set_free(struct draft_set *);
#define CLI_NO_DRAFT 1312u

#endif
